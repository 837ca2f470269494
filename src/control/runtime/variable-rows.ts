/** The settings as rows of `global_variables`. */

import type { Config } from '../../../config/schema.ts';
import { AdminModule, type SqlRow } from '../../common/admin-tables/admin-table.ts';
import { ValueError } from './column-mapping.ts';
import type { RowProblem } from './row-error.ts';
import type { Variable, VariableCatalog } from './variable-catalog.ts';

export const VARIABLES_TABLE = 'global_variables';

const PREFIXES: ReadonlyMap<string, AdminModule> = new Map([
  ['mysql', AdminModule.variables],
  ['admin', AdminModule.adminVariables],
  ['sluice', AdminModule.sluiceVariables],
]);

export function variableRows(
  catalog: VariableCatalog,
  config: Config,
  isWanted: (variable: Variable) => boolean,
): SqlRow[] {
  const rows: SqlRow[] = [];
  for (const variable of catalog.all)
    if (isWanted(variable)) rows.push([variable.name, variable.read(config)]);
  return rows;
}

/** Rows of other modules are not looked at; a variable without a row stays as it is. */
export function withVariables(
  catalog: VariableCatalog,
  config: Config,
  rows: readonly SqlRow[],
  module: AdminModule,
  problems: RowProblem[],
  warnings: string[],
): Config {
  let result = config;
  for (const [name, value] of rows) {
    const variableName = String(name);
    const variable = catalog.find(variableName);
    const report = (message: string) =>
      problems.push({
        table: VARIABLES_TABLE,
        key: `variable_name ${variableName}`,
        column: variable === null ? 'variable_name' : 'variable_value',
        message,
      });
    if (variable === null) {
      if (ofModule(variableName, module)) report(catalog.unknown(variableName));
      continue;
    }
    const text = value === null ? '' : String(value);
    if (variable.module !== module || text === variable.read(config)) continue;
    try {
      const next = variable.write(result, text);
      if ('ignored' in next) warnings.push(`${variableName} has no effect: ${next.ignored}`);
      else result = next;
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      report(error.message);
    }
  }
  return result;
}

/** Whether a row of `global_variables` is one of the module, by its name; what no prefix tells of is MYSQL's. */
export function ofModule(name: string, module: AdminModule): boolean {
  const [prefix = ''] = name.split('-');
  const owner = PREFIXES.get(prefix) ?? AdminModule.variables;
  return owner === module;
}
