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

/** Of 600 tries some 30 leave one. */
const TRIES = 1000;

/** By its Unix socket. */
async function openDirectly(server: DatabaseServer, statements: readonly string[]): Promise<Connection> {
  const { username: user, password } = APP_ACCOUNT;
  const connection = await createConnection({ socketPath: server.socket, user, password, database: 'app' });
  connection.on('error', () => undefined);
  for (const statement of statements) await connection.query(statement);
  return connection;
}

async function eventOf(admin: Connection, kind: string, { address }: DatabaseServer): Promise<string> {
  return waitUntil(
    kind,
    async () => {
      const [rows] = await admin.query<RowDataPacket[]>('SHOW EVENTS');
      const row = rows.find((one) => one.event === kind && one.address === address);
      return row === undefined ? null : JSON.stringify(row);
    },
    { timeoutMs: 60_000 },
  );
}

/** A transaction on row `id` whose thread was killed and has not ended. @returns its thread's id; null where all have ended */
async function leaveStuck(server: DatabaseServer, id: number): Promise<number | null> {
  const read = `SELECT * FROM t WHERE id = ${id} FOR UPDATE`;
  for (let tries = 0; tries < TRIES; tries++) {
    const victim = await openDirectly(server, ['BEGIN', read]);
    const { threadId } = victim;
    await server.query(`KILL ${threadId}`);
    victim.destroy();
    // The next connection may get the number of its socket.
    const next = await openDirectly(server, ['SET SESSION innodb_lock_wait_timeout=1']);
    const isFree = await next.query(read).then(
      () => true,
      () => false,
    );
    await next.end();
    if (!isFree) return threadId;
  }
  return null;
}

async function valuesOf(server: DatabaseServer): Promise<string> {
  return (await server.queryValue('SELECT GROUP_CONCAT(n ORDER BY id) FROM app.t')) ?? '';
}

for (const flavor of Object.values(ServerFlavor)) {
  t.test(flavor, { timeout: 300_000 }, async (t) => {
    const set = await new ReplicationSet({
      flavor,
      replicas: 1,
      sql: [
        'CREATE TABLE app.t (id INT PRIMARY KEY, n INT) ENGINE=InnoDB',
        'INSERT INTO app.t VALUES (1, 0), (2, 0), (3, 0), (4, 0)',
      ],
    }).start();
    t.teardown(() => set.dispose());
    const [first, second] = [set.primary, set.replicas[0]!];
    for (const server of set.servers) {
      await server.query('SET GLOBAL innodb_lock_wait_timeout=1');
      // MariaDB's is a number for the start.
      await server.query('SET GLOBAL slave_transaction_retries=0').catch(() => undefined);
    }
    const replication = flavor === 'mysql' ? {} : { replication: REPLICATION_ACCOUNT };
    const [ending, telling] = await Promise.all(
      [300, 0].map((endTransactionsAfterMs) =>
        SluiceProcess.startFor(set, { config: { failover: { ...replication, endTransactionsAfterMs } } }),
      ),
    );
    t.teardown(() => Promise.all([ending!.dispose(), telling!.dispose()]));
    const [admin, other] = await Promise.all([ending!.adminConnection(), telling!.adminConnection()]);
    const client = await ending!.connect();
    const write = async (...ids: number[]): Promise<void> => {
      for (const id of ids) await client.query('UPDATE t SET n = n + 1 WHERE id = ?', [id]);
    };

    await t.test('they are ended', async (t) => {
      const stuck = flavor === 'mysql' ? await leaveStuck(first, 4) : null;
      const changed = await openDirectly(first, ['BEGIN', 'UPDATE t SET n = -1 WHERE id = 1']);
      const locked = await openDirectly(first, ['BEGIN', 'SELECT * FROM t WHERE id = 2 FOR UPDATE']);
      const reading = await openDirectly(first, ['BEGIN', 'SELECT * FROM t']);
      const viaOther = await telling!.connect();
      viaOther.on('error', () => undefined);
      t.teardown(() => [changed, locked, reading, viaOther].map((connection) => connection.destroy()));
      await viaOther.query('BEGIN');
      await viaOther.query('UPDATE t SET n = -1 WHERE id = 3');

      await admin.query(`SWITCHOVER TO '${second.address}'`);
      await write(1, 2, 3);
      const killed = await eventOf(admin, 'transactions-killed', first);
      for (const { threadId } of [changed, locked]) t.match(killed, `${threadId} (app@`);
      t.notMatch(killed, new RegExp(`\\b${reading.threadId} \\(app@`), 'who only reads is left alone');
      const [seen] = await reading.query<RowDataPacket[]>('SELECT n FROM t WHERE id = 1');
      t.strictSame(seen, [{ n: 0 }]);
      await t.rejects(changed.query('COMMIT'));
      if (flavor === 'mysql' && stuck === null) t.comment('no KILL has left anything');
      if (stuck !== null) {
        const left = await eventOf(admin, 'transactions-left', first);
        t.match(left, `${stuck} (app@`);
        t.match(left, 'wait_timeout');
      }
      await waitUntil('replication goes on', async () => (await valuesOf(first)) === '1,1,1,0');
    });

    await t.test('they are told of, and replication that has given up is begun again', async (t) => {
      const changed = await openDirectly(second, ['BEGIN', 'UPDATE t SET n = -1 WHERE id = 1']);
      t.teardown(() => changed.destroy());
      await other.query(`SWITCHOVER TO '${first.address}'`);
      await write(1);
      const left = await eventOf(other, 'transactions-left', second);
      t.match(left, `${changed.threadId} (app@`);
      t.match(left, 'endTransactionsAfterMs is 0');
      await waitUntil(
        'replication gives up',
        async () => {
          const [status] = await second.query<Record<string, string>>('SHOW SLAVE STATUS');
          return status?.Slave_SQL_Running === 'No';
        },
        { timeoutMs: 60_000 },
      );
      await changed.end();
      await eventOf(other, 'transactions-gone', second);
      await waitUntil('replication goes on', async () => (await valuesOf(second)) === '2,1,1,0');
    });
    for (const connection of [client, admin, other]) await connection.end();
  });
}
