/** Which server executes what, by hostgroup of the user, of a hint and of a rule: the servers' own logs say it. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { GeneralLog } from '../../support/general-log.ts';
import { APP_ACCOUNT, accountSql, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const REPORT = { username: 'report', password: 'report-secret' };
const set = new ReplicationSet({
  sql: [
    'CREATE TABLE app.t (id INT PRIMARY KEY, n INT)',
    'INSERT INTO app.t VALUES (1, 1)',
    ...accountSql(REPORT),
  ],
});
let log: GeneralLog;
t.before(async () => {
  await set.start();
  log = await GeneralLog.start(set.servers);
});
t.teardown(() => set.dispose());

const [first, second] = set.replicas;

/** The pair 0/1 with the first replica, the static hostgroup 50 with the second one, 60 with nobody who is fit. */
function config(more: Readonly<Record<string, unknown>> = {}) {
  const row = (server: { host: string; port: number } | undefined, columns: object) => ({
    host: server?.host,
    port: server?.port,
    ...columns,
  });
  return {
    servers: [
      row(set.primary, { hostgroup: 0 }),
      row(first, { hostgroup: 1 }),
      row(first, { hostgroup: 60, status: 'OFFLINE_SOFT' }),
      row(second, { hostgroup: 50 }),
    ],
    users: [APP_ACCOUNT, { ...REPORT, defaultHostgroup: 50 }],
    causalReads: { level: 'none' },
    ...more,
  };
}

async function start(t: Test, more: Readonly<Record<string, unknown>> = {}): Promise<SluiceProcess> {
  const sluice = await SluiceProcess.startFor(set, { config: config(more) });
  t.teardown(() => sluice.dispose());
  const admin = await connected(t, sluice.adminConnection({ database: 'app' }));
  await waitUntil('reads are proven, and every replica is fit', async () => {
    const [rows] = await admin.query<RowDataPacket[]>(
      'EXPLAIN ROUTE /* sluice:hostgroup=50 */ SELECT n FROM t',
    );
    const [others] = await admin.query<RowDataPacket[]>('EXPLAIN ROUTE SELECT n FROM t');
    return [...rows, ...others].filter(({ value }) => value === 'replica').length === 2;
  });
  return sluice;
}

async function connected(t: Test, connecting: Promise<Connection>): Promise<Connection> {
  const connection = await connecting;
  t.teardown(() => connection.end());
  return connection;
}

let markers = 0;

/** The servers that executed the statement; `?` in it is where the marker goes. */
async function executors(connection: Connection, sql: string, times = 1): Promise<string[]> {
  const marker = `hg${++markers}x`;
  await log.mark();
  for (let i = 0; i < times; i++) await connection.query(sql.replace('?', `/* ${marker} */`));
  const entries = await log.entries();
  return (
    entries
      .filter(({ command, argument }) => command === 'Query' && argument.includes(marker))
      // Replication writes with an account of its own, and row by row.
      .map(({ server }) => server)
  );
}

const READ = 'SELECT ? n FROM t WHERE id = 1';
const WRITE = 'UPDATE ? t SET n = n + 1 WHERE id = 1';

t.test('users, hints and fit members', async (t) => {
  const sluice = await start(t);
  const app = await connected(t, sluice.connect());
  const report = await connected(t, sluice.connect({ user: REPORT.username, password: REPORT.password }));
  const ten = (name: string) => Array.from({ length: 10 }, () => name);
  t.strictSame(await executors(app, READ, 10), ten('replica1'), 'readers of the pair');
  t.strictSame(await executors(report, READ, 10), ten('replica2'), 'the hostgroup of the user');
  t.strictSame(await executors(app, WRITE), ['primary']);
  t.strictSame(await executors(report, WRITE), ['primary'], 'what is no read is the primary’s');
  t.strictSame(await executors(report, 'SELECT ? n FROM t WHERE id = 1 FOR UPDATE'), ['primary']);
  const hinted = (hostgroup: number, sql: string) => `/* sluice:hostgroup=${hostgroup} */ ${sql}`;
  t.strictSame(await executors(app, hinted(50, READ), 10), ten('replica2'));
  t.strictSame(await executors(report, hinted(1, READ)), ['replica1']);
  t.strictSame(await executors(report, hinted(0, READ)), ['primary']);
  t.strictSame(await executors(app, hinted(50, WRITE)), ['primary']);
  t.strictSame(await executors(app, hinted(60, READ)), ['primary'], 'nobody there is fit');
  t.strictSame(await executors(app, hinted(77, READ)), ['replica1'], 'there is no such hostgroup');
  await report.query('START TRANSACTION READ ONLY');
  t.strictSame(await executors(report, READ), ['replica2']);
  await report.query('COMMIT');

  const admin = await connected(t, sluice.adminConnection({ database: 'app' }));
  const explained = async (sql: string): Promise<Record<string, string>> => {
    const [rows] = await admin.query<RowDataPacket[]>(`EXPLAIN ROUTE ${sql.replace('?', '')}`);
    return Object.fromEntries(rows.map(({ step, value }) => [step, value]));
  };
  t.match(await explained(hinted(60, READ)), {
    destination: 'hostgroup 60 (hint) for proven reads',
    candidates: `${first?.address} offline-soft`,
    target: 'primary',
    reason: 'no-replica',
    hostgroup: '0',
    servers: set.primary.address,
  });
  t.match(await explained(hinted(50, READ)), {
    candidates: `${second?.address} fit`,
    target: 'replica',
    reason: 'hint',
    hostgroup: '50',
    servers: second?.address,
  });
  const [routes] = await admin.query<RowDataPacket[]>('SHOW ROUTES LIMIT 1000');
  const served = new Set(
    routes.map(({ server, hostgroup }) => `${set.nameOf(server.split(':')[1])} ${hostgroup}`),
  );
  t.strictSame([...served].sort(), ['primary 0', 'replica1 1', 'replica2 50']);
});

