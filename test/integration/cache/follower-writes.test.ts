/** Writes past Sluice, of every kind: which tables the binlog follower raises for them, on both kinds of servers. */

import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { gtidPosition } from '../../../src/common/gtid-position.ts';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { FollowedEpochs, type Raised, slotOf } from '../../support/followed-epochs.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';

const TABLES = ['t', 'u', 'parent', 'child', 'm', 'n', 'long_rows'];
const SCHEMA = [
  'CREATE TABLE app.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(100))',
  'CREATE TABLE app.u (id INT PRIMARY KEY, v INT)',
  'CREATE TABLE app.parent (id INT PRIMARY KEY)',
  'CREATE TABLE app.child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES app.parent (id) ON DELETE CASCADE)',
  'CREATE TABLE app.m (id INT PRIMARY KEY) ENGINE=MyISAM',
  'CREATE TABLE app.long_rows (v LONGTEXT)',
  'INSERT INTO app.parent VALUES (1), (2)',
  'INSERT INTO app.child VALUES (1, 1)',
  'CREATE PROCEDURE app.p () INSERT INTO app.u VALUES (77, 1), (78, 1)',
  'INSERT INTO app.u VALUES (1, 1), (2, 2)',
];
/** By a row event, and again when it is visible. */
const ROWS = { epoch: 2, structure: 0 };
/** By more than rows. */
const MORE = { epoch: 2, structure: 2 };
const TWICE = { epoch: 4, structure: 4 };

type Case = readonly [name: string, statements: readonly string[], raised: Raised];

/** Each on a connection of its own. */
const CASES: readonly Case[] = [
  ['an INSERT', ["INSERT INTO t (v) VALUES ('x')"], { t: ROWS }],
  [
    'an UPDATE and a DELETE of one transaction',
    ['BEGIN', 'UPDATE u SET v = 9 WHERE id = 1', "INSERT INTO t (v) VALUES ('y')", 'COMMIT'],
    { t: ROWS, u: ROWS },
  ],
  ['ROLLBACK', ['BEGIN', 'DELETE FROM u', 'ROLLBACK'], {}],
  [
    'ROLLBACK TO SAVEPOINT',
    [
      'BEGIN',
      'UPDATE u SET v = 8 WHERE id = 1',
      'SAVEPOINT s',
      'DELETE FROM t',
      'ROLLBACK TO SAVEPOINT s',
      'COMMIT',
    ],
    { u: ROWS },
  ],
  ['a statement that changes nothing', ['UPDATE u SET v = 1 WHERE id = 999'], {}],
  ['a cascade, which is in no event', ['DELETE FROM parent WHERE id = 1'], { parent: ROWS, child: MORE }],
  ['MyISAM', ['INSERT INTO m VALUES (1)'], { m: ROWS }],
  [
    'MyISAM in a transaction that is rolled back',
    ['BEGIN', 'INSERT INTO m VALUES (2)', 'UPDATE u SET v = 7 WHERE id = 1', 'ROLLBACK'],
    { m: ROWS },
  ],
  ['rows by a procedure', ['CALL p()'], { u: ROWS }],
  [
    'many rows in many events',
    [
      "INSERT INTO t (v) SELECT REPEAT('z', 90) FROM (SELECT 1 FROM information_schema.COLLATIONS LIMIT 100) a, (SELECT 1 FROM information_schema.COLLATIONS LIMIT 100) b",
    ],
    { t: ROWS },
  ],
  [
    'a statement in the binlog',
    ["SET SESSION binlog_format = 'STATEMENT'", "INSERT INTO t (v) VALUES ('by statement')"],
    { t: MORE },
  ],
  [
    'a statement with other quotes',
    [
      "SET SESSION binlog_format = 'STATEMENT'",
      "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
      `UPDATE "u" SET v = 5 WHERE id = 2 AND '\\' <> 'x'`,
    ],
    { u: MORE },
  ],
  ['LOAD DATA', ["LOAD DATA LOCAL INFILE 'rows' INTO TABLE t (v)"], { t: ROWS }],
  [
    'LOAD DATA as a statement',
    ["SET SESSION binlog_format = 'STATEMENT'", "LOAD DATA LOCAL INFILE 'rows' INTO TABLE t (v)"],
    { t: MORE },
  ],
  ['TRUNCATE', ['TRUNCATE TABLE u'], { u: MORE }],
  ['CREATE and ALTER', ['CREATE TABLE n (a INT)', 'ALTER TABLE n ADD b INT'], { n: TWICE }],
  ['RENAME', ['RENAME TABLE n TO u2, u TO n'], { u: MORE, n: MORE }],
  ['DROP', ['DROP TABLE n'], { n: MORE }],
  ['GRANT, after which others may read', ["GRANT SELECT ON app.t TO monitor@'%'"], { '*': MORE }],
  [
    'a table of accounts',
    [
      "DELETE FROM mysql.user WHERE user = 'nobody-of-that-name'",
      "INSERT INTO mysql.db (host, db, user) VALUES ('h', 'd', 'x')",
    ],
    { '*': MORE },
  ],
  [
    'XA, whose COMMIT may have changed anything',
    ["XA START 'x'", "INSERT INTO t (v) VALUES ('xa')", "XA END 'x'", "XA PREPARE 'x'", "XA COMMIT 'x'"],
    { t: ROWS, '*': MORE },
  ],
  [
    'XA in one phase',
    ["XA START 'y'", "INSERT INTO t (v) VALUES ('xa')", "XA END 'y'", "XA COMMIT 'y' ONE PHASE"],
    { t: ROWS },
  ],
  ['XA ROLLBACK', ["XA START 'z'", "INSERT INTO t (v) VALUES ('xa')", "XA END 'z'", "XA ROLLBACK 'z'"], {}],
  [
    'events without checksums',
    [
      'SET GLOBAL binlog_checksum = NONE',
      "INSERT INTO t (v) VALUES ('x')",
      'FLUSH BINARY LOGS',
      "INSERT INTO t (v) VALUES ('x')",
    ],
    { t: { epoch: 4, structure: 0 } },
  ],
  ['and with them', ['SET GLOBAL binlog_checksum = CRC32', "INSERT INTO t (v) VALUES ('x')"], { t: ROWS }],
  [
    'an event of several packets',
    [`INSERT INTO long_rows VALUES (REPEAT('x', ${17 * 1_048_576}))`],
    { long_rows: ROWS },
  ],
];

