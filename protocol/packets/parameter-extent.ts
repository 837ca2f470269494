/**
 * Whether the values of a COM_STMT_EXECUTE stay within their packet. MySQL believes a length that claims more and
 * reads up to nine bytes of what its buffer held before; on a shared connection that is another session's.
 */

import { ColumnType } from '../constants/column-types.ts';

/** Bytes of the types of fixed length; all others have a length in front. */
const FIXED = new Uint8Array(256);
FIXED[ColumnType.MYSQL_TYPE_TINY] = 1;
FIXED[ColumnType.MYSQL_TYPE_SHORT] = 2;
FIXED[ColumnType.MYSQL_TYPE_YEAR] = 2;
FIXED[ColumnType.MYSQL_TYPE_LONG] = 4;
FIXED[ColumnType.MYSQL_TYPE_INT24] = 4;
FIXED[ColumnType.MYSQL_TYPE_FLOAT] = 4;
FIXED[ColumnType.MYSQL_TYPE_DOUBLE] = 8;
FIXED[ColumnType.MYSQL_TYPE_LONGLONG] = 8;

/** A packet that ends too early is refused by every server; only a length that lies is not. */
export interface ParameterBlock {
  /** Two bytes for each parameter, as in the packet. */
  readonly types: Uint8Array;
  /** Where the NULL bitmap begins, one bit for each parameter. */
  readonly nullBitmap: number;
  /** Parameters whose values came by COM_STMT_SEND_LONG_DATA: none in the packet. */
  readonly longData: ReadonlySet<number> | null;
}

/**
 * @param position of the first value.
 * @returns true if a value claims to reach beyond `end`.
 */
export function parametersOverrun(
  buffer: Uint8Array,
  position: number,
  end: number,
  { types, nullBitmap, longData }: ParameterBlock,
): boolean {
  const count = types.length >> 1;
  let at = position;
  for (let i = 0; i < count; i++) {
    const isNull = (buffer[nullBitmap + (i >> 3)]! & (1 << (i & 7))) !== 0;
    const type = types[2 * i]!;
    if (isNull || type === ColumnType.MYSQL_TYPE_NULL || longData?.has(i) === true) continue;
    if (at >= end) return false;
    const fixed = FIXED[type]!;
    if (fixed > 0) {
      at += fixed;
      continue;
    }
    const prefix = prefixBytes(buffer[at]!);
    if (at + prefix > end) return false;
    const length = lengthAt(buffer, at, prefix);
    at += prefix;
    if (length > end - at) return true;
    at += length;
  }
  return false;
}

function prefixBytes(first: number): number {
  if (first === 0xfc) return 3;
  if (first === 0xfd) return 4;
  return first === 0xfe ? 9 : 1;
}

function lengthAt(buffer: Uint8Array, at: number, prefix: number): number {
  if (prefix === 1) return buffer[at]! < 0xfb ? buffer[at]! : 0;
  let length = 0;
  for (let i = prefix - 1; i > 0; i--) length = length * 256 + buffer[at + i]!;
  return length;
}
