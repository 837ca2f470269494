/** The connections of the store process to SQLite: one for operators, one that knows nothing but statistics. */

import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { StatementContext, StoreFiles, StoreLimits } from '../common/store-messages.ts';
import { examineFile, type FileState } from './disk-file.ts';
import { addFunctions } from './sql-functions.ts';
import { type Role, StatementPolicy } from './statement-policy.ts';
import { StoreFailureError } from './store-failure.ts';
import { createTables } from './table-schema.ts';

const NO_CONTEXT: StatementContext = { version: '', database: 'main', user: '', connectionId: 0 };
/** Of pages kept in memory: what a fill changes is thrown away again, and should not reach the file before. */
const CACHE_KIBIBYTES = 16 * 1024;
const IN_MEMORY = ':memory:';

export class StoreDatabase {
  readonly limits: StoreLimits;
  readonly isMemoryNew: boolean;
  readonly notices: readonly string[];
  readonly #admin: DatabaseSync;
  readonly #stats: DatabaseSync;
  readonly #disk: FileState | null;
  #context: StatementContext = NO_CONTEXT;
  /** Null while Sluice's own SQL runs. */
  #policy: StatementPolicy | null = null;

  constructor(files: StoreFiles, limits: StoreLimits, now: Date) {
    this.limits = limits;
    this.#disk = files.disk === null ? null : examineFile(files.disk, 'disk', now);
    const history = files.history === null ? null : examineFile(files.history, 'stats_history', now);
    this.#admin = this.#connect(files.memory ?? IN_MEMORY);
    this.#stats = this.#connect(IN_MEMORY);
    // Losing the machine loses the tables of MEMORY anyway; losing the process leaves the file as it was.
    this.#admin.exec('PRAGMA main.journal_mode = TRUNCATE; PRAGMA main.synchronous = OFF');
    attach(this.#admin, 'disk', this.#disk);
    for (const database of [this.#admin, this.#stats]) {
      attach(database, 'stats', null);
      attach(database, 'monitor', null);
      attach(database, 'stats_history', history);
      createTables(database, 'stats');
      createTables(database, 'monitor');
      if (history?.kind !== 'readOnly') createTables(database, 'stats_history');
    }
    this.isMemoryNew = inTransaction(this.#admin, () => createTables(this.#admin, 'main')) > 0;
    if (this.#disk?.kind !== 'readOnly') inTransaction(this.#admin, () => createTables(this.#admin, 'disk'));
    this.notices = [...(this.#disk?.notices ?? []), ...(history?.notices ?? [])];
  }

  connection(role: Role): DatabaseSync {
    return role === 'admin' ? this.#admin : this.#stats;
  }

  /** Runs `work` with what a statement of this user may do, and says what it touches. */
  underPolicy<T>(role: Role, context: StatementContext, work: (policy: StatementPolicy) => T): T {
    const policy = new StatementPolicy(role, this.#disk?.kind === 'writable');
    this.#policy = policy;
    this.#context = context;
    try {
      return work(policy);
    } finally {
      this.#policy = null;
      this.#context = NO_CONTEXT;
    }
  }

  /** @throws StoreFailureError with what to do about it */
  assertDiskWritable(): void {
    if (this.#disk?.kind === 'writable') return;
    throw new StoreFailureError('noDisk', this.#whyNoDisk());
  }

  /** @throws StoreFailureError where there has never been a layer `disk` */
  assertDisk(): void {
    if (this.#disk !== null && this.#disk.kind !== 'unusable') return;
    throw new StoreFailureError('noDisk', this.#whyNoDisk());
  }

  #whyNoDisk(): string {
    if (this.#disk === null) return 'Nothing can be kept on DISK: set dataDir in the configuration file';
    if (this.#disk.kind === 'writable') return '';
    return `DISK cannot be written to: sluice.db in dataDir, ${this.#disk.reason}`;
  }

  #connect(path: string): DatabaseSync {
    const { maxValueBytes } = this.limits;
    const database = new DatabaseSync(path, {
      allowExtension: false,
      // MySQL's clients write texts in either kind of quotes.
      enableDoubleQuotedStringLiterals: true,
      timeout: 1000,
      limits: { length: maxValueBytes, sqlLength: maxValueBytes },
    });
    database.exec(
      `PRAGMA temp_store = MEMORY; PRAGMA cache_size = -${CACHE_KIBIBYTES}; PRAGMA cache_spill = OFF; PRAGMA trusted_schema = OFF`,
    );
    database.enableDefensive(true);
    addFunctions(database, () => this.#context);
    // Set once: setting it makes SQLite prepare all its statements again.
    database.setAuthorizer((action, first, second, schema) =>
      this.#policy === null ? 0 : this.#policy.decide(action, first, second, schema),
    );
    return database;
  }
}

function attach(database: DatabaseSync, schema: string, file: FileState | null): void {
  const source = file === null || file.kind === 'unusable' ? IN_MEMORY : file.source;
  database.prepare(`ATTACH ? AS ${schema}`).run(source);
}

/** Locks a file when it is written to, and not those of the other schemas. */
export const BEGIN = 'BEGIN';

/** All of it or nothing. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec(BEGIN);
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    rollback(database);
    throw error;
  }
}

/** SQLite ends the transaction by itself on some errors. */
export function rollback(database: DatabaseSync): void {
  if (database.isTransaction) database.exec('ROLLBACK');
}

/** Rows as arrays, since two columns may have one name; whole numbers as bigint, since they have 64 bits. */
export function prepareRows(database: DatabaseSync, sql: string): StatementSync {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  statement.setReadBigInts(true);
  return statement;
}
