import { ColumnType } from '../constants/column-types.ts';
import { BufferReader } from '../encoding/buffer-reader.ts';
import { MalformedPacketError } from '../errors.ts';
import { decodeTableMapMetadata, type TableMapMetadata } from './table-map-metadata.ts';

/**
 * Which table the rows events behind it mean by a number, and what its columns are.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Table__map__event.html
 */
export interface TableMap {
  /** Valid up to the end of the statement; another table may have it later. */
  readonly tableId: number;
  readonly flags: number;
  readonly schema: string;
  readonly table: string;
  /** `ColumnType`s as they are stored: CHAR, ENUM and SET are all MYSQL_TYPE_STRING, see `columnTypeOf`. A copy. */
  readonly columnTypes: Uint8Array;
  /** For each column: what its type needs beside the type, in one number; 0 where it needs nothing. A copy. */
  readonly columnMetadata: Uint16Array;
  /** Bit by bit, lowest first. A copy. */
  readonly nullableColumns: Uint8Array;
  readonly metadata: TableMapMetadata;
}

/** MariaDB's: the same as BLOB and VARCHAR to those who do not look into the value. */
export const MariadbColumnType = {
  MYSQL_TYPE_BLOB_COMPRESSED: 140,
  MYSQL_TYPE_VARCHAR_COMPRESSED: 141,
} as const;

/** More columns than any server allows. */
const MAX_COLUMNS = 4096;

/**
 * @param body behind the event's header, without a checksum.
 * @param tableIdBytes 6, or 4 where the format description gives 6 as the length of the fixed part.
 */
export function decodeTableMap(body: Buffer, tableIdBytes = 6): TableMap {
  const reader = new BufferReader(body);
  const tableId = readTableId(reader, tableIdBytes);
  const flags = reader.readU16('flags');
  const schema = readName(reader, 'schema');
  const table = readName(reader, 'table');
  const columns = reader.readLenencNumber('number of columns');
  if (columns > MAX_COLUMNS) throw new MalformedPacketError(`${columns} columns`, reader.offset);
  const columnTypes = Uint8Array.from(reader.readBytes(columns, 'column types'));
  const block = reader.readLenencBytes('column metadata');
  const columnMetadata = readColumnMetadata(columnTypes, block);
  const nullableColumns = Uint8Array.from(reader.readBytes((columns + 7) >>> 3, 'nullable columns'));
  const metadata = decodeTableMapMetadata(reader.readRest(), columnTypes, columnMetadata);
  return { tableId, flags, schema, table, columnTypes, columnMetadata, nullableColumns, metadata };
}

/** Number of the table in the first bytes of a table map or rows event. */
export function readTableId(reader: BufferReader, tableIdBytes: number): number {
  if (tableIdBytes === 4) return reader.readU32('table id');
  const low = reader.readU24('table id');
  return low + reader.readU24('table id') * 0x100_0000;
}

/** The column's real type: CHAR, ENUM and SET are told apart by their metadata. */
export function columnTypeOf({ columnTypes, columnMetadata }: TableMap, column: number): number {
  return realType(columnTypes[column]!, columnMetadata[column]!);
}

/** @param metadata of a MYSQL_TYPE_STRING: the real type, with two bits of the length, in the low byte */
export function realType(type: number, metadata: number): number {
  if (type !== ColumnType.MYSQL_TYPE_STRING) return type;
  const first = metadata & 0xff;
  // Lengths over 255 have their upper two bits, inverted, where a real type has two ones.
  return (first & 0x30) === 0x30 ? first : first | 0x30;
}

/** Bytes that a CHAR, ENUM or SET may take (of ENUM and SET: of its number). */
export function stringLengthOf(metadata: number): number {
  const first = metadata & 0xff;
  const length = metadata >>> 8;
  return (first & 0x30) === 0x30 ? length : length | (((first & 0x30) ^ 0x30) << 4);
}

export function isNullable({ nullableColumns }: TableMap, column: number): boolean {
  return (nullableColumns[column >>> 3]! & (1 << (column & 7))) !== 0;
}

function readName(reader: BufferReader, what: string): string {
  const name = reader.readLenencString(what);
  if (reader.readU8(`end of ${what}`) !== 0)
    throw new MalformedPacketError(`end of ${what}`, reader.offset - 1);
  return name;
}

function readColumnMetadata(types: Uint8Array, block: Buffer): Uint16Array {
  const metadata = new Uint16Array(types.length);
  const reader = new BufferReader(block);
  for (let column = 0; column < types.length; column++) {
    const bytes = metadataBytes(types[column]!);
    if (bytes === 1) metadata[column] = reader.readU8('column metadata');
    else if (bytes === 2) metadata[column] = reader.readU16('column metadata');
  }
  reader.assertEnd('column metadata');
  return metadata;
}

function metadataBytes(type: number): 0 | 1 | 2 {
  switch (type) {
    case ColumnType.MYSQL_TYPE_FLOAT:
    case ColumnType.MYSQL_TYPE_DOUBLE:
    case ColumnType.MYSQL_TYPE_TINY_BLOB:
    case ColumnType.MYSQL_TYPE_MEDIUM_BLOB:
    case ColumnType.MYSQL_TYPE_LONG_BLOB:
    case ColumnType.MYSQL_TYPE_BLOB:
    case ColumnType.MYSQL_TYPE_GEOMETRY:
    case ColumnType.MYSQL_TYPE_JSON:
    case ColumnType.MYSQL_TYPE_VECTOR:
    case ColumnType.MYSQL_TYPE_TIME2:
    case ColumnType.MYSQL_TYPE_DATETIME2:
    case ColumnType.MYSQL_TYPE_TIMESTAMP2:
    case MariadbColumnType.MYSQL_TYPE_BLOB_COMPRESSED:
      return 1;
    case ColumnType.MYSQL_TYPE_VARCHAR:
    case ColumnType.MYSQL_TYPE_BIT:
    case ColumnType.MYSQL_TYPE_NEWDECIMAL:
    case ColumnType.MYSQL_TYPE_STRING:
    case ColumnType.MYSQL_TYPE_VAR_STRING:
    case ColumnType.MYSQL_TYPE_ENUM:
    case ColumnType.MYSQL_TYPE_SET:
    case MariadbColumnType.MYSQL_TYPE_VARCHAR_COMPRESSED:
      return 2;
    default:
      return 0;
  }
}