const MARIADB_CASES: readonly Case[] = [
  [
    'packed rows',
    [
      'SET GLOBAL log_bin_compress = 1, log_bin_compress_min_len = 10',
      "INSERT INTO t (v) VALUES (REPEAT('p', 90))",
    ],
    { t: ROWS },
  ],
  [
    'a packed statement',
    [
      "SET SESSION binlog_format = 'STATEMENT'",
      `UPDATE t SET v = '${'q'.repeat(90)}' WHERE id = 1`,
      'SET GLOBAL log_bin_compress = 0',
    ],
    { t: MORE },
  ],
];

async function runCase(set: ReplicationSet, statements: readonly string[]): Promise<void> {
  const connection = await set.primary.rootConnection({
    database: 'app',
    infileStreamFactory: () => Readable.from([Buffer.from('one\ntwo\nthree\n')]),
  });
  try {
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
}

/** What has come through Sluice has been raised by a worker, before its OK. */
async function passesOwnWrites(set: ReplicationSet, followed: FollowedEpochs, t: Test): Promise<void> {
  const [source, base] = await sourceOf(set, 1);
  followed.source = source;
  const own = gtidPosition(source, base + 1n);
  followed.epochs.noteOwn(own);
  const raised = await followed.raisedBy(TABLES, async () => {
    await set.primary.query("INSERT INTO app.t (v) VALUES ('own')");
    await set.primary.query("INSERT INTO app.long_rows (v) VALUES ('foreign')");
  });
  t.strictSame(raised, { long_rows: ROWS });
  t.equal(followed.epochs.appliedPosition, gtidPosition(source, base + 2n), 'as far as the binlog goes');
  t.equal(followed.epochs.settledPosition, followed.epochs.appliedPosition);
  t.equal(
    followed.gtids.written(slotOf('long_rows')),
    gtidPosition(source, base + 2n),
    'replicas must have it',
  );
  t.equal(followed.gtids.written(slotOf('t')), 0, 'its worker says that');
}

/**
 * MySQL counts an XA COMMIT in one phase as executed before it is visible: on the primary until its statement has ended, on a
 * replica until the next transaction.
 */
async function waitsForOnePhase(set: ReplicationSet, followed: FollowedEpochs, t: Test): Promise<void> {
  const { primary } = set;
  const probes = async (): Promise<number> => {
    const [row] = await primary.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Com_show_master_status'");
    return Number(row?.Value);
  };
  const [source, base] = await sourceOf(set, 2);
  followed.source = source;
  const [committer, other] = [
    await primary.rootConnection({ database: 'app' }),
    await primary.rootConnection(),
  ];
  t.teardown(() => [committer, other].map((one) => one.destroy()));
  await followed.confirmed();
  // As somebody would look who is in one.
  const sleeps = other.query('SELECT SLEEP(100) /* XA COMMIT */');
  for (const sql of ["XA START 'p'", 'DELETE FROM t', "XA END 'p'", "XA COMMIT 'p' ONE PHASE"])
    await committer.query(sql);
  const position = gtidPosition(source, base + 1n);
  await waitUntil('it has come', () => followed.gtids.written(slotOf('t')) > 0);
  t.equal(followed.gtids.written(slotOf('t')), position + 1, 'replicas must have what comes next');
  const before = await probes();
  await waitUntil('the primary is asked again and again', async () => (await probes()) > before + 5);
  t.notOk(followed.epochs.settledPosition >= position, 'it may not be visible');
  await primary.query(`KILL QUERY ${other.threadId}`);
  await sleeps.catch(() => undefined);
  await followed.confirmed();
  t.equal(followed.epochs.settledPosition, position);
}

async function sourceOf(set: ReplicationSet, index: number) {
  const [prefix, base] = await lastGtid(set);
  const source = { index, address: set.primary.address, prefix, flavor: set.flavor, end: null, base };
  return [source, base] as const;
}

async function lastGtid({ flavor, primary }: ReplicationSet): Promise<[string, bigint]> {
  if (flavor === ServerFlavor.mariadb) {
    const position = (await primary.queryValue('SELECT @@global.gtid_binlog_pos')) ?? '';
    const [domain, server, sequence] = position.split('-');
    return [`${domain}-${server}-`, BigInt(sequence ?? '0')];
  }
  const executed = (await primary.queryValue('SELECT @@global.gtid_executed')) ?? '';
  const [uuid, interval] = executed.split(':');
  return [`${uuid}:`, BigInt(interval?.split('-').at(-1) ?? '0')];
}

async function runFlavor(t: Test, flavor: ServerFlavor): Promise<void> {
  const set = new ReplicationSet({
    flavor,
    replicas: 0,
    args: ['--max-allowed-packet=64M', '--innodb-log-file-size=192M', '--local-infile=1'],
    sql: SCHEMA,
  });
  t.teardown(() => set.dispose());
  await set.start();
  const followed = new FollowedEpochs({ related: { parent: ['child'] } });
  t.teardown(() => followed.stop());
  await followed.follow(set.primary);
  t.equal(
    followed.tally.everythingRaises,
    0,
    'everything from before was raised at the beginning, by nobody else',
  );
  for (const [name, statements, expected] of [...CASES, ...(flavor === 'mariadb' ? MARIADB_CASES : [])]) {
    const raised = await followed.raisedBy(TABLES, () => runCase(set, statements));
    t.strictSame(raised, expected, name);
  }
  await t.test('own writes', (t) => passesOwnWrites(set, followed, t));
  if (flavor === 'mysql') await t.test('XA COMMIT in one phase', (t) => waitsForOnePhase(set, followed, t));
  t.strictSame(
    followed.events.map(({ to }) => to),
    ['following'],
    'all over one connection',
  );
}

t.test('MariaDB', (t) => runFlavor(t, ServerFlavor.mariadb));

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, (t) => runFlavor(t, ServerFlavor.mysql));
