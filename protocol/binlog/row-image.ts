import { ColumnType } from '../constants/column-types.ts';
import { MalformedPacketError } from '../errors.ts';
import { MariadbColumnType, realType, stringLengthOf, type TableMap } from './table-map.ts';

/**
 * Finds the values of some columns in the images of rows, and passes over the rest: nothing is decoded, nor copied.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Rows__event.html
 *
 * An image is a bitmap with a bit for each column that it has, set for NULL, then the values that are not NULL. A value has
 * either a fixed number of bytes or its length in front of it.
 */

/** Where the wanted values of one image are: of the n-th wanted column `starts[n]` and `ends[n]`. */
export interface ImageColumns {
  /** Without the length in front; or one of the numbers below. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

export const IS_NULL = -1;
/** Images may leave columns out (`binlog_row_image` MINIMAL or NOBLOB). */
export const NOT_IN_IMAGE = -2;

/** How many bytes a value takes; below zero: the length stands in front of it, in so many bytes. */
type Width = number;
/** Widths are small: no type is that long. */
const UNKNOWN: Width = 0x7fff;

export function imageColumns(wanted: number): ImageColumns {
  return { starts: new Int32Array(wanted), ends: new Int32Array(wanted) };
}

export class RowImageReader {
  readonly #widths: Int16Array;
  /** For each column, which of the wanted ones it is; -1: none. */
  readonly #places: Int16Array;
  readonly #count: number;
  readonly #wanted: number;

  private constructor(widths: Int16Array, wanted: readonly number[]) {
    this.#widths = widths;
    this.#count = widths.length;
    this.#wanted = wanted.length;
    this.#places = new Int16Array(widths.length).fill(-1);
    for (const [place, column] of wanted.entries()) this.#places[column] = place;
  }

  /**
   * @param wanted columns of the table, from 0, each once.
   * @param isMariadb of which a table map does not tell how long old times with fractions are.
   * @returns null if the lengths of the table's values are not known.
   */
  static of(
    { columnTypes, columnMetadata }: Pick<TableMap, 'columnTypes' | 'columnMetadata'>,
    wanted: readonly number[],
    isMariadb: boolean,
  ): RowImageReader | null {
    const widths = Int16Array.from(columnTypes, (type, column) =>
      isMariadb && OLD_TIMES.has(type) ? UNKNOWN : widthOf(type, columnMetadata[column]!),
    );
    const isOutside = wanted.some((column) => column < 0 || column >= widths.length);
    return isOutside || widths.includes(UNKNOWN) ? null : new RowImageReader(widths, wanted);
  }

