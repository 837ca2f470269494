/**
 * Many clients, each with a sql_mode, a time zone and a character set of its own, on a few server connections: every
 * one sees its own, and none is bound to a connection.
 */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { isNightly } from '../../support/nightly.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const CLIENTS = isNightly ? 1000 : 200;
const CONNECTIONS = isNightly ? 20 : 8;
const ROUNDS = isNightly ? 20 : 5;
const CONNECTING_AT_ONCE = 20;

const MODES = ['', 'ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES', 'PIPES_AS_CONCAT', 'STRICT_TRANS_TABLES'];
const CHARACTER_SETS = ['utf8mb4', 'latin1', 'gbk', 'koi8r', 'cp1250'];

const set = new ReplicationSet({
  replicas: 0,
  sql: ['CREATE TABLE app.t (id INT PRIMARY KEY)', 'INSERT INTO app.t VALUES (1),(2),(3)'],
});
t.before(() => set.start());
t.teardown(() => set.dispose());

interface Session {
  readonly connection: Connection;
  readonly mode: string;
  readonly zone: string;
  readonly charset: string;
}

async function openSession(sluice: SluiceProcess, index: number): Promise<Session> {
  const connection = await sluice.connect();
  const mode = MODES[index % MODES.length]!;
  const charset = CHARACTER_SETS[index % CHARACTER_SETS.length]!;
  // MariaDB 10.11 takes some offsets for others: +06:55 is shown as +04:39 once that has been used.
  const minutes = index % 400;
  const zone = `+${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
  await connection.query(`SET NAMES ${charset}`);
  await connection.query(`SET SESSION sql_mode = '${mode}', time_zone = '${zone}'`);
  return { connection, mode, zone, charset };
}

/** @returns what is wrong, if anything is. */
async function look({ connection, mode, zone, charset }: Session): Promise<string | null> {
  const [[row]] = await connection.query<RowDataPacket[]>(
    'SELECT @@sql_mode AS m, @@time_zone AS z, @@character_set_client AS c, COUNT(*) AS n FROM t',
  );
  const got = `${row?.m} ${row?.z} ${row?.c} ${row?.n}`;
  const expected = `${mode} ${zone} ${charset} 3`;
  return got === expected ? null : `${got}, expected ${expected}`;
}

t.test(`${CLIENTS} clients on ${CONNECTIONS} connections`, async (t) => {
  const sluice = await SluiceProcess.startFor(set, {
    config: { workers: 1, pool: { maxConnections: CONNECTIONS, waitTimeoutMs: 60_000 } },
  });
  t.teardown(() => sluice.dispose());
  const sessions: Session[] = [];
  for (let from = 0; from < CLIENTS; from += CONNECTING_AT_ONCE) {
    const count = Math.min(CONNECTING_AT_ONCE, CLIENTS - from);
    sessions.push(
      ...(await Promise.all(Array.from({ length: count }, (_, i) => openSession(sluice, from + i)))),
    );
  }
  const wrong: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const found of await Promise.all(sessions.map(look))) if (found !== null) wrong.push(found);
  }
  t.same(wrong, [], 'every client sees its own session, each time');
  t.equal(await sluice.metric('sluice_pinned_sessions'), 0, 'no session is pinned');
  const [{ used } = { used: -1 }] = await set.primary.query<{ used: number }>(
    "SELECT COUNT(*) AS used FROM information_schema.processlist WHERE user = 'app'",
  );
  t.ok(used <= CONNECTIONS, `the server has ${used} connections`);
  const all = await sluice.metric('sluice_pool_checkouts_total');
  const fitting = await sluice.metric('sluice_pool_checkouts_fitting_total');
  t.ok(all >= CLIENTS * (ROUNDS + 2), `${all} statements asked for a connection`);
  t.ok(fitting < all, `of these ${fitting} found one in their state`);
  for (const { connection } of sessions) connection.destroy();
  await waitUntil('all are gone', async () => (await sluice.metric('sluice_sessions')) === 0);
});
