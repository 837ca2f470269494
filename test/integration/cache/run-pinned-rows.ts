/**
 * What ends an entry of a single row, and what does not: after each write, through Sluice or past it, each of some reads is
 * either still served from the cache, or asked of a server exactly once more; and none ever shows what is no longer so.
 */

import { Readable } from 'node:stream';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Test } from 'tap';
import { tableSlot } from '../../../src/common/table-slots.ts';
import type { ServerFlavor } from '../../../src/topology/server-description.ts';
import { isNightly } from '../../support/nightly.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** Of a table that shares the slot of `t`. */
const NEIGHBOUR = neighbourOf('t');

const SCHEMA = [
  'CREATE TABLE app.t (pad VARCHAR(10), id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL, a INT NOT NULL, b CHAR(9) NOT NULL, ' +
    'v INT, UNIQUE (name), UNIQUE (b, a)) CHARACTER SET utf8mb4',
  'CREATE TABLE app.parent (id INT PRIMARY KEY)',
  'CREATE TABLE app.child (id INT PRIMARY KEY, p INT, v INT, FOREIGN KEY (p) REFERENCES app.parent (id) ON DELETE CASCADE)',
  'CREATE TABLE app.noted (id INT PRIMARY KEY AUTO_INCREMENT, n INT)',
  'CREATE TRIGGER app.notes AFTER INSERT ON app.noted FOR EACH ROW UPDATE app.t SET v = NEW.n WHERE id = NEW.n',
  `CREATE TABLE app.${NEIGHBOUR} (id INT PRIMARY KEY, v INT)`,
  'CREATE TABLE app.marker (n INT NOT NULL)',
  'INSERT INTO app.marker VALUES (0)',
];
const RESET = [
  'DELETE FROM t',
  "INSERT INTO t (id, name, a, b, v) VALUES (1, 'Anna', 1, 'x', 10), (2, 'Bob', 1, 'y', 20), (3, 'Cleo', 2, 'x', 30)",
  'DELETE FROM child',
  'DELETE FROM parent',
  'INSERT INTO parent VALUES (1), (2)',
  'INSERT INTO child VALUES (1, 1, 5), (2, 2, 6)',
  'DELETE FROM noted',
  `DELETE FROM ${NEIGHBOUR}`,
  `INSERT INTO ${NEIGHBOUR} VALUES (1, 1)`,
];

/** Each of one row, by one letter. */
const READS: Readonly<Record<string, string>> = {
  i: 'SELECT v, name FROM t WHERE id = 1',
  n: "SELECT v, id FROM t WHERE name = 'anna'",
  p: "SELECT v FROM t WHERE a = 1 AND b = 'x'",
  /** A row that is not there. */
  f: 'SELECT v FROM t AS u WHERE u.id IN (50) AND v > 0',
  c: 'SELECT v FROM child WHERE id = 1',
};
const ALL = Object.keys(READS).join('');

interface Case {
  readonly name: string;
  readonly sql: readonly string[];
  /** The reads that it ends. */
  readonly ends: string;
}

