/**
 * What a server takes for equal has one slot: of what a statement says, and of what the binlog says of the row. And whatever
 * changes a row raises its slot, or that of its whole key.
 */

import type { Test } from 'tap';
import { encodeKeyCatalog, KeyCatalog } from '../../../src/common/key-catalog.ts';
import { PRECISE_COLLATIONS, ROW_SLOTS } from '../../../src/common/row-slots.ts';
import { TableEpochs } from '../../../src/common/table-epochs.ts';
import { tableSlot } from '../../../src/common/table-slots.ts';
import { RowRaiser } from '../../../src/control/binlog/row-raiser.ts';
import { readKeyFacts } from '../../../src/control/monitor/key-facts.ts';
import { MonitorConnection } from '../../../src/control/monitor/monitor-connection.ts';
import { type RowPin, rowPinOf } from '../../../src/data/cache/row-pin.ts';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { ServerFlavor, TlsMode } from '../../../src/topology/server-description.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { binlogPlace, rowsSince } from './binlog-file.ts';

const INTEGER_TYPES = [
  'TINYINT',
  'SMALLINT UNSIGNED',
  'MEDIUMINT',
  'INT ZEROFILL',
  'BIGINT',
  'BIGINT UNSIGNED',
];
const INTEGERS = [
  0n,
  1n,
  5n,
  -5n,
  10n,
  100n,
  -128n,
  127n,
  255n,
  65535n,
  -8388608n,
  4294967295n,
  2n ** 53n,
  2n ** 53n + 1n,
]
  .concat([2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n - 1n])
  .map(String);
const ODD_LITERALS = [
  '05',
  '+5',
  '- 5',
  '-0',
  '5.0',
  '5e0',
  '0x05',
  "'5'",
  "'05'",
  "'+5'",
  "' 5'",
  "'5 '",
  "'5abc'",
  "'5.0'",
].concat([
  "'-5'",
  "'9007199254740992'",
  "'9223372036854775807'",
  '18446744073709551616',
  "''",
  'TRUE',
  "b'101'",
  "x'35'",
]);

