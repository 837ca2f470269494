/**
 * Tables whose columns make answers that change though nobody writes: MariaDB takes NOW() and the like for columns that are computed at
 * each read, and a value of the type TIME becomes one of the current day where it is made a DATETIME.
 */

import { makeLexicalContext } from '../../sql/lexical-context.ts';
import { VaryingReason } from '../../sql/statement-class.ts';
import { isVaryingMore, variesBy } from '../../sql/view-safety.ts';
import type { MonitorConnection } from './monitor-connection.ts';
import { SYSTEM_SCHEMAS, viewKey } from './view-safety-closure.ts';

/** Keys as `viewKey` makes them. */
export interface VaryingColumns {
  readonly varying: ReadonlySet<string>;
  /** With the columns that are of the type TIME, in lower case; null: any may become one, or its name is not plain ASCII. */
  readonly timesOfDay: ReadonlyMap<string, readonly string[] | null>;
}

/** More of them than this are not kept, and nothing is cached for which they would matter. */
const MAX_COLUMNS = 20_000;
/** Begin and end of a row of a versioned table, which its writes have stored. */
const ROW_PERIOD = /^ROW (START|END)$/i;
/** Servers find others by names with or without accents. */
const ASCII_NAME = /^[\x20-\x7e]+$/;

/** null: there are too many. */
export async function readVaryingColumns(
  connection: MonitorConnection,
  signal: AbortSignal,
): Promise<VaryingColumns | null> {
  const excluded = SYSTEM_SCHEMAS.map((name) => `'${name}'`).join(', ');
  const rows = await connection.query(
    'SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name, COLUMN_NAME AS column_name, ' +
      'DATA_TYPE AS data_type, GENERATION_EXPRESSION AS expression FROM information_schema.COLUMNS ' +
      `WHERE TABLE_SCHEMA NOT IN (${excluded}) AND (DATA_TYPE = 'time' OR GENERATION_EXPRESSION <> '') ` +
      `LIMIT ${MAX_COLUMNS + 1}`,
    signal,
  );
  if (rows.length > MAX_COLUMNS) return null;
  const { flavor, id } = connection.version;
  const context = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor, versionId: id });
  const varying = new Set<string>();
  const timesOfDay = new Map<string, readonly string[] | null>();
  const computed = new Set<string>();
  for (const row of rows) {
    const key = viewKey(row.table_schema ?? '', row.table_name ?? '');
    if (row.data_type?.toLowerCase() === 'time')
      timesOfDay.set(
        key,
        withColumn(timesOfDay.has(key) ? (timesOfDay.get(key) ?? null) : [], row.column_name ?? ''),
      );
    const expression = row.expression ?? '';
    if (expression === '' || ROW_PERIOD.test(expression)) continue;
    computed.add(key);
    // MySQL shows the quotes of strings behind backslashes.
    const reason = variesBy(`SELECT ${expression.replaceAll("\\'", "'")} FROM t`, context);
    if (reason === VaryingReason.timeOfDay) timesOfDay.set(key, null);
    else if (isVaryingMore(reason)) varying.add(key);
  }
  // What a column computes of a TIME need not be one.
  for (const key of computed) if (timesOfDay.has(key)) timesOfDay.set(key, null);
  return { varying, timesOfDay };
}

function withColumn(known: readonly string[] | null, name: string): readonly string[] | null {
  return known === null || !ASCII_NAME.test(name) ? null : [...known, name.toLowerCase()];
}
