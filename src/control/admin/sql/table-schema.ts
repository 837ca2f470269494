/** Which table a name means, and what its CREATE TABLE says of its columns. */

import { nearestName } from '../../../../config/nearest-name.ts';
import { AdminError, quoted } from '../admin-error.ts';
import { schemaOf, visibleSchemas } from '../admin-schemas.ts';
import {
  type AdminToken,
  joinTokens,
  readAdminStatement,
  splitAtCommas,
  unquote,
} from '../admin-statement.ts';
import type { CommandCall } from '../commands/command.ts';
import { runSql } from './run-sql.ts';

export interface FoundTable {
  readonly schema: string;
  readonly name: string;
  /** As it was created; empty for what SQLite has made itself. */
  readonly ddl: string;
}

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly isPrimary: boolean;
  readonly isUnique: boolean;
  /** As it is written, without quotes; null for none. */
  readonly defaultValue: string | null;
  readonly isCounted: boolean;
}

export interface TableKey {
  readonly name: string;
  readonly columns: readonly string[];
}

/** @throws AdminError (1049) for one that there is not, or that is not for this user */
export function knownSchema(name: string, { session }: Pick<CommandCall, 'session'>): string {
  const visible = visibleSchemas(session.role);
  const found = visible.find((schema) => schema === name.toLowerCase());
  if (found !== undefined) return found;
  const nearest = nearestName(name, visible);
  const hint = nearest === null ? `there are ${visible.join(', ')}` : `did you mean ${nearest}?`;
  throw new AdminError('unknownSchema', `Unknown database ${quoted(name)}: ${hint}`);
}

/** @throws AdminError (1146) */
export async function findTable(call: CommandCall, name: string, schema: string | null): Promise<FoundTable> {
  for (const candidate of candidates(call, schema)) {
    const { rows } = await runSql(
      call,
      `SELECT name, sql FROM ${candidate}.sqlite_master WHERE type IN ('table', 'view') AND lower(name) = lower(?)`,
      [name],
    );
    for (const [found, ddl] of rows)
      return { schema: candidate, name: String(found), ddl: String(ddl ?? '') };
  }
  const names = await Promise.all(candidates(call, schema).map((candidate) => tableNames(call, candidate)));
  const nearest = nearestName(name, new Set(names.flat()));
  const hint = nearest === null ? '' : `, did you mean ${nearest}?`;
  const full = schema === null ? name : `${schema}.${name}`;
  throw new AdminError('unknownTable', `Table ${quoted(full)} doesn't exist${hint}`);
}

/** In the order of their creation, which is that of ProxySQL. */
export async function tableNames(call: CommandCall, schema: string): Promise<string[]> {
  const { rows } = await runSql(
    call,
    `SELECT name FROM ${schema}.sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`,
  );
  return Array.from(rows, ([name]) => String(name));
}

/** SQLite looks into `main` first, for whoever does not name the schema. */
function candidates(call: CommandCall, schema: string | null): string[] {
  if (schema !== null) return [knownSchema(schema, call)];
  const visible = visibleSchemas(call.session.role);
  const own = visible.filter((each) => each === schemaOf(call.session).toLowerCase());
  return [...new Set([...own, ...visible])].filter((each) => each !== 'disk' || own.includes('disk'));
}

const CONSTRAINT = /^(?:CONSTRAINT|PRIMARY|UNIQUE|CHECK|FOREIGN)$/i;

export function describeColumns(ddl: string): { columns: TableColumn[]; keys: TableKey[] } {
  const parts = definitionsOf(ddl);
  const constraints = parts.filter(([first]) => first !== undefined && CONSTRAINT.test(first.text));
  const columns = parts.filter(([first]) => first !== undefined && !CONSTRAINT.test(first.text));
  const keys = [...constraints.flatMap(keyOf), ...columns.flatMap(keyOfColumn)];
  const primary = new Set(keys.filter(({ name }) => name === 'PRIMARY').flatMap((key) => key.columns));
  const unique = new Set(keys.filter(({ name }) => name !== 'PRIMARY').flatMap((key) => key.columns));
  return { columns: columns.map((tokens) => columnOf(tokens, primary, unique)), keys };
}

/** What stands between the commas of the outermost brackets. */
function definitionsOf(ddl: string): AdminToken[][] {
  const { tokens } = readAdminStatement(Buffer.from(ddl));
  const open = tokens.findIndex(({ text }) => text === '(');
  let depth = 0;
  const close = tokens.findIndex(({ text }, index) => {
    if (index < open) return false;
    if (text === '(') depth += 1;
    if (text === ')') depth -= 1;
    return depth === 0;
  });
  return open < 0 || close < 0 ? [] : splitAtCommas(tokens.slice(open + 1, close));
}

function columnsIn(tokens: readonly AdminToken[]): string[] {
  const open = tokens.findIndex(({ text }) => text === '(');
  const close = tokens.findIndex(({ text }) => text === ')');
  return tokens
    .slice(open + 1, close)
    .filter(({ text }) => text !== ',')
    .map(({ text }) => unquote(text));
}

function keyOf(tokens: readonly AdminToken[]): TableKey[] {
  const words = joinTokens(tokens);
  if (/^(?:CONSTRAINT \S+ )?PRIMARY KEY/i.test(words))
    return [{ name: 'PRIMARY', columns: columnsIn(tokens) }];
  if (!/^(?:CONSTRAINT \S+ )?UNIQUE/i.test(words)) return [];
  const columns = columnsIn(tokens);
  return [{ name: columns.join('_'), columns }];
}

function keyOfColumn(tokens: readonly AdminToken[]): TableKey[] {
  const words = joinTokens(tokens);
  const name = unquote(tokens[0]!.text);
  if (/ PRIMARY KEY/i.test(words)) return [{ name: 'PRIMARY', columns: [name] }];
  return / UNIQUE\b/i.test(words) ? [{ name, columns: [name] }] : [];
}

function columnOf(
  tokens: readonly AdminToken[],
  primary: ReadonlySet<string>,
  unique: ReadonlySet<string>,
): TableColumn {
  const name = unquote(tokens[0]!.text);
  const words = joinTokens(tokens);
  const at = tokens.findIndex(({ text }) => /^DEFAULT$/i.test(text));
  const sign = tokens[at + 1]?.text === '-' ? '-' : '';
  const value = at < 0 ? undefined : tokens[at + (sign === '' ? 1 : 2)]?.text;
  return {
    name,
    type: (tokens[1]?.text ?? '').toLowerCase(),
    nullable: !/ NOT NULL/i.test(words) && !primary.has(name),
    isPrimary: primary.has(name),
    isUnique: unique.has(name),
    defaultValue: value === undefined || /^NULL$/i.test(value) ? null : sign + unquote(value),
    isCounted: / AUTOINCREMENT/i.test(words),
  };
}