const PRINTABLE = Array.from({ length: 95 }, (_, i) => String.fromCharCode(0x20 + i));
const TEXTS = [
  ...PRINTABLE.map((character) => `a${character}B`),
  ...[
    '',
    ' ',
    'ab',
    'AB ',
    'ab  ',
    ' ab',
    'a',
    'Anna',
    'anna',
    'aa',
    'ch',
    'll',
    'ss',
    'ae',
    'oe',
    '1',
    '01',
    'i',
    'I',
  ],
];
const OTHER_TEXTS = [
  'ä',
  'á',
  'ß',
  'İ',
  'ı',
  'ﬁ',
  'æ',
  'Å',
  'a\u0301',
  'a\tB',
  'a\u0000B',
  '１',
  'ª',
  'a\u00adB',
];
const quoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\0', '\\0')}'`;

export async function runRowPrecision(t: Test, server: DatabaseServer): Promise<void> {
  await server.query(
    "CREATE USER monitor@'%' IDENTIFIED BY 'secret'; GRANT SELECT ON *.* TO monitor@'%'; CREATE DATABASE app; USE app; SET NAMES utf8mb4",
  );
  const collations = await server.query<{ name: string }>(
    'SELECT DISTINCT COLLATION_NAME AS name FROM information_schema.COLLATIONS',
  );
  const known = new Set(collations.map(({ name }) => name));
  const precise = PRECISE_COLLATIONS.filter((name) => known.has(name));
  t.ok(precise.length >= 14, `${precise.length} collations`);
  const types = [...INTEGER_TYPES, ...precise.map(textType)];
  for (const [index, type] of types.entries())
    await server.query(
      `CREATE TABLE k${index} (k ${type} NOT NULL, v INT, n INT NOT NULL, UNIQUE (k, n), PRIMARY KEY (n))`,
    );
  const bench = await Bench.of(server);
  for (const [index, type] of types.entries()) {
    const isText = index >= INTEGER_TYPES.length;
    await bench.compare(t, `k${index}`, type, isText);
  }
  await bench.changes(t, 'k4', ['5', '-5', '7']);
  await bench.changes(t, `k${types.length - 1}`, ["'anna'", "'Bob'", "'ä'"]);
}

function textType(collation: string, index: number): string {
  const charset = collation.slice(0, collation.indexOf('_'));
  return `${index % 2 === 0 ? 'VARCHAR' : 'CHAR'}(40) CHARACTER SET ${charset} COLLATE ${collation}`;
}

class Bench {
  readonly #server: DatabaseServer;
  readonly #catalog: KeyCatalog;
  readonly #raised = new Set<number>();
  readonly #structures = new Set<number>();
  readonly #raiser: RowRaiser;

  private constructor(server: DatabaseServer, catalog: KeyCatalog) {
    this.#server = server;
    this.#catalog = catalog;
    const epochs = new TableEpochs(1);
    epochs.raiseRow = (row) => {
      this.#raised.add(row);
    };
    epochs.raiseStructure = (slot) => {
      this.#structures.add(slot);
    };
    const isMariadb = server.flavor === ServerFlavor.mariadb;
    this.#raiser = new RowRaiser({ epochs, keys: () => catalog, isMariadb: () => isMariadb });
  }

  static async of(server: DatabaseServer): Promise<Bench> {
    const signal = AbortSignal.timeout(60_000);
    const target = { host: server.host, port: server.port, tls: { mode: TlsMode.DISABLED } } as never;
    const credentials = { username: 'monitor', password: 'secret' };
    const connection = await MonitorConnection.open(target, credentials, signal);
    const facts = await readKeyFacts(connection, { triggers: [], cascades: [], composed: [] }, signal);
    connection.close();
    return new Bench(server, new KeyCatalog(encodeKeyCatalog(facts)));
  }

  /** All values with all literals, of which the server says which are equal. */
  async compare(t: Test, table: string, type: string, isText: boolean): Promise<void> {
    const values = isText ? TEXTS.map(quoted) : INTEGERS;
    const literals = isText ? values : [...values, ...ODD_LITERALS];
    const equal = await this.#compareRows(t, table, type, values, literals, true);
    // Of texts, quotes and backslashes are not precise, and some collations count spaces at the end.
    const expected = isText ? TEXTS.length - 5 : 7;
    t.ok(equal >= expected, `${type}: ${equal} equal pairs are known to be one row`);
    if (!isText) return;
    await this.#server.query(`DELETE FROM ${table}`);
    await this.#compareRows(t, table, type, OTHER_TEXTS.map(quoted), literals, false);
  }

  async #compareRows(
    t: Test,
    table: string,
    type: string,
    values: readonly string[],
    literals: readonly string[],
    isPrecise: boolean,
  ): Promise<number> {
    const place = await binlogPlace(this.#server);
    // IGNORE: what the type cannot hold is cut to what it can.
    const rows = values.map((value, n) => `(${value}, 0, ${n})`).join(', ');
    await this.#server.query(`INSERT IGNORE INTO ${table} (k, v, n) VALUES ${rows}`);
    await this.#follow(place);
    const equal = literals.map((literal, index) => `k = ${literal} AS e${index}`).join(', ');
    const found = await this.#server.query<Record<string, number>>(`SELECT n, ${equal} FROM ${table}`);
    let known = 0;
    const missed: string[] = [];
    for (const row of found)
      for (const [index, literal] of literals.entries()) {
        if (row[`e${index}`] !== 1) continue;
        const pin = this.#pinOf(`SELECT v FROM ${table} WHERE k = ${literal} AND n = ${row.n}`);
        // By `n` alone, which is the primary key, everything is precise: it is left out here.
        if (pin === null) continue;
        if (this.#raised.has(pin.row)) known++;
        else if (isPrecise || !this.#raised.has(pin.key)) missed.push(`${literal} is row ${row.n}`);
      }
    t.strictSame(missed, [], `${type}: what is equal has one slot`);
    t.strictSame([...this.#structures], [], `${type}: the rows could be read`);
    return known;
  }

  /** Updates and deletes, with images of all kinds. */
  async changes(t: Test, table: string, [one, other, third]: readonly string[]): Promise<void> {
    for (const image of ['FULL', 'MINIMAL', 'NOBLOB']) {
      await this.#server.query(`SET binlog_row_image=${image}; DELETE FROM ${table}`);
      const steps: readonly (readonly [sql: string, rows: readonly string[], by: string])[] = [
        [`INSERT INTO ${table} (k, n) VALUES (${one}, 1)`, [`${one}, 1`], 'insert'],
        [`UPDATE ${table} SET v = 5`, [`${one}, 1`], 'update of another column'],
        [`UPDATE ${table} SET k = ${other}`, [`${one}, 1`, `${other}, 1`], 'update of the key'],
        [`UPDATE ${table} SET n = 2`, [`${other}, 1`, `${other}, 2`], 'update of the primary key'],
        [`REPLACE INTO ${table} (k, n) VALUES (${third}, 2)`, [`${other}, 2`, `${third}, 2`], 'replace'],
        [`DELETE FROM ${table}`, [`${third}, 2`], 'delete'],
      ];
      for (const [sql, rows, what] of steps) {
        const place = await binlogPlace(this.#server);
        await this.#server.query(sql);
        await this.#follow(place);
        for (const row of rows) this.#isRaised(t, `${image}, ${what}`, table, row);
        const all = this.#raised.size;
        t.ok(
          all <= 2 * rows.length && this.#structures.size === 0,
          `${image}, ${what}: ${all} slots and no structure`,
        );
      }
    }
    await this.#server.query('SET binlog_row_image=FULL');
  }

  #isRaised(t: Test, what: string, table: string, row: string): void {
    const [k, n] = row.split(', ');
    for (const where of [`n = ${n}`, `k = ${k} AND n = ${n}`]) {
      const pin = this.#pinOf(`SELECT v FROM ${table} WHERE ${where}`, where.startsWith('k'));
      // A value that is not precise is read by no slot.
      if (pin === null) t.match(row, /[^ -~]/);
      else t.ok(this.#raised.has(pin.row) || this.#raised.has(pin.key), `${what}: ${where}`);
    }
  }

  /** @param byAll by the key of both columns. */
  #pinOf(sql: string, byAll = true): RowPin | null {
    const buffer = Buffer.from(sql);
    const context = makeLexicalContext({
      charset: 'utf8mb4',
      sqlMode: '',
      flavor: this.#server.flavor,
      versionId: 0,
    });
    const statement = { buffer, start: 0, end: buffer.length, context, schema: 'app', parameters: null };
    const catalog = byAll ? this.#byAll : this.#catalog;
    return rowPinOf(statement, { version: 1, catalog, definitions: 0 });
  }

  /** The catalogue without primary keys. */
  get #byAll(): KeyCatalog {
    const catalog = this.#catalog;
    return {
      keysOf: (schema: string, table: string) => {
        const keys = catalog.keysOf(schema, table);
        return keys === null
          ? null
          : { ...keys, keys: keys.keys.filter(({ columns }) => columns.length === 2) };
      },
    } as KeyCatalog;
  }

  async #follow(place: Awaited<ReturnType<typeof binlogPlace>>): Promise<void> {
    this.#raised.clear();
    this.#structures.clear();
    for (const { map, eventType, body } of await rowsSince(this.#server, place)) {
      this.#raiser.mapped(map, tableSlot(map.schema, map.table));
      this.#raiser.rows(eventType, body);
    }
    this.#raiser.ended(0);
    this.#raiser.forget();
    for (const slot of this.#raised) if (slot < 0 || slot >= ROW_SLOTS) throw new Error(`slot ${slot}`);
  }
}
