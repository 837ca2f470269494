/**
 * Which row a read is of: the one whose unique key its WHERE fixes. Found when its answer is about to be stored, never at a
 * hit: the entry keeps the slot.
 */

import { type BinaryValue, ColumnType } from '../../../protocol/index.ts';
import type { KeyCatalog } from '../../common/key-catalog.ts';
import { type KeyColumn, KeyColumnKind, RowHasher, type RowKey } from '../../common/row-slots.ts';
import { tableSlot } from '../../common/table-slots.ts';
import type { LexicalContext } from '../../sql/lexical-context.ts';
import { type PointRead, pointReadOf } from '../../sql/point-read.ts';
import type { PlainValue } from '../../sql/statement-tokens.ts';

/** As slots: of the table, of the row, and of all rows of its key. */
export interface RowPin {
  readonly table: number;
  readonly row: number;
  readonly key: number;
  /** By the primary key of a table whose rows change one by one (`TableKeys.lone`): own writes of other rows are no matter. */
  readonly isLone: boolean;
  /** By that key, of rows that nobody knows yet: the slot that tells of them. */
  readonly newRows: number;
  /** An answer with rows is one of a row that is there. */
  readonly needsRow: boolean;
  /** `TableEpochs.definitions` before the keys were read by which it was found. */
  readonly definitions: number;
  /** `SnapshotKeys.version` of these. */
  readonly keysVersion: number;
}

/** The values of an execution, with the types that they have come with. */
export interface PinParameters {
  readonly types: readonly { readonly type: number }[];
  readonly values: readonly (BinaryValue | undefined)[];
}

export interface PinnedStatement {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  readonly context: LexicalContext;
  /** The session's. */
  readonly schema: string | null;
  /** null: it is a text that is run as it stands. */
  readonly parameters: PinParameters | null;
}

export interface KnownKeys {
  readonly version: number;
  readonly catalog: KeyCatalog;
  readonly definitions: number;
}

const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
/** Of a string that is compared with an integer, as a double: no other integer becomes the same one. */
const MAX_STRING_DIGITS = 15;
const TEXT_TYPES: ReadonlySet<number> = new Set([
  ColumnType.MYSQL_TYPE_VARCHAR,
  ColumnType.MYSQL_TYPE_VAR_STRING,
  ColumnType.MYSQL_TYPE_STRING,
  ColumnType.MYSQL_TYPE_TINY_BLOB,
  ColumnType.MYSQL_TYPE_BLOB,
  ColumnType.MYSQL_TYPE_MEDIUM_BLOB,
  ColumnType.MYSQL_TYPE_LONG_BLOB,
]);

/** For one row at a time. */
export const hasher = new RowHasher();

/** @returns null if it is of no single row, or nobody can tell of which. */
export function rowPinOf(statement: PinnedStatement, known: KnownKeys): RowPin | null {
  const { buffer, start, end, context } = statement;
  const read = pointReadOf(buffer, start, end, context);
  const schema = read?.schema ?? statement.schema;
  if (read === null || schema === null) return null;
  const keys = known.catalog.keysOf(schema, read.table);
  for (const key of keys?.keys ?? []) {
    if (!addKey(key, read, statement)) continue;
    return {
      table: tableSlot(schema, read.table),
      row: hasher.slot,
      key: key.keySlot,
      isLone: key === keys?.lone,
      newRows: key.newRows,
      needsRow: read.needsRow,
      definitions: known.definitions,
      keysVersion: known.version,
    };
  }
  return null;
}

/** @returns whether each of its columns has a value that is precise, of which `hasher` makes the slot then. */
export function addKey(key: RowKey, { pins }: PointRead, statement: PinnedStatement): boolean {
  hasher.begin(key);
  return key.columns.every((column) => {
    const pin = pins.find(({ column: name }) => name === column.name);
    return pin !== undefined && addValue(column, pin, statement);
  });
}

/** @returns false if it is not precise */
export function addValue(
  column: KeyColumn,
  pin: PlainValue,
  { buffer, parameters }: PinnedStatement,
): boolean {
  if (pin.parameter >= 0) return parameters !== null && addParameter(column, pin.parameter, parameters);
  const { start, end, isNegative } = pin;
  const isString = buffer[start] === QUOTE || buffer[start] === DOUBLE_QUOTE;
  if (!isString)
    return column.kind !== KeyColumnKind.text && hasher.addDigits(buffer, start, end, isNegative);
  const quote = buffer[start]!;
  for (let i = start + 1; i < end - 1; i++) if (buffer[i] === quote || buffer[i] === BACKSLASH) return false;
  return addString(column, buffer, start + 1, end - 1);
}

function addParameter(column: KeyColumn, index: number, { types, values }: PinParameters): boolean {
  const value = values[index];
  if (Buffer.isBuffer(value))
    return TEXT_TYPES.has(types[index]?.type ?? -1) && addString(column, value, 0, value.length);
  if (column.kind === KeyColumnKind.text) return false;
  if (typeof value === 'number') return hasher.addDouble(value);
  if (typeof value !== 'bigint') return false;
  const digits = Buffer.from(`${value < 0n ? -value : value}`);
  return hasher.addDigits(digits, 0, digits.length, value < 0n);
}

function addString({ kind }: KeyColumn, bytes: Buffer, start: number, end: number): boolean {
  if (kind === KeyColumnKind.text) return hasher.addText(bytes, start, end);
  const isNegative = bytes[start] === MINUS && end > start;
  const from = isNegative ? start + 1 : start;
  if (end - from > MAX_STRING_DIGITS) return false;
  for (let i = from; i < end; i++) if (bytes[i]! < DIGIT_0 || bytes[i]! > DIGIT_9) return false;
  return hasher.addDigits(bytes, from, end, isNegative);
}
