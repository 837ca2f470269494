import { existsSync } from 'node:fs';
import t from 'tap';
import { GeneralLog } from '../../support/general-log.ts';
import { MariadbServer } from '../../support/mariadb-server.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { MONITOR_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';

const mysqlSkip = (await Mysql57Server.unavailableReason()) ?? false;
const flavors = [
  { flavor: 'mariadb', Server: MariadbServer, skip: false },
  { flavor: 'mysql', Server: Mysql57Server, skip: mysqlSkip },
] as const;

for (const { flavor, Server, skip } of flavors) {
  t.test(
    `${flavor}: a server starts, restarts on its port, survives a kill, and leaves nothing`,
    { skip },
    async (t) => {
      const server = new Server({ args: ['--max-connections=21'] });
      t.teardown(() => server.dispose());
      await server.start();
      const { port } = server;
      t.equal(await server.queryValue('SELECT @@port'), String(port));
      t.equal(await server.queryValue('SELECT @@max_connections'), '21', 'options of the test win');
      await server.query('CREATE DATABASE d');
      await server.query('CREATE TABLE d.t (a INT PRIMARY KEY)');
      await server.query('INSERT INTO d.t VALUES (?)', [1]);
      await server.restart();
      t.equal(server.port, port);
      t.equal(await server.queryValue('SELECT COUNT(*) FROM d.t'), '1');
      await server.kill();
      t.notOk(server.running);
      await t.rejects(server.query('SELECT 1'));
      await server.start();
      t.equal(await server.queryValue('SELECT COUNT(*) FROM d.t'), '1');
      await server.dispose();
      t.notOk(existsSync(server.directory));
    },
  );

  t.test(`${flavor}: a server that cannot start says why`, { skip }, async (t) => {
    const server = new Server({ args: ['--no-such-option=1'] });
    t.teardown(() => server.dispose());
    await t.rejects(() => server.start() as Promise<unknown>, {
      message: /did not start: it ended with exit code .*no-such-option/s,
    });
  });

  t.test(
    `${flavor}: replicas follow by GTID, are read-only and listed by the primary`,
    { skip },
    async (t) => {
      const set = new ReplicationSet({ flavor, sql: ['CREATE TABLE app.t (a INT PRIMARY KEY)'] });
      t.teardown(() => set.dispose());
      await set.start();
      const app = await set.connect(set.primary);
      t.teardown(() => app.destroy());
      await app.query('INSERT INTO t VALUES (1), (2)');
      await set.waitForSync();
      for (const replica of set.replicas) {
        t.equal(await replica.queryValue('SELECT COUNT(*) FROM app.t'), '2');
        t.equal(await replica.queryValue('SELECT @@read_only'), '1');
      }
      const hosts = await set.primary.query<{ Host: string; Port: number }>('SHOW SLAVE HOSTS');
      t.strictSame(
        hosts.map(({ Host, Port }) => `${Host}:${Port}`).toSorted(),
        set.replicas.map(({ address }) => address).toSorted(),
      );
      for (const server of set.servers) t.equal(set.nameOf(server.port), server.name);

      const monitor = await set.connect(set.replicas[0]!, MONITOR_ACCOUNT, 'mysql');
      t.teardown(() => monitor.destroy());
      const [status] = await monitor.query('SHOW SLAVE STATUS');
      t.equal((status as unknown[]).length, 1, 'the monitor may see the replication');

      // A replica that was away catches up.
      await set.replicas[0]!.stop();
      await app.query('INSERT INTO t VALUES (3)');
      await set.waitForSync();
      await set.replicas[0]!.start();
      await set.waitForSync();
      t.equal(await set.replicas[0]!.queryValue('SELECT COUNT(*) FROM app.t'), '3');
    },
  );

  t.test(`${flavor}: the general log tells who executed what`, { skip }, async (t) => {
    const set = new ReplicationSet({ flavor, replicas: 1 });
    t.teardown(() => set.dispose());
    await set.start();
    const log = await GeneralLog.start(set.servers);
    const replica = await set.connect(set.replicas[0]!);
    t.teardown(() => replica.destroy());
    await replica.query("SELECT 'marker-1',\n 2");
    await replica.execute("SELECT 'marker-1', ?", [1]);
    await set.primary.query("SELECT 'marker-2'");
    t.strictSame(await log.executedBy('marker-1'), ['replica1', 'replica1']);
    t.strictSame(await log.executedBy('marker-2'), ['primary']);
    await log.mark();
    t.strictSame(await log.executedBy('marker-1'), []);
  });
}
