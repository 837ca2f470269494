import { type AdminModule, type AdminTable, AdminTableKind } from './admin-table.ts';
import { COLLATION_TABLE, LOADABLE_TABLES } from './config-tables.ts';
import {
  HISTORY_TABLES,
  INTERNAL_TABLES,
  MONITOR_TABLES,
  RUNTIME_ONLY_TABLES,
  STATS_TABLES,
} from './stats-tables.ts';
import { configTable, runtimeTable } from './table-definition.ts';

export const ALL_TABLES: readonly AdminTable[] = Object.freeze([
  ...LOADABLE_TABLES.map(configTable),
  configTable(COLLATION_TABLE),
  ...LOADABLE_TABLES.map(runtimeTable),
  ...RUNTIME_ONLY_TABLES,
  ...STATS_TABLES,
  ...MONITOR_TABLES,
  ...HISTORY_TABLES,
  ...INTERNAL_TABLES,
]);

/** The tables of the layers MEMORY and DISK. */
export const CONFIG_TABLES: readonly AdminTable[] = ALL_TABLES.filter(
  ({ kind }) => kind === AdminTableKind.config,
);

/** @throws TypeError for a name that no table of the layers has */
export function configTableNamed(name: string): AdminTable {
  const found = CONFIG_TABLES.find((table) => table.name === name);
  if (found === undefined) throw new TypeError(`There is no table ${name} of the configuration`);
  return found;
}

export function tablesOfModule(module: AdminModule): readonly AdminTable[] {
  return CONFIG_TABLES.filter((table) => table.module === module);
}

/** What is in force, in the columns of the tables of the configuration. */
export function runtimeTables(): readonly AdminTable[] {
  return ALL_TABLES.filter(({ kind, module }) => kind === AdminTableKind.runtime && module !== null);
}
