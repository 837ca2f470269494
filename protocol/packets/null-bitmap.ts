import type { BufferReader } from '../encoding/buffer-reader.ts';
import type { BufferWriter } from '../encoding/buffer-writer.ts';

/** Bit `index + offset` of the bitmap is set where value `index` is NULL. Binary rows have offset 2, parameters 0. */
export function readNullBitmap(reader: BufferReader, count: number, offset: number): boolean[] {
  const bitmap = reader.readBytes(nullBitmapBytes(count, offset), 'NULL bitmap');
  const nulls: boolean[] = [];
  for (let index = 0; index < count; index += 1) {
    const bit = index + offset;
    nulls.push((bitmap[bit >> 3]! & (1 << (bit & 7))) !== 0);
  }
  return nulls;
}

export function writeNullBitmap(writer: BufferWriter, nulls: readonly boolean[], offset: number): void {
  const bitmap = Buffer.alloc(nullBitmapBytes(nulls.length, offset));
  nulls.forEach((isNull, index) => {
    const bit = index + offset;
    if (isNull) bitmap[bit >> 3]! |= 1 << (bit & 7);
  });
  writer.writeBytes(bitmap);
}

function nullBitmapBytes(count: number, offset: number): number {
  return Math.floor((count + offset + 7) / 8);
}