const CASES: readonly Case[] = [
  { name: 'update of another row', sql: ['UPDATE t SET v = v + 1 WHERE id = 2'], ends: '' },
  {
    name: 'other rows come and go',
    sql: ["INSERT INTO t (id, name, a, b) VALUES (7, 'Fred', 7, 'q')", 'DELETE FROM t WHERE id = 2'],
    ends: '',
  },
  { name: 'update of the row', sql: ['UPDATE t SET v = 11 WHERE id = 1'], ends: 'inp' },
  { name: 'update of many', sql: ['UPDATE t SET v = v + 5'], ends: 'inp' },
  { name: 'delete of the row', sql: ["DELETE FROM t WHERE name = 'Anna'"], ends: 'inp' },
  {
    name: 'the row that was not there comes',
    sql: ["INSERT INTO t (id, name, a, b, v) VALUES (50, 'Zoe', 9, 'z', 1)"],
    ends: 'f',
  },
  { name: 'its primary key becomes another one', sql: ['UPDATE t SET id = 51 WHERE id = 1'], ends: 'inp' },
  { name: 'another row gets the primary key', sql: ['UPDATE t SET id = 50 WHERE id = 2'], ends: 'f' },
  {
    name: 'another row gets one of its keys',
    sql: ['UPDATE t SET a = 5 WHERE id = 1', "UPDATE t SET a = 1, b = 'X' WHERE id = 2"],
    ends: 'inp',
  },
  { name: 'REPLACE', sql: ["REPLACE INTO t (id, name, a, b, v) VALUES (2, 'Anna', 8, 'q', 3)"], ends: 'inp' },
  {
    name: 'ON DUPLICATE KEY UPDATE of it',
    sql: ["INSERT INTO t (id, name, a, b) VALUES (1, 'new', 5, 'u') ON DUPLICATE KEY UPDATE v = 12"],
    ends: 'inp',
  },
  {
    name: 'ON DUPLICATE KEY UPDATE of another',
    sql: ["INSERT INTO t (id, name, a, b) VALUES (2, 'new', 5, 'u') ON DUPLICATE KEY UPDATE v = 12"],
    ends: '',
  },
  {
    name: 'IGNORE',
    sql: ["INSERT IGNORE INTO t (id, name, a, b) VALUES (1, 'new', 5, 'u'), (8, 'Gus', 5, 'u')"],
    ends: '',
  },
  { name: 'a name that is not plain', sql: ["UPDATE t SET name = 'Änne' WHERE id = 2"], ends: 'n' },
  { name: 'a cascade', sql: ['DELETE FROM parent WHERE id = 1'], ends: 'c' },
  { name: 'a trigger', sql: ['INSERT INTO noted (n) VALUES (1)'], ends: 'inp' },
  { name: 'a trigger, another row', sql: ['INSERT INTO noted (n) VALUES (2)'], ends: '' },
  {
    name: 'a transaction',
    sql: ['BEGIN', 'UPDATE t SET v = 0 WHERE id = 2', 'DELETE FROM child WHERE id = 2', 'COMMIT'],
    ends: '',
  },
  {
    name: 'a transaction with the row',
    sql: ['BEGIN', 'UPDATE t SET v = 0 WHERE id = 2', 'UPDATE t SET v = 0 WHERE id = 1', 'COMMIT'],
    ends: 'inp',
  },
  { name: 'ROLLBACK', sql: ['BEGIN', 'UPDATE t SET v = 0 WHERE id = 1', 'ROLLBACK'], ends: '' },
  { name: 'a table of the same slot', sql: [`UPDATE ${NEIGHBOUR} SET v = 2`], ends: '' },
  { name: 'TRUNCATE of a table of the same slot', sql: [`TRUNCATE ${NEIGHBOUR}`], ends: 'inpf' },
  {
    name: 'LOAD DATA of another row',
    sql: ["LOAD DATA LOCAL INFILE 'x' INTO TABLE t (id, name, a, b, v) -- 9,Max,9,i,9"],
    ends: '',
  },
  {
    name: 'LOAD DATA of the row that was not there',
    sql: ["LOAD DATA LOCAL INFILE 'x' INTO TABLE t (id, name, a, b, v) -- 50,Max,9,i,9"],
    ends: 'f',
  },
  { name: 'ALTER', sql: ['ALTER TABLE t DROP COLUMN pad, ADD COLUMN more INT FIRST'], ends: 'inpf' },
  {
    name: 'update of another row, with columns in other places',
    sql: ['UPDATE t SET v = v + 1 WHERE id = 2'],
    ends: '',
  },
  {
    name: 'update of the row, with columns in other places',
    sql: ['UPDATE t SET v = v + 1 WHERE id = 1'],
    ends: 'inp',
  },
];

export async function runPinnedRows(t: Test, flavor: ServerFlavor): Promise<void> {
  const set = new ReplicationSet({ flavor, replicas: 0, sql: SCHEMA, args: ['--local-infile=1'] });
  t.teardown(() => set.dispose());
  await set.start();
  const cache = { rules: [{ ruleId: 1, class: 'strong', schema: 'app' }] };
  const sluice = await SluiceProcess.startFor(set, { config: { workers: 1, cache } });
  t.teardown(() => sluice.dispose());
  const through = await sluice.connect();
  const past = await set.primary.rootConnection({ database: 'app' });
  const operator = await sluice.adminConnection();
  t.teardown(() => {
    through.destroy();
    past.destroy();
    operator.destroy();
  });
  const rows = new PinnedRows(operator, through, past, flavor);
  for (const [where, writer] of [
    ['through Sluice', through],
    ['past Sluice', past],
  ] as const) {
    for (const { name, sql, ends } of casesOf(where === 'past Sluice')) {
      await rows.prime();
      for (const statement of sql) await write(writer, statement);
      await rows.settle();
      t.equal(await rows.ended(t), ends, `${name}, ${where}: which reads end`);
    }
  }
  await binary(t, rows, through);
  const writer = await sluice.connect();
  t.teardown(() => writer.destroy());
  await underWay(t, rows, writer, past);
}

