import type { TextValue } from '../../../../protocol/index.ts';
import { allClientVariables } from '../client-variables.ts';
import { runSql } from '../sql/run-sql.ts';
import { type AdminCommand, AdminRole, type CommandColumn } from './command.ts';
import { filtered, wordsBeforeFilter } from './show-filter.ts';

const COLUMNS: readonly CommandColumn[] = [
  { name: 'Variable_name', meaning: 'As in `global_variables`, or the name that a server has for it' },
  { name: 'Value', meaning: 'In MEMORY' },
];

export const showVariables: AdminCommand = {
  name: 'SHOW VARIABLES',
  syntax: "SHOW [ALL | MYSQL | ADMIN | SLUICE | GLOBAL | SESSION] VARIABLES [LIKE 'pattern' | WHERE …]",
  help: 'The variables of global_variables; without a word in front also what clients ask a server for',
  pattern:
    /^SHOW (?:(ALL|MYSQL|ADMIN|SLUICE|LDAP|GLOBAL|SESSION|LOCAL) )?VARIABLES(?: (?:LIKE|WHERE) .*)?$/is,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: async (call) => {
    const word = call.match[1]?.toUpperCase() ?? '';
    const { rows } = await runSql(
      call,
      'SELECT variable_name, variable_value FROM global_variables ORDER BY 1',
    );
    const all = [...rows] as (readonly TextValue[])[];
    const isOwn = /^(?:MYSQL|ADMIN|SLUICE|LDAP)$/.test(word);
    const shown = isOwn ? all.filter(([name]) => String(name).startsWith(`${word.toLowerCase()}-`)) : all;
    const others = isOwn || word === 'ALL' ? [] : allClientVariables(call);
    return filtered(call, wordsBeforeFilter(call), COLUMNS, [...shown, ...others]);
  },
};
