/** The tables of the admin port as values: what the store process creates, and what the commands know of them. */

/** What LOAD and SAVE take; the values are the words of the commands. */
export const AdminModule = {
  servers: 'MYSQL SERVERS',
  users: 'MYSQL USERS',
  queryRules: 'MYSQL QUERY RULES',
  variables: 'MYSQL VARIABLES',
  adminVariables: 'ADMIN VARIABLES',
  sluiceVariables: 'SLUICE VARIABLES',
  firewall: 'MYSQL FIREWALL',
  scheduler: 'SCHEDULER',
  restapi: 'RESTAPI',
  proxysqlServers: 'PROXYSQL SERVERS',
} as const;
export type AdminModule = (typeof AdminModule)[keyof typeof AdminModule];

/**
 * | kind | where it lies | who fills it |
 * |---|---|---|
 * | config | MEMORY (`main`) and DISK (`disk`), the same columns in both | operators, LOAD and SAVE |
 * | runtime | `main` | a provider of the main thread, when a statement reads it |
 * | stats, monitor | the schema of that name | a provider, when a statement reads it |
 * | history | `stats_history`: a file of `dataDir`, or memory | the main thread, from time to time |
 * | internal | `disk` | the main thread |
 */
export const AdminTableKind = {
  config: 'config',
  runtime: 'runtime',
  stats: 'stats',
  monitor: 'monitor',
  history: 'history',
  internal: 'internal',
} as const;
export type AdminTableKind = (typeof AdminTableKind)[keyof typeof AdminTableKind];

export type AdminSchema = 'main' | 'disk' | 'stats' | 'monitor' | 'stats_history';

export interface AdminTable {
  readonly name: string;
  /** Tables of kind `config` are in `disk` as well. */
  readonly schema: AdminSchema;
  /** `CREATE TABLE name (…)`, without a schema in front of the name. */
  readonly ddl: string;
  readonly columns: readonly string[];
  readonly kind: AdminTableKind;
  /**
   * Null for tables that no LOAD takes. The three modules of variables share `global_variables`, which says
   * `variables`.
   */
  readonly module: AdminModule | null;
  /** False where nothing of it has an effect in Sluice; inserting warns. */
  readonly supported: boolean;
}

export type SqlValue = string | number | bigint | null;
/** In the order of the table's `columns`. */
export type SqlRow = readonly SqlValue[];

export interface TableRows {
  readonly table: string;
  readonly rows: readonly SqlRow[];
}
