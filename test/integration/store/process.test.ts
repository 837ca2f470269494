import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { waitUntil } from '../../support/wait-until.ts';
import { CONTEXT, ENDLESS, StoreUnderTest, temporaryFolder } from './store-under-test.ts';

const SERVER = [0, 'db1', 3306, 0, 'ONLINE', 1, 0, 1000, 0, 0, 0, ''];
const isGone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    // Ended, and not yet waited for by its parent.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return true;
  }
};

t.test('starts at the first need, at a lower priority, and leaves nothing behind', async (t) => {
  const under = new StoreUnderTest();
  t.equal(under.store.pid, null);
  await under.rows('SELECT 1');
  const pid = under.store.pid!;
  t.match(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[16], '10', 'nice');
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  t.strictSame(
    environment.filter((entry) => entry !== '' && !entry.startsWith('NODE_CHANNEL_')),
    [],
    'none of ours',
  );
  const folder = readdirSync(tmpdir()).find((name) => name.startsWith(`sluice-memory-${process.pid}-`))!;
  t.equal(statSync(join(tmpdir(), folder)).mode & 0o777, 0o700);
  t.equal(statSync(join(tmpdir(), folder, 'memory.db')).mode & 0o777, 0o600);
  await under.store.close();
  t.ok(isGone(pid));
  t.notOk(existsSync(join(tmpdir(), folder)));
  t.match(await under.error('SELECT 1'), /^lost: Sluice stops/);
});

t.test('what never ends is ended, and MEMORY stays', async (t) => {
  const under = new StoreUnderTest({
    seed: [{ table: 'mysql_servers', rows: [SERVER] }],
    limits: { statementTimeoutMs: 1000 },
  });
  t.teardown(() => under.store.close());
  await under.execute("UPDATE mysql_servers SET comment = 'kept'");
  const first = under.store.pid!;
  const endless = [
    `${ENDLESS} SELECT count(*) FROM c`,
    `${ENDLESS} SELECT count(*) FROM (SELECT x FROM c LIMIT 9999) a, (SELECT x FROM c LIMIT 9999) b, (SELECT x FROM c LIMIT 9999) d`,
  ];
  for (const sql of endless)
    t.equal(await under.error(sql), 'timeout: The statement took longer than 1000 ms, which is the limit');
  t.ok(isGone(first));
  t.strictSame(await under.rows('SELECT comment FROM mysql_servers'), [['kept']]);
  t.equal(under.seeded, 1, 'nothing was filled in again');
  const written = under.error(`${ENDLESS} INSERT INTO mysql_users (username) SELECT x FROM c`);
  t.match(await written, /^timeout:/);
  t.strictSame(
    await under.rows('SELECT count(*) FROM mysql_users'),
    [[0]],
    'nothing of a write that was ended',
  );
});

t.test('killed in the middle: costs that statement only', async (t) => {
  const under = new StoreUnderTest({ seed: [{ table: 'mysql_servers', rows: [SERVER] }] });
  t.teardown(() => under.store.close());
  await under.rows('SELECT 1');
  const running = under.error(`${ENDLESS} INSERT INTO mysql_users (username) SELECT x FROM c`);
  const waiting = Array.from({ length: 5 }, () => under.rows('SELECT hostname FROM mysql_servers'));
  const { pid } = under.store;
  await waitUntil('the statement runs', () => {
    const ticks = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[11]);
    return ticks > 20;
  });
  process.kill(pid!, 'SIGKILL');
  t.match(await running, /^lost: The statement was lost: the store process ended \(SIGKILL\)/);
  for (const rows of await Promise.all(waiting)) t.strictSame(rows, [['db1']]);
  t.strictSame(await under.rows('SELECT count(*) FROM mysql_users'), [[0]]);
});

t.test('a folder that somebody has tidied up', async (t) => {
  const under = new StoreUnderTest({ seed: [{ table: 'mysql_servers', rows: [SERVER] }] });
  t.teardown(() => under.store.close());
  await under.execute('DELETE FROM mysql_servers');
  const name = readdirSync(tmpdir()).find((entry) => entry.startsWith(`sluice-memory-${process.pid}-`))!;
  rmSync(join(tmpdir(), name), { recursive: true });
  process.kill(under.store.pid!, 'SIGKILL');
  await waitUntil('the end is seen', () => under.store.pid === null);
  t.strictSame(await under.rows('SELECT hostname FROM mysql_servers'), [['db1']], 'begun anew');
});

