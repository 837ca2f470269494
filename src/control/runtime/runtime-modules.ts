/** What LOAD and SAVE take, as pairs of pure functions: rows of a configuration, and a configuration with rows. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Config } from '../../../config/schema.ts';
import { AdminModule, type SqlRow, type TableRows } from '../../common/admin-tables/admin-table.ts';
import { tablesOfModule } from '../../common/admin-tables/all-tables.ts';
import { cacheRuleMapping } from './cache-rows.ts';
import { type ElementMapping, listOf, type Pause, rowsOfList } from './element-mapping.ts';
import { RowError, type RowProblem } from './row-error.ts';
import {
  fastRouteMapping,
  fingerprintMapping,
  firewallRuleMapping,
  firewallUserMapping,
  queryRuleMapping,
} from './rule-rows.ts';
import {
  filesOf,
  filesOfRows,
  hostgroupAttributesMapping,
  replicationHostgroupMapping,
  serverMapping,
  sslParamRows,
} from './server-rows.ts';
import { userMapping } from './user-rows.ts';
import type { VariableCatalog } from './variable-catalog.ts';
import { VARIABLES_TABLE, variableRows, withVariables } from './variable-rows.ts';

export interface RuntimeModule {
  readonly module: AdminModule;
  /** All that LOAD and SAVE of it copy. */
  readonly tables: readonly string[];
  /** Of the tables that have a meaning here, in force or not. */
  rowsOf(config: Config): TableRows[];
  /**
   * Rows of other tables are not looked at. What comes out is not yet checked as a whole.
   * @throws RowError
   */
  withRows(config: Config, tables: readonly TableRows[], warnings: string[]): Promise<Config>;
}

type Tables = ReadonlyMap<string, readonly SqlRow[]>;

function byName(tables: readonly TableRows[]): Tables {
  return new Map(tables.map(({ table, rows }) => [table, rows]));
}

/** The lists that rows stand for. */
class ListReader {
  readonly #tables: Tables;
  readonly #problems: RowProblem[];
  readonly #pause: Pause = () => nextTurn();

  constructor(tables: Tables, problems: RowProblem[]) {
    this.#tables = tables;
    this.#problems = problems;
  }

  rows(table: string): readonly SqlRow[] | null {
    return this.#tables.get(table) ?? null;
  }

  /** A table that is not given stays as it is. */
  async list<T extends object>(mapping: ElementMapping<T>, before: readonly T[]): Promise<readonly T[]> {
    const found = this.#tables.get(mapping.table);
    return found === undefined ? before : listOf(mapping, before, found, this.#problems, this.#pause);
  }
}

/** A module whose mapping reports problems in a list. */
function module(
  name: AdminModule,
  rowsOf: (config: Config) => TableRows[],
  apply: (config: Config, list: ListReader, problems: RowProblem[]) => Config | Promise<Config>,
): RuntimeModule {
  const tables = tablesOfModule(name);
  const unsupported = tables.filter(({ supported }) => !supported).map((table) => table.name);
  return {
    module: name,
    tables: tables.map((table) => table.name),
    rowsOf,
    withRows: async (config, given, warnings) => {
      const problems: RowProblem[] = [];
      const rows = byName(given);
      const result = await apply(config, new ListReader(rows, problems), problems);
      if (problems.length > 0) throw new RowError(problems);
      for (const table of unsupported)
        if ((rows.get(table)?.length ?? 0) > 0)
          warnings.push(`${table} has no effect: Sluice has nothing like it`);
      return result;
    },
  };
}

function rows<T extends object>(mapping: ElementMapping<T>, list: readonly T[]): TableRows {
  return { table: mapping.table, rows: rowsOfList(mapping, list) };
}

const servers = module(
  AdminModule.servers,
  (config) => [
    rows(serverMapping(config, filesOf(config.servers)), config.servers),
    rows(replicationHostgroupMapping, config.replicationHostgroups),
    rows(hostgroupAttributesMapping, config.hostgroupAttributes),
    { table: 'mysql_servers_ssl_params', rows: sslParamRows(config.servers) },
  ],
  async (config, reader, problems) => {
    const replicationHostgroups = await reader.list(
      replicationHostgroupMapping,
      config.replicationHostgroups,
    );
    const params = reader.rows('mysql_servers_ssl_params');
    const files = params === null ? filesOf(config.servers) : filesOfRows(params, problems);
    const mapping = serverMapping({ ...config, replicationHostgroups }, files);
    return {
      ...config,
      replicationHostgroups,
      hostgroupAttributes: await reader.list(hostgroupAttributesMapping, config.hostgroupAttributes),
      servers: await reader.list(mapping, config.servers),
    };
  },
);

const users = module(
  AdminModule.users,
  (config) => [rows(userMapping(config), config.users)],
  async (config, reader) => ({
    ...config,
    users: await reader.list(userMapping(config), config.users),
  }),
);

const queryRules = module(
  AdminModule.queryRules,
  (config) => [
    rows(queryRuleMapping, config.queryRules),
    rows(fastRouteMapping, config.fastRouting),
    rows(cacheRuleMapping, config.cache.rules),
  ],
  async (config, reader) => ({
    ...config,
    queryRules: await reader.list(queryRuleMapping, config.queryRules),
    fastRouting: await reader.list(fastRouteMapping, config.fastRouting),
    cache: { ...config.cache, rules: await reader.list(cacheRuleMapping, config.cache.rules) },
  }),
);

const firewall = module(
  AdminModule.firewall,
  ({ firewall }) => [
    rows(firewallUserMapping, firewall.users),
    rows(firewallRuleMapping, firewall.rules),
    rows(fingerprintMapping, firewall.sqliFingerprints),
  ],
  async (config, reader) => ({
    ...config,
    firewall: {
      ...config.firewall,
      users: await reader.list(firewallUserMapping, config.firewall.users),
      rules: await reader.list(firewallRuleMapping, config.firewall.rules),
      sqliFingerprints: await reader.list(fingerprintMapping, config.firewall.sqliFingerprints),
    },
  }),
);

function variables(name: AdminModule, catalog: VariableCatalog): RuntimeModule {
  return {
    module: name,
    tables: [VARIABLES_TABLE],
    rowsOf: (config) => [
      { table: VARIABLES_TABLE, rows: variableRows(catalog, config, (variable) => variable.module === name) },
    ],
    withRows: async (config, tables, warnings) => {
      const found = byName(tables).get(VARIABLES_TABLE) ?? [];
      const problems: RowProblem[] = [];
      const result = withVariables(catalog, config, found, name, problems, warnings);
      if (problems.length > 0) throw new RowError(problems);
      return result;
    },
  };
}

/** Of features that Sluice does not have: rows are kept, and have no effect. */
const nothing = (name: AdminModule) =>
  module(
    name,
    () => [],
    (config) => config,
  );

/** In the order in which they are put together: later ones refer to earlier ones. */
export function runtimeModules(catalog: VariableCatalog): readonly RuntimeModule[] {
  return [
    servers,
    users,
    queryRules,
    firewall,
    variables(AdminModule.variables, catalog),
    variables(AdminModule.adminVariables, catalog),
    variables(AdminModule.sluiceVariables, catalog),
    nothing(AdminModule.scheduler),
    nothing(AdminModule.restapi),
    nothing(AdminModule.proxysqlServers),
  ];
}
