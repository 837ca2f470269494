/** One number for the content of some tables, the same for the same rows in any order. */

import { createHash } from 'node:crypto';
import type { TableRows } from '../../common/admin-tables/admin-table.ts';

const EMPTY = '0x0000000000000000';

/** `0x` and 16 hexadecimal digits; zeros where there are no rows. */
export function checksumOf(tables: readonly TableRows[]): string {
  const rows = tables.flatMap(({ table, rows }) =>
    rows.map((row) =>
      JSON.stringify([table, ...row.map((value) => (value === null ? null : String(value)))]),
    ),
  );
  if (rows.length === 0) return EMPTY;
  const hash = createHash('sha256');
  for (const row of rows.sort()) hash.update(row).update('\n');
  return `0x${hash.digest('hex').slice(0, 16).toUpperCase()}`;
}
