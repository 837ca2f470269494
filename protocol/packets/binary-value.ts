/**
 * Values as prepared statements send and receive them.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html#sect_protocol_binary_resultset_row_value
 */

import { ColumnType } from '../constants/column-types.ts';
import { BufferReader } from '../encoding/buffer-reader.ts';
import type { BufferWriter } from '../encoding/buffer-writer.ts';
import { MalformedPacketError } from '../errors.ts';

/** DATE, DATETIME and TIMESTAMP. */
export interface DateTimeValue {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly microsecond: number;
}

/** TIME: a span, days apart from hours. */
export interface TimeValue {
  readonly negative: boolean;
  readonly days: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly microseconds: number;
}

/** bigint for BIGINT, number for the smaller integers and the floats, bytes for everything else. */
export type BinaryValue = number | bigint | Buffer | DateTimeValue | TimeValue | null;

export interface BinaryType {
  readonly type: number;
  readonly unsigned: boolean;
}

type Kind =
  | 'null'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float'
  | 'double'
  | 'dateTime'
  | 'time'
  | 'bytes';

const KINDS: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  [ColumnType.MYSQL_TYPE_NULL, 'null'],
  [ColumnType.MYSQL_TYPE_TINY, 'int8'],
  [ColumnType.MYSQL_TYPE_SHORT, 'int16'],
  [ColumnType.MYSQL_TYPE_YEAR, 'int16'],
  [ColumnType.MYSQL_TYPE_LONG, 'int32'],
  [ColumnType.MYSQL_TYPE_INT24, 'int32'],
  [ColumnType.MYSQL_TYPE_LONGLONG, 'int64'],
  [ColumnType.MYSQL_TYPE_FLOAT, 'float'],
  [ColumnType.MYSQL_TYPE_DOUBLE, 'double'],
  [ColumnType.MYSQL_TYPE_DATE, 'dateTime'],
  [ColumnType.MYSQL_TYPE_NEWDATE, 'dateTime'],
  [ColumnType.MYSQL_TYPE_DATETIME, 'dateTime'],
  [ColumnType.MYSQL_TYPE_TIMESTAMP, 'dateTime'],
  [ColumnType.MYSQL_TYPE_TIME, 'time'],
  [ColumnType.MYSQL_TYPE_DECIMAL, 'bytes'],
  [ColumnType.MYSQL_TYPE_NEWDECIMAL, 'bytes'],
  [ColumnType.MYSQL_TYPE_VARCHAR, 'bytes'],
  [ColumnType.MYSQL_TYPE_VAR_STRING, 'bytes'],
  [ColumnType.MYSQL_TYPE_STRING, 'bytes'],
  [ColumnType.MYSQL_TYPE_TINY_BLOB, 'bytes'],
  [ColumnType.MYSQL_TYPE_MEDIUM_BLOB, 'bytes'],
  [ColumnType.MYSQL_TYPE_LONG_BLOB, 'bytes'],
  [ColumnType.MYSQL_TYPE_BLOB, 'bytes'],
  [ColumnType.MYSQL_TYPE_BIT, 'bytes'],
  [ColumnType.MYSQL_TYPE_ENUM, 'bytes'],
  [ColumnType.MYSQL_TYPE_SET, 'bytes'],
  [ColumnType.MYSQL_TYPE_GEOMETRY, 'bytes'],
  [ColumnType.MYSQL_TYPE_JSON, 'bytes'],
  [ColumnType.MYSQL_TYPE_VECTOR, 'bytes'],
]);

export function readBinaryValue(reader: BufferReader, { type, unsigned }: BinaryType): BinaryValue {
  const what = 'binary value';
  switch (KINDS.get(type)) {
    case 'null':
      return null;
    case 'int8':
      return unsigned ? reader.readU8(what) : reader.readI8(what);
    case 'int16':
      return unsigned ? reader.readU16(what) : reader.readI16(what);
    case 'int32':
      return unsigned ? reader.readU32(what) : reader.readI32(what);
    case 'int64':
      return unsigned ? reader.readU64(what) : reader.readI64(what);
    case 'float':
      return reader.readFloat(what);
    case 'double':
      return reader.readDouble(what);
    case 'dateTime':
      return readDateTime(reader);
    case 'time':
      return readTime(reader);
    case 'bytes':
      return reader.readLenencBytes(what);
    case undefined:
      throw new MalformedPacketError(`binary value of unknown type ${type}`, reader.offset);
  }
}

