/** Elements of a list of the configuration and rows of a table. */

import type * as z from 'zod';
import type { SqlRow, SqlValue } from '../../common/admin-tables/admin-table.ts';
import { configTableNamed } from '../../common/admin-tables/all-tables.ts';
import { type ColumnMapping, ValueError } from './column-mapping.ts';
import type { RowProblem } from './row-error.ts';

/** A row by the names of its columns. */
export type NamedRow = Readonly<Record<string, SqlValue>>;

export interface ElementMapping<T extends object> {
  readonly table: string;
  /** Columns that name a row. */
  readonly key: readonly string[];
  /** By column; the others are not looked at. */
  readonly columns: Readonly<Record<string, ColumnMapping>>;
  /** What the table shows where nothing is mapped, such as what ProxySQL has and Sluice has not. */
  readonly constants?: NamedRow;
  /** Fields that no column stands for alone. @throws ValueError */
  extra?(row: NamedRow): Readonly<Record<string, unknown>>;
  /** In which column fields of `extra` stand. */
  readonly extraColumns?: Readonly<Record<string, string>>;
  readonly schema: z.ZodType<T>;
}

export function namedRow(table: string, row: SqlRow): NamedRow {
  const { columns } = configTableNamed(table);
  return Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null]));
}

export function orderedRow(table: string, row: NamedRow): SqlRow {
  return configTableNamed(table).columns.map((column) => row[column] ?? null);
}

export function keyText(key: readonly string[], row: NamedRow): string {
  return key.map((column) => `${column} ${row[column] === null ? 'NULL' : String(row[column])}`).join(', ');
}

export function rowOf<T extends object>(mapping: ElementMapping<T>, element: T): NamedRow {
  const row: Record<string, SqlValue> = { ...mapping.constants };
  const fields = element as Readonly<Record<string, unknown>>;
  for (const [column, { field, write }] of Object.entries(mapping.columns))
    row[column] = write(fields[field], fields);
  return row;
}

/** The sentence of the schema, without the parts of a path that a row has not. */
function sentenceOf(issue: z.core.$ZodIssue, value: SqlValue | undefined): string {
  const found = value === undefined || value === null ? 'NULL' : JSON.stringify(String(value).slice(0, 60));
  switch (issue.code) {
    case 'too_small':
      if (issue.origin === 'string') return 'must not be empty';
      return `expected at least ${issue.minimum}, found ${found}`;
    case 'too_big':
      if (issue.origin === 'string') return `must not be longer than ${issue.maximum} characters`;
      return `expected at most ${issue.maximum}, found ${found}`;
    case 'invalid_value':
      return `expected one of ${issue.values.join(', ')}, found ${found}`;
    case 'invalid_format':
    case 'custom':
      return issue.message;
    case 'invalid_union':
      return `expected one of ${issue.errors
        .flat()
        .flatMap((each) => (each.code === 'invalid_value' ? each.values.map(String) : []))
        .join(', ')}, found ${found}`;
    default:
      return `this value is not valid, found ${found}`;
  }
}

/** Of one element: what the schema says, by column. */
export function problemsOf<T extends object>(
  mapping: ElementMapping<T>,
  row: NamedRow,
  issues: readonly z.core.$ZodIssue[],
): RowProblem[] {
  const key = keyText(mapping.key, row);
  return issues.map((issue) => {
    const column = columnOf(mapping, String(issue.path[0] ?? ''));
    // A password is not repeated.
    const value = /password/i.test(column) ? '…' : row[column];
    return { table: mapping.table, key, column, message: sentenceOf(issue, value) };
  });
}

/** The column that shows a field; '' if none does. */
export function columnOf<T extends object>(mapping: ElementMapping<T>, field: string): string {
  const own = Object.entries(mapping.columns).find(([, column]) => column.field === field)?.[0];
  return own ?? mapping.extraColumns?.[field] ?? '';
}

function holds(
  element: Readonly<Record<string, unknown>>,
  extra: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(extra).every(
    ([field, value]) => JSON.stringify(element[field] ?? null) === JSON.stringify(value ?? null),
  );
}

