/**
 * What a statement of a user may do, asked by SQLite itself for each table and function while it prepares the
 * statement: nobody has to understand the SQL to know what it touches.
 */

import { constants } from 'node:sqlite';
import { type AdminTable, AdminTableKind } from '../common/admin-tables/admin-table.ts';
import { ALL_TABLES } from '../common/admin-tables/all-tables.ts';

const { SQLITE_OK, SQLITE_DENY } = constants;

export type Role = 'admin' | 'stats';

/** By `schema.table`, in small letters. */
const TABLES: ReadonlyMap<string, AdminTable> = new Map(
  ALL_TABLES.flatMap((table): [string, AdminTable][] => {
    const own: [string, AdminTable] = [`${table.schema}.${table.name}`.toLowerCase(), table];
    const isInBoth = table.kind === AdminTableKind.config;
    return isInBoth ? [own, [`disk.${table.name}`.toLowerCase(), table]] : [own];
  }),
);

const FILLED: ReadonlySet<AdminTableKind> = new Set([
  AdminTableKind.runtime,
  AdminTableKind.stats,
  AdminTableKind.monitor,
]);
const FILLED_SCHEMAS = ['main', 'stats', 'monitor'] as const;
const WRITES: ReadonlySet<number> = new Set([
  constants.SQLITE_INSERT,
  constants.SQLITE_UPDATE,
  constants.SQLITE_DELETE,
]);
/** Tables, indexes and views of the operator's own. */
const OWN_OBJECTS: ReadonlySet<number> = new Set([
  constants.SQLITE_CREATE_TABLE,
  constants.SQLITE_CREATE_INDEX,
  constants.SQLITE_CREATE_VIEW,
  constants.SQLITE_DROP_TABLE,
  constants.SQLITE_DROP_INDEX,
  constants.SQLITE_DROP_VIEW,
  constants.SQLITE_REINDEX,
]);
const HARMLESS: ReadonlySet<number> = new Set([constants.SQLITE_SELECT, constants.SQLITE_RECURSIVE]);
const REFUSED_FUNCTIONS: ReadonlySet<string> = new Set(['load_extension', 'fts3_tokenizer']);

/** What is said of an action that nobody may do. */
const REFUSALS: ReadonlyMap<number, string> = new Map([
  [constants.SQLITE_ATTACH, 'ATTACH and VACUUM are not allowed: Sluice has its own files only'],
  [constants.SQLITE_DETACH, 'DETACH is not allowed'],
  [constants.SQLITE_PRAGMA, 'PRAGMA is not allowed; SHOW FIELDS FROM and SHOW CREATE TABLE describe tables'],
  [constants.SQLITE_TRANSACTION, 'There are no transactions: every statement takes effect at once'],
  [constants.SQLITE_SAVEPOINT, 'There are no transactions: every statement takes effect at once'],
  [constants.SQLITE_CREATE_TRIGGER, 'CREATE TRIGGER is not allowed'],
  [constants.SQLITE_CREATE_VTABLE, 'CREATE VIRTUAL TABLE is not allowed'],
  [constants.SQLITE_ALTER_TABLE, 'ALTER TABLE is not allowed'],
  [constants.SQLITE_ANALYZE, 'ANALYZE is not allowed'],
]);

export class StatementPolicy {
  readonly #role: Role;
  readonly #isDiskWritable: boolean;
  /** `schema.table` of what has to be filled before the statement runs. */
  readonly reads = new Set<string>();
  /** `schema.table` */
  readonly writes = new Set<string>();
  /** It may insert rows. */
  inserts = false;
  /** Why the statement was refused, as a sentence. */
  refusal: string | null = null;
  /** The layer `disk` would have been written to, which cannot be. */
  needsDisk = false;

  constructor(role: Role, isDiskWritable: boolean) {
    this.#role = role;
    this.#isDiskWritable = isDiskWritable;
  }

  /** The arguments of sqlite3_set_authorizer. */
  decide(action: number, first: string | null, second: string | null, schema: string | null): number {
    if (HARMLESS.has(action)) return SQLITE_OK;
    if (action === constants.SQLITE_READ) return this.#read(first ?? '', schema);
    if (action === constants.SQLITE_FUNCTION) return this.#call(second ?? '');
    if (this.#role !== 'admin') return this.#refuse('A stats user may only read');
    if (action === constants.SQLITE_INSERT) this.inserts = true;
    if (WRITES.has(action)) return this.#write(first ?? '', schema ?? 'main');
    if (OWN_OBJECTS.has(action)) return this.#changeObject(first ?? '', second, schema ?? 'main');
    return this.#refuse(
      REFUSALS.get(action) ?? 'Temporary objects, and those of other programs, are not allowed',
    );
  }

  /** Where no column is read, as by `count(*)`, SQLite does not say which schema it is: then all are meant. */
  #read(name: string, schema: string | null): number {
    for (const wanted of schema === null ? FILLED_SCHEMAS : [schema]) {
      const table = TABLES.get(`${wanted}.${name}`.toLowerCase());
      const isVisible = this.#role === 'admin' || table?.schema !== 'main';
      if (table !== undefined && isVisible && FILLED.has(table.kind))
        this.reads.add(`${table.schema}.${table.name}`);
    }
    return SQLITE_OK;
  }

  #call(name: string): number {
    return REFUSED_FUNCTIONS.has(name.toLowerCase()) ? this.#refuse(`${name}() is not allowed`) : SQLITE_OK;
  }

  #write(name: string, schema: string): number {
    // SQLite's own book-keeping of CREATE and DROP; nobody else can write there.
    if (name.startsWith('sqlite_')) return SQLITE_OK;
    if (schema !== 'main' && schema !== 'disk') return this.#refuse(`Schema '${schema}' can only be read`);
    const table = TABLES.get(`${schema}.${name}`.toLowerCase());
    if (table?.kind === AdminTableKind.runtime) {
      return this.#refuse(
        `'${name}' shows what is in force and can only be read; write to '${name.slice('runtime_'.length)}' and LOAD it TO RUNTIME`,
      );
    }
    if (table?.kind === AdminTableKind.internal)
      return this.#refuse(`'${name}' is Sluice's own and can only be read`);
    if (schema === 'disk' && !this.#isDiskWritable) {
      this.needsDisk = true;
      return SQLITE_DENY;
    }
    this.writes.add(`${schema}.${table?.name ?? name}`);
    return SQLITE_OK;
  }

  #changeObject(name: string, owner: string | null, schema: string): number {
    if (schema !== 'main' && schema !== 'disk') return this.#refuse(`Schema '${schema}' can only be read`);
    for (const touched of [name, owner]) {
      if (touched !== null && TABLES.has(`${schema}.${touched}`.toLowerCase()))
        return this.#refuse(`'${touched}' is one of Sluice's tables and stays as it is`);
    }
    if (schema === 'disk' && !this.#isDiskWritable) {
      this.needsDisk = true;
      return SQLITE_DENY;
    }
    return SQLITE_OK;
  }

  #refuse(reason: string): number {
    this.refusal ??= reason;
    return SQLITE_DENY;
  }
}

/** A stats user has no connection to these; `name` as SQLite says it is missing. */
export function isHiddenFromStats(name: string): boolean {
  const wanted = name.toLowerCase();
  const hidden = (table: AdminTable): boolean => table.schema === 'main' || table.schema === 'disk';
  const found = TABLES.get(wanted) ?? TABLES.get(`main.${wanted}`) ?? TABLES.get(`disk.${wanted}`);
  return (found !== undefined && hidden(found)) || /^(?:main|disk)\./.test(wanted);
}
