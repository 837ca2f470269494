/**
 * Which rows a statement is certain to change, and no others: those whose primary key it gives, or that come to be with one
 * that the server makes. ("The result cache" in ARCHITECTURE.md says what follows from it.)
 */

import type { TableKeys } from '../../common/key-catalog.ts';
import type { WrittenRows } from '../../common/row-flux.ts';
import { type KeyColumn, KeyColumnKind, type RowKey } from '../../common/row-slots.ts';
import { tableSlot } from '../../common/table-slots.ts';
import {
  insertedValue,
  insertedWidth,
  LEFT_OUT,
  type PointInsert,
  pointInsertOf,
} from '../../sql/point-insert.ts';
import { pointWriteOf } from '../../sql/point-read.ts';
import type { PlainValue } from '../../sql/statement-tokens.ts';
import { addKey, addValue, hasher, type KnownKeys, type PinnedStatement } from './row-pin.ts';

/** Of one INSERT; with more its table is written. */
const MAX_ROWS = 16;
const NO_ROWS: readonly number[] = Object.freeze([]);
/** Digits of a number that a double holds. */
const EXACT_DIGITS = 15;

/** By an UPDATE or DELETE. @returns null unless it is certain that it changes no other row, and this one's key not either. */
export function rowsChangedBy(statement: PinnedStatement, known: KnownKeys): WrittenRows | null {
  const { buffer, start, end, context } = statement;
  const write = pointWriteOf(buffer, start, end, context);
  const schema = write?.schema ?? statement.schema;
  if (write === null || schema === null) return null;
  const lone = known.catalog.keysOf(schema, write.table)?.lone ?? null;
  if (lone === null || assigns(write.assigned, lone) || !addKey(lone, write, statement)) return null;
  return rowsOf(tableSlot(schema, write.table), [hasher.slot], known);
}

/** By an INSERT or REPLACE, likewise. */
export function rowsInsertedBy(statement: PinnedStatement, known: KnownKeys): WrittenRows | null {
  const { buffer, start, end, context } = statement;
  const insert = pointInsertOf(buffer, start, end, context);
  const schema = insert?.schema ?? statement.schema;
  if (insert === null || schema === null) return null;
  const keys = known.catalog.keysOf(schema, insert.table);
  const lone = keys?.lone ?? null;
  if (keys === null || lone === null) return null;
  if (insert.changesOthers && (!keys.isOnlyKey || assigns(insert.assigned, lone))) return null;
  const table = tableSlot(schema, insert.table);
  const places = placesOf(lone, insert, keys);
  if (places === null) return mayMakeKey(keys, insert) ? newRows(table, lone, known, insert) : null;
  const rows = slotsOf(lone, insert, places, keys, statement);
  if (rows === null) return null;
  const isMade = rows.every((row) => row === lone.newRows);
  return isMade ? newRows(table, lone, known, insert) : rowsOf(table, rows, known);
}

/**
 * Whatever values it is given, and however many rows: by an INSERT whose list of columns leaves the primary key to the server.
 * @param statement may be a normalised text.
 */
export function newRowsOf(statement: PinnedStatement, known: KnownKeys): WrittenRows | null {
  const { buffer, start, end, context } = statement;
  const insert = pointInsertOf(buffer, start, end, context);
  const schema = insert?.schema ?? statement.schema;
  if (insert === null || schema === null || insert.columns === null) return null;
  const keys = known.catalog.keysOf(schema, insert.table);
  const lone = keys?.lone ?? null;
  if (keys === null || lone === null || !mayMakeKey(keys, insert)) return null;
  if (placesOf(lone, insert, keys) !== null) return null;
  return newRows(tableSlot(schema, insert.table), lone, known, insert);
}

function assigns(columns: readonly string[], { columns: ofKey }: RowKey): boolean {
  return ofKey.some(({ name }) => columns.includes(name));
}

/** A number that is made may be one that is there, if somebody has given it: who replaces would change that row. */
function mayMakeKey({ makesKey }: TableKeys, { changesOthers }: PointInsert): boolean {
  return makesKey && !changesOthers;
}

