/**
 * What is said to answer the same each time is called on real servers, with arguments of all kinds, on two connections whose clocks
 * are days and hours apart (`SET timestamp`), and must answer the same; what looks at the clock must not.
 */

import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { functionFacts } from '../../../src/sql/builtin-functions.ts';
import { judgedFunctions } from '../../../src/sql/function-determinism.ts';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { VaryingReason } from '../../../src/sql/statement-class.ts';
import { usedNames } from '../../../src/sql/used-names.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { MariadbServer } from '../../support/mariadb-server.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { planOf } from '../../unit/data/router/rules/made-rules.ts';

t.setTimeout(400_000);

/** Of what functions take; none is of the type TIME, whose values are of the day where they are made a DATETIME. */
const ARGUMENTS = [
  "'10:11:12'",
  "'2026-02-28 23:59:58.5'",
  "'2026-02-28'",
  "'abc'",
  "'101112'",
  '3112',
  '3',
  '-1.5',
  'NULL',
  '\'{"a": [1, 2]}\'',
  "'$.a'",
  "'%H:%i'",
  "ST_GeomFromText('POINT(1 2)')",
  'a',
  'd',
  'dt',
];
/** Grammar of their own: calls that would not come out of the list above. */
const SPECIAL = [
  'ADDDATE(dt, INTERVAL 1 HOUR)',
  "DATE_ADD('10:11:12', INTERVAL 1 HOUR)",
  "DATE_ADD('2026-02-28', INTERVAL 1 DAY)",
  "DATE_SUB('10:11:12', INTERVAL 1 DAY)",
  "SUBDATE('10:11:12', INTERVAL 1 SECOND)",
  "TIMESTAMPADD(DAY, 1, '10:11:12')",
  "TIMESTAMPDIFF(DAY, '10:11:12', dt)",
  "EXTRACT(YEAR FROM '10:11:12')",
  'EXTRACT(DAY FROM dt)',
  "CAST('10:11:12' AS DATETIME)",
  "CAST('10:11:12' AS DATE)",
  'CAST(101112 AS DATETIME)',
  "CONVERT('10:11:12', DATETIME)",
  "CONVERT('x' USING utf8mb4)",
  "TRIM(LEADING '1' FROM a)",
  "POSITION('a' IN 'bar')",
  "GET_FORMAT(DATE, 'USA')",
  "WEIGHT_STRING('ab' AS CHAR(4))",
  'COUNT(*)',
  'COUNT(DISTINCT a)',
  'GROUP_CONCAT(a ORDER BY a)',
  "GREATEST('10:11:12', dt)",
  "COALESCE(NULL, '10:11:12', dt)",
  "IF(1, '10:11:12', dt)",
  "'10:11:12' < dt",
  "'10:11:12' = d",
  "dt BETWEEN '10:11:12' AND 20260228",
  'dt - INTERVAL 1 DAY',
  "UNIX_TIMESTAMP('2026-02-28')",
  'UNIX_TIMESTAMP(dt)',
  "UNIX_TIMESTAMP('10:11:12')",
];
/** Seconds since 1970: another day, another hour, another year. */
const CLOCKS = [1_767_225_599, 1_830_302_462.25];

const PAIRED = ["'10:11:12'", "'2026-02-28'", '3', "'$.a'", 'dt'];
/** Beside two columns of the type TIME. */
const DATED = 'moment DATETIME, stamp TIMESTAMP NULL, day DATE, text VARCHAR(30)';
/** Between the days of the two clocks. */
const HOURS = `(1, '10:00:00', '18:30:00.5', '2026-06-01 09:00:00', '2026-06-01 12:00:00', '2026-06-01', '11:00:00'),
  (2, '-01:00:00', '100:00:00', '2026-06-02 23:00:00', NULL, '2026-06-02', '2026-06-02 10:00:00'),
  (3, NULL, '00:00:00', '2026-06-03 00:00:00', '2026-06-03 00:00:01', NULL, NULL)`;
