/** Seeded garbage on the client port: no crash, no leak, in bounded time, and nobody else notices. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t from 'tap';
import { Bystander } from '../fault/bystander.ts';
import { frame, rawLogin } from '../fault/raw-login.ts';
import { isNightly } from '../support/nightly.ts';
import { ReplicationSet } from '../support/replication-set.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';
import { randomCommand, randomLogin, randomPieces } from './garbage.ts';
import { lastingGrowth } from './lasting-growth.ts';

const ATTEMPTS = isNightly ? 50_000 : 1000;
/** Heaps and caches have their size after so many. */
const WARM_UP = Math.max(1500, ATTEMPTS / 2);
const AT_ONCE = 12;
const COMMANDS_PER_SESSION = 8;
/** A client that was answered nothing goes away after this time. */
const PATIENCE_MS = 60;
/** With room enough V8 lets garbage lie, which looks like a leak. */
const SMALL_HEAP = '--max-old-space-size=96 --max-semi-space-size=8';
const MAX_GROWTH_BYTES = 32 * 1_048_576;

const set = new ReplicationSet({ replicas: 1, sql: ['CREATE TABLE app.t (id INT PRIMARY KEY, text TEXT)'] });
let sluice: SluiceProcess;

t.before(async () => {
  await set.start();
  sluice = await SluiceProcess.startFor(set, {
    env: { NODE_OPTIONS: SMALL_HEAP },
    config: { limits: { maxPacketBytes: 4_194_304, handshakeTimeoutMs: 30_000 }, log: { level: 'info' } },
  });
});
t.teardown(async () => {
  await sluice?.dispose();
  await set.dispose();
});

/** Sends the pieces one by one and waits a little for an answer or the end. */
async function send(socket: Socket, pieces: readonly Buffer[], patienceMs: number): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed || !socket.writable) return;
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (socket.destroyed) return;
  await Promise.race([
    once(socket, 'data', { signal: AbortSignal.timeout(patienceMs) }),
    once(socket, 'close', { signal: AbortSignal.timeout(patienceMs) }),
  ]).catch(() => undefined);
}

async function openSocket(): Promise<Socket> {
  const socket = connect({ host: sluice.host, port: sluice.port });
  socket.on('error', () => socket.destroy());
  socket.on('data', () => undefined);
  await once(socket, 'connect').catch(() => undefined);
  return socket;
}

/** Bytes of any kind before, or instead of, a login. */
async function attackLogin(random: SeededRandom): Promise<void> {
  const socket = await openSocket();
  if (random.below(4) > 0)
    await once(socket, 'data', { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
  await send(socket, randomPieces(random, randomLogin(random)), PATIENCE_MS);
  if (random.below(2) === 0) socket.resetAndDestroy();
  else socket.destroy();
}

/** A proper login, then commands that are not proper. */
async function attackSession(random: SeededRandom): Promise<void> {
  const client = await rawLogin(sluice, { capabilities: random.below(2) << 24 });
  for (let count = 0; count < COMMANDS_PER_SESSION && !client.socket.closed; count++) {
    const sequenceId = random.below(10) === 0 ? random.below(256) : 0;
    const payload = randomCommand(random);
    const claimed = random.below(12) === 0 ? random.below(2 * payload.length + 4) : payload.length;
    for (const piece of randomPieces(random, frame(sequenceId, payload, claimed)))
      client.socket.sendBytes(piece);
    await client.socket.receive(PATIENCE_MS).catch(() => undefined);
  }
  client.socket.destroy();
}

t.test('garbage from clients', { timeout: isNightly ? 3_600_000 : 400_000 }, async (t) => {
  const random = SeededRandom.fromEnvironment();
  t.comment(`SLUICE_TEST_SEED=${random.seed}`);
  const bystander = await Bystander.start(sluice);
  await bystander.errorsAfter(50);
  const baseline = await sluice.metric('sluice_frontend_connections');
  let next = 0;
  const attack = async (end: number): Promise<void> => {
    while (next < end) {
      const attempt = random.fork(next++);
      await (attempt.below(2) === 0 ? attackLogin(attempt) : attackSession(attempt));
    }
  };
  const attackUpTo = async (end: number): Promise<void> => {
    await Promise.all(Array.from({ length: AT_ONCE }, () => attack(end)));
  };
  await attackUpTo(WARM_UP);
  const memory = await sluice.rss();
  await attackUpTo(WARM_UP + ATTEMPTS);
  t.equal(sluice.exit, null, 'Sluice still runs');
  t.equal(await sluice.metric('sluice_worker_restarts_total'), 0, 'no worker had to be restarted');
  t.notOk(sluice.logContains(/PROXY_INTERNAL|internal error|uncaught/i), 'no internal error');
  t.same(await bystander.errorsAfter(), [], 'the bystander saw no error');
  await waitUntil(
    'no connection is left',
    async () => (await sluice.metric('sluice_frontend_connections')) === baseline,
  );
  const growth = await lastingGrowth(sluice, memory, MAX_GROWTH_BYTES);
  await bystander.stop();
  await waitUntil('no session is pinned', async () => (await sluice.metric('sluice_pinned_sessions')) === 0);
  t.ok(growth < MAX_GROWTH_BYTES, `memory grew by ${(growth / 1_048_576).toFixed(1)} MB`);
});
