import { schemaOf } from '../admin-schemas.ts';
import { unquote } from '../admin-statement.ts';
import { knownSchema, tableNames } from '../sql/table-schema.ts';
import { type AdminCommand, AdminRole, type CommandColumn } from './command.ts';
import { filtered, wordsBeforeFilter } from './show-filter.ts';

/** ansible reads this name; MySQL's `Tables_in_main` is not looked for by anybody. */
const COLUMNS: readonly CommandColumn[] = [{ name: 'tables', meaning: 'Name' }];
const FULL_COLUMNS: readonly CommandColumn[] = [
  ...COLUMNS,
  { name: 'Table_type', meaning: 'Always `BASE TABLE`' },
];

export const showTables: AdminCommand = {
  name: 'SHOW TABLES',
  syntax: "SHOW [FULL] TABLES [FROM schema] [LIKE 'pattern' | WHERE …]",
  help: 'The tables of this schema, or of another',
  pattern: /^SHOW (FULL )?TABLES(?: (?:FROM|IN) (`[^`]+`|\w+))?(?: (?:LIKE|WHERE) .*)?$/is,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: async (call) => {
    const [, full, from] = call.match;
    const schema = knownSchema(unquote(from ?? schemaOf(call.session)), call);
    const names = await tableNames(call, schema);
    const columns = full === undefined ? COLUMNS : FULL_COLUMNS;
    const rows = names.map((name) => (full === undefined ? [name] : [name, 'BASE TABLE']));
    return filtered(call, wordsBeforeFilter(call), columns, rows);
  },
};
