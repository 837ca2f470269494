/** Rows of a table as a list of the configuration, by the mapping that the admin port uses. */
import type { SqlRow } from '../../common/admin-tables/admin-table.ts';
import { type ElementMapping, keyText, listOf, namedRow } from '../../control/runtime/element-mapping.ts';
import type { RowProblem } from '../../control/runtime/row-error.ts';
import type { ImportReport } from './import-report.ts';
import type { ProxySqlSource, SourceRow } from './proxysql-source.ts';
import { cellOf, columnsOf, isSaid } from './source-tables.ts';

export function rowsOf(source: ProxySqlSource, table: string): readonly SourceRow[] {
  return source.tables.get(table) ?? [];
}

export function sqlRow(table: string, row: SourceRow): SqlRow {
  return columnsOf(table).map((column) => cellOf(table, row, column));
}

/** `mysql_query_rules rule_id 7` */
export function nameOfRow(table: string, key: readonly string[], row: SourceRow): string {
  return `${table} ${keyText(key, namedRow(table, sqlRow(table, row)))}`;
}

/** The last of several rows with one key counts, as in ProxySQL. */
export function lastOfEach(
  table: string,
  key: readonly string[],
  rows: readonly SourceRow[],
  report: ImportReport,
): SourceRow[] {
  const byKey = new Map<string, SourceRow>();
  for (const row of rows) {
    const name = nameOfRow(table, key, row);
    const before = byKey.get(name);
    if (before !== undefined)
      report.changed(name, 'there are several with this key, the last one counts', before.place);
    byKey.set(name, row);
  }
  return [...byKey.values()];
}

/** Columns of a file that ProxySQL does not have, each once. */
function reportUnknownColumns(table: string, rows: readonly SourceRow[], report: ImportReport): void {
  const known = new Set(columnsOf(table));
  const seen = new Set<string>();
  for (const { values, place } of rows)
    for (const column of values.keys()) {
      if (known.has(column) || seen.size === seen.add(column).size) continue;
      report.attention(
        `${table}.${column}`,
        'ProxySQL is not known to have this column; nothing was taken',
        place,
      );
    }
}

/** With another value of one column. */
export function withValue(row: SourceRow, column: string, value: SqlRow[number]): SourceRow {
  return { ...row, values: new Map(row.values).set(column, value) };
}

/** Why columns are not taken; the column gets its default. */
export type ColumnReasons = Readonly<Record<string, string>>;

/** Takes away what has no equivalent, and says so. */
export function withoutColumns(
  table: string,
  key: readonly string[],
  row: SourceRow,
  reasons: ColumnReasons,
  report: ImportReport,
): SourceRow {
  const values = new Map(row.values);
  for (const [column, reason] of Object.entries(reasons)) {
    if (!isSaid(table, row, column)) continue;
    report.missing(`${nameOfRow(table, key, row)}, column ${column}`, reason, row.place);
    values.delete(column);
  }
  return { ...row, values };
}

/** What cannot be read is left out, with the reason. */
export async function listFrom<T extends object>(
  mapping: ElementMapping<T>,
  rows: readonly SourceRow[],
  report: ImportReport,
): Promise<readonly T[]> {
  const { table, key } = mapping;
  reportUnknownColumns(table, rows, report);
  const list: T[] = [];
  for (const row of lastOfEach(table, key, rows, report)) {
    const problems: RowProblem[] = [];
    const [element] = await listOf(mapping, [], [sqlRow(table, row)], problems, async () => {});
    const [problem] = problems;
    if (problem !== undefined || element === undefined) {
      const { column = '', message = 'it cannot be read' } = problem ?? {};
      const where = column === '' ? '' : `, column ${column}`;
      report.attention(`${nameOfRow(table, key, row)}${where}`, `left out: ${message}`, row.place);
      continue;
    }
    list.push(element);
  }
  return list;
}
