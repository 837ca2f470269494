import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { MalformedPacketError } from '../errors.ts';
import { type BinaryType, type BinaryValue, readBinaryValue, writeBinaryValue } from './binary-value.ts';
import { readNullBitmap, writeNullBitmap } from './null-bitmap.ts';

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html#sect_protocol_binary_resultset_row */
export type BinaryRow = readonly BinaryValue[];

const ROW_HEADER = 0x00;
/** Two bits are reserved in front of the first column's. */
const NULL_BITMAP_OFFSET = 2;

/** Bytes are views; bytes behind the last value are malformed. */
export function decodeBinaryRow(view: Buffer, columns: readonly BinaryType[]): BinaryRow {
  const reader = new BufferReader(view);
  if (reader.readU8('row header') !== ROW_HEADER) throw new MalformedPacketError('binary row header', 0);
  const nulls = readNullBitmap(reader, columns.length, NULL_BITMAP_OFFSET);
  const values = columns.map((column, index) => (nulls[index]! ? null : readBinaryValue(reader, column)));
  reader.assertEnd('binary row');
  return values;
}

export function encodeBinaryRow(values: BinaryRow, columns: readonly BinaryType[]): Buffer {
  if (values.length !== columns.length) {
    throw new RangeError(`${values.length} values for ${columns.length} columns`);
  }
  const writer = new BufferWriter().writeU8(ROW_HEADER);
  writeNullBitmap(
    writer,
    values.map((value) => value === null),
    NULL_BITMAP_OFFSET,
  );
  columns.forEach((column, index) => {
    const value = values[index]!;
    if (value !== null) writeBinaryValue(writer, column, value);
  });
  return writer.take();
}