/** Throws `TypeError` if the value is not of the kind that the type takes, `RangeError` if it does not fit. */
export function writeBinaryValue(
  writer: BufferWriter,
  { type, unsigned }: BinaryType,
  value: BinaryValue,
): void {
  const kind = KINDS.get(type);
  if (kind === 'null') return;
  if (kind === 'bytes' && Buffer.isBuffer(value)) writer.writeLenencBytes(value);
  else if (kind === 'dateTime' && isDateTime(value)) writeDateTime(writer, value);
  else if (kind === 'time' && isTime(value)) writeTime(writer, value);
  else if (kind === 'int64' && (typeof value === 'bigint' || typeof value === 'number')) {
    if (unsigned) writer.writeU64(value);
    else writer.writeI64(value);
  } else if (typeof value === 'number') writeNumber(writer, kind, unsigned, value);
  else throw new TypeError(`A value of type ${type} cannot be written from ${typeof value}`);
}

function writeNumber(writer: BufferWriter, kind: Kind | undefined, unsigned: boolean, value: number): void {
  switch (kind) {
    case 'int8':
      return void (unsigned ? writer.writeU8(value) : writer.writeI8(value));
    case 'int16':
      return void (unsigned ? writer.writeU16(value) : writer.writeI16(value));
    case 'int32':
      return void (unsigned ? writer.writeU32(value) : writer.writeI32(value));
    case 'float':
      return void writer.writeFloat(value);
    case 'double':
      return void writer.writeDouble(value);
    default:
      throw new TypeError('A number cannot be written as this type');
  }
}

/** Trailing parts that are zero are left out: the length is 0, 4, 7 or 11. */
function readDateTime(reader: BufferReader): DateTimeValue {
  const offset = reader.offset;
  const length = reader.readU8('length of date');
  if (length !== 0 && length !== 4 && length !== 7 && length !== 11) {
    throw new MalformedPacketError(`length of date (${length})`, offset);
  }
  const fields = new BufferReader(reader.readBytes(length, 'date'));
  return {
    year: length >= 4 ? fields.readU16() : 0,
    month: length >= 4 ? fields.readU8() : 0,
    day: length >= 4 ? fields.readU8() : 0,
    hour: length >= 7 ? fields.readU8() : 0,
    minute: length >= 7 ? fields.readU8() : 0,
    second: length >= 7 ? fields.readU8() : 0,
    microsecond: length === 11 ? fields.readU32() : 0,
  };
}

function writeDateTime(writer: BufferWriter, value: DateTimeValue): void {
  const hasMicroseconds = value.microsecond !== 0;
  const hasTime = hasMicroseconds || value.hour !== 0 || value.minute !== 0 || value.second !== 0;
  const hasDate = hasTime || value.year !== 0 || value.month !== 0 || value.day !== 0;
  writer.writeU8(hasMicroseconds ? 11 : hasTime ? 7 : hasDate ? 4 : 0);
  if (hasDate) writer.writeU16(value.year).writeU8(value.month).writeU8(value.day);
  if (hasTime) writer.writeU8(value.hour).writeU8(value.minute).writeU8(value.second);
  if (hasMicroseconds) writer.writeU32(value.microsecond);
}

/** The length is 0, 8 or 12. */
function readTime(reader: BufferReader): TimeValue {
  const offset = reader.offset;
  const length = reader.readU8('length of time');
  if (length !== 0 && length !== 8 && length !== 12) {
    throw new MalformedPacketError(`length of time (${length})`, offset);
  }
  const fields = new BufferReader(reader.readBytes(length, 'time'));
  return {
    negative: length >= 8 ? fields.readU8() !== 0 : false,
    days: length >= 8 ? fields.readU32() : 0,
    hours: length >= 8 ? fields.readU8() : 0,
    minutes: length >= 8 ? fields.readU8() : 0,
    seconds: length >= 8 ? fields.readU8() : 0,
    microseconds: length === 12 ? fields.readU32() : 0,
  };
}

function writeTime(writer: BufferWriter, value: TimeValue): void {
  const hasMicroseconds = value.microseconds !== 0;
  const isZero = value.days === 0 && value.hours === 0 && value.minutes === 0 && value.seconds === 0;
  if (isZero && !hasMicroseconds) {
    writer.writeU8(0);
    return;
  }
  writer
    .writeU8(hasMicroseconds ? 12 : 8)
    .writeU8(value.negative ? 1 : 0)
    .writeU32(value.days)
    .writeU8(value.hours)
    .writeU8(value.minutes)
    .writeU8(value.seconds);
  if (hasMicroseconds) writer.writeU32(value.microseconds);
}

function isDateTime(value: BinaryValue): value is DateTimeValue {
  return typeof value === 'object' && value !== null && 'year' in value;
}

function isTime(value: BinaryValue): value is TimeValue {
  return typeof value === 'object' && value !== null && 'negative' in value;
}
