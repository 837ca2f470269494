/** Five thousand rules and ten thousand users: how long LOAD takes, and that the others go on meanwhile. */

import t from 'tap';
import { isNightly } from '../../support/nightly.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { Operator } from './operator.ts';

const RULES = 5000;
const USERS = 10_000;
/** By day other tests want the cores as well, and how many is not known: a figure is for the night. */
const CROWD = isNightly ? 1.5 : 15;
const LOAD_LIMIT_MS = 2000 * CROWD;
/** The longest that an answer of the http port, which lives in the same thread, may be held up. */
const STALL_LIMIT_MS = 500 * CROWD;
const ROWS_PER_INSERT = 1000;

const set = new ReplicationSet({ replicas: 0 });
t.before(() => set.start());
t.teardown(() => set.dispose());

async function insert(
  operator: Operator,
  table: string,
  columns: string,
  count: number,
  row: (index: number) => string,
): Promise<void> {
  for (let first = 0; first < count; first += ROWS_PER_INSERT) {
    const rows = Array.from({ length: Math.min(ROWS_PER_INSERT, count - first) }, (_, index) =>
      row(first + index),
    );
    await operator.run(`INSERT INTO ${table} (${columns}) VALUES ${rows.join(', ')}`);
  }
}

/** The longest time that the http port has needed while the work went on. */
async function longestAnswerMs(sluice: SluiceProcess, work: Promise<unknown>): Promise<number> {
  let longest = 0;
  let isDone = false;
  const ended = work.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    const start = performance.now();
    await sluice.get('/healthz');
    longest = Math.max(longest, performance.now() - start);
  }
  await ended;
  return longest;
}

t.test('5,000 rules and 10,000 users', async (t) => {
  const sluice = await SluiceProcess.startFor(set);
  t.teardown(() => sluice.dispose());
  const connection = await sluice.adminConnection();
  t.teardown(() => connection.destroy());
  const operator = new Operator(connection);
  await insert(
    operator,
    'mysql_query_rules',
    'rule_id, active, match_digest, destination_hostgroup, apply, comment',
    RULES,
    (index) =>
      `(${index + 1}, 1, '^SELECT .* FROM table_${index} WHERE id = \\?$', ${index % 2}, 1, 'number ${index}')`,
  );
  await insert(
    operator,
    'mysql_users',
    'username, password, default_hostgroup',
    USERS,
    (index) => `('user_${index}', '*${index.toString(16).padStart(40, '0').toUpperCase()}', 0)`,
  );
  for (const module of ['MYSQL QUERY RULES', 'MYSQL USERS', 'MYSQL USERS']) {
    const start = performance.now();
    const load = operator.run(`LOAD ${module} TO RUNTIME`);
    const stallMs = await longestAnswerMs(sluice, load);
    const loadMs = performance.now() - start;
    t.comment(
      `LOAD ${module} TO RUNTIME: ${loadMs.toFixed(0)} ms, longest answer of the http port ${stallMs.toFixed(0)} ms`,
    );
    t.equal(await load, 0, 'no warnings: the workers have applied it');
    t.ok(loadMs < LOAD_LIMIT_MS, `${loadMs.toFixed(0)} ms`);
    t.ok(stallMs < STALL_LIMIT_MS, `held up for ${stallMs.toFixed(0)} ms`);
  }
  t.equal(await operator.value('SELECT count(*) FROM runtime_mysql_query_rules'), String(RULES));
  t.equal(await operator.value('SELECT count(*) FROM runtime_mysql_users'), String(2 * (USERS + 1)));
  const client = await sluice.connect();
  t.teardown(() => client.destroy());
  t.strictSame((await client.query('SELECT 1 AS one'))[0], [{ one: 1 }]);
});
