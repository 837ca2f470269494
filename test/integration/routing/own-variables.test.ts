/** `@@sluice.…` as drivers send it: in text and prepared, never seen by a server. */

import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';

t.setTimeout(400_000);

const LEVEL = 'SELECT @@sluice.causal_reads AS level';

async function levelOf(connection: Connection): Promise<unknown> {
  const [rows] = await connection.query<RowDataPacket[]>(LEVEL);
  return rows[0]?.level;
}

for (const flavor of Object.values(ServerFlavor)) {
  t.test(flavor, async (t) => {
    const set = await new ReplicationSet({ flavor, replicas: 0 }).start();
    t.teardown(() => set.dispose());
    const sluice = await SluiceProcess.startFor(set, { config: { workers: 1, users: [APP_ACCOUNT] } });
    t.teardown(() => sluice.dispose());
    const { username: user, password } = APP_ACCOUNT;
    const options = { host: '127.0.0.1', port: sluice.port, user, password, database: 'app' };
    const connection = await createConnection({ ...options, multipleStatements: true });
    t.teardown(() => connection.destroy());
    await set.primary.query("SET GLOBAL log_output = 'TABLE', GLOBAL general_log = 1");

    await t.test('as text', async (t) => {
      for (const [sql, level] of [
        ["SET @@sluice.causal_reads = 'session'", 'session'],
        ['SET SESSION sluice.causal_reads = none', 'none'],
        ['SET sluice.causal_reads := "table", sluice.causal_wait_ms = 70', 'table'],
      ] as const) {
        const [result] = await connection.query(sql);
        t.match(result, { affectedRows: 0, warningStatus: 0 }, sql);
        t.equal(await levelOf(connection), level, sql);
      }
      const [rows, fields] = await connection.query<RowDataPacket[]>(
        "SELECT @@session.sluice.causal_wait_ms, @@sluice.causal_reads 'l' FROM DUAL LIMIT 1",
      );
      t.same(rows, [{ '@@session.sluice.causal_wait_ms': '70', l: 'table' }]);
      t.same(
        fields.map(({ name }) => name),
        ['@@session.sluice.causal_wait_ms', 'l'],
      );
      t.same((await connection.query(`${LEVEL} LIMIT 0`))[0], []);
    });

    await t.test('prepared, with parameters too', async (t) => {
      t.match(
        await connection.execute('SET sluice.causal_reads = ?, sluice.causal_wait_ms = ?', ['session', 90]),
        [{ affectedRows: 0 }],
      );
      for (const _ of [1, 2, 3]) {
        const [rows] = await connection.execute<RowDataPacket[]>(
          'SELECT @@sluice.causal_reads AS level, @@sluice.causal_wait_ms AS wait',
        );
        t.same(rows, [{ level: 'session', wait: '90' }]);
      }
      await connection.execute('SET sluice.causal_reads = ?, sluice.causal_wait_ms = ?', ['none', 10]);
      t.equal(await levelOf(connection), 'none');
      await connection.execute("SET sluice.causal_reads = 'table'");
      t.equal(await levelOf(connection), 'table');
      await t.rejects(connection.execute('SET sluice.causal_reads = ?', [null]), {
        errno: 1231,
        message: /NULL/,
      });
      await t.rejects(connection.execute('SET sluice.causal_reads = ?', ['sometimes']), {
        errno: 1231,
        message: /sometimes/,
      });
      t.equal(await levelOf(connection), 'table');
      connection.unprepare('SET sluice.causal_reads = ?');
    });

    await t.test('a reset of the connection resets them', async (t) => {
      const other = await createConnection(options);
      const before = await levelOf(other);
      await other.query(`SET sluice.causal_reads = ${before === 'none' ? 'session' : 'none'}`);
      t.not(await levelOf(other), before);
      await other.changeUser({ user, password });
      t.equal(await levelOf(other), before);
      await other.end();
    });

    await t.test('in a transaction, of which they are no part', async (t) => {
      await connection.query('START TRANSACTION; SELECT 1');
      t.equal(await levelOf(connection), 'table');
      await connection.query('SET sluice.causal_reads = none');
      await connection.query('ROLLBACK');
      t.equal(await levelOf(connection), 'none');
    });

    await t.test('what is wrong has an error that a server could give, and changes nothing', async (t) => {
      const table: readonly [string, number, RegExp][] = [
        ['SELECT @@sluice.casual_reads', 1193, /'sluice.casual_reads'; there are sluice.causal_reads/],
        ['SET sluice.causal_read = 1', 1193, /Unknown system variable 'sluice.causal_read'/],
        ["SET sluice.last_gtid = '0-1-1'", 1238, /'sluice.last_gtid' is a read only variable/],
        ['SET GLOBAL sluice.causal_reads = table', 1228, /SESSION variable/],
        ['SET sluice.causal_reads = maybe', 1231, /can't be set to the value of 'maybe'/],
        ['SET sluice.causal_wait_ms = -1', 1231, /'-1'/],
        ['SELECT @@sluice.causal_reads, 1', 9045, /nothing else/],
        ['SET autocommit = 0, sluice.causal_reads = table', 9045, /nothing else/],
        ['SET @x = @@sluice.causal_reads', 9045, /nothing else/],
      ];
      for (const [sql, errno, message] of table) {
        await t.rejects(connection.query(sql), { errno, message }, sql);
        await t.rejects(connection.execute(sql), { errno, message }, `prepared: ${sql}`);
      }
      await t.rejects(connection.query('SELECT 1; SELECT @@sluice.causal_reads'), {
        errno: 9045,
        message: /else/,
      });
      t.equal(await levelOf(connection), 'none');
      const [rows] = await connection.query<RowDataPacket[]>('SELECT @@autocommit AS a, @x AS x');
      t.same(rows, [{ a: 1, x: null }]);
    });

    await t.test('no server has seen them', async (t) => {
      const seen = await set.primary.query<{ n: number }>(
        "SELECT COUNT(*) AS n FROM mysql.general_log WHERE argument LIKE '%sluice.causal%' AND argument NOT LIKE '%general_log%'",
      );
      t.equal(Number(seen[0]?.n), 0);
      const others = await set.primary.query<{ n: number }>(
        "SELECT COUNT(*) AS n FROM mysql.general_log WHERE argument LIKE '%SELECT @@autocommit AS a, @x AS x%' AND argument NOT LIKE '%general_log%'",
      );
      t.equal(Number(others[0]?.n), 1, 'the log is on');
    });
  });
}