/** Through Sluice, or behind that past it: then the table has been altered already. Of those that are told alike some do. */
function casesOf(isPast: boolean): readonly Case[] {
  const some = CASES.filter(({ name }) => isNightly || !(isPast ? THROUGH_ONLY : PAST_ONLY).has(name));
  const back = 'ALTER TABLE t DROP COLUMN more, ADD COLUMN pad VARCHAR(10) FIRST';
  return some.map((one) => (isPast && one.name === 'ALTER' ? { ...one, sql: [back] } : one));
}

const PAST_ONLY: ReadonlySet<string> = new Set([
  'other rows come and go',
  'update of many',
  'ON DUPLICATE KEY UPDATE of another',
  'IGNORE',
  'a trigger, another row',
]);
const THROUGH_ONLY: ReadonlySet<string> = new Set([
  'delete of the row',
  'the row that was not there comes',
  'its primary key becomes another one',
  'another row gets one of its keys',
  'ON DUPLICATE KEY UPDATE of it',
  'a name that is not plain',
  'a transaction',
  'ROLLBACK',
  'a table of the same slot',
  'LOAD DATA of another row',
  'LOAD DATA of the row that was not there',
  'update of another row, with columns in other places',
]);

/** What stands behind `--` in a LOAD DATA is its file. */
async function write(connection: Connection, sql: string): Promise<void> {
  const [statement = '', file = ''] = sql.split(' -- ');
  await connection.query({
    sql: statement,
    infileStreamFactory: () => Readable.from([Buffer.from(`${file.replaceAll(',', '\t')}\n`)]),
  } as never);
}

/** Prepared statements, with parameters of several types for one row. */
async function binary(t: Test, rows: PinnedRows, through: Connection): Promise<void> {
  const read = async (id: unknown): Promise<string> => {
    const before = await rows.counts();
    await through.execute('SELECT v, b FROM t WHERE id = ?', [id as number]);
    return difference(before, await rows.countsAfter(before));
  };
  const ids = [1, '1', 2];
  await rows.prime();
  for (const id of ids) await waitUntil('it is stored', async () => (await read(id)) === 'hit');
  await write(through, 'UPDATE t SET v = v + 1 WHERE id = 2');
  await rows.settle();
  t.strictSame([await read(1), await read('1'), await read(2)], ['hit', 'hit', 'asked'], 'executions');
}

/** What waits for a lock, and what is served meanwhile: by the primary key all other rows, by other keys none. */
const WAITING: readonly (readonly [sql: string, values: readonly number[], lock: string, served: string])[] =
  [
    ['UPDATE t SET v = v + 1 WHERE id = ?', [2], 'SELECT v FROM t WHERE id = 2 FOR UPDATE', 'ifc'],
    [
      "INSERT INTO t (id, name, a, b) VALUES (?, 'Wait', 6, 'w')",
      [60],
      "INSERT INTO t (id, name, a, b) VALUES (70, 'wait', 7, 'w')",
      'ifc',
    ],
    // It may become the row that is not there.
    [
      "INSERT INTO t (name, a, b) VALUES ('Wait', ?, 'w')",
      [6],
      "INSERT INTO t (id, name, a, b) VALUES (70, 'wait', 7, 'w')",
      'ic',
    ],
  ];

async function underWay(t: Test, rows: PinnedRows, writer: Connection, past: Connection): Promise<void> {
  for (const [sql, values, lock, expected] of WAITING)
    for (const write of [() => writer.query(sql, [...values]), () => writer.execute(sql, [...values])]) {
      const found = async (): Promise<string | null> => {
        await rows.prime();
        await past.query('BEGIN');
        await past.query(lock);
        const written = write();
        await waitUntil('it waits for the lock', () => isWaiting(past, sql), QUICKLY);
        const served = await rows.served();
        await past.query('ROLLBACK');
        await written;
        // What was read before all workers knew the keys counts every write.
        return served.includes('i') ? served : null;
      };
      t.equal(
        await waitUntil('other rows are served', found, QUICKLY),
        expected,
        `${sql}: what is served meanwhile`,
      );
      await rows.settle();
      t.equal(await rows.ended(t), '', 'nothing has ended by it');
    }
}

async function isWaiting(past: Connection, sql: string): Promise<boolean> {
  const [rows] = await past.query<RowDataPacket[]>(
    'SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE ?',
    [sql.replaceAll('?', '%')],
  );
  return rows.length > 0;
}

interface Counts {
  readonly hits: number;
  readonly fills: number;
  readonly unproven: number;
}

/** The sample in a line of /metrics. */
function valueIn(line: string): number {
  return Number(line.slice(line.lastIndexOf(' ')));
}

/** Of one read. What is asked of a server is to be stored; whether it was, the next one tells. */
function difference(before: Counts, after: Counts): string {
  if (after.hits > before.hits) return 'hit';
  return after.fills > before.fills ? 'asked' : 'unproven';
}

