import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_row.html */
export type TextRow = readonly (Buffer | null)[];

/** What a row of one's own may hold; numbers and bigints are written as decimal text. */
export type TextValue = string | number | bigint | Buffer | null;

const NULL_VALUE = 0xfb;

/** `columnCount` values, views; bytes behind them are malformed. */
export function decodeTextRow(view: Buffer, columnCount: number): TextRow {
  const reader = new BufferReader(view);
  const values: (Buffer | null)[] = [];
  for (let column = 0; column < columnCount; column += 1) {
    if (reader.peekU8() === NULL_VALUE) {
      reader.skip(1);
      values.push(null);
    } else {
      values.push(reader.readLenencBytes('column value'));
    }
  }
  reader.assertEnd('text row');
  return values;
}

export function encodeTextRow(values: readonly TextValue[]): Buffer {
  const writer = new BufferWriter();
  writeTextRow(writer, values);
  return writer.take();
}

export function writeTextRow(writer: BufferWriter, values: readonly TextValue[]): void {
  for (const value of values) {
    if (value === null) writer.writeU8(NULL_VALUE);
    else if (typeof value === 'object') writer.writeLenencBytes(value);
    else writer.writeLenencString(typeof value === 'string' ? value : String(value));
  }
}