/** Their times are shown, and nothing else is done with them. */
const SHOWN = [
  'SELECT * FROM hours',
  'SELECT h.*, t.a FROM hours h, t WHERE moment > dt',
  'SELECT id, at, till FROM hours WHERE moment < stamp',
  'SELECT at AS opens, h.till closes, moment FROM hours h ORDER BY opens DESC, closes',
  'SELECT DISTINCT at FROM hours ORDER BY at',
  'SELECT `at`, COUNT(*) FROM hours GROUP BY at HAVING COUNT(*) > 0 ORDER BY at LIMIT 5',
  'SELECT till, MAX(moment) FROM hours GROUP BY till ORDER BY 1',
  'SELECT id, at FROM hours WHERE id IN (1, 2) AND day = DATE(moment) ORDER BY d.hours.at',
  'SELECT a.at, b.till FROM hours a JOIN hours b USING (id) WHERE a.moment = b.moment ORDER BY a.id',
];
/** What they answer is another thing each day. */
const USED = [
  'SELECT id FROM hours WHERE at < moment',
  'SELECT at AS x FROM hours HAVING x < MAX(moment)',
  'SELECT COALESCE(stamp, at) FROM hours ORDER BY id',
  'SELECT CASE WHEN id = 1 THEN at ELSE moment END FROM hours',
  'SELECT GREATEST(at, moment) FROM hours',
  'SELECT DATE(at) FROM hours',
  'SELECT at FROM hours UNION SELECT moment FROM hours',
  'SELECT UNIX_TIMESTAMP(till) FROM hours',
  'SELECT CAST(till AS DATETIME) FROM hours',
];

/** By number of arguments. */
const LISTS: readonly (readonly string[])[] = [
  [''],
  ARGUMENTS,
  [
    ...PAIRED.flatMap((one) => PAIRED.map((other) => `${one}, ${other}`)),
    "'{\"a\": [1]}', '$.a'",
    '\'{"a": [1]}\', \'{"b": 2}\'',
    "ST_GeomFromText('POLYGON((0 0, 2 0, 2 2, 0 2, 0 0))'), ST_GeomFromText('POINT(1 1)')",
    "ST_GeomFromText('LINESTRING(0 0, 2 2)'), 1",
  ],
  ["'10:11:12', 'abc', 1", 'dt, 1, 2', "'2026-02-28 01:02:03', '+00:00', '+02:00'", "'{\"a\": 1}', '$.a', 5"],
  ["'abc', 1, 2, 'x'", "'1:2', ':', 1, 2"],
];
/** Wrong number of arguments, in all its forms, and what no grammar takes. */
const WRONG_COUNT: ReadonlySet<number> = new Set([1582, 1064, 1318, 1107, 1305, 1630]);

/** Numbers of arguments that no server refuses as such. */
async function callsOf(connection: Connection, name: string): Promise<string[]> {
  const calls: string[] = [];
  for (const lists of LISTS) {
    try {
      await connection.query(`SELECT ${name}(${lists[0]}) FROM d.t LIMIT 0`);
    } catch (error) {
      if (WRONG_COUNT.has((error as { errno: number }).errno)) continue;
    }
    calls.push(...lists.map((list) => `${name}(${list})`));
  }
  return calls;
}

interface Answer {
  /** null: it did not run. */
  readonly value: string | null;
}

/** A call that fails takes none of the others with it: the list is halved until it is alone. */
async function answers(connection: Connection, calls: readonly string[]): Promise<readonly Answer[]> {
  if (calls.length === 0) return [];
  const values = calls.map((call) => `COALESCE(MD5(${call}), 'none')`);
  try {
    const [rows] = await connection.query<RowDataPacket[][]>({
      sql: `SELECT ${values.join(', ')} FROM d.t`,
      rowsAsArray: true,
    });
    return calls.map((_, index) => ({ value: String(rows[0]?.[index]) }));
  } catch {
    if (calls.length === 1) return [{ value: null }];
    const middle = calls.length >> 1;
    return [
      ...(await answers(connection, calls.slice(0, middle))),
      ...(await answers(connection, calls.slice(middle))),
    ];
  }
}

async function rowsOf(connection: Connection, sql: string): Promise<string> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return JSON.stringify(rows);
}