const QUICKLY = { intervalMs: 2, timeoutMs: 60_000 };

class PinnedRows {
  readonly #operator: Connection;
  readonly #through: Connection;
  readonly #past: Connection;
  readonly #flavor: ServerFlavor;
  #marks = 0;

  constructor(operator: Connection, through: Connection, past: Connection, flavor: ServerFlavor) {
    this.#operator = operator;
    this.#through = through;
    this.#past = past;
    this.#flavor = flavor;
  }

  /** All reads are stored, each as one of a row, and nothing is on its way that would end them. */
  async prime(): Promise<void> {
    for (const sql of RESET) await this.#through.query(sql);
    await waitUntil(
      'all reads are stored as those of rows',
      async () => {
        for (const read of ALL) await this.#through.query(READS[read]!);
        // Another row of each table.
        for (const table of ['t', 'child'])
          await this.#past.query(`UPDATE ${table} SET v = v + 1 WHERE id > 1`);
        await this.settle();
        const before = await this.counts();
        for (const read of ALL) await this.#through.query(READS[read]!);
        const { hits, fills } = await this.counts();
        return hits - before.hits === ALL.length && fills === before.fills;
      },
      QUICKLY,
    );
  }

  /**
   * Sluice has raised all that was written, and will not raise it once more: only then a result is served to who asks for
   * that GTID.
   */
  async settle(): Promise<void> {
    const wanted = await this.#mark();
    const gtid = await this.#lastGtid();
    const isServed = async (): Promise<boolean> => {
      const before = await this.counts();
      const found = await this.#marked(`/* sluice:min_gtid=${gtid} */ `);
      return found === wanted && difference(before, await this.countsAfter(before)) === 'hit';
    };
    await waitUntil('all is settled', isServed, QUICKLY);
  }

  async #mark(): Promise<number> {
    this.#marks += 1;
    await this.#past.query(`UPDATE marker SET n = ${this.#marks}`);
    return this.#marks;
  }

  async #marked(hint = ''): Promise<number> {
    const [[row]] = await this.#through.query<RowDataPacket[]>(`${hint}SELECT n FROM marker`);
    return row?.n as number;
  }

  async #lastGtid(): Promise<string> {
    const variable = this.#flavor === 'mariadb' ? '@@last_gtid' : '@@global.gtid_executed';
    const [[row]] = await this.#past.query<RowDataPacket[]>(`SELECT ${variable} AS gtid`);
    return String(row?.gtid).replace(/:\d+-(?=\d+$)/, ':');
  }

  /** The reads that were asked of the server once more, which must be all that show something else now. */
  async ended(t: Test): Promise<string> {
    let ended = '';
    let before = await this.counts();
    for (const read of ALL) {
      const [rows] = await this.#through.query<RowDataPacket[]>(READS[read]!);
      const after = await this.countsAfter(before);
      const outcome = difference(before, after);
      before = after;
      const [right] = await this.#past.query<RowDataPacket[]>(READS[read]!);
      t.strictSame(rows, right, `${READS[read]} is right`);
      if (outcome === 'asked') ended += read;
      else if (outcome !== 'hit') ended += `(${read}: ${outcome})`;
    }
    return ended;
  }

  /** The reads that no server has seen. */
  async served(): Promise<string> {
    let served = '';
    for (const read of ALL) {
      const before = await this.counts();
      await this.#through.query(READS[read]!);
      if (difference(before, await this.countsAfter(before)) === 'hit') served += read;
    }
    return served;
  }

  /** Once so many reads have been counted: their answers may be there before. */
  async countsAfter(before: Counts, reads = 1): Promise<Counts> {
    const sum = ({ hits, fills, unproven }: Counts): number => hits + fills + unproven;
    const counted = async (): Promise<Counts | null> => {
      const now = await this.counts();
      return sum(now) - sum(before) === reads ? now : null;
    };
    return waitUntil('the reads are counted', counted, QUICKLY);
  }

  /** By the admin port: the http port answers so many questions slowly. */
  async counts(): Promise<Counts> {
    const [[row]] = await this.#operator.query<RowDataPacket[]>('SHOW PROMETHEUS METRICS');
    const lines = String(row?.Data).split('\n');
    const of = (name: string): number =>
      lines.reduce(
        (sum, line) => sum + (line.startsWith(`sluice_cache_${name}_total`) ? valueIn(line) : 0),
        0,
      );
    return { hits: of('hits'), fills: of('fills'), unproven: of('unproven') };
  }
}

function neighbourOf(table: string): string {
  const slot = tableSlot('app', table);
  for (let i = 0; ; i++) if (tableSlot('app', `n${i}`) === slot) return `n${i}`;
}
