/**
 * What a table map tells beside types, as far as the server was told to (`binlog_row_metadata`; MySQL 5.7 has none):
 * fields of a type, a length and bytes.
 */

import { ColumnType } from '../constants/column-types.ts';
import { BufferReader } from '../encoding/buffer-reader.ts';
import { MalformedPacketError } from '../errors.ts';

export interface TableMapMetadata {
  /** Of each column whether it is an UNSIGNED number; null where the event does not say. */
  readonly unsignedColumns: readonly boolean[] | null;
  /** null where the event does not say. */
  readonly columnNames: readonly string[] | null;
  /** Column numbers, in the key's order; null where the event does not say, or there is no primary key. */
  readonly primaryKey: readonly PrimaryKeyPart[] | null;
  /** Collation ids of the columns with characters, by column; null where the event does not say. */
  readonly collationIds: ReadonlyMap<number, number> | null;
}

export interface PrimaryKeyPart {
  readonly column: number;
  /** Characters of the value that are in the key; 0 for all. */
  readonly prefixLength: number;
}

export const NO_TABLE_MAP_METADATA: TableMapMetadata = Object.freeze({
  unsignedColumns: null,
  columnNames: null,
  primaryKey: null,
  collationIds: null,
});

const Field = {
  SIGNEDNESS: 1,
  DEFAULT_CHARSET: 2,
  COLUMN_CHARSET: 3,
  COLUMN_NAME: 4,
  SIMPLE_PRIMARY_KEY: 8,
  PRIMARY_KEY_WITH_PREFIX: 9,
} as const;

const NUMERIC: ReadonlySet<number> = new Set([
  ColumnType.MYSQL_TYPE_TINY,
  ColumnType.MYSQL_TYPE_SHORT,
  ColumnType.MYSQL_TYPE_INT24,
  ColumnType.MYSQL_TYPE_LONG,
  ColumnType.MYSQL_TYPE_LONGLONG,
  ColumnType.MYSQL_TYPE_NEWDECIMAL,
  ColumnType.MYSQL_TYPE_FLOAT,
  ColumnType.MYSQL_TYPE_DOUBLE,
]);

interface Fields {
  unsignedColumns: readonly boolean[] | null;
  columnNames: readonly string[] | null;
  primaryKey: readonly PrimaryKeyPart[] | null;
  collationIds: ReadonlyMap<number, number> | null;
}

export function decodeTableMapMetadata(
  view: Buffer,
  columnTypes: Uint8Array,
  columnMetadata: Uint16Array,
): TableMapMetadata {
  if (view.length === 0) return NO_TABLE_MAP_METADATA;
  const fields: Fields = { ...NO_TABLE_MAP_METADATA };
  const reader = new BufferReader(view);
  while (reader.remaining > 0) {
    const type = reader.readU8('metadata field');
    const value = new BufferReader(reader.readLenencBytes('metadata field'));
    readField(type, value, fields, columnTypes, columnMetadata);
  }
  return fields;
}

/** A field that is not known, or not wanted, is passed over: its length is known. */
function readField(
  type: number,
  value: BufferReader,
  fields: Fields,
  columnTypes: Uint8Array,
  columnMetadata: Uint16Array,
): void {
  switch (type) {
    case Field.SIGNEDNESS:
      fields.unsignedColumns = readSignedness(value, columnTypes);
      return;
    case Field.DEFAULT_CHARSET:
      fields.collationIds = readDefaultCollation(value, characterColumns(columnTypes, columnMetadata));
      return;
    case Field.COLUMN_CHARSET:
      fields.collationIds = readCollations(value, characterColumns(columnTypes, columnMetadata));
      return;
    case Field.COLUMN_NAME:
      fields.columnNames = readNames(value, columnTypes.length);
      return;
    case Field.SIMPLE_PRIMARY_KEY:
    case Field.PRIMARY_KEY_WITH_PREFIX:
      fields.primaryKey = readPrimaryKey(value, columnTypes.length, type === Field.PRIMARY_KEY_WITH_PREFIX);
      return;
    default:
  }
}

/** One bit for each numeric column, highest first. */
function readSignedness(value: BufferReader, columnTypes: Uint8Array): readonly boolean[] {
  const bits = value.readRest();
  let bit = 0;
  return Array.from(columnTypes, (type) => {
    if (!NUMERIC.has(type)) return false;
    const byte = bits[bit >>> 3];
    if (byte === undefined) throw new MalformedPacketError('signedness', bit >>> 3);
    const isUnsigned = (byte & (0x80 >>> (bit & 7))) !== 0;
    bit += 1;
    return isUnsigned;
  });
}

/** Columns whose bytes are characters: in the order in which the event counts them. ENUM and SET have fields of their own. */
function characterColumns(columnTypes: Uint8Array, columnMetadata: Uint16Array): readonly number[] {
  const columns: number[] = [];
  for (const [column, type] of columnTypes.entries()) {
    const real = columnMetadata[column]! & 0xff;
    const isList = real === ColumnType.MYSQL_TYPE_ENUM || real === ColumnType.MYSQL_TYPE_SET;
    if (type === ColumnType.MYSQL_TYPE_STRING ? !isList : CHARACTER_TYPES.has(type)) columns.push(column);
  }
  return columns;
}

const CHARACTER_TYPES: ReadonlySet<number> = new Set([
  ColumnType.MYSQL_TYPE_VARCHAR,
  ColumnType.MYSQL_TYPE_VAR_STRING,
  ColumnType.MYSQL_TYPE_BLOB,
  ColumnType.MYSQL_TYPE_TINY_BLOB,
  ColumnType.MYSQL_TYPE_MEDIUM_BLOB,
  ColumnType.MYSQL_TYPE_LONG_BLOB,
]);

/** The commonest one, then pairs of the others: number among the columns with characters, collation. */
function readDefaultCollation(value: BufferReader, columns: readonly number[]): ReadonlyMap<number, number> {
  const common = value.readLenencNumber('default collation');
  const collations = new Map(columns.map((column) => [column, common]));
  while (value.remaining > 0) {
    const column = columns[value.readLenencNumber('column with characters')];
    const collation = value.readLenencNumber('collation');
    if (column !== undefined) collations.set(column, collation);
  }
  return collations;
}

function readCollations(value: BufferReader, columns: readonly number[]): ReadonlyMap<number, number> {
  const collations = new Map<number, number>();
  for (const column of columns) {
    if (value.remaining === 0) break;
    collations.set(column, value.readLenencNumber('collation'));
  }
  return collations;
}

function readNames(value: BufferReader, columns: number): readonly string[] {
  const names: string[] = [];
  while (value.remaining > 0 && names.length < columns) names.push(value.readLenencString('column name'));
  return names;
}

function readPrimaryKey(
  value: BufferReader,
  columns: number,
  hasPrefixes: boolean,
): readonly PrimaryKeyPart[] {
  const parts: PrimaryKeyPart[] = [];
  while (value.remaining > 0) {
    const column = value.readLenencNumber('column of the primary key');
    if (column >= columns || parts.length >= columns)
      throw new MalformedPacketError('column of the primary key', value.offset);
    parts.push({ column, prefixLength: hasPrefixes ? value.readLenencNumber('prefix length') : 0 });
  }
  return parts;
}