async function connectionAt(server: DatabaseServer, seconds: number): Promise<Connection> {
  const connection = await createConnection({ socketPath: server.socket, user: 'root', database: 'd' });
  await connection.query(`SET timestamp = ${seconds}, time_zone = '+03:00', sql_mode = ''`);
  return connection;
}

for (const [flavor, versionId, server] of [
  ['mariadb', 101100, new MariadbServer()],
  ['mysql', 50729, new Mysql57Server()],
] as const) {
  t.test(flavor, async (t) => {
    await server.start();
    t.teardown(() => server.dispose());
    const root = await createConnection({ socketPath: server.socket, user: 'root' });
    t.teardown(() => root.destroy());
    await root.query('CREATE DATABASE d');
    await root.query('CREATE TABLE d.t (a INT, d DATE, dt DATETIME(2))');
    await root.query("INSERT INTO d.t VALUES (5, '2026-02-27', '2026-02-27 01:02:03.25')");
    await root.query(`CREATE TABLE d.hours (id INT, at TIME, till TIME(3), ${DATED})`);
    await root.query(`INSERT INTO d.hours VALUES ${HOURS}`);
    const connections: Connection[] = [];
    for (const seconds of CLOCKS) connections.push(await connectionAt(server, seconds));
    t.teardown(() => connections.map((connection) => connection.destroy()));
    const context = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor, versionId });
    const names = [...judgedFunctions()].filter(
      ([name, reason]) =>
        (reason === null || reason === VaryingReason.timeOfDay) &&
        functionFacts(name, false, context).reason === 'proven-read',
    );
    let called = 0;
    const silent: string[] = [];
    for (const [name] of names) {
      const calls = await callsOf(root, name);
      const [first, second] = await Promise.all(connections.map((each) => answers(each, calls)));
      const ran = calls.filter((_, index) => first?.[index]?.value !== null);
      called += ran.length;
      if (ran.length === 0) silent.push(name);
      t.strictSame(
        calls.filter((_, index) => first?.[index]?.value !== second?.[index]?.value),
        [],
        name,
      );
    }
    t.ok(called > 2000, `${called} calls`);
    t.ok(silent.length < names.length / 8, `not called: ${silent.join(' ')}`);
    const [first, second] = await Promise.all(connections.map((each) => answers(each, SPECIAL)));
    t.strictSame(
      SPECIAL.filter((_, index) => first?.[index]?.value !== second?.[index]?.value),
      [],
      'grammar of their own',
    );
    const clock = ['NOW()', 'CURDATE()', 'CURTIME()', 'UNIX_TIMESTAMP()', 'UTC_TIMESTAMP()', 'CURRENT_DATE'];
    const [before, after] = await Promise.all(connections.map((each) => answers(each, clock)));
    t.strictSame(
      clock.filter((_, index) => before?.[index]?.value === after?.[index]?.value),
      [],
      'the clocks differ',
    );
    const times = ['DATE(SEC_TO_TIME(5))', 'CAST(TIMEDIFF(dt, dt - INTERVAL 1 HOUR) AS DATETIME)'];
    const [here, there] = await Promise.all(connections.map((each) => answers(each, times)));
    t.strictSame(
      times.filter((_, index) => here?.[index]?.value === there?.[index]?.value),
      [],
      'a TIME becomes a moment of today',
    );

    // Whoever only shows a TIME gets what is stored; the others are the reason why they are not asked to be kept.
    const isUsed = (sql: string): boolean => {
      const used = usedNames(planOf(sql).normalized);
      return used === null || used.has('at') || used.has('till');
    };
    for (const [reads, varying] of [
      [SHOWN, false],
      [USED, true],
    ] as const) {
      const [first, second] = await Promise.all(
        connections.map((each) => Promise.all(reads.map((sql) => rowsOf(each, sql)))),
      );
      const differing = reads.filter((_, index) => first?.[index] !== second?.[index]);
      t.strictSame(differing, varying ? reads : [], varying ? 'used' : 'shown');
      t.strictSame(reads.filter(isUsed), differing);
    }
  });
}
