import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { DirectWriter } from '../../../../src/data/io/direct-writer.ts';
import { waitUntil } from '../../../support/wait-until.ts';

type Writers = { readonly DirectWriter: typeof DirectWriter };

const MODULE = '../../../../src/data/io/direct-writer.ts';
/** More than the kernel takes for a reader that does not read. */
const MANY_BYTES = 16 << 20;

async function pair(t: Test): Promise<{ readonly near: Socket; readonly far: Socket }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const far = connect(port, '127.0.0.1');
  const [near] = await accepted;
  t.teardown(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  near.on('error', () => {});
  far.on('error', () => {});
  return { near, far };
}

/** `once` would take an error in front of it for its own. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** Bytes of which each tells where it belongs. */
function pattern(length: number, from = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (from + i) % 251;
  return bytes;
}

async function runTests(t: Test, { DirectWriter }: Writers): Promise<void> {
  t.test('short writes leave at once and nothing waits', async (t) => {
    const { near, far } = await pair(t);
    const writer = new DirectWriter(near, () => t.fail('nothing had to wait'));
    let received = Buffer.alloc(0);
    far.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
    });
    for (let n = 0; n < 100; n++) {
      writer.write(Buffer.from(`${n};`));
      t.equal(writer.unsentBytes, 0);
    }
    const wanted = Array.from({ length: 100 }, (_, n) => `${n};`).join('');
    await waitUntil('all is there', () => received.length === wanted.length);
    t.equal(received.toString(), wanted);
  });

  t.test('what the kernel does not take waits, in order, and its end is told', async (t) => {
    const { near, far } = await pair(t);
    let drained = 0;
    const writer = new DirectWriter(near, () => drained++);
    far.pause();
    const all = pattern(MANY_BYTES);
    for (let at = 0; at < MANY_BYTES; at += 1 << 20) writer.write(all.subarray(at, at + (1 << 20)));
    writer.write(pattern(10, MANY_BYTES));
    t.ok(writer.unsentBytes > 0);
    t.equal(drained, 0);
    const received: Buffer[] = [];
    far.on('data', (bytes: Buffer) => received.push(bytes));
    far.resume();
    await waitUntil('nothing waits', () => writer.unsentBytes === 0 && drained > 0);
    writer.write(Buffer.from('end'));
    writer.end();
    near.end();
    await once(far, 'end');
    const bytes = Buffer.concat(received);
    t.ok(bytes.equals(Buffer.concat([pattern(MANY_BYTES + 10), Buffer.from('end')])));
  });

  t.test('an end comes behind what waits', async (t) => {
    const { near, far } = await pair(t);
    const writer = new DirectWriter(near, () => {});
    far.pause();
    writer.write(pattern(MANY_BYTES));
    writer.end();
    near.end();
    let received = 0;
    far.on('data', (bytes: Buffer) => {
      received += bytes.length;
    });
    far.resume();
    await once(far, 'end');
    t.equal(received, MANY_BYTES);
  });

  t.test('who is gone is an error of the socket, once, and nobody is told of a drain', async (t) => {
    const { near, far } = await pair(t);
    const writer = new DirectWriter(near, () => t.fail('nothing was sent'));
    const errors: NodeJS.ErrnoException[] = [];
    near.on('error', (error) => errors.push(error));
    far.pause();
    writer.write(pattern(MANY_BYTES));
    const closed = closeOf(near);
    far.resetAndDestroy();
    await closed;
    t.match(errors, [/^Error: (write|read) (EPIPE|ECONNRESET)$/]);
    t.ok(near.destroyed);
  });

  t.test('a socket that is destroyed with bytes waiting tells nobody of a drain', async (t) => {
    const { near, far } = await pair(t);
    const writer = new DirectWriter(near, () => t.fail('nothing was sent'));
    far.pause();
    writer.write(pattern(MANY_BYTES));
    near.destroy();
    await closeOf(near);
    await new Promise(setImmediate);
    t.ok(near.destroyed);
  });
}

t.test('to the handle', async (t) => {
  await runTests(t, (await import(MODULE)) as Writers);
});

t.test('where Node has no such handle, to the stream', async (t) => {
  const hidden = process as { binding?: unknown };
  const { binding } = hidden;
  hidden.binding = undefined;
  try {
    await runTests(t, (await import(`${MODULE}?stream`)) as Writers);
  } finally {
    hidden.binding = binding;
  }
});