function newRows(table: number, lone: RowKey, { version }: KnownKeys, { ignores }: PointInsert): WrittenRows {
  // Of several rows, one of them ignored, nobody should have to know which key it is that is told.
  const made = ignores ? null : lone;
  return { table, row: lone.newRows, others: NO_ROWS, keysVersion: version, made };
}

function rowsOf(table: number, [row, ...others]: readonly number[], known: KnownKeys): WrittenRows | null {
  if (row === undefined) return null;
  return { table, row, others, keysVersion: known.version, made: null };
}

/** Where the values of the key stand in each list; null where not all are given. */
function placesOf(
  { columns }: RowKey,
  { columns: listed }: PointInsert,
  { width }: TableKeys,
): readonly number[] | null {
  const places = columns.map(({ name, index }) => {
    if (listed === null) return index < width ? index : -1;
    return listed.indexOf(name);
  });
  return places.includes(-1) ? null : places;
}

function slotsOf(
  lone: RowKey,
  insert: PointInsert,
  places: readonly number[],
  keys: TableKeys,
  statement: PinnedStatement,
): readonly number[] | null {
  if (insert.rowCount > MAX_ROWS) return null;
  const slots: number[] = [];
  for (let row = 0; row < insert.rowCount; row++) {
    // Columns that nobody sees are not counted: then the others have other places.
    if (insert.columns === null && insertedWidth(row) !== keys.width) return null;
    const slot = slotOf(lone, row, places, statement);
    const isMade = slot === MADE || (keys.makesKey && slot === zeroOf(lone));
    if (slot === null || (isMade && !mayMakeKey(keys, insert))) return null;
    if (isMade) slots.push(lone.newRows);
    if (slot !== MADE) slots.push(slot);
  }
  return slots;
}

/** Of a value that is for the server to make. */
const MADE = -1;

/** @returns null where it is not precise */
function slotOf(
  lone: RowKey,
  row: number,
  places: readonly number[],
  statement: PinnedStatement,
): number | null {
  hasher.begin(lone);
  for (const [i, column] of lone.columns.entries()) {
    const value = insertedValue(row, places[i]!);
    if (value === null) return null;
    if (value === LEFT_OUT || isNull(value, statement)) return MADE;
    if (!addValue(column, value, statement) || !fits(column, value, statement)) return null;
  }
  return hasher.slot;
}

/** Stored as 0, or as a number that is made, depending on sql_mode. */
function zeroOf(lone: RowKey): number {
  hasher.begin(lone);
  hasher.addDouble(0);
  return hasher.slot;
}

function isNull({ parameter }: PlainValue, { parameters }: PinnedStatement): boolean {
  return parameter >= 0 && parameters?.values[parameter] === null;
}

/** @returns the slot of a row whose key the server has made and told; -1 where that is not certain */
export function madeRow(made: RowKey, id: number): number {
  hasher.begin(made);
  return id > 0 && hasher.addDouble(id) ? hasher.slot : -1;
}

/** It is stored as it stands there: not cut to what the column can hold. Of a value that is precise. */
function fits(
  { kind, size }: KeyColumn,
  value: PlainValue,
  { buffer, parameters }: PinnedStatement,
): boolean {
  const { start, end, isNegative, parameter } = value;
  const given = parameter < 0 ? null : parameters?.values[parameter];
  if (typeof given === 'number' || typeof given === 'bigint') return isInRange(kind, size, BigInt(given));
  const bytes = Buffer.isBuffer(given) ? given : null;
  const isQuoted = bytes === null && (buffer[start]! < DIGIT_0 || buffer[start]! > DIGIT_9);
  const [from, to] = isQuoted ? [start + 1, end - 1] : [start, end];
  if (kind === KeyColumnKind.text) return (bytes?.length ?? to - from) <= size;
  const digits = bytes === null ? buffer.toString('latin1', from, to) : bytes.toString('latin1');
  const number = digits.length <= EXACT_DIGITS ? BigInt(Number(digits)) : BigInt(digits);
  return isInRange(kind, size, isNegative ? -number : number);
}

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

function isInRange(kind: KeyColumnKind, size: number, value: bigint): boolean {
  if (kind === KeyColumnKind.unsigned) return BigInt.asUintN(8 * size, value) === value;
  return BigInt.asIntN(8 * size, value) === value;
}
