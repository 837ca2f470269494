/**
 * What servers tell of tables that belong together: triggers, foreign keys that cascade, tables made of others. A privilege
 * that is missing leaves rows out without a word, so that the grants decide whether the lists are complete.
 */

import { ServerFlavor } from '../../topology/server-description.ts';
import type { MonitorConnection, Row } from './monitor-connection.ts';
import type { ServerVersion } from './server-version.ts';
import { SYSTEM_SCHEMAS } from './view-safety-closure.ts';

export interface TriggerFact {
  readonly schema: string;
  readonly table: string;
  readonly body: string;
  readonly sqlMode: string;
}

/** A change of `parent` may change `child`. */
export interface CascadeFact {
  readonly parent: readonly [schema: string, table: string];
  readonly child: readonly [schema: string, table: string];
}

export interface TableFacts {
  readonly triggers: readonly TriggerFact[];
  readonly cascades: readonly CascadeFact[];
  /** Tables that may show, or change, the rows of any other: MERGE, FEDERATED and the like, sequences. */
  readonly composed: readonly (readonly [schema: string, table: string])[];
}

/** More rows than this of one kind are not read. */
const MAX_ROWS = 100_000;
/** They keep their rows themselves, and nobody else's. */
const PLAIN_ENGINES = [
  'InnoDB',
  'MyISAM',
  'Aria',
  'MEMORY',
  'CSV',
  'ARCHIVE',
  'BLACKHOLE',
  'ROCKSDB',
  'TokuDB',
  'Columnstore',
  'ndbcluster',
];
const PLAIN_TYPES = ['BASE TABLE', 'SYSTEM VERSIONED'];
const VIEW_TYPES = ['VIEW', 'SYSTEM VIEW'];
/** DELETE CASCADE, DELETE SET NULL, UPDATE CASCADE, UPDATE SET NULL */
const CASCADING = 15;
const NO_ACTION = "('NO ACTION', 'RESTRICT')";

const list = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(', ');

export async function readTableFacts(
  connection: MonitorConnection,
  signal: AbortSignal,
): Promise<TableFacts> {
  const read = async (sql: string): Promise<readonly Row[]> => {
    const rows = await connection.query(`${sql} LIMIT ${MAX_ROWS + 1}`, signal);
    if (rows.length > MAX_ROWS) throw new Error(`there are more than ${MAX_ROWS} rows of one kind`);
    return rows;
  };
  const triggers = await read(
    'SELECT EVENT_OBJECT_SCHEMA AS table_schema, EVENT_OBJECT_TABLE AS table_name, ACTION_STATEMENT AS body, ' +
      `SQL_MODE AS sql_mode FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA NOT IN (${list(SYSTEM_SCHEMAS)})`,
  );
  const composed = await read(
    'SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name FROM information_schema.TABLES ' +
      `WHERE TABLE_SCHEMA NOT IN (${list(SYSTEM_SCHEMAS)}) AND TABLE_TYPE NOT IN (${list(VIEW_TYPES)}) ` +
      `AND (TABLE_TYPE NOT IN (${list(PLAIN_TYPES)}) OR ENGINE IS NULL OR ENGINE NOT IN (${list(PLAIN_ENGINES)}))`,
  );
  return {
    triggers: triggers.map((row) => ({
      schema: row.table_schema ?? '',
      table: row.table_name ?? '',
      body: row.body ?? '',
      sqlMode: row.sql_mode ?? '',
    })),
    cascades: await readCascades(read, connection.version),
    composed: composed.map((row) => [row.table_schema ?? '', row.table_name ?? ''] as const),
  };
}

type Read = (sql: string) => Promise<readonly Row[]>;

/** InnoDB's own list costs next to nothing; the standard one opens every table, but for MySQL 8 that has a dictionary. */
async function readCascades(read: Read, { flavor, id }: ServerVersion): Promise<readonly CascadeFact[]> {
  if (flavor === ServerFlavor.mysql && id >= 80_000) return readStandardCascades(read);
  const rows = await read(
    `SELECT FOR_NAME AS child, REF_NAME AS parent FROM information_schema.INNODB_SYS_FOREIGN WHERE TYPE & ${CASCADING}`,
  );
  const cascades: CascadeFact[] = [];
  for (const row of rows) {
    const parent = innodbName(row.parent ?? '');
    const child = innodbName(row.child ?? '');
    if (parent === null || child === null) return readStandardCascades(read);
    cascades.push({ parent, child });
  }
  return cascades;
}

async function readStandardCascades(read: Read): Promise<readonly CascadeFact[]> {
  const rows = await read(
    'SELECT CONSTRAINT_SCHEMA AS child_schema, TABLE_NAME AS child, UNIQUE_CONSTRAINT_SCHEMA AS parent_schema, ' +
      'REFERENCED_TABLE_NAME AS parent FROM information_schema.REFERENTIAL_CONSTRAINTS ' +
      `WHERE UPDATE_RULE NOT IN ${NO_ACTION} OR DELETE_RULE NOT IN ${NO_ACTION}`,
  );
  return rows.map((row) => ({
    parent: [row.parent_schema ?? '', row.parent ?? ''],
    child: [row.child_schema ?? '', row.child ?? ''],
  }));
}

/**
 * `schema/table` as in file names: a character that is no letter, digit or underscore is `@` and four hexadecimal digits.
 * Some letters have shorter codes of their own, for which the standard list is asked instead: null.
 */
export function innodbName(name: string): readonly [schema: string, table: string] | null {
  const [schema = '', table, more] = name.split('/');
  if (table === undefined || more !== undefined) return null;
  const decode = (part: string): string =>
    part.replace(/@([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  const isPlain = (part: string): boolean => !part.replace(/@[0-9a-f]{4}/g, '').includes('@');
  return isPlain(schema) && isPlain(table) ? [decode(schema), decode(table)] : null;
}
