/** Values of key columns as they are stored in row images. */

import { ColumnType, columnTypeOf, type TableMap } from '../../../protocol/index.ts';
import { type KeyColumn, KeyColumnKind, type RowHasher } from '../../common/row-slots.ts';

const INTEGERS: ReadonlySet<number> = new Set([
  ColumnType.MYSQL_TYPE_TINY,
  ColumnType.MYSQL_TYPE_SHORT,
  ColumnType.MYSQL_TYPE_INT24,
  ColumnType.MYSQL_TYPE_LONG,
  ColumnType.MYSQL_TYPE_LONGLONG,
]);
const TEXTS: ReadonlySet<number> = new Set([
  ColumnType.MYSQL_TYPE_VARCHAR,
  ColumnType.MYSQL_TYPE_VAR_STRING,
  ColumnType.MYSQL_TYPE_STRING,
]);

/** Whether the table still has there what the catalogue says. */
export function isReadAs(tableMap: TableMap, { index, kind }: KeyColumn): boolean {
  const types = kind === KeyColumnKind.text ? TEXTS : INTEGERS;
  return index < tableMap.columnTypes.length && types.has(columnTypeOf(tableMap, index));
}

/** Little-endian, of up to 8 bytes; added to the hash as 64 bits. */
export function readInteger(
  bytes: Buffer,
  start: number,
  end: number,
  isSigned: boolean,
  into: RowHasher,
): void {
  let low = 0;
  let high = 0;
  for (let i = end - 1; i >= start; i--) {
    if (i - start >= 4) high = (high << 8) | bytes[i]!;
    else low = (low << 8) | bytes[i]!;
  }
  const length = end - start;
  if (isSigned && length < 8) {
    if (length < 4) low = (low << (32 - 8 * length)) >> (32 - 8 * length);
    high = low >> 31;
  }
  into.addInteger(high, low, isSigned);
}