  /**
   * Reads the image at `offset`.
   * @param columns which columns the image has, bit by bit: of the event's header.
   * @returns where it ends. Throws `MalformedPacketError` if it ends beyond the bytes.
   */
  read(bytes: Buffer, offset: number, columns: Uint8Array, into: ImageColumns): number {
    const { starts, ends } = into;
    const widths = this.#widths;
    const places = this.#places;
    for (let place = 0; place < this.#wanted; place++) starts[place] = NOT_IN_IMAGE;
    let bit = 0;
    let at = offset + ((this.#countOf(columns) + 7) >>> 3);
    for (let column = 0; column < this.#count; column++) {
      if ((columns[column >>> 3]! & (1 << (column & 7))) === 0) continue;
      const place = places[column]!;
      const isNull = (bytes[offset + (bit >>> 3)]! & (1 << (bit & 7))) !== 0;
      bit++;
      if (isNull) {
        if (place >= 0) starts[place] = IS_NULL;
        continue;
      }
      let width = widths[column]!;
      if (width < 0) {
        const prefix = -width;
        width = lengthAt(bytes, at, prefix);
        at += prefix;
      }
      if (place >= 0) {
        starts[place] = at;
        ends[place] = at + width;
      }
      at += width;
    }
    if (at > bytes.length) throw new MalformedPacketError('image of a row', bytes.length);
    return at;
  }

  #countOf(columns: Uint8Array): number {
    let count = 0;
    for (let column = 0; column < this.#count; column++)
      if ((columns[column >>> 3]! & (1 << (column & 7))) !== 0) count++;
    return count;
  }
}

/** Without checks: beyond the end it is 0, and the end of the image tells. */
function lengthAt(bytes: Buffer, at: number, prefix: number): number {
  if (prefix === 1) return bytes[at]! | 0;
  const low = bytes[at]! | (bytes[at + 1]! << 8);
  if (prefix === 2) return low;
  const third = low | (bytes[at + 2]! << 16);
  return prefix === 3 ? third : (third | (bytes[at + 3]! << 24)) >>> 0;
}

/** With `mysql56_temporal_format=OFF` MariaDB has them with fractions, of which the table map says nothing. */
const OLD_TIMES: ReadonlySet<number> = new Set([
  ColumnType.MYSQL_TYPE_TIMESTAMP,
  ColumnType.MYSQL_TYPE_TIME,
  ColumnType.MYSQL_TYPE_DATETIME,
]);

const FIXED: ReadonlyMap<number, Width> = new Map([
  [ColumnType.MYSQL_TYPE_TINY, 1],
  [ColumnType.MYSQL_TYPE_SHORT, 2],
  [ColumnType.MYSQL_TYPE_INT24, 3],
  [ColumnType.MYSQL_TYPE_LONG, 4],
  [ColumnType.MYSQL_TYPE_LONGLONG, 8],
  [ColumnType.MYSQL_TYPE_FLOAT, 4],
  [ColumnType.MYSQL_TYPE_DOUBLE, 8],
  [ColumnType.MYSQL_TYPE_NULL, 0],
  [ColumnType.MYSQL_TYPE_YEAR, 1],
  [ColumnType.MYSQL_TYPE_DATE, 3],
  [ColumnType.MYSQL_TYPE_NEWDATE, 3],
  [ColumnType.MYSQL_TYPE_TIME, 3],
  [ColumnType.MYSQL_TYPE_TIMESTAMP, 4],
  [ColumnType.MYSQL_TYPE_DATETIME, 8],
]);

function widthOf(type: number, metadata: number): Width {
  const low = metadata & 0xff;
  const high = metadata >>> 8;
  switch (type) {
    case ColumnType.MYSQL_TYPE_VARCHAR:
    case ColumnType.MYSQL_TYPE_VAR_STRING:
    case MariadbColumnType.MYSQL_TYPE_VARCHAR_COMPRESSED:
      return metadata > 0xff ? -2 : -1;
    case ColumnType.MYSQL_TYPE_STRING:
      return stringWidth(metadata);
    case ColumnType.MYSQL_TYPE_ENUM:
    case ColumnType.MYSQL_TYPE_SET:
      return high;
    case ColumnType.MYSQL_TYPE_TINY_BLOB:
    case ColumnType.MYSQL_TYPE_MEDIUM_BLOB:
    case ColumnType.MYSQL_TYPE_LONG_BLOB:
    case ColumnType.MYSQL_TYPE_BLOB:
    case ColumnType.MYSQL_TYPE_GEOMETRY:
    case ColumnType.MYSQL_TYPE_JSON:
    case ColumnType.MYSQL_TYPE_VECTOR:
    case MariadbColumnType.MYSQL_TYPE_BLOB_COMPRESSED:
      return metadata >= 1 && metadata <= 4 ? -metadata : UNKNOWN;
    case ColumnType.MYSQL_TYPE_BIT:
      return high + (low > 0 ? 1 : 0);
    case ColumnType.MYSQL_TYPE_NEWDECIMAL:
      return decimalWidth(low, high);
    case ColumnType.MYSQL_TYPE_TIMESTAMP2:
      return 4 + fractionWidth(metadata);
    case ColumnType.MYSQL_TYPE_DATETIME2:
      return 5 + fractionWidth(metadata);
    case ColumnType.MYSQL_TYPE_TIME2:
      return 3 + fractionWidth(metadata);
    default:
      return FIXED.get(type) ?? UNKNOWN;
  }
}

function stringWidth(metadata: number): Width {
  const type = realType(ColumnType.MYSQL_TYPE_STRING, metadata);
  if (type === ColumnType.MYSQL_TYPE_ENUM || type === ColumnType.MYSQL_TYPE_SET) return metadata >>> 8;
  if (type !== ColumnType.MYSQL_TYPE_STRING) return UNKNOWN;
  return stringLengthOf(metadata) > 0xff ? -2 : -1;
}

/** Two digits in a byte. */
function fractionWidth(digits: number): Width {
  return (digits + 1) >>> 1;
}

/** Of so many digits less than nine. */
const DIGIT_BYTES = [0, 1, 1, 2, 2, 3, 3, 4, 4];
const DIGITS_OF_WORD = 9;
const WORD_BYTES = 4;

/** Nine digits in four bytes, from the point to both sides. */
function decimalWidth(precision: number, scale: number): Width {
  if (scale > precision) return UNKNOWN;
  return digitsWidth(precision - scale) + digitsWidth(scale);
}

function digitsWidth(digits: number): Width {
  return Math.floor(digits / DIGITS_OF_WORD) * WORD_BYTES + DIGIT_BYTES[digits % DIGITS_OF_WORD]!;
}
