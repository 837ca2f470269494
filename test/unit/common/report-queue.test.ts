import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { ReportQueue } from '../../../src/common/report-queue.ts';
import { type ClientEvent, ReportStream, type WorkerReport } from '../../../src/common/worker-report.ts';

function event(connectionId: number): ClientEvent {
  return {
    kind: 'login',
    timeMs: 0,
    connectionId,
    username: 'app',
    client: '127.0.0.1:1',
    schema: null,
    tls: false,
    reason: null,
    errno: 0,
  };
}

class Fixture {
  readonly posted: WorkerReport[] = [];
  drops = 0;
  readonly queue = new ReportQueue(
    ReportStream.clientEvents,
    (report) => this.posted.push(report),
    () => this.drops++,
  );

  constructor(limit: number) {
    this.queue.limit = limit;
  }

  report(connectionId: number): void {
    if (this.queue.hasRoom()) this.queue.add(event(connectionId));
  }

  /** Ids of what has been posted, and how many were dropped in between. */
  get batches(): [number[], number][] {
    return this.posted.map(({ records, dropped }) => [
      (records as readonly ClientEvent[]).map(({ connectionId }) => connectionId),
      dropped,
    ]);
  }
}

t.test('what comes in one turn is one message', async (t) => {
  const fixture = new Fixture(10);
  fixture.report(1);
  fixture.report(2);
  t.strictSame(fixture.batches, []);
  await nextTurn();
  fixture.report(3);
  await nextTurn();
  await nextTurn();
  t.strictSame(fixture.batches, [
    [[1, 2], 0],
    [[3], 0],
  ]);
  t.match(fixture.posted[0], { type: 'report', stream: 'clientEvents' });
});

t.test('no more than the limit before some are taken; what is dropped is told', async (t) => {
  const fixture = new Fixture(2);
  for (const id of [1, 2, 3]) fixture.report(id);
  await nextTurn();
  t.strictSame(fixture.batches, [[[1, 2], 1]]);
  fixture.report(4);
  fixture.report(5);
  await nextTurn();
  t.equal(fixture.posted.length, 1, 'nothing is sent while nothing is taken');
  t.equal(fixture.drops, 3);
  fixture.queue.taken(1);
  fixture.report(6);
  fixture.report(7);
  await nextTurn();
  t.strictSame(fixture.batches.slice(1), [[[6], 3]]);
  fixture.queue.taken(2);
  fixture.report(8);
  fixture.report(9);
  await nextTurn();
  t.strictSame(fixture.batches.slice(2), [[[8, 9], 0]]);
  t.equal(fixture.drops, 4);
});

t.test('a limit of 0 takes nothing', async (t) => {
  const fixture = new Fixture(0);
  fixture.report(1);
  await nextTurn();
  t.strictSame(fixture.batches, [[[], 1]]);
});