t.test('limits of a result, of a value and of memory name themselves', async (t) => {
  const under = new StoreUnderTest({
    limits: {
      maxRows: 1000,
      maxResultBytes: 3 * 1024 * 1024,
      maxValueBytes: 2 * 1024 * 1024,
      maxMemoryBytes: 200 * 1024 * 1024,
      statementTimeoutMs: 60_000,
    },
  });
  t.teardown(() => under.store.close());
  t.equal((await under.execute(`${ENDLESS} SELECT x FROM c LIMIT 1000`)).rowCount, 1000);
  t.match(await under.error(`${ENDLESS} SELECT x FROM c`), /^limit: The result has more than 1000 rows/);
  t.match(
    await under.error(`${ENDLESS} SELECT hex(zeroblob(500000)) FROM c`),
    /^limit: The result is larger than 3 MiB/,
  );
  t.match(await under.error('SELECT zeroblob(5000000)'), /^limit: A value/);
  for (const sql of [
    'SELECT DISTINCT hex(randomblob(5000)) FROM c',
    'SELECT hex(randomblob(5000)) AS y FROM c ORDER BY y',
  ])
    t.equal(
      await under.error(`${ENDLESS} SELECT count(*) FROM (${sql})`),
      'limit: The statement needs more than 200 MiB of memory, which is the limit',
    );
  t.strictSame(await under.rows('SELECT 1'), [[1]]);
});

t.test('who waits, waits in order, up to a limit', async (t) => {
  const under = new StoreUnderTest({ limits: { maxQueued: 20 } });
  t.teardown(() => under.store.close());
  const results = await Promise.all(
    Array.from({ length: 25 }, (_, index) =>
      under.rows(`SELECT ${index}`).catch((error: Error) => error.message),
    ),
  );
  t.strictSame(
    results.slice(0, 20),
    Array.from({ length: 20 }, (_, index) => [[index]]),
  );
  t.match(results.slice(20), Array(5).fill(/^20 statements wait already, which is the limit/));
  t.strictSame(await under.rows('SELECT 1'), [[1]], 'and then there is room again');
});

t.test('results that nobody takes are bounded', async (t) => {
  const under = new StoreUnderTest({ limits: { maxHeldBytes: 1024 * 1024 } });
  t.teardown(() => under.store.close());
  const large = `${ENDLESS} SELECT hex(zeroblob(50000)) FROM c LIMIT 20`;
  const untaken = await under.execute(large);
  t.match(await under.error('SELECT 1'), /^limit: Clients have not taken 1 MiB of results yet/);
  let rows = 0;
  for (const row of untaken.rows) {
    t.equal((row[0] as string).length, 100_000);
    rows += 1;
  }
  t.equal(rows, 20);
  t.strictSame(await under.rows('SELECT 1'), [[1]]);
  const halfway = await under.execute(large);
  for (const _ of halfway.rows) break;
  t.strictSame(await under.rows('SELECT 1'), [[1]], 'a client that went away holds nothing');
});

t.test('ends by itself when the main process was killed', async (t) => {
  const script = new URL('./endless-parent.ts', import.meta.url);
  const parent = fork(script, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [pid] = (await once(parent, 'message')) as [number];
  t.notOk(isGone(pid));
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await waitUntil('the store process is gone', () => isGone(pid));
  const leftover = readdirSync(tmpdir()).filter((name) => name.startsWith(`sluice-memory-${parent.pid}-`));
  t.equal(leftover.length, 1);
  const next = new StoreUnderTest();
  await next.rows('SELECT 1');
  await next.store.close();
  t.notOk(existsSync(join(tmpdir(), leftover[0]!)), 'the next Sluice cleans up');
});

t.test('the folder of MEMORY lies in dataDir where there is one', async (t) => {
  const dataDir = join(temporaryFolder(t), 'made', 'by', 'sluice');
  mkdirSync(dataDir, { recursive: true });
  const under = new StoreUnderTest({ dataDir });
  await under.store.execute({ sql: 'SELECT 1', role: 'admin', context: CONTEXT });
  t.ok(readdirSync(dataDir).some((name) => name.startsWith('sluice-memory-')));
  await under.store.close();
  t.strictSame(readdirSync(dataDir).sort(), ['sluice-history.db', 'sluice.db']);
});