t.test('a drained server leaves its hostgroup, and comes back', async (t) => {
  const sluice = await start(t);
  const report = await connected(t, sluice.connect({ user: REPORT.username, password: REPORT.password }));
  const admin = await connected(t, sluice.adminConnection());
  t.strictSame(await executors(report, READ), ['replica2']);
  await admin.query(`DRAIN '${second?.address}'`);
  await waitUntil('it is drained', async () => (await executors(report, READ))[0] === 'primary');
  await admin.query(`UNDRAIN '${second?.address}'`);
  await waitUntil('it is back', async () => (await executors(report, READ))[0] === 'replica2');
});

t.test('rules send reads, and only reads', async (t) => {
  const sluice = await start(t, {
    queryRules: [
      { ruleId: 1, matchDigest: 'FROM t WHERE id', destinationHostgroup: 50, apply: true },
      { ruleId: 2, matchDigest: '^SELECT COUNT', destinationHostgroup: 0, apply: true },
      { ruleId: 3, matchDigest: '.', destinationHostgroup: 50 },
    ],
  });
  const app = await connected(t, sluice.connect());
  t.strictSame(await executors(app, READ), ['replica2']);
  t.strictSame(await executors(app, 'SELECT ? COUNT(*) FROM t'), ['primary']);
  t.strictSame(await executors(app, WRITE), ['primary']);
  t.strictSame(await executors(app, 'SELECT ? n FROM t WHERE id = 1 FOR UPDATE'), ['primary']);
  t.strictSame(
    await executors(app, '/* sluice:hostgroup=1 */ SELECT ? n FROM t'),
    ['replica1'],
    'a hint is stronger',
  );
  await app.beginTransaction();
  t.strictSame(await executors(app, READ), ['primary'], 'where the transaction is');
  await app.rollback();
  t.equal(await sluice.metric('sluice_routed_total', { target: 'replica', reason: 'rule' }), 1);
  t.equal(await sluice.metric('sluice_routed_total', { target: 'primary', reason: 'rule' }), 1);
});

t.test('sessions that stay on one connection: by account, and by the hostgroup of the writer', async (t) => {
  const fastForward = { username: APP_ACCOUNT.username, password: APP_ACCOUNT.password, fastForward: true };
  const pinsOf = async (sluice: SluiceProcess): Promise<string[]> => {
    const admin = await connected(t, sluice.adminConnection());
    const [rows] = await admin.query<RowDataPacket[]>('SHOW PINS');
    return rows.map(({ pin, reason }) => pin ?? reason);
  };
  const forwarding = await start(t, { users: [fastForward] });
  const app = await connected(t, forwarding.connect());
  t.strictSame(await executors(app, READ), ['primary']);
  await app.changeUser({ database: 'app' });
  t.strictSame(await executors(app, READ), ['primary']);
  t.strictSame(await pinsOf(forwarding), ['fast-forward']);

  const keeping = await start(t, {
    users: [APP_ACCOUNT, { ...REPORT, defaultHostgroup: 50 }],
    hostgroupAttributes: [{ hostgroup: 0, multiplex: false }],
  });
  const kept = await connected(t, keeping.connect());
  const report = await connected(t, keeping.connect({ user: REPORT.username, password: REPORT.password }));
  t.strictSame(await executors(kept, READ), ['primary']);
  t.strictSame(await executors(report, READ), ['replica2'], 'not for this writer');
  t.strictSame(await pinsOf(keeping), ['multiplexing-off']);
});

t.test('the writer is taken out by its row', async (t) => {
  const servers = [
    { host: set.primary.host, port: set.primary.port, hostgroup: 0, status: 'OFFLINE_SOFT' },
    { host: set.primary.host, port: set.primary.port, hostgroup: 9 },
    { host: first?.host, port: first?.port, hostgroup: 1 },
  ];
  const sluice = await start(t);
  const app = await connected(t, sluice.connect());
  t.strictSame(await executors(app, WRITE), ['primary']);
  sluice.writeConfig(config({ servers, users: [APP_ACCOUNT], limits: { noServerWaitMs: 100 } }));
  process.kill(sluice.pid, 'SIGHUP');
  await waitUntil('writes have no server', () =>
    app.query('UPDATE t SET n = 0').then(
      () => false,
      ({ errno }: { errno: number }) => errno === 9001,
    ),
  );
  t.strictSame(await executors(app, READ), ['replica1'], 'reads go on');
});
