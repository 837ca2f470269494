/** Seeded garbage from a server: no crash, no leak, in bounded time, and nobody else notices. */

import t from 'tap';
import { Bystander } from '../fault/bystander.ts';
import { type Fault, MarkedFaultProxy } from '../fault/marked-fault-proxy.ts';
import { rawLogin } from '../fault/raw-login.ts';
import { readAnswer } from '../integration/differential/wire-answer.ts';
import { Command } from '../integration/differential/wire-constants.ts';
import { isNightly } from '../support/nightly.ts';
import { APP_ACCOUNT, accountSql, ReplicationSet } from '../support/replication-set.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';
import { mutate } from './garbage.ts';
import { lastingGrowth } from './lasting-growth.ts';

const ATTEMPTS = isNightly ? 20_000 : 800;
/** Behind so many nothing new is met: code is compiled, and pages of shared memory are there. */
const WARM_UP = Math.max(1200, ATTEMPTS / 2);
const AT_ONCE = 8;
/** A mutated length can make an answer endless: the server's connection ends after this much silence. */
const SILENCE_MS = 60;
/** A server that never answers a statement of Sluice's own is given up after 10 s, and another one asked, which may be no better. */
const ANSWER_MS = 45_000;
/** With room enough V8 lets garbage lie, which looks like a leak. */
const SMALL_HEAP = '--max-old-space-size=96 --max-semi-space-size=8';
const MAX_GROWTH_BYTES = 32 * 1_048_576;

const STATEMENTS = [
  'SELECT 1',
  'SELECT id, text FROM t ORDER BY id',
  'SELECT nope',
  "UPDATE t SET text = 'x' WHERE id = 1",
  'SET time_zone = "+01:00"',
  'BEGIN',
  'CALL two()',
  'SHOW TABLES',
  "SELECT CAST('x' AS SIGNED)",
  'CREATE TEMPORARY TABLE IF NOT EXISTS x (a INT)',
  'USE app',
] as const;

/** Their connections are nobody else's: what comes late behind a changed answer meets whoever asks next. */
const ATTACKER = { user: 'attacker', password: 'attacker-secret' };

const set = new ReplicationSet({
  replicas: 0,
  sql: [
    ...accountSql({ username: ATTACKER.user, password: ATTACKER.password }),
    'CREATE TABLE app.t (id INT PRIMARY KEY, text VARCHAR(200))',
    "INSERT INTO app.t SELECT seq, REPEAT('t', seq) FROM app.seq_1_to_50",
    'CREATE PROCEDURE app.two() BEGIN SELECT 1; SELECT 2; END',
  ],
});
let proxy: MarkedFaultProxy;
let sluice: SluiceProcess;

t.before(async () => {
  await set.start();
  proxy = await MarkedFaultProxy.start(set.primary);
  sluice = await SluiceProcess.startFor(set, {
    env: { NODE_OPTIONS: SMALL_HEAP },
    config: {
      servers: [proxy.address],
      users: [APP_ACCOUNT, { username: ATTACKER.user, password: ATTACKER.password }],
      monitor: { discovery: false },
      log: { level: 'info' },
      // An answer that was changed must be nobody's but the attacker's.
      pool: { pipelineDepth: 1 },
    },
  });
});
t.teardown(async () => {
  await sluice?.dispose();
  await proxy?.close();
  await set.dispose();
});

function randomFault(random: SeededRandom): Fault {
  switch (random.below(4)) {
    case 0:
      return { replaceWith: random.bytes(random.below(300)), closeAfterMs: SILENCE_MS };
    case 1:
      return { cutAfterBytes: random.below(400) };
    default:
      return { mutate: (chunk) => mutate(random, chunk), closeAfterMs: SILENCE_MS };
  }
}

/** Gives why the attempt hung; anything else that the client sees is allowed, for bytes of rows have no checksum. */
async function attempt(random: SeededRandom, number: number): Promise<string | null> {
  const name = `fuzz-${number}`;
  proxy.faults.set(name, randomFault(random));
  const client = await rawLogin(sluice, { ...ATTACKER, capabilities: random.below(2) << 24 });
  try {
    if (client.greeting.kind !== 'ok') return `login refused: ${client.greeting.fields.message}`;
    const sql = `${random.pick(STATEMENTS)} ${MarkedFaultProxy.mark(name)}`;
    client.command(Command.query, Buffer.from(sql));
    await readAnswer(client, { timeoutMs: ANSWER_MS });
    return null;
  } catch (error) {
    const { message } = error as Error;
    return message.startsWith('no packet within') ? `${name}: ${message}` : null;
  } finally {
    proxy.faults.delete(name);
    client.socket.destroy();
  }
}

t.test('garbage from a server', { timeout: isNightly ? 3_600_000 : 400_000 }, async (t) => {
  const random = SeededRandom.fromEnvironment();
  t.comment(`SLUICE_TEST_SEED=${random.seed}`);
  const bystander = await Bystander.start(sluice);
  await bystander.errorsAfter(50);
  const baseline = await sluice.metric('sluice_frontend_connections');
  const failures: string[] = [];
  let next = 0;
  const attackUpTo = async (end: number): Promise<void> => {
    const lane = async (): Promise<void> => {
      while (next < end) {
        const number = next++;
        const failure = await attempt(random.fork(number), number);
        if (failure !== null) failures.push(failure);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  };
  await attackUpTo(WARM_UP);
  const memory = await sluice.rss();
  await attackUpTo(WARM_UP + ATTEMPTS);
  t.same(failures.slice(0, 10), [], 'no client hung or was refused');
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
  t.ok(growth < MAX_GROWTH_BYTES, `memory grew by ${(growth / 1_048_576).toFixed(1)} MB`);
});
