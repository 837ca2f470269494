/** What is found in the binlog's row images is what SELECT says, whatever the types of the columns around. */

import type { Test } from 'tap';
import {
  type ImageColumns,
  IS_NULL,
  imageColumns,
  NOT_IN_IMAGE,
  RowImageReader,
  RowsOperation,
} from '../../../protocol/index.ts';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { binlogPlace, type RowsOfTable, rowsSince } from './binlog-file.ts';
import { type RandomColumn, randomColumns, randomValue } from './random-tables.ts';

const TABLES = 16;
const ROWS = 6;
const IMAGES = ['FULL', 'MINIMAL', 'NOBLOB'] as const;
export const BINLOG_ARGS = ['--log-bin=binlog', '--binlog-format=ROW', '--sql-mode='];

/** Of the columns that are read: texts as hexadecimal digits. */
type Values = Record<string, string | null>;

export async function runRowImages(t: Test, server: DatabaseServer): Promise<void> {
  const random = SeededRandom.fromEnvironment();
  t.comment(`SLUICE_TEST_SEED=${random.seed}`);
  await server.query('CREATE DATABASE app; USE app');
  for (let number = 0; number < TABLES; number++) {
    const table = new RandomTable(server, random.fork(number), `t${number}`);
    await table.run(t, IMAGES[number % IMAGES.length]!, number >= TABLES / 2);
  }
}

class RandomTable {
  readonly #server: DatabaseServer;
  readonly #random: SeededRandom;
  readonly #name: string;
  readonly #columns: readonly RandomColumn[];
  readonly #read: readonly RandomColumn[];

  constructor(server: DatabaseServer, random: SeededRandom, name: string) {
    this.#server = server;
    this.#random = random;
    this.#name = name;
    this.#columns = randomColumns(random, server.flavor);
    this.#read = this.#columns.filter(({ reading }) => reading !== null);
  }

  async run(t: Test, image: string, isCompressed: boolean): Promise<void> {
    const definition = this.#columns.map(({ name, definition }) => `${name} ${definition}`).join(', ');
    await this.#server.query(`CREATE TABLE ${this.#name} (${definition}); SET binlog_row_image=${image}`);
    if (this.#server.flavor === ServerFlavor.mariadb)
      await this.#server.query(
        `SET GLOBAL log_bin_compress_min_len=10; SET GLOBAL log_bin_compress=${isCompressed ? 1 : 0}`,
      );
    const place = await binlogPlace(this.#server);
    const named = `${image}: ${definition}`.slice(0, 1000);
    await this.#insert();
    const inserted = await this.#select();
    await this.#update();
    const updated = await this.#select();
    await this.#server.query(`DELETE FROM ${this.#name}`);
    const seen = this.#images(await rowsSince(this.#server, place));
    t.equal(inserted.size, ROWS);
    const isFull = image !== 'MINIMAL';
    t.strictSame(this.#against(seen.written, inserted, false), [], `inserted, ${named}`);
    t.strictSame(this.#against(seen.before, inserted, isFull), [], `before the update, ${named}`);
    t.strictSame(this.#against(seen.after, updated, isFull), [], `after the update, ${named}`);
    t.strictSame(this.#against(seen.deleted, updated, isFull), [], `deleted, ${named}`);
  }

  async #insert(): Promise<void> {
    const given = this.#columns.filter(({ value }) => value !== null);
    const rows = Array.from({ length: ROWS }, (_, index) => {
      const values = given.map((column) => randomValue(column, this.#random));
      return `(${[index * 1000 - 2000, ...values].join(', ')})`;
    });
    const names = ['rid', ...given.map(({ name }) => name)].join(', ');
    await this.#server.query(`INSERT INTO ${this.#name} (${names}) VALUES ${rows.join(', ')}`);
  }

  /** Of the columns some, to other values; `rid` always, to other numbers. */
  async #update(): Promise<void> {
    const given = this.#columns.filter(({ value }) => value !== null && this.#random.below(2) === 0);
    const changes = given.map((column) => `${column.name} = ${randomValue(column, this.#random)}`);
    await this.#server.query(
      `UPDATE ${this.#name} SET ${['rid = rid + 7', ...changes].join(', ')} ORDER BY rid DESC`,
    );
  }

  async #select(): Promise<Map<string, Values>> {
    const list = this.#read.map(({ name, reading }) =>
      reading === 'text' ? `HEX(${name}) AS ${name}` : `CONCAT(${name}) AS ${name}`,
    );
    const rows = await this.#server.query<Values>(`SELECT ${list.join(', ')} FROM ${this.#name}`);
    return new Map(rows.map((row) => [row.rid!, { ...row }]));
  }

  #images(events: readonly RowsOfTable[]): Record<'written' | 'before' | 'after' | 'deleted', Values[]> {
    const seen = {
      written: [] as Values[],
      before: [] as Values[],
      after: [] as Values[],
      deleted: [] as Values[],
    };
    const wanted = this.#read.map((column) => this.#columns.indexOf(column));
    const into = imageColumns(wanted.length);
    for (const { map, header, rows } of events) {
      const reader = RowImageReader.of(map, wanted, this.#server.flavor === ServerFlavor.mariadb)!;
      for (let at = 0; at < rows.length; ) {
        at = reader.read(rows, at, header.columnsBefore, into);
        const first = this.#valuesOf(rows, into);
        if (header.operation === RowsOperation.write) seen.written.push(first);
        else if (header.operation === RowsOperation.delete) seen.deleted.push(first);
        else {
          seen.before.push(first);
          at = reader.read(rows, at, header.columnsAfter, into);
          seen.after.push({ ...this.#valuesOf(rows, into) });
        }
      }
    }
    return seen;
  }

  /** Without those that are not in the image. */
  #valuesOf(rows: Buffer, { starts, ends }: ImageColumns): Values {
    const values: Values = {};
    for (const [place, { name, reading }] of this.#read.entries()) {
      const start = starts[place]!;
      if (start === IS_NULL) values[name] = null;
      else if (start !== NOT_IN_IMAGE) values[name] = readValue(rows.subarray(start, ends[place]), reading);
    }
    return values;
  }

  /** What differs; with `isFull` no column may be missing. */
  #against(seen: readonly Values[], rows: ReadonlyMap<string, Values>, isFull: boolean): string[] {
    const differences: string[] = [];
    if (seen.length !== rows.size) differences.push(`${seen.length} images of ${rows.size} rows`);
    for (const values of seen) {
      const row = rows.get(values.rid ?? '');
      if (row === undefined) differences.push(`no row ${values.rid}`);
      for (const { name } of this.#read) {
        const isMissing = !(name in values);
        if (isMissing ? isFull : values[name] !== row?.[name])
          differences.push(`${name} of ${values.rid}: ${values[name]} instead of ${row?.[name]}`);
      }
    }
    return differences;
  }
}

function readValue(bytes: Buffer, reading: RandomColumn['reading']): string {
  if (reading === 'text') return bytes.toString('hex').toUpperCase();
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return `${reading === 'signed' ? BigInt.asIntN(bytes.length * 8, value) : value}`;
}
