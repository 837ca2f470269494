/** What query rules do to the statements of real clients, in front of a real server. */

import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { APP_ACCOUNT, accountSql, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const SECOND = { username: 'second', password: 'second' };
const set = new ReplicationSet({
  replicas: 0,
  sql: [
    'CREATE TABLE app.t (id INT PRIMARY KEY, name VARCHAR(20)) CHARSET utf8mb4',
    "INSERT INTO app.t VALUES (1, 'one'), (2, 'two'), (3, 'drei')",
    'CREATE TABLE app.t_new LIKE app.t',
    "INSERT INTO app.t_new VALUES (1, 'new one')",
    'CREATE DATABASE other',
    "GRANT ALL ON other.* TO 'app'@'%'",
    'CREATE TABLE other.t LIKE app.t',
    "INSERT INTO other.t VALUES (1, 'other one')",
    ...accountSql(SECOND),
  ],
});
const USERS = [APP_ACCOUNT, SECOND];

let sluice: SluiceProcess;
let admin: Connection;
t.before(async () => {
  await set.start();
  sluice = await SluiceProcess.startFor(set);
  admin = await sluice.adminConnection();
});
t.teardown(async () => {
  await admin?.end();
  await sluice?.dispose();
  await set.dispose();
});

/** Numbers of the configurations that the workers have. */
async function configurations(): Promise<number[]> {
  const [rows] = await admin.query<RowDataPacket[]>('SHOW VERSIONS');
  return (rows as { configuration: number }[]).map(({ configuration }) => Number(configuration));
}

/** The configuration is in force in all workers. @returns a new client's connection. */
async function configure(t: Test, config: Readonly<Record<string, unknown>>): Promise<Connection> {
  const before = Math.max(...(await configurations()));
  sluice.writeConfig({ servers: [set.primary.address], users: [APP_ACCOUNT], ...config });
  sluice.signal('SIGHUP');
  await waitUntil('all workers have the configuration', async () =>
    (await configurations()).every((configuration) => configuration > before),
  );
  const client = await sluice.connect({ multipleStatements: true });
  t.teardown(() => client.end());
  return client;
}

type Labels = Readonly<Record<string, string>>;

/** How much a counter has grown. */
async function counting(): Promise<(name: string, labels?: Labels) => Promise<number>> {
  const before = await sluice.metrics();
  return async (name, labels = {}) => {
    const text = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const key = text.length === 0 ? name : `${name}{${text.join(',')}}`;
    return (await sluice.metric(name, labels)) - (before.get(key) ?? 0);
  };
}

async function failure(
  promise: Promise<unknown>,
): Promise<{ errno?: number; sqlState?: string; message: string }> {
  return promise.then(
    () => ({ message: 'no error' }),
    (error: Error) => error,
  );
}

async function nameOf(
  client: Connection,
  sql: string,
  values?: (string | number)[],
): Promise<string | undefined> {
  const [rows] = await (values === undefined ? client.query(sql) : client.execute(sql, values));
  return (rows as { name: string }[])[0]?.name;
}

t.test('errors and OKs', async (t) => {
  const client = await configure(t, {
    queryRules: [
      { ruleId: 1, matchDigest: '^DELETE FROM t$', errorMsg: 'a DELETE needs a WHERE', apply: true },
      { ruleId: 2, matchDigest: '^TRUNCATE', okMsg: 'nothing was done', apply: true },
      { ruleId: 3, matchPattern: 'drop\\s+table', errorMsg: 'no table is dropped here', apply: true },
      { ruleId: 4, active: false, matchDigest: 'SELECT', errorMsg: 'not active' },
    ],
  });
  const counted = await counting();
  const refused = { errno: 1148, sqlState: '42000', message: 'a DELETE needs a WHERE' };
  t.match(
    await failure(client.query('DELETE FROM t -- all of it')),
    refused,
    'as text, whatever comments it has',
  );
  t.match(await failure(client.execute('DELETE FROM t')), refused, 'when it is prepared');
  const [conditions] = await client.query<RowDataPacket[]>('SHOW WARNINGS');
  t.match(conditions, [{ Level: 'Error', Code: 1148, Message: 'a DELETE needs a WHERE' }]);
  t.match(
    await failure(client.query("SELECT 1; DrOp  tAbLe t_new; SELECT 'x'")),
    { errno: 1148, message: 'no table is dropped here' },
    'the rule is for the whole packet: nothing of it runs',
  );
  t.equal(await nameOf(client, 'SELECT name FROM t_new WHERE id = 1'), 'new one');
  const [ok] = await client.query<ResultSetHeader>('TRUNCATE TABLE t');
  t.match(ok, { affectedRows: 0, info: 'nothing was done' });
  await failure(client.query('SELECT nothing_like_it'));
  await client.query('TRUNCATE TABLE t');
  t.strictSame((await client.query<RowDataPacket[]>('SELECT ROW_COUNT() AS n'))[0], [{ n: 0 }]);
  await client.query('TRUNCATE TABLE t');
  t.strictSame((await client.query<RowDataPacket[]>('SHOW WARNINGS'))[0], [], 'as behind an OK of a server');
  await client.beginTransaction();
  await client.query('INSERT INTO t VALUES (9, "nine")');
  await failure(client.query('DELETE FROM t'));
  await client.query('TRUNCATE t');
  t.equal(await nameOf(client, 'SELECT name FROM t WHERE id = 9'), 'nine', 'the transaction goes on');
  await client.rollback();
  const prepared = await client.prepare('TRUNCATE TABLE t');
  const [executed] = await prepared.execute([]);
  t.match(executed, { info: 'nothing was done' }, 'an OK comes with the execution');
  t.equal(await nameOf(client, 'SELECT COUNT(*) AS name FROM t'), 3 as unknown as string);
  t.equal(await counted('sluice_rule_answered_statements_total', { answer: 'error' }), 4);
  t.equal(await counted('sluice_rule_answered_statements_total', { answer: 'ok' }), 5);
  t.equal(await counted('sluice_routed_total', { target: 'sluice', reason: 'query-rule' }), 9);
});

t.test('statements are rewritten, and are what they have become', async (t) => {
  const client = await configure(t, {
    queryRules: [
      { ruleId: 1, matchPattern: 'FROM t WHERE', replacePattern: 'FROM t_new WHERE' },
      { ruleId: 2, matchPattern: '\\bt_new\\b', errorMsg: null, comment: 'sees what rule 1 has made' },
      {
        ruleId: 3,
        matchPattern: "'(\\w)(\\w+)' *, *'(.)'",
        reModifiers: 'GLOBAL',
        replacePattern: "'\\3\\2\\\\\\\\\\1'",
      },
      { ruleId: 4, matchPattern: '^CALL count_rows\\(\\)', replacePattern: 'SELECT COUNT(*) AS n FROM t' },
      { ruleId: 5, matchPattern: "'ö'", replacePattern: "'ä€'" },
      { ruleId: 6, matchPattern: '^FORGET (\\d+)', replacePattern: 'DELETE FROM t WHERE id = \\1' },
    ],
  });
  t.equal(await nameOf(client, 'SELECT name FROM t WHERE id = 1'), 'new one', 'as text');
  t.equal(await nameOf(client, 'SELECT name FROM t WHERE id = ?', [1]), 'new one', 'prepared');
  t.equal(await nameOf(client, 'SELECT name FROM t WHERE id = ?', [1]), 'new one', 'and executed again');
  t.equal(await nameOf(client, "SELECT CONCAT('abc', 'x', 'uvw' , 'z') AS name"), 'xbc\\azvw\\u');
  t.strictSame((await client.query<RowDataPacket[]>('CALL count_rows()'))[0], [{ n: 3 }]);
  t.equal(await nameOf(client, "SELECT 'ö' AS name"), 'ä€');
  const [gone] = await client.query<ResultSetHeader>('FORGET 3');
  t.equal(gone.affectedRows, 1, 'what was no statement has become a write');
  t.equal(await nameOf(client, 'SELECT COUNT(*) AS name FROM t'), 2 as unknown as string);
  await set.primary.query("INSERT INTO app.t VALUES (3, 'drei')");
});

t.test('bytes that are no UTF-8 come through a replacement as they are', async (t) => {
  await configure(t, {
    queryRules: [{ ruleId: 1, matchPattern: 'HEX\\(', replacePattern: 'LENGTH(' }],
  });
  const client = await sluice.connect({ charset: 'LATIN1_SWEDISH_CI' });
  t.teardown(() => client.end());
  const [rows] = await client.query<RowDataPacket[]>("SELECT HEX('äö') AS name, HEX('x') AS other");
  t.strictSame(rows, [{ name: 2, other: '78' }]);
});

t.test('who asks, from where and in which schema', async (t) => {
  const client = await configure(t, {
    users: USERS,
    queryRules: [
      { ruleId: 1, username: 'second', matchDigest: '^SELECT ?', errorMsg: 'by user', flagOut: 7 },
      { ruleId: 2, schemaname: 'other', matchDigest: 'FROM t', errorMsg: 'by schema' },
      { ruleId: 3, clientAddr: '127.0.0.%', matchDigest: '^SHOW TABLES', errorMsg: 'by address' },
      { ruleId: 4, clientAddr: '10.%', matchDigest: '.', errorMsg: 'by another address' },
      { ruleId: 5, proxyAddr: '127.0.0.1', proxyPort: 1, matchDigest: '.', errorMsg: 'by another port' },
      {
        ruleId: 6,
        proxyAddr: '127.0.0.1',
        proxyPort: sluice.port,
        matchPattern: 'port',
        errorMsg: 'by port',
      },
      { ruleId: 7, proxyAddr: '127.0.0.2', matchDigest: '.', errorMsg: 'by another address of Sluice' },
    ],
  });
  const second = await sluice.connect({ user: 'second', password: 'second' });
  t.teardown(() => second.end());
  t.match(await failure(second.query('SELECT 1')), { message: 'by user' });
  t.equal(await nameOf(client, 'SELECT 1 AS name'), 1 as unknown as string);
  t.equal(await nameOf(client, 'SELECT name FROM t WHERE id = 1'), 'one');
  await client.query('USE other');
  t.match(await failure(client.query('SELECT name FROM t WHERE id = 1')), { message: 'by schema' });
  await client.query('USE app');
  t.equal(await nameOf(client, 'SELECT name FROM t WHERE id = 1'), 'one');
  t.match(await failure(client.query('SHOW TABLES')), { message: 'by address' });
  t.match(await failure(client.query("SELECT 'port'")), { message: 'by port' });
  await client.changeUser({ user: 'second', password: 'second', database: 'app' });
  t.match(await failure(client.query('SELECT 1')), { message: 'by user' }, 'after COM_CHANGE_USER');
});

t.test('chains, and the flag of the next statement', async (t) => {
  const client = await configure(t, {
    queryRules: [
      { ruleId: 1, matchPattern: 'first', flagOut: 10 },
      { ruleId: 2, flagIn: 10, matchPattern: 'second', errorMsg: 'both' },
      { ruleId: 3, flagIn: 0, matchPattern: 'second', errorMsg: 'second alone', apply: true },
      { ruleId: 4, flagIn: 10, matchPattern: 'turn', nextQueryFlagIn: 20, apply: true },
      { ruleId: 5, flagIn: 20, matchPattern: 'back', nextQueryFlagIn: 0, apply: true },
      { ruleId: 6, flagIn: 20, errorMsg: 'in chain 20' },
    ],
  });
  const answers = async (sql: string): Promise<string> => (await failure(client.query(sql))).message;
  t.equal(await answers("SELECT 'first'"), 'no error');
  t.equal(await answers("SELECT 'second'"), 'second alone');
  t.equal(await answers("SELECT 'first', 'second'"), 'both');
  t.equal(await answers("SELECT 'first', 'turn'"), 'no error');
  t.equal(await answers("SELECT 'first'"), 'in chain 20', 'from then on');
  t.equal(await answers("SELECT 'second'"), 'in chain 20');
  t.equal(await answers("SELECT 'back'"), 'no error');
  t.equal(await answers("SELECT 'second'"), 'second alone');
});

t.test('rate limits hold over all workers, for text and executions', async (t) => {
  const client = await configure(t, {
    users: [
      APP_ACCOUNT,
      { username: 'second', password: 'second', rateLimit: { perSecond: 0.001, burst: 4 } },
    ],
    queryRules: [
      { ruleId: 7, matchDigest: 'FROM t_new', attributes: { rate_limit: { per_second: 0.001, burst: 5 } } },
    ],
  });
  const counted = await counting();
  const clients = [client, ...(await Promise.all([1, 2, 3, 4, 5].map(() => sluice.connect())))];
  t.teardown(() => Promise.all(clients.slice(1).map((one) => one.end())));
  const outcomes = await Promise.all(
    clients.flatMap((one, index) =>
      [1, 2, 3].map((id) =>
        failure(
          index % 2 === 0
            ? one.query(`SELECT name FROM t_new WHERE id = ${id}`)
            : one.execute('SELECT name FROM t_new WHERE id = ?', [id]),
        ),
      ),
    ),
  );
  t.equal(outcomes.filter(({ errno }) => errno === undefined).length, 5, 'as many as the bucket holds');
  const refused = outcomes.filter(({ errno }) => errno !== undefined);
  t.equal(refused.length, 13);
  for (const error of refused)
    t.match(error, {
      errno: 9030,
      sqlState: 'HY000',
      message: 'Rate limit of rule 7 is reached: 0.001 statements per second, 5 at once',
    });
  t.equal(await nameOf(client, 'SELECT name FROM t WHERE id = 1'), 'one', 'others go on');
  const second = await sluice.connect({ user: 'second', password: 'second' });
  t.teardown(() => second.end());
  const own = await Promise.all([1, 2, 3, 4, 5, 6].map(() => failure(second.query('SELECT 1'))));
  t.strictSame(
    own.map(({ errno }) => errno),
    [undefined, undefined, undefined, undefined, 9030, 9030],
  );
  t.match(own[5], {
    message: "Rate limit of user 'second' is reached: 0.001 statements per second, 4 at once",
  });
  t.equal(await counted('sluice_rate_limited_statements_total'), 15);
});

t.test('the firewall', async (t) => {
  const sql = 'SELECT name FROM t WHERE id = 3';
  const before = await configure(t, { users: USERS });
  await before.query(sql);
  const [routes] = await admin.query<RowDataPacket[]>('SHOW ROUTES');
  const listed = routes as { digest: string; digest_text: string }[];
  const digest = listed.findLast((row) => row.digest_text === 'SELECT name FROM t WHERE id = ?')?.digest;
  const client = await configure(t, {
    users: USERS,
    firewall: {
      enabled: true,
      users: [
        { username: 'app', mode: 'PROTECTING' },
        { username: 'second', clientAddress: '127.0.0.1', mode: 'DETECTING' },
      ],
      rules: [{ username: 'app', schemaname: 'app', digest }],
    },
  });
  const counted = await counting();
  t.equal(await nameOf(client, sql), 'drei', 'on the list');
  const blocked = { errno: 1148, sqlState: '42000', message: 'Firewall blocked this query' };
  t.match(await failure(client.query('SELECT name FROM t WHERE id = 3 OR 1 = 1')), blocked);
  t.match(await failure(client.execute('SELECT * FROM t', [])), blocked, 'prepared');
  t.match(await failure(client.query('SELECT name FROM t WHERE id = 3; DROP TABLE t')), blocked);
  const second = await sluice.connect({ user: 'second', password: 'second' });
  t.teardown(() => second.end());
  t.equal(await nameOf(second, 'SELECT name FROM t WHERE id = 3'), 'drei', 'detected, not blocked');
  t.equal(await counted('sluice_firewall_statements_total', { action: 'blocked' }), 3);
  t.equal(await counted('sluice_firewall_statements_total', { action: 'detected' }), 1);
  const told = await waitUntil('the log tells of it', () =>
    sluice.log.find(({ msg }) => msg === 'firewall: statement detected'),
  );
  t.match(told, { user: 'second', client: '127.0.0.1', digest });
});

t.test('what is judged is judged once, whatever goes in front of it', async (t) => {
  const client = await configure(t, {
    queryRules: [
      { ruleId: 1, matchPattern: 'INTO t VALUES \\(5', replacePattern: 'INTO t VALUES (5' },
      {
        ruleId: 2,
        matchPattern: "'a'",
        replacePattern: "'aa'",
        attributes: { rate_limit: { per_second: 0.001, burst: 3 } },
      },
    ],
  });
  const hits = async (): Promise<unknown> =>
    (await admin.query<RowDataPacket[]>('SELECT rule_id, hits FROM stats_mysql_query_rules'))[0];
  await client.query('START TRANSACTION READ ONLY');
  await client.query('SET @x = 1');
  t.equal(
    await nameOf(client, "SELECT CONCAT('a', @x) AS name"),
    'aa1',
    'a read-only transaction moves to the primary',
  );
  await client.query('COMMIT');
  await client.query("INSERT INTO t VALUES (5, 'a')");
  t.equal(await nameOf(client, 'SELECT ROW_COUNT() AS name'), 1 as unknown as string);
  t.strictSame((await client.query<RowDataPacket[]>("SELECT CONCAT('a', ROW_COUNT()) AS name"))[0], [
    { name: 'aa-1' },
  ]);
  t.match(await failure(client.query("SELECT 'a'")), { errno: 9030 }, 'three have been taken, not more');
  t.strictSame(await hits(), [
    { rule_id: '1', hits: '1' },
    { rule_id: '2', hits: '4' },
  ]);
  await client.query('DELETE FROM t WHERE id = 5');
});

t.test('EXPLAIN ROUTE tells of each rule', async (t) => {
  await configure(t, {
    users: USERS,
    queryRules: [
      { ruleId: 1, username: 'second', matchDigest: 'FROM t', errorMsg: 'not for you' },
      {
        ruleId: 2,
        matchPattern: 'FROM t$',
        replacePattern: 'FROM t_new',
        attributes: { rate_limit: { per_second: 5 } },
      },
      { ruleId: 3, flagIn: 9, matchDigest: '.' },
      { ruleId: 4, matchDigest: '^INSERT', destinationHostgroup: 1, apply: true },
      { ruleId: 5, matchPattern: 'x' },
    ],
  });
  await admin.query('USE app');
  const explain = async (sql: string): Promise<Record<string, string>> => {
    const [rows] = await admin.query<RowDataPacket[]>(sql);
    return Object.fromEntries(
      (rows as { step: string; value: string }[]).map(({ step, value }) => [step, value]),
    );
  };
  t.match(await explain('EXPLAIN ROUTE SELECT name FROM t'), {
    digest: 'SELECT name FROM t',
    rules: '5 active, 1 match',
    'rule 1': 'does not match: username',
    'rule 2': 'matches: replace_pattern=FROM t_new, attributes={"rate_limit":{"per_second":5}}',
    'rule 3': 'does not match: flagIN',
    'rule 4': 'does not match: match_digest',
    'rule 5': 'does not match: match_pattern',
    rewritten: 'SELECT name FROM t_new',
    firewall: 'off',
    rate_limit: 'rule 2: 5 per second, 5 at once',
    tables: 'app.t_new',
  });
  t.match(await explain("EXPLAIN ROUTE FOR USER 'second'@'10.0.0.1' SELECT name FROM t"), {
    'rule 1': 'matches: error_msg=not for you',
    answer: 'error 1148: not for you',
  });
  t.match(await explain('EXPLAIN ROUTE INSERT INTO t VALUES (1)'), {
    'rule 4': 'matches: destination_hostgroup=1, apply=1',
    'rule 5': 'is behind a rule with apply',
    target: 'primary',
    reason: 'not-a-read',
  });
});

t.test('a reload changes the rules for those who are connected', async (t) => {
  const client = await configure(t, {
    queryRules: [{ ruleId: 1, matchDigest: '^SELECT ?', errorMsg: 'one' }],
  });
  t.match(await failure(client.query('SELECT 1')), { message: 'one' });
  const writeRules = (queryRules: unknown): void => {
    sluice.writeConfig({
      servers: [set.primary.address],
      users: [APP_ACCOUNT],
      queryRules,
    });
    sluice.signal('SIGHUP');
  };
  writeRules([{ ruleId: 1, matchDigest: '^SELECT ?', errorMsg: 'two' }]);
  await waitUntil(
    'the second rule is in force',
    async () => (await failure(client.query('SELECT 1'))).message === 'two',
  );
  writeRules([]);
  await waitUntil(
    'there are no rules',
    async () => (await failure(client.query('SELECT 1'))).message === 'no error',
  );
});
