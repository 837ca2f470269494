import t from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { MonitorUnderTest } from './monitor-under-test.ts';

t.setTimeout(400_000);

const VIEWS = [
  'CREATE TABLE app.t (id INT PRIMARY KEY, name VARCHAR(20))',
  'CREATE FUNCTION app.counted(x INT) RETURNS INT READS SQL DATA RETURN x + 1',
  'CREATE VIEW app.plain AS SELECT id, UPPER(name) AS name FROM app.t WHERE id IN (1, 2) ORDER BY id',
  'CREATE VIEW app.joined AS SELECT a.id, COUNT(*) AS n FROM app.t a LEFT JOIN app.plain b USING (id) GROUP BY a.id',
  'CREATE VIEW app.calls AS SELECT app.counted(id) AS n FROM app.t',
  'CREATE VIEW app.on_calls AS SELECT n FROM app.calls',
  'CREATE VIEW app.on_on_calls AS SELECT n FROM app.on_calls WHERE n > 0',
  'CREATE VIEW app.hidden AS SELECT id FROM app.t WHERE id IN (SELECT n FROM app.on_calls)',
  "CREATE VIEW app.locks AS SELECT GET_LOCK('a', 0) AS l",
  'CREATE VIEW app.`Odd name` AS SELECT SLEEP(0) AS s',
  'CREATE VIEW app.system AS SELECT User FROM mysql.user',
  'CREATE VIEW app.now AS SELECT id, NOW() AS n FROM app.t',
  'CREATE VIEW app.on_now AS SELECT COUNT(*) AS n FROM app.now',
  'CREATE TABLE app.opening (id INT PRIMARY KEY, at TIME, day DATE, twice INT AS (id * 2))',
  'CREATE TABLE app.hours (id INT PRIMARY KEY, at TIME, `Till` TIME(3), day DATE)',
  'CREATE TABLE app.accented (id INT PRIMARY KEY, `fermé` TIME)',
  "CREATE VIEW app.opens AS SELECT id FROM app.opening WHERE at > '10:00'",
  'CREATE VIEW app.timed AS SELECT id, SEC_TO_TIME(id) AS s FROM app.t',
  'CREATE VIEW app.safe_again AS SELECT id FROM app.joined UNION SELECT id FROM app.plain',
];

const UNSAFE = [
  'app.calls',
  'app.hidden',
  'app.locks',
  'app.odd name',
  'app.on_calls',
  'app.on_on_calls',
  'app.system',
];

const NOW = ['app.now', 'app.on_now'];
/** Of those with null nobody knows which of their values are made of one. */
const TIMES_OF_DAY = [
  { name: 'app.accented', columns: null },
  { name: 'app.hours', columns: ['at', 'till'] },
  { name: 'app.opening', columns: null },
  { name: 'app.opens', columns: null },
  { name: 'app.timed', columns: null },
];
/** MariaDB computes such a column at each read; MySQL refuses it. */
const MARIADB_ONLY = [
  "CREATE TABLE app.computed (id INT, n DATETIME AS (NOW()) VIRTUAL, m CHAR(9) AS (CONCAT(id, '''x\\\\')))",
  'CREATE VIEW app.on_computed AS SELECT m FROM app.computed',
  'CREATE TABLE app.versioned (id INT, b TIMESTAMP(6) AS ROW START, e TIMESTAMP(6) AS ROW END, PERIOD FOR SYSTEM_TIME (b, e)) WITH SYSTEM VERSIONING',
];
const COMPUTED = ['app.computed', 'app.on_computed'];

/** Nothing is written: a server of MySQL 5.7 that is killed in a CREATE TABLE keeps the half of it. */
const heartbeat = { table: null, write: false, intervalMs: 250 };

