/** Servers that answer nonsense: every connection ends in an error within its deadline, and nothing is thrown. */

import { createServer, type Socket } from 'node:net';
import t from 'tap';
import { systemClock } from '../../../src/common/clock.ts';
import { withDeadline } from '../../../src/control/monitor/deadline.ts';
import { probeServer } from '../../../src/control/monitor/probe-server.ts';
import { describeError } from '../../../src/control/monitor/server-error.ts';
import { WITHOUT_TLS } from '../../../src/topology/server-description.ts';

const CONNECTIONS = 600;
const AT_ONCE = 20;
const TIMEOUT_MS = 150;

let state = Number(process.env.FUZZ_SEED ?? 20_261_121);
t.comment(`seed ${state}`);

function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}
const below = (limit: number): number => Math.floor(random() * limit);
const randomBytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256)));

function packet(sequenceId: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  header[3] = sequenceId & 0xff;
  return Buffer.concat([header, payload]);
}

/** Some bytes changed, some cut off, or some added. */
function damage(payload: Buffer): Buffer {
  const result = Buffer.from(payload);
  const kind = below(5);
  if (kind === 0) return result.subarray(0, below(result.length));
  if (kind === 1) return Buffer.concat([result, randomBytes(5)]);
  for (let count = 1 + below(3); count > 0; count--) result[below(result.length)] = below(256);
  return result;
}

const HANDSHAKE = Buffer.concat([
  Buffer.from('\x0a8.0.36\0\x01\0\0\0abcdefgh\0', 'latin1'),
  Buffer.from([0xff, 0xf7, 0x21, 2, 0, 0xff, 0x81, 21]),
  Buffer.alloc(10),
  Buffer.from('ijklmnopqrst\0mysql_native_password\0'),
]);
const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
const EOF = Buffer.from([0xfe, 0, 0, 2, 0]);
const COLUMN = Buffer.from('\x03def\0\0\0\x01a\x01a\x0c\x21\0\x40\0\0\0\xfd\0\0\0\0\0', 'latin1');
const ROW = Buffer.from('\x09read_only\x03OFF', 'latin1');

function answer(sequenceId: number): Buffer {
  switch (below(4)) {
    case 0:
      return packet(below(256), randomBytes(below(60)));
    case 1:
      return packet(sequenceId, damage(OK));
    case 2:
      return packet(sequenceId, Buffer.concat([Buffer.from([0xff]), randomBytes(20)]));
    default: {
      const parts = [Buffer.from([2]), damage(COLUMN), damage(COLUMN), EOF, damage(ROW), damage(EOF)];
      return Buffer.concat(parts.map((part, index) => packet(sequenceId + index, part)));
    }
  }
}

function misbehave(socket: Socket): void {
  socket.on('error', () => {});
  const mode = below(5);
  if (mode === 0) {
    socket.end(randomBytes(1 + below(200)));
    return;
  }
  socket.write(packet(0, mode === 1 ? damage(HANDSHAKE) : HANDSHAKE));
  let received = 0;
  socket.on('data', (chunk) => {
    received++;
    const sequenceId = (chunk[3] ?? 0) + 1;
    socket.write(received === 1 && mode > 2 ? packet(sequenceId, OK) : answer(sequenceId));
  });
}

t.test('random answers', async (t) => {
  // mysql2 writes what it cannot read to standard error; here that is all of it.
  const { trace, error } = console;
  console.trace = () => {};
  console.error = () => {};
  t.teardown(() => Object.assign(console, { trace, error }));
  const server = createServer(misbehave);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const target = { host: '127.0.0.1', port: address.port, tls: WITHOUT_TLS };

  const outcomes = { failed: 0, succeeded: 0, late: 0, unprintable: 0 };
  for (let done = 0; done < CONNECTIONS; done += AT_ONCE) {
    const batch = Array.from({ length: AT_ONCE }, async () => {
      const startedAt = performance.now();
      try {
        await withDeadline(systemClock, TIMEOUT_MS, null, (signal) =>
          probeServer(target, { username: 'monitor', password: 'secret' }, signal),
        );
        outcomes.succeeded++;
      } catch (failure) {
        outcomes.failed++;
        const text = describeError(failure);
        if (text === '' || text.length > 320 || /\p{Cc}/u.test(text)) outcomes.unprintable++;
      }
      if (performance.now() - startedAt > TIMEOUT_MS + 20_000) outcomes.late++;
    });
    await Promise.all(batch);
  }
  t.equal(outcomes.failed + outcomes.succeeded, CONNECTIONS);
  t.ok(outcomes.failed > CONNECTIONS * 0.9, `${outcomes.failed} of ${CONNECTIONS} were seen to be nonsense`);
  t.equal(outcomes.late, 0);
  t.equal(outcomes.unprintable, 0);
  await new Promise<void>((resolve) => {
    const look = (): void => {
      server.getConnections((_, count) => (count === 0 ? resolve() : void setTimeout(look, 10)));
    };
    look();
  });
  t.pass('no connection is left open');
});
