import { once } from 'node:events';
import t from 'tap';
import { type Flushable, FlushScheduler } from '../../../../src/data/io/flush-scheduler.ts';

class Item implements Flushable {
  scheduled = false;
  flushes = 0;
  onFlush: () => void = () => undefined;

  flush(): void {
    this.flushes++;
    this.onFlush();
  }
}

function nextImmediate(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

t.test('once per turn of the event loop, however often it was asked for', async (t) => {
  const order: string[] = [];
  const scheduler = new FlushScheduler(() => order.push('before'));
  const [a, b] = [new Item(), new Item()];
  a.onFlush = () => order.push('a');
  b.onFlush = () => order.push('b');
  scheduler.schedule(b);
  scheduler.schedule(a);
  scheduler.schedule(b);
  t.ok(a.scheduled && b.scheduled);
  t.equal(b.flushes, 0, 'not at once');
  await nextImmediate();
  t.same(order, ['before', 'b', 'a']);
  t.notOk(a.scheduled || b.scheduled);
  await nextImmediate();
  t.equal(order.length, 3, 'and nothing when nobody asked');
});

t.test('what is asked for while flushing goes out in the next turn', async (t) => {
  const scheduler = new FlushScheduler(() => undefined);
  const [a, b] = [new Item(), new Item()];
  a.onFlush = () => {
    if (a.flushes === 1) {
      scheduler.schedule(a);
      scheduler.schedule(b);
    }
  };
  scheduler.schedule(a);
  await nextImmediate();
  t.equal(a.flushes, 1);
  t.equal(b.flushes, 0);
  t.ok(a.scheduled);
  await nextImmediate();
  t.equal(a.flushes, 2);
  t.equal(b.flushes, 1);
});

t.test('all that several sockets bring in one turn goes out behind the reads of that turn', async (t) => {
  // Two ends of a channel that both have something: the flush comes after both.
  const scheduler = new FlushScheduler(() => undefined);
  const { port1, port2 } = new MessageChannel();
  const item = new Item();
  port1.on('message', () => scheduler.schedule(item));
  port2.postMessage(1);
  port2.postMessage(2);
  await once(port1, 'message');
  port1.close();
  await nextImmediate();
  await nextImmediate();
  t.equal(item.flushes, 1);
});
