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
  readonly timesOfDay: ReadonlySet<string>;
}

/** More of them than this are not kept, and nothing is cached for which they would matter. */
const MAX_COLUMNS = 20_000;
/** Begin and end of a row of a versioned table, which its writes have stored. */
const ROW_PERIOD = /^ROW (START|END)$/i;

/** null: there are too many. */
export async function readVaryingColumns(
  connection: MonitorConnection,
  signal: AbortSignal,
): Promise<VaryingColumns | null> {
  const excluded = SYSTEM_SCHEMAS.map((name) => `'${name}'`).join(', ');
  const rows = await connection.query(
    'SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name, DATA_TYPE AS data_type, ' +
      'GENERATION_EXPRESSION AS expression FROM information_schema.COLUMNS ' +
      `WHERE TABLE_SCHEMA NOT IN (${excluded}) AND (DATA_TYPE = 'time' OR GENERATION_EXPRESSION <> '') ` +
      `LIMIT ${MAX_COLUMNS + 1}`,
    signal,
  );
  if (rows.length > MAX_COLUMNS) return null;
  const { flavor, id } = connection.version;
  const context = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor, versionId: id });
  const varying = new Set<string>();
  const timesOfDay = new Set<string>();
  for (const row of rows) {
    const key = viewKey(row.table_schema ?? '', row.table_name ?? '');
    if (row.data_type?.toLowerCase() === 'time') timesOfDay.add(key);
    const expression = row.expression ?? '';
    if (expression === '' || ROW_PERIOD.test(expression)) continue;
    // MySQL shows the quotes of strings behind backslashes.
    const reason = variesBy(`SELECT ${expression.replaceAll("\\'", "'")} FROM t`, context);
    if (reason === VaryingReason.timeOfDay) timesOfDay.add(key);
    else if (isVaryingMore(reason)) varying.add(key);
  }
  return { varying, timesOfDay };
}
