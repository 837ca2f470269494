/** Hundreds of clients with different state on a few server connections: none ever sees another's. */

import { type Connection, createConnection } from 'mysql2/promise';
import type { Test } from 'tap';
import { isNightly } from '../../support/nightly.ts';
import { APP_ACCOUNT, type ReplicationSet } from '../../support/replication-set.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { IsolatedClient } from './isolated-client.ts';
import { Limiter } from './limiter.ts';
import { SCHEMAS } from './session-model.ts';

const CLIENTS = isNightly ? 300 : 200;
const OPERATIONS = isNightly ? 3000 : 40;
export const DEADLINE_MS = isNightly ? 1_800_000 : 100_000;
const POOL_CONNECTIONS = 16;
/** Three users' pools share the connections: those that sections hold must leave some for the plain statements. */
const HOLDING = 6;
const MAX_REPORTED = 20;

const USERS = [
  APP_ACCOUNT,
  ...['iso1', 'iso2'].map((name) => ({ username: name, password: `${name}-secret` })),
];
/**
 * Replication threads, the monitor, root; and a server counts a closed connection until its thread has ended, which takes
 * time on a busy machine. Without a limit there would be one for each of the clients.
 */
const OTHER_CONNECTIONS = 24;
/** What the servers of these tests are started with: the state that every session begins with. */
export const STATE_ARGS = [
  '--sql-mode=',
  '--default-time-zone=+00:00',
  '--group-concat-max-len=1024',
] as const;

async function prepare(set: ReplicationSet): Promise<void> {
  const { primary } = set;
  for (const schema of SCHEMAS) {
    await primary.query(`CREATE DATABASE ${schema};
      CREATE TABLE ${schema}.whoami (name VARCHAR(20));
      INSERT INTO ${schema}.whoami VALUES ('${schema}');
      CREATE TABLE ${schema}.long_texts (text VARCHAR(2500));
      INSERT INTO ${schema}.long_texts VALUES (REPEAT('x', 1250)), (REPEAT('y', 1250))`);
  }
  await primary.query(
    'CREATE TABLE iso_a.journal (id INT PRIMARY KEY AUTO_INCREMENT, owner INT, committed INT, KEY (owner), KEY (committed))',
  );
  for (const { username, password } of USERS) {
    if (username !== APP_ACCOUNT.username) {
      await primary.query(`CREATE USER '${username}'@'%' IDENTIFIED BY '${password}'`);
    }
    for (const schema of SCHEMAS) await primary.query(`GRANT ALL ON ${schema}.* TO '${username}'@'%'`);
  }
  await set.waitForSync();
  for (const server of set.servers) await server.query('FLUSH STATUS');
}

async function withDeadline<T>(work: Promise<T>, unfinished: () => readonly string[]): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const left = unfinished();
      reject(new Error(`${left.length} clients are not done: ${left.slice(0, MAX_REPORTED).join(' | ')}`));
    }, DEADLINE_MS);
  });
  return Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}

export async function runIsolation(t: Test, set: ReplicationSet): Promise<void> {
  await prepare(set);
  const sluice = await SluiceProcess.startFor(set, {
    config: { users: USERS, pool: { maxConnections: POOL_CONNECTIONS }, log: { level: 'debug' } },
  });
  t.teardown(() => sluice.dispose());
  const random = SeededRandom.fromEnvironment();
  t.comment(`SLUICE_TEST_SEED=${random.seed}`);
  // mysql2 asks for IGNORE_SPACE, which is a sql_mode at login only: after COM_CHANGE_USER it is gone.
  const endpoint = { host: sluice.host, port: sluice.port, flags: ['-IGNORE_SPACE'], connectTimeout: 30_000 };
  const violations: string[] = [];
  const holding = new Limiter(HOLDING);
  const clients = Array.from({ length: CLIENTS }, (_, id) => {
    const { username, password } = USERS[id % USERS.length] as (typeof USERS)[number];
    const connect = (database: string): Promise<Connection> =>
      createConnection({ ...endpoint, user: username, password, database });
    const report = (violation: string): number => violations.push(violation);
    return new IsolatedClient({ id, user: username, random: random.fork(id), connect, holding, report });
  });
  const work = Promise.allSettled(clients.map((client) => client.run(OPERATIONS)));
  const runs = await withDeadline(work, () =>
    clients.filter(({ doing }) => doing !== 'done').map(({ doing, operations }) => `${operations}: ${doing}`),
  );
  const errors = runs.flatMap((run, id) =>
    run.status === 'rejected' ? [`client ${id}: ${run.reason}`] : [],
  );
  t.same(errors.slice(0, MAX_REPORTED), [], 'no errors');
  t.same(violations.slice(0, MAX_REPORTED), [], 'no state of others');
  t.equal(
    clients.reduce((sum, client) => sum + client.operations, 0),
    CLIENTS * OPERATIONS,
    'all operations were done',
  );
  for (const server of set.servers) {
    const [row] = await server.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Max_used_connections'");
    const used = Number(row?.Value);
    t.ok(
      used <= POOL_CONNECTIONS + OTHER_CONNECTIONS,
      `${server.name} had at most ${used} connections at once`,
    );
  }
}
