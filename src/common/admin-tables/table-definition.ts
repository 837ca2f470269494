/** Makes tables of lists of columns, so that their definitions read like the documentation of a table. */

import { type AdminModule, type AdminSchema, type AdminTable, AdminTableKind } from './admin-table.ts';

export interface ColumnDefinition {
  readonly name: string;
  /** SQLite's affinity comes from it: INT for numbers, VARCHAR for texts. */
  readonly type: 'INT' | 'INTEGER' | 'VARCHAR';
  /** What follows the type in a table that operators write to. */
  readonly rules: string;
}

export interface TableDefinition {
  readonly name: string;
  readonly columns: readonly ColumnDefinition[];
  /** Keys, and checks over several columns. */
  readonly constraints?: readonly string[];
  readonly module?: AdminModule;
  readonly supported?: boolean;
}

interface NumberRules {
  readonly from?: number;
  readonly to?: number;
  readonly oneOf?: readonly number[];
  /** No default, unless told: the value must be given, or may be NULL if `nullable`. */
  readonly initial?: number;
  readonly nullable?: boolean;
}

interface TextRules {
  /** Compared without regard to capitals. */
  readonly oneOf?: readonly string[];
  readonly initial?: string;
  readonly nullable?: boolean;
  readonly check?: string;
}

const asText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function nullRule(nullable: boolean | undefined, initial: string | undefined): string[] {
  return [
    ...(nullable === true ? [] : ['NOT NULL']),
    ...(initial === undefined ? [] : [`DEFAULT ${initial}`]),
  ];
}

export function integer(
  name: string,
  { from, to, oneOf, initial, nullable }: NumberRules = {},
): ColumnDefinition {
  const checks = [
    ...(from === undefined ? [] : [`${name} >= ${from}`]),
    ...(to === undefined ? [] : [`${name} <= ${to}`]),
    ...(oneOf === undefined ? [] : [`${name} IN (${oneOf.join(', ')})`]),
  ];
  const check = checks.length === 0 ? [] : [`CHECK (${checks.join(' AND ')})`];
  return { name, type: 'INT', rules: [...nullRule(nullable, initial?.toString()), ...check].join(' ') };
}

/** 0 or 1. */
export function flag(name: string, initial?: 0 | 1): ColumnDefinition {
  return integer(name, { oneOf: [0, 1], ...(initial === undefined ? { nullable: true } : { initial }) });
}

export function text(name: string, { oneOf, initial, nullable, check }: TextRules = {}): ColumnDefinition {
  const checks = [
    ...(oneOf === undefined
      ? []
      : [`CHECK (upper(${name}) IN (${oneOf.map((value) => asText(value.toUpperCase())).join(', ')}))`]),
    ...(check === undefined ? [] : [`CHECK (${check})`]),
  ];
  const initialText = initial === undefined ? undefined : asText(initial);
  return { name, type: 'VARCHAR', rules: [...nullRule(nullable, initialText), ...checks].join(' ') };
}

export function json(name: string): ColumnDefinition {
  return text(name, { initial: '', check: `${name} = '' OR json_valid(${name})` });
}

export const comment: ColumnDefinition = text('comment', { initial: '' });

/** A number that SQLite chooses where none is given. */
export function autoIncrement(name: string): ColumnDefinition {
  return { name, type: 'INTEGER', rules: 'PRIMARY KEY AUTOINCREMENT' };
}

/** Columns of tables that a provider fills: an affinity is all they need. Names of numbers begin with `#`. */
function plainColumns(names: string): ColumnDefinition[] {
  return names
    .trim()
    .split(/\s+/)
    .map((name) =>
      name.startsWith('#')
        ? { name: name.slice(1), type: 'INTEGER', rules: '' }
        : { name, type: 'VARCHAR', rules: '' },
    );
}

function ddlOf(name: string, columns: readonly ColumnDefinition[], constraints: readonly string[]): string {
  const lines = [
    ...columns.map((column) => `${quotedName(column.name)} ${column.type} ${column.rules}`.trimEnd()),
    ...constraints,
  ];
  return `CREATE TABLE ${name} (\n${lines.map((line) => `    ${line}`).join(',\n')}\n)`;
}

/** Words that SQLite takes for something else. */
const RESERVED: ReadonlySet<string> = new Set(['Default']);

function quotedName(name: string): string {
  return RESERVED.has(name) ? `"${name}"` : name;
}

function made(definition: TableDefinition, schema: AdminSchema, kind: AdminTableKind): AdminTable {
  const { name, columns, constraints = [], module = null, supported = true } = definition;
  return Object.freeze({
    name,
    schema,
    ddl: ddlOf(name, columns, constraints),
    columns: Object.freeze(columns.map((column) => column.name)),
    kind,
    module,
    supported,
  });
}

export function configTable(definition: TableDefinition): AdminTable {
  return made(definition, 'main', AdminTableKind.config);
}

/** What is in force, in the columns of a table of the configuration. */
export function runtimeTable({ name, columns, module, supported }: TableDefinition): AdminTable {
  return made(
    {
      name: `runtime_${name}`,
      columns: columns.map((column) => ({ ...column, rules: '' })),
      ...(module === undefined ? {} : { module }),
      ...(supported === undefined ? {} : { supported }),
    },
    'main',
    AdminTableKind.runtime,
  );
}

export function filledTable(
  kind: 'runtime' | 'stats' | 'monitor',
  name: string,
  columns: string,
  supported = true,
): AdminTable {
  const schema = kind === 'runtime' ? 'main' : kind;
  return made({ name, columns: plainColumns(columns), supported }, schema, kind);
}

/** `key`: columns of the primary key. */
export function keptTable(
  kind: 'history' | 'internal',
  name: string,
  columns: string,
  key: string,
): AdminTable {
  const schema = kind === 'history' ? 'stats_history' : 'disk';
  return made({ name, columns: plainColumns(columns), constraints: [`PRIMARY KEY (${key})`] }, schema, kind);
}
