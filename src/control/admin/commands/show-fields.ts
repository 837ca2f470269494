import { unquote } from '../admin-statement.ts';
import { describeColumns, findTable, type TableColumn } from '../sql/table-schema.ts';
import { type AdminCommand, AdminRole, type CommandCall, type ComputedColumn, table } from './command.ts';
import { filtered, wordsBeforeFilter } from './show-filter.ts';

function keyWord({ isPrimary, isUnique }: TableColumn): string {
  if (isPrimary) return 'PRI';
  return isUnique ? 'UNI' : '';
}

const COLUMNS: readonly ComputedColumn<TableColumn>[] = [
  { name: 'Field', meaning: 'Name of the column', value: ({ name }) => name },
  { name: 'Type', meaning: "SQLite's, in small letters", value: ({ type }) => type },
  { name: 'Null', meaning: '`YES` or `NO`', value: ({ nullable }) => (nullable ? 'YES' : 'NO') },
  { name: 'Key', meaning: '`PRI`, `UNI` or nothing', value: keyWord },
  { name: 'Default', meaning: 'NULL for none', value: ({ defaultValue }) => defaultValue },
  {
    name: 'Extra',
    meaning: '`auto_increment` or nothing',
    value: ({ isCounted }) => (isCounted ? 'auto_increment' : ''),
  },
];

const FULL_COLUMNS: readonly ComputedColumn<TableColumn>[] = [
  ...COLUMNS.slice(0, 2),
  { name: 'Collation', meaning: 'Always NULL', value: () => null },
  ...COLUMNS.slice(2),
  { name: 'Privileges', meaning: 'Always `select`', value: () => 'select' },
  { name: 'Comment', meaning: 'Always empty', value: () => '' },
];

/** `table`, `schema.table`, `table FROM schema`: of the groups of a pattern. */
export function namedTable(call: CommandCall, groups: readonly (string | undefined)[]) {
  const [first, second, from] = groups.map((each) => (each === undefined ? null : unquote(each)));
  const schema = from ?? (second === null ? null : (first ?? null));
  return findTable(call, second ?? first ?? '', schema ?? null);
}

/** Of a table, with or without its schema. */
export const TABLE_NAME = String.raw`(${'`[^`]+`'}|\w+)(?:\.(${'`[^`]+`'}|\w+))?`;
const FROM_SCHEMA = String.raw`(?: (?:FROM|IN) (${'`[^`]+`'}|\w+))?`;

export const showFields: AdminCommand = {
  name: 'SHOW FIELDS',
  syntax: "{SHOW [FULL] {FIELDS | COLUMNS} FROM | DESCRIBE} [schema.]table [LIKE 'pattern' | WHERE …]",
  help: 'The columns of a table',
  pattern: new RegExp(
    `^(?:SHOW (?:EXTENDED )?(FULL )?(?:FIELDS|COLUMNS) (?:FROM|IN)|DESC|DESCRIBE) ${TABLE_NAME}${FROM_SCHEMA}(?: (?:LIKE|WHERE) .*)?$`,
    'is',
  ),
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: async (call) => {
    const [, full, ...groups] = call.match;
    const { ddl } = await namedTable(call, groups);
    const columns = full === undefined ? COLUMNS : FULL_COLUMNS;
    const { rows } = table(describeColumns(ddl).columns, columns);
    return filtered(call, wordsBeforeFilter(call), columns, rows);
  },
};
