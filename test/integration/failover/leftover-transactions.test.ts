/**
 * What clients have left open on a server that is the primary no more: their row locks must not hold up replication there. On
 * MySQL also a transaction that a KILL did not end.
 */

import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { APP_ACCOUNT, REPLICATION_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** Of 600 tries 8 to 31 leave one. */
const TRIES = 3000;
const STUCK_WAIT_TIMEOUT_SECONDS = 8;

async function openDirectly(server: DatabaseServer, statements: readonly string[]): Promise<Connection> {
  const { username: user, password } = APP_ACCOUNT;
  const { host, port } = server;
  const connection = await createConnection({ host, port, user, password, database: 'app' });
  connection.on('error', () => undefined);
  for (const statement of statements) await connection.query(statement);
  return connection;
}

async function eventsOf(admin: Connection, kind: string): Promise<string[]> {
  const [rows] = await admin.query<RowDataPacket[]>('SHOW EVENTS');
  return rows.filter(({ event }) => event === kind).map((row) => JSON.stringify(row));
}

/** A transaction on row `id` whose thread was killed and has not ended. @returns its thread's id */
async function leaveStuck(server: DatabaseServer, id: number): Promise<number | null> {
  for (let tries = 0; tries < TRIES; tries++) {
    const victim = await openDirectly(server, [
      `SET SESSION wait_timeout=${STUCK_WAIT_TIMEOUT_SECONDS}`,
      'BEGIN',
      `UPDATE t SET n = -1 WHERE id = ${id}`,
    ]);
    const { threadId } = victim;
    await server.query(`KILL ${threadId}`);
    victim.destroy();
    // The next connection may get the number of its socket.
    const next = await openDirectly(server, ['SET SESSION innodb_lock_wait_timeout=1']);
    const isFree = await next.query(`SELECT * FROM t WHERE id = ${id} FOR UPDATE`).then(
      () => true,
      () => false,
    );
    await next.end();
    if (!isFree) return threadId;
  }
  return null;
}

for (const flavor of Object.values(ServerFlavor)) {
  t.test(flavor, { timeout: 120_000 }, async (t) => {
    const rows = [1, 2, 3, 4].map((id) => `(${id}, 0)`).join(', ');
    const set = await new ReplicationSet({
      flavor,
      replicas: 1,
      sql: [
        'CREATE TABLE app.t (id INT PRIMARY KEY, n INT) ENGINE=InnoDB',
        `INSERT INTO app.t VALUES ${rows}`,
      ],
    }).start();
    t.teardown(() => set.dispose());
    const [old, heir] = [set.primary, set.replicas[0]!];
    for (const setting of ['innodb_lock_wait_timeout=1', 'slave_transaction_retries=0'])
      await old.query(`SET GLOBAL ${setting}`).catch(() => undefined);
    await set.waitForSync();
    const replication = flavor === 'mysql' ? {} : { replication: REPLICATION_ACCOUNT };
    const config = { failover: { ...replication, endTransactionsAfterMs: 300 } };
    const [sluice, other] = await Promise.all([
      SluiceProcess.startFor(set, { config }),
      SluiceProcess.startFor(set, { config: { failover: { endTransactionsAfterMs: 0 } } }),
    ]);
    t.teardown(() => Promise.all([sluice.dispose(), other.dispose()]));
    const admin = await sluice.adminConnection();
    t.teardown(() => admin.end());
    const client = await sluice.connect();
    t.teardown(() => client.end());

    const stuck = flavor === 'mysql' ? await leaveStuck(old, 4) : null;
    if (flavor === 'mysql') t.comment(`thread ${stuck} is stuck`);
    const changed = await openDirectly(old, ['BEGIN', 'UPDATE t SET n = -1 WHERE id = 1']);
    const locked = await openDirectly(old, ['BEGIN', 'SELECT * FROM t WHERE id = 2 FOR UPDATE']);
    const reading = await openDirectly(old, ['BEGIN', 'SELECT * FROM t']);
    t.teardown(() => [changed, locked, reading].map((connection) => connection.destroy()));
    const viaOther = await other.connect();
    viaOther.on('error', () => undefined);
    t.teardown(() => viaOther.destroy());
    await viaOther.query('BEGIN');
    await viaOther.query('UPDATE t SET n = -1 WHERE id = 3');

    await admin.query(`SWITCHOVER TO '${heir.address}'`);
    for (const id of [1, 2, 3, 4]) await client.query('UPDATE t SET n = ? WHERE id = ?', [10 + id, id]);

    const [killed] = await waitUntil('they are ended', async () => {
      const events = await eventsOf(admin, 'transactions-killed');
      return events.length > 0 ? events : null;
    });
    for (const { threadId } of [changed, locked]) t.match(killed, `${threadId} (app@`);
    t.notMatch(killed, `${reading.threadId} (app@`, 'who only reads is left alone');
    t.strictSame((await reading.query<RowDataPacket[]>('SELECT n FROM t WHERE id = 1'))[0], [{ n: 0 }]);
    await t.rejects(changed.query('COMMIT'));
    if (stuck !== null) {
      const [left] = await waitUntil('the one that is stuck is told', async () => {
        const events = await eventsOf(admin, 'transactions-left');
        return events.length > 0 ? events : null;
      });
      t.match(left, `${stuck} (app@`);
      t.match(left, 'wait_timeout');
      const [gone] = await waitUntil(
        'it is gone after its wait_timeout',
        async () => {
          const events = await eventsOf(admin, 'transactions-gone');
          return events.length > 0 ? events : null;
        },
        { timeoutMs: 30_000 },
      );
      t.match(gone, 'restarted=true', 'replication had given up on its row');
    }
    await reading.end();
    await waitUntil('replication goes on', async () => {
      const found = await old.query<{ n: number }>('SELECT n FROM app.t ORDER BY id');
      return found.map(({ n }) => Number(n)).join() === '11,12,13,14';
    });
    const otherAdmin = await other.adminConnection();
    t.strictSame(await eventsOf(otherAdmin, 'transactions-killed'), [], 'it may not');
    await otherAdmin.end();
  });
}
