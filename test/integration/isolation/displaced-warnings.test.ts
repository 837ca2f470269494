/** A list of warnings whose connection others have used since: what a statement elsewhere does to it is as on one server. */

import { type Connection, createConnection } from 'mysql2/promise';
import t from 'tap';
import { APP_ACCOUNT, APP_SCHEMA, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';

const OTHERS = 3;
const RAISES = "SELECT CAST('x' AS SIGNED)";
const STATEMENTS = [
  'DO 1',
  "SHOW VARIABLES LIKE 'time_zone'",
  "SHOW STATUS LIKE 'Uptime'",
  'SHOW COLUMNS FROM t',
  'SHOW TABLES',
  'SHOW DATABASES',
  'CALL p()',
  'SELECT f()',
  'SET @x = 1',
  'EXPLAIN SELECT 1',
  'SELECT UUID()',
  // Got: where somebody else has it MariaDB empties the list.
  "SELECT GET_LOCK(CONCAT('l', RAND()), 0)",
  "SELECT RELEASE_LOCK('y')",
] as const;

const set = new ReplicationSet({
  replicas: 1,
  sql: [
    'CREATE TABLE app.t (id INT PRIMARY KEY, text VARCHAR(20))',
    "INSERT INTO app.t VALUES (1, 'a')",
    'CREATE PROCEDURE app.p() BEGIN DO 1; END',
    'CREATE FUNCTION app.f() RETURNS INT NO SQL RETURN 1',
  ],
});
t.before(() => set.start());
t.teardown(() => set.dispose());

t.test('SHOW WARNINGS after a statement on another connection', async (t) => {
  const sluice = await SluiceProcess.startFor(set, { config: { workers: 1 } });
  t.teardown(() => sluice.dispose());
  const direct = await createConnection({
    host: set.primary.host,
    port: set.primary.port,
    user: APP_ACCOUNT.username,
    password: APP_ACCOUNT.password,
    database: APP_SCHEMA,
  });
  t.teardown(() => direct.end());
  const others = await Promise.all(Array.from({ length: OTHERS }, () => sluice.connect()));
  t.teardown(() => Promise.all(others.map((other) => other.end())));
  const displace = async (sql: string): Promise<void> => {
    await Promise.all(others.map((other) => other.query(sql)));
  };
  for (const sql of STATEMENTS) {
    for (const isPrepared of [false, true]) {
      const run = (on: Connection) => (isPrepared ? on.execute(sql) : on.query(sql));
      const client = await sluice.connect();
      await direct.query(RAISES);
      await run(direct);
      const [expected] = await direct.query('SHOW WARNINGS');
      await client.query(RAISES);
      await displace("SELECT CAST('y' AS SIGNED)");
      await displace("UPDATE t SET text = 'b' WHERE id = 1");
      await run(client);
      await displace('SELECT id FROM t');
      const [found] = await client.query('SHOW WARNINGS');
      t.strictSame(found, expected, `${isPrepared ? 'prepared ' : ''}${sql}`);
      await client.end();
    }
  }
});
