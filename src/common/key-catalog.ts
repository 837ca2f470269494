/**
 * The unique keys of tables, in shared memory: by which of their columns rows are told apart (`row-slots.ts`). Immutable;
 * another one takes its place. Whoever reads one table's keys decodes those alone.
 */

import { type KeyColumn, KeyColumnKind, type RowKey, rowKey } from './row-slots.ts';
import { tableSlot } from './table-slots.ts';

export interface TableKeyFacts {
  readonly schema: string;
  readonly table: string;
  /** How many columns the table has. */
  readonly width: number;
  readonly keys: readonly (readonly KeyColumn[])[];
  /** The first of the keys is the primary one, and a change of a row changes nothing else, and nothing before COMMIT. */
  readonly hasLoneRows: boolean;
  /** Nobody else's key but the first one is unique. */
  readonly isOnlyKey: boolean;
  /** The first of the keys is one number that the server makes (AUTO_INCREMENT). */
  readonly makesKey: boolean;
}

export interface TableKeys {
  readonly width: number;
  readonly keys: readonly RowKey[];
  /** The primary one: a statement that is pinned by it and leaves it alone changes that row, and nothing else. null: may be more. */
  readonly lone: RowKey | null;
  /** A row that takes the place of another one has its `lone` key. */
  readonly isOnlyKey: boolean;
  /** The server makes the `lone` key where a statement gives none. */
  readonly makesKey: boolean;
  /** Those of all keys, each once. */
  readonly columns: readonly KeyColumn[];
}

/** Tables whose keys a thread remembers. */
const MAX_REMEMBERED = 4096;
const ASCII_NAME = /^[ -~]+$/;
const KINDS = Object.values(KeyColumnKind);

type EncodedColumn = [name: string, index: number, kind: number, size: number];
interface EncodedTable {
  readonly n: string;
  readonly w: number;
  readonly k: readonly (readonly EncodedColumn[])[];
  readonly l: boolean;
  readonly o: boolean;
  readonly m: boolean;
}

const nameOf = (schema: string, table: string): string => `${schema}.${table}`.toLowerCase();

/** null where there is none. Tables whose names differ in case alone have none, nor do those with other than ASCII names. */
export function encodeKeyCatalog(tables: readonly TableKeyFacts[]): SharedArrayBuffer | null {
  const byName = new Map<string, TableKeyFacts | null>();
  for (const facts of tables) {
    const name = nameOf(facts.schema, facts.table);
    if (ASCII_NAME.test(name)) byName.set(name, byName.has(name) ? null : facts);
  }
  const records = [...byName]
    .filter((entry): entry is [string, TableKeyFacts] => entry[1] !== null && entry[1].keys.length > 0)
    .map(([name, facts]) => ({
      slot: tableSlot(facts.schema, facts.table),
      bytes: Buffer.from(JSON.stringify(encodeTable(name, facts))),
    }))
    .sort((one, other) => one.slot - other.slot || one.bytes.compare(other.bytes));
  return records.length === 0 ? null : join(records);
}

function encodeTable(
  name: string,
  { width, keys, hasLoneRows, isOnlyKey, makesKey }: TableKeyFacts,
): EncodedTable {
  const encodeColumn = ({ name, index, kind, size }: KeyColumn): EncodedColumn => [
    name,
    index,
    KINDS.indexOf(kind),
    size,
  ];
  const encoded = keys.map((columns) => columns.map(encodeColumn));
  return { n: name, w: width, k: encoded, l: hasLoneRows, o: isOnlyKey, m: makesKey };
}

/** The number of tables, their slots, where their records end; then the records. */
function join(records: readonly { readonly slot: number; readonly bytes: Buffer }[]): SharedArrayBuffer {
  const head = (1 + 2 * records.length) * Int32Array.BYTES_PER_ELEMENT;
  const length = records.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const buffer = new SharedArrayBuffer(head + length);
  const words = new Int32Array(buffer, 0, 1 + 2 * records.length);
  const out = Buffer.from(buffer, head);
  words[0] = records.length;
  let at = 0;
  for (const [index, { slot, bytes }] of records.entries()) {
    at += bytes.copy(out, at);
    words[1 + index] = slot;
    words[1 + records.length + index] = at;
  }
  return buffer;
}

export class KeyCatalog {
  readonly #count: number = 0;
  readonly #words: Int32Array = new Int32Array(0);
  readonly #records: Buffer = Buffer.alloc(0);
  readonly #remembered = new Map<string, TableKeys | null>();

  constructor(buffer: SharedArrayBuffer | null) {
    if (buffer === null) return;
    this.#count = new Int32Array(buffer, 0, 1)[0]!;
    this.#words = new Int32Array(buffer, 0, 1 + 2 * this.#count);
    this.#records = Buffer.from(buffer, this.#words.byteLength);
  }

  /** null: none is known. */
  keysOf(schema: string, table: string): TableKeys | null {
    if (this.#count === 0) return null;
    const name = nameOf(schema, table);
    const known = this.#remembered.get(name);
    if (known !== undefined) return known;
    const keys = this.#find(schema, table, name);
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(name, keys);
    return keys;
  }

  #find(schema: string, table: string, name: string): TableKeys | null {
    const slot = tableSlot(schema, table);
    for (let i = this.#firstOf(slot); i < this.#count && this.#words[1 + i] === slot; i++) {
      const from = i === 0 ? 0 : this.#words[this.#count + i]!;
      const text = this.#records.toString('utf8', from, this.#words[1 + this.#count + i]!);
      const encoded = JSON.parse(text) as EncodedTable;
      if (encoded.n === name) return decodeTable(schema, table, encoded);
    }
    return null;
  }

  #firstOf(slot: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#words[1 + middle]! < slot) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function decodeTable(schema: string, table: string, { w, k, l, o, m }: EncodedTable): TableKeys {
  const keys = k.map((columns) =>
    rowKey(
      schema,
      table,
      columns.map(([name, index, kind, size]) => ({ name, index, kind: KINDS[kind]!, size })),
    ),
  );
  const byIndex = new Map(
    keys.flatMap(({ columns }) => columns.map((column) => [column.index, column] as const)),
  );
  const columns = [...byIndex.values()].sort((one, other) => one.index - other.index);
  const lone = l ? (keys[0] ?? null) : null;
  return { width: w, keys, lone, isOnlyKey: o, makesKey: m, columns };
}