for (const flavor of Object.values(ServerFlavor)) {
  t.test(flavor, async (t) => {
    const set = await new ReplicationSet({
      flavor,
      replicas: 1,
      sql: [
        'SET GLOBAL log_bin_trust_function_creators=1',
        ...VIEWS,
        ...(flavor === ServerFlavor.mariadb ? MARIADB_ONLY : []),
      ],
    }).start();
    t.teardown(() => set.dispose());
    const { primary } = set;
    const replica = set.replicas[0]!;

    async function watch(
      settings = {},
      account?: { username: string; password: string },
    ): Promise<MonitorUnderTest> {
      const subject = new MonitorUnderTest(set.servers, { heartbeat, ...settings }, account);
      t.teardown(() => subject.monitor.stop());
      await subject.monitor.start();
      return subject;
    }

    const isMariadb = flavor === ServerFlavor.mariadb;
    await t.test('what shows something else at another time, itself or through others', async (t) => {
      const { monitor } = await watch();
      const varying = [...UNSAFE, ...NOW, ...(isMariadb ? COMPUTED : [])].sort();
      t.match(monitor.catalog, { complete: true, varying });
      t.strictSame(monitor.catalog.timesOfDay, TIMES_OF_DAY);
      await primary.query('CREATE VIEW app.on_opens AS SELECT COUNT(*) AS n FROM app.opens');
      await monitor.refreshCatalog();
      const onOpens = { name: 'app.on_opens', columns: null };
      t.strictSame(monitor.catalog.timesOfDay, TIMES_OF_DAY.toSpliced(2, 0, onOpens));
      await primary.query('DROP VIEW app.on_opens');
    });

    await t.test('unsafe is what calls something unsafe, itself or through others', async (t) => {
      const { monitor, events } = await watch();
      t.match(monitor.catalog, { complete: true, incompleteReason: '', unsafeViews: UNSAFE });
      t.match(
        events.filter(({ kind }) => kind === 'catalog-changed'),
        [
          {
            complete: true,
            reason: '',
            views: isMariadb ? 15 : 14,
            unsafeViews: UNSAFE.length,
            tablesReason: '',
          },
        ],
      );
      await monitor.stop();
    });

    await t.test('a view that changes is seen: on demand, and by itself', async (t) => {
      const subject = await watch();
      const { monitor } = subject;
      const unchanged = monitor.catalog;
      await monitor.refreshCatalog();
      t.equal(monitor.catalog, unchanged, 'nothing new, the same value');
      await primary.query(
        'CREATE OR REPLACE VIEW app.plain AS SELECT app.counted(id) AS id, name FROM app.t',
      );
      await monitor.refreshCatalog();
      t.strictSame(
        monitor.catalog.unsafeViews,
        [...UNSAFE, 'app.joined', 'app.plain', 'app.safe_again'].sort(),
      );
      await monitor.stop();
      const periodic = await watch({ catalogIntervalMs: 50 });
      t.ok(periodic.monitor.catalog.unsafeViews.includes('app.plain'));
      await primary.query('CREATE OR REPLACE VIEW app.plain AS SELECT id, UPPER(name) AS name FROM app.t');
      // On a busy machine a reading takes longer, and the next one comes later for it.
      await waitUntil('it is safe again', () => !periodic.monitor.catalog.unsafeViews.includes('app.plain'), {
        timeoutMs: 60_000,
      });
      t.strictSame(periodic.monitor.catalog.unsafeViews, UNSAFE);
      await periodic.monitor.stop();
    });

    await t.test('without a primary the definitions come from a replica', async (t) => {
      await set.waitForSync();
      await primary.kill();
      const subject = await watch();
      t.equal(subject.monitor.topology.primary, null);
      t.match(subject.find(replica), { status: 'ONLINE' });
      t.strictSame(subject.monitor.catalog.unsafeViews, UNSAFE);
      t.equal(subject.monitor.catalog.complete, true);
      await subject.monitor.stop();
      await primary.start();
    });

    await t.test('while nobody can be asked the catalogue stays as it is', async (t) => {
      const subject = await watch({ catalogIntervalMs: 50 });
      t.equal(subject.monitor.catalog.complete, true);
      await set.waitForSync();
      await Promise.all(set.servers.map((server) => server.kill()));
      for (const server of set.servers) await subject.see(server, { status: 'SHUNNED' });
      await subject.monitor.refreshCatalog();
      t.strictSame(subject.monitor.catalog.unsafeViews, UNSAFE);
      await Promise.all(set.servers.map((server) => server.start()));
      await subject.monitor.stop();
      const early = new MonitorUnderTest([{ host: '127.0.0.1', port: 1 }]);
      await early.monitor.start();
      t.match(early.monitor.catalog, {
        complete: false,
        incompleteReason: /no server is ONLINE|not been read/,
      });
      await early.monitor.stop();
    });

    await t.test(
      'an account that cannot see every view: not complete, and the grant to give is named',
      async (t) => {
        const base = 'REPLICATION CLIENT, PROCESS';
        const account = { username: 'poor', password: 'poor-secret' };
        await primary.query(`CREATE USER poor@'%' IDENTIFIED BY 'poor-secret'`);
        await primary.query(
          `GRANT ${base}${flavor === ServerFlavor.mariadb ? ', SLAVE MONITOR' : ''} ON *.* TO poor@'%'`,
        );
        await set.waitForSync();
        const subject = await watch({ discovery: false }, account);
        const { monitor } = subject;
        t.strictSame(monitor.catalog.unsafeViews, []);
        t.equal(monitor.catalog.complete, false);
        t.match(monitor.catalog.incompleteReason, /lacks SELECT, SHOW VIEW ON \*\.\*.*seen on 127\.0\.0\.1/);
        t.equal(monitor.topology.primary, primary.address, 'the rest works');
        await primary.query("GRANT SELECT ON *.* TO poor@'%'");
        await monitor.refreshCatalog();
        t.match(monitor.catalog, { complete: false, incompleteReason: /lacks SHOW VIEW ON/ });
        await primary.query("GRANT SHOW VIEW ON app.* TO poor@'%'");
        await monitor.refreshCatalog();
        t.equal(monitor.catalog.complete, false, 'one schema is not all');
        await primary.query("GRANT SHOW VIEW ON *.* TO poor@'%'");
        await monitor.refreshCatalog();
        t.match(monitor.catalog, { complete: true, incompleteReason: '', unsafeViews: UNSAFE });
        await primary.query("REVOKE SELECT ON *.* FROM poor@'%'");
        await monitor.refreshCatalog();
        t.match(monitor.catalog, { complete: false, incompleteReason: /lacks SELECT ON/, unsafeViews: [] });
        if (flavor === ServerFlavor.mariadb) {
          await primary.query('CREATE ROLE watching');
          await primary.query('GRANT SELECT ON *.* TO watching');
          await primary.query("GRANT watching TO poor@'%'");
          await monitor.refreshCatalog();
          t.equal(monitor.catalog.complete, false, 'a role that is not active gives nothing');
          await primary.query("SET DEFAULT ROLE watching FOR poor@'%'");
          await monitor.stop();
          const again = await watch({ discovery: false }, account);
          t.equal(again.monitor.catalog.complete, true);
          await again.monitor.stop();
        }
        await monitor.stop();
      },
    );

    await t.test('more views than the limit: not complete', async (t) => {
      const { monitor } = await watch({ maxViews: 3 });
      t.match(monitor.catalog, {
        complete: false,
        incompleteReason: /more than 3 views on/,
        unsafeViews: [],
      });
      await monitor.stop();
    });
  });
}
