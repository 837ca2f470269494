/** Images whose bytes are written by hand: what servers write is compared in test/integration/binlog. */

import t from 'tap';
import {
  ColumnType,
  IS_NULL,
  imageColumns,
  MalformedPacketError,
  NOT_IN_IMAGE,
  RowImageReader,
} from '../../../../protocol/index.ts';

interface Column {
  readonly type: number;
  readonly metadata: number;
  readonly bytes: readonly number[];
}

const column = (type: number, metadata: number, bytes: readonly number[]): Column => ({
  type,
  metadata,
  bytes,
});
const fill = (length: number): number[] => Array.from({ length }, (_, i) => i);

const COLUMNS: readonly Column[] = [
  column(ColumnType.MYSQL_TYPE_LONG, 0, [1, 2, 3, 4]),
  column(ColumnType.MYSQL_TYPE_VARCHAR, 255, [2, 65, 66]),
  column(ColumnType.MYSQL_TYPE_VARCHAR, 256, [2, 0, 65, 66]),
  column(ColumnType.MYSQL_TYPE_TINY_BLOB, 1, [1, 9]),
  column(ColumnType.MYSQL_TYPE_BLOB, 3, [2, 0, 0, 9, 9]),
  column(ColumnType.MYSQL_TYPE_JSON, 4, [1, 0, 0, 0, 7]),
  column(ColumnType.MYSQL_TYPE_NEWDECIMAL, 10 | (2 << 8), fill(5)),
  column(ColumnType.MYSQL_TYPE_NEWDECIMAL, 65 | (30 << 8), fill(30)),
  column(ColumnType.MYSQL_TYPE_BIT, 1 | (1 << 8), fill(2)),
  column(ColumnType.MYSQL_TYPE_STRING, ColumnType.MYSQL_TYPE_ENUM | (2 << 8), fill(2)),
  column(ColumnType.MYSQL_TYPE_STRING, ColumnType.MYSQL_TYPE_SET | (8 << 8), fill(8)),
  column(ColumnType.MYSQL_TYPE_STRING, ColumnType.MYSQL_TYPE_STRING | (10 << 8), [1, 65]),
  column(ColumnType.MYSQL_TYPE_DATETIME2, 5, fill(8)),
  column(ColumnType.MYSQL_TYPE_LONGLONG, 0, fill(8)),
];
const ALL = COLUMNS.map((_, index) => index);

function imageOf(present: readonly number[], nulls: readonly number[]): Buffer {
  const bitmap = new Uint8Array((present.length + 7) >> 3);
  for (const [bit, index] of present.entries())
    if (nulls.includes(index)) bitmap[bit >> 3]! |= 1 << (bit & 7);
  const values = present.filter((index) => !nulls.includes(index)).flatMap((index) => COLUMNS[index]!.bytes);
  return Buffer.from([...bitmap, ...values]);
}

function bitsOf(present: readonly number[]): Uint8Array {
  const bits = new Uint8Array((COLUMNS.length + 7) >> 3);
  for (const index of present) bits[index >> 3]! |= 1 << (index & 7);
  return bits;
}

const MAP = {
  columnTypes: Uint8Array.from(COLUMNS, ({ type }) => type),
  columnMetadata: Uint16Array.from(COLUMNS, ({ metadata }) => metadata),
};

t.test('values, NULL, and what is not there', async (t) => {
  const reader = RowImageReader.of(MAP, [13, 0, 2, 5], true)!;
  const into = imageColumns(4);
  const image = imageOf(ALL, [5]);
  t.equal(reader.read(Buffer.concat([Buffer.alloc(3), image]), 3, bitsOf(ALL), into), 3 + image.length);
  t.strictSame([into.ends[0], into.ends[0]! - into.starts[0]!], [3 + image.length, 8]);
  t.strictSame([into.starts[1], into.ends[1]], [5, 9]);
  t.equal(into.ends[2]! - into.starts[2]!, 2);
  t.equal(into.starts[3], IS_NULL);

  const few = [1, 5, 13];
  reader.read(imageOf(few, []), 0, bitsOf(few), into);
  t.strictSame([...into.starts], [9, NOT_IN_IMAGE, NOT_IN_IMAGE, 8], 'bits of NULL are of what is there');
});

t.test('an image that ends too early', async (t) => {
  const reader = RowImageReader.of(MAP, ALL, false)!;
  const into = imageColumns(ALL.length);
  const image = imageOf(ALL, []);
  t.equal(reader.read(image, 0, bitsOf(ALL), into), image.length);
  for (let length = 0; length < image.length; length++) {
    const short = Buffer.from(image.subarray(0, length));
    t.throws(() => reader.read(short, 0, bitsOf(ALL), into), MalformedPacketError, `${length} bytes`);
  }
});

t.test('tables that cannot be read', async (t) => {
  const of = (type: number, metadata: number, isMariadb = false) =>
    RowImageReader.of(
      { columnTypes: Uint8Array.of(type), columnMetadata: Uint16Array.of(metadata) },
      [0],
      isMariadb,
    );
  t.equal(RowImageReader.of(MAP, [14], false), null, 'a column that it has not');
  t.equal(of(99, 0), null, 'a type that nobody knows');
  t.equal(of(ColumnType.MYSQL_TYPE_DECIMAL, 0), null, 'decimals as text');
  t.equal(of(ColumnType.MYSQL_TYPE_BLOB, 5), null, 'a length of five bytes');
  t.equal(of(ColumnType.MYSQL_TYPE_STRING, 0x30 | (1 << 8)), null, 'a CHAR of another type');
  for (const type of [
    ColumnType.MYSQL_TYPE_TIMESTAMP,
    ColumnType.MYSQL_TYPE_TIME,
    ColumnType.MYSQL_TYPE_DATETIME,
  ]) {
    t.equal(of(type, 0, true), null, 'MariaDB does not say how long its old times are');
    t.not(of(type, 0), null);
  }
});
