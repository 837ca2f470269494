/** INSERT DELAYED, which MariaDB acknowledges before it inserts: what is read meanwhile is kept for nobody. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const ROUNDS = 12;
const DEADLINE = { timeout: 120_000 };
const set = new ReplicationSet({
  replicas: 0,
  // A row that waits for readers does not hold up others then.
  args: ['--concurrent-insert=NEVER', '--low-priority-updates=1'],
  sql: [
    'CREATE TABLE app.d (id INT PRIMARY KEY AUTO_INCREMENT) ENGINE=MyISAM',
    'INSERT INTO app.d VALUES (1), (2)',
  ],
});
let sluice: SluiceProcess;
let client: Connection;
let writer: Connection;
/** Straight at the server. */
let root: Connection;
t.before(async () => {
  await set.start();
  // Without a follower nobody tells of a row when it comes.
  const cache = { follower: { mode: 'off' }, rules: [{ ruleId: 1, class: 'strong' }] };
  sluice = await SluiceProcess.startFor(set, { config: { workers: 2, cache } });
  [client, writer] = [await sluice.connect(), await sluice.connect()];
  root = await set.primary.rootConnection({ database: 'app' });
  await served();
});
t.teardown(async () => {
  for (const connection of [client, writer, root]) connection.destroy();
  await sluice.dispose();
  await set.dispose();
});

async function count(connection: Connection): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT COUNT(*) AS n FROM d');
  return Number(rows[0]?.n);
}

async function hits(): Promise<number> {
  const text = await (await sluice.get('/metrics')).text();
  const lines = text.matchAll(/^sluice_cache_hits_total\{worker="\d+"\} (\d+)$/gm);
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
}

async function served(): Promise<void> {
  await waitUntil('it is served from the cache', async () => {
    const before = await hits();
    for (let i = 0; i < 4; i++) await count(client);
    return (await hits()) >= before + 2;
  });
}

/** Rows that are put off wait for as long as somebody reads the table: until the function that this resolves to is called. */
async function holdUp(): Promise<() => Promise<void>> {
  const gate = await set.primary.rootConnection({ database: 'app' });
  const reader = await set.primary.rootConnection({ database: 'app' });
  await gate.query("SELECT GET_LOCK('gate', 10)");
  const reading = reader.query("SELECT SUM(GET_LOCK('gate', 60 + id * 0)) FROM d");
  await waitUntil('somebody reads', async () => {
    const sql = "SELECT COUNT(*) AS n FROM information_schema.PROCESSLIST WHERE STATE = 'User lock'";
    const [rows] = await root.query<RowDataPacket[]>(sql);
    return Number(rows[0]?.n) === 1;
  });
  return async () => {
    await gate.end();
    await reading;
    await reader.end();
  };
}

for (const verb of ['INSERT', 'REPLACE'])
  t.test(`${verb} DELAYED, while the row waits`, DEADLINE, async (t) => {
    const before = await count(root);
    const letGo = await holdUp();
    await writer.query(`${verb} DELAYED INTO d VALUES ()`);
    const hitsBefore = await hits();
    for (let i = 0; i < 3; i++) t.equal(await count(client), before, 'it is not there yet');
    t.equal(await hits(), hitsBefore, 'and nothing is kept');
    await letGo();
    await waitUntil('it is there', async () => (await count(root)) === before + 1);
    t.equal(await count(client), before + 1, 'nobody is shown the time before');
    await served();
    t.equal(await count(client), before + 1);
  });

t.test('what anybody has seen is in what is served', DEADLINE, async (t) => {
  const insert = await writer.prepare('INSERT DELAYED INTO d VALUES (NULL), (NULL)');
  for (let round = 0; round < ROUNDS; round++) {
    const goal = (await count(root)) + 2;
    await insert.execute([]);
    for (let seen = 0; seen < goal; ) {
      seen = await count(root);
      const shown = await count(client);
      if (shown < seen) return void t.fail(`${shown} rows are shown, ${seen} were there before`);
    }
  }
  await served();
  t.equal(await count(client), await count(root));
});

t.test('a connection that is lost behind it', DEADLINE, async (t) => {
  const before = await count(root);
  const letGo = await holdUp();
  const doomed = await sluice.connect();
  await doomed.query('INSERT DELAYED INTO d VALUES ()');
  doomed.destroy();
  for (let i = 0; i < 3; i++) t.equal(await count(client), before);
  await letGo();
  await waitUntil('it is there', async () => (await count(root)) === before + 1);
  t.equal(await count(client), before + 1);
  await served();
});