interface BaseElement<T> {
  readonly element: T;
  readonly row: NamedRow;
  readonly index: number;
}

function isSame(a: SqlValue | undefined, b: SqlValue | undefined): boolean {
  if (a === null || a === undefined || b === null || b === undefined) return (a ?? null) === (b ?? null);
  return String(a) === String(b);
}

/**
 * A column that says what it has said before keeps the exact value behind it: tables show less than the configuration
 * holds (milliseconds as seconds, `VERIFY_CA` as 1).
 */
function elementOf<T extends object>(
  mapping: ElementMapping<T>,
  row: NamedRow,
  base: BaseElement<T> | null,
  problems: RowProblem[],
): T | null {
  const columns = Object.entries(mapping.columns);
  let isReadable = true;
  const attempt = <V>(column: string, work: () => V): V | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      isReadable = false;
      problems.push({ table: mapping.table, key: keyText(mapping.key, row), column, message: error.message });
      return undefined;
    }
  };
  const extra = attempt('', () => mapping.extra?.(row)) ?? {};
  const before = (base?.element ?? {}) as Readonly<Record<string, unknown>>;
  const isKept = (column: string) => base !== null && isSame(row[column], base.row[column]);
  if (base !== null && isReadable && columns.every(([column]) => isKept(column)) && holds(before, extra))
    return base.element;
  const raw: Record<string, unknown> = {};
  // Where nothing stands the schema has a default.
  for (const [field, value] of Object.entries(before)) if (value !== null) raw[field] = value;
  for (const [column, { field, read }] of columns)
    if (!isKept(column)) raw[field] = attempt(column, () => read(row[column] ?? null)) ?? undefined;
  Object.assign(raw, extra);
  if (!isReadable) return null;
  const parsed = mapping.schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  problems.push(...problemsOf(mapping, row, parsed.error.issues));
  return null;
}

export function rowsOfList<T extends object>(mapping: ElementMapping<T>, list: readonly T[]): SqlRow[] {
  return list.map((element) => orderedRow(mapping.table, rowOf(mapping, element)));
}

/** Lets others have the thread for a turn of the event loop, now and then. */
export type Pause = () => Promise<void>;

/** Rows between two pauses: a few milliseconds. */
const ROWS_PER_TURN = 250;

async function baseOf<T extends object>(
  mapping: ElementMapping<T>,
  before: readonly T[],
  pause: Pause,
): Promise<Map<string, BaseElement<T>>> {
  const known = new Map<string, BaseElement<T>>();
  for (const [index, element] of before.entries()) {
    if (index % ROWS_PER_TURN === ROWS_PER_TURN - 1) await pause();
    const row = rowOf(mapping, element);
    known.set(keyText(mapping.key, row), { element, row, index });
  }
  return known;
}

/**
 * The list that the rows stand for, in the order of `before`, with new ones behind. It is `before` itself if the rows
 * say the same.
 */
export async function listOf<T extends object>(
  mapping: ElementMapping<T>,
  before: readonly T[],
  rows: readonly SqlRow[],
  problems: RowProblem[],
  pause: Pause,
): Promise<readonly T[]> {
  const known = await baseOf(mapping, before, pause);
  const kept: { readonly index: number; readonly element: T }[] = [];
  const added: T[] = [];
  for (const [index, values] of rows.entries()) {
    if (index % ROWS_PER_TURN === ROWS_PER_TURN - 1) await pause();
    const row = namedRow(mapping.table, values);
    const base = known.get(keyText(mapping.key, row)) ?? null;
    const element = elementOf(mapping, row, base, problems);
    if (element === null) continue;
    if (base === null) added.push(element);
    else kept.push({ index: base.index, element });
  }
  const list = [...kept.sort((a, b) => a.index - b.index).map(({ element }) => element), ...added];
  return list.length === before.length && list.every((element, index) => element === before[index])
    ? before
    : list;
}
