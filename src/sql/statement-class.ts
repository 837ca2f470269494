/**
 * What a statement is, decided once per digest and kept with it: a plain value that the router and the session
 * read without ever looking at the SQL again.
 */

import type { CacheWish } from '../common/cache-settings.ts';
import type { CausalLevel } from '../common/causal-level.ts';

/** The coarse kind of a single statement. */
export const StatementKind = {
  /** SELECT, SHOW, DESCRIBE, EXPLAIN, VALUES, TABLE, WITH … SELECT */
  read: 'read',
  /** INSERT, UPDATE, DELETE, REPLACE, LOAD DATA, WITH … UPDATE, and what else changes rows */
  write: 'write',
  /** CREATE, ALTER, DROP, TRUNCATE, RENAME, GRANT, ANALYZE …: commits implicitly */
  ddl: 'ddl',
  /** START TRANSACTION, BEGIN (the statement, not the block) */
  begin: 'begin',
  commit: 'commit',
  rollback: 'rollback',
  /** SAVEPOINT, RELEASE SAVEPOINT, ROLLBACK TO SAVEPOINT */
  savepoint: 'savepoint',
  /** SET of system variables, SET NAMES, SET CHARACTER SET */
  set: 'set',
  /** SET TRANSACTION without SESSION or GLOBAL: holds for the next transaction only */
  setTransaction: 'setTransaction',
  use: 'use',
  call: 'call',
  lockTables: 'lockTables',
  unlockTables: 'unlockTables',
  /** PREPARE, EXECUTE, DEALLOCATE PREPARE as text */
  prepare: 'prepare',
  kill: 'kill',
  xa: 'xa',
  handler: 'handler',
  /** An empty statement, or nothing but comments: the server answers ER_EMPTY_QUERY */
  empty: 'empty',
  other: 'other',
} as const;
export type StatementKind = (typeof StatementKind)[keyof typeof StatementKind];

/** Why the statement is, or is not, a proven read. A closed set: shown in logs, admin and metrics as it stands. */
export const ClassReason = {
  provenRead: 'proven-read',
  notARead: 'not-a-read',
  lockingRead: 'locking-read',
  selectInto: 'select-into',
  userVariable: 'user-variable',
  unknownFunction: 'unknown-function',
  unsafeFunction: 'unsafe-function',
  sequence: 'sequence',
  sessionFunction: 'session-function',
  systemSchema: 'system-schema',
  serverState: 'server-state',
  calcFoundRows: 'calc-found-rows',
  parserDisagrees: 'parser-disagrees',
  parserFailed: 'parser-failed',
  multiStatement: 'multi-statement',
  conditionalComment: 'conditional-comment',
  explainWrite: 'explain-write',
  malformed: 'malformed',
  tooLong: 'too-long',
} as const;
export type ClassReason = (typeof ClassReason)[keyof typeof ClassReason];

/** State that a statement leaves on its connection and that no report of the server describes: it pins. */
export const PinReason = {
  temporaryTable: 'temporary-table',
  lockTables: 'lock-tables',
  /** LOCK INSTANCE FOR BACKUP, BACKUP LOCK */
  backupLock: 'backup-lock',
  backupStage: 'backup-stage',
  userLock: 'user-lock',
  textPrepare: 'text-prepare',
  /** A prepared statement that only its own connection can execute as it was meant. */
  binaryPrepare: 'binary-prepare',
  /** COM_STMT_EXECUTE with a cursor, until its last row or its end. */
  cursor: 'cursor',
  /** COM_STMT_SEND_LONG_DATA, until the execution that it is for. */
  longData: 'long-data',
  handler: 'handler',
  userVariable: 'user-variable',
  setTransaction: 'set-transaction',
  xa: 'xa',
  storedRoutine: 'stored-routine',
  /** NEXTVAL: what LASTVAL and PREVIOUS VALUE FOR answer belongs to the connection */
  sequence: 'sequence',
  setRole: 'set-role',
  unvirtualisedVariable: 'unvirtualised-variable',
  unexplainedStateChange: 'unexplained-state-change',
  untrackedSet: 'untracked-set',
  passThroughCommand: 'pass-through-command',
  /** The server takes nothing but a new password. */
  expiredPassword: 'expired-password',
  /** A query rule, or an attribute of the hostgroup, forbids multiplexing. */
  multiplexingOff: 'multiplexing-off',
  fastForward: 'fast-forward',
} as const;
export type PinReason = (typeof PinReason)[keyof typeof PinReason];

/** What the statement makes, ends or renames by name, of the things that pin as long as there is one of them. */
export interface NamedChange {
  readonly pin: PinReason;
  /** null: some, whose names cannot be told. */
  readonly gains: readonly TableReference[] | null;
  readonly loses: readonly TableReference[];
  /** Old name, new name. */
  readonly renames: readonly (readonly [TableReference, TableReference])[];
}

/** What a statement does to the locks of GET_LOCK; their names stand in literals, which no class holds. */
export const LockUse = {
  none: 'none',
  /** It calls GET_LOCK or RELEASE_LOCK: which locks are held afterwards has to be asked. */
  some: 'some',
  /** It is nothing but RELEASE_ALL_LOCKS(). */
  releasesAll: 'releases-all',
} as const;
export type LockUse = (typeof LockUse)[keyof typeof LockUse];

/** What the statement reads that belongs to the connection that ran the session's previous statement. */
export interface ResidueUse {
  /** LAST_INSERT_ID(), @@last_insert_id, @@identity */
  readonly lastInsertId: boolean;
  /** SHOW WARNINGS, SHOW ERRORS, SHOW COUNT(*) …, GET DIAGNOSTICS, @@warning_count, @@error_count */
  readonly diagnostics: boolean;
  /** FOUND_ROWS() */
  readonly foundRows: boolean;
  /** ROW_COUNT() */
  readonly rowCount: boolean;
  /** CONNECTION_ID(), @@pseudo_thread_id */
  readonly connectionId: boolean;
}

/** What a comment says of caching; null: nothing. */
export interface CacheHint {
  /** What cannot be understood is `off`. null: only a time to live is given, which makes it `weak`. */
  readonly wish: CacheWish | null;
  readonly ttlMs: number | null;
  readonly staleMs: number | null;
}

/** From a comment such as `/* sluice:primary *\/`. */
export interface RouteHint {
  readonly target: 'primary' | 'replica' | null;
  readonly hostgroup: number | null;
  readonly noCache: boolean;
  readonly cache: CacheHint | null;
  /** How far a replica may be behind, in milliseconds. */
  readonly maxLagMs: number | null;
  /** Which writes the read must see. */
  readonly causal: CausalLevel | null;
  /** It names GTIDs that the read must see: `hintValuesOf` (hint-values.ts) reads them, for they are no part of the digest. */
  readonly minGtid: boolean;
  /** Likewise a moment (ProxySQL's `min_epoch_ms`): what was written before it must be seen. */
  readonly minEpochMs: boolean;
}

export interface TableReference {
  /** null where the statement does not qualify it: the session's schema applies. */
  readonly schema: string | null;
  readonly table: string;
}

/** Why a second run over the same data may answer something else. A closed set, shown as it stands. */
export const VaryingReason = {
  /** At another time. */
  clock: 'clock',
  random: 'random',
  /** In another session. */
  session: 'session',
  /** On another server. */
  server: 'server',
  /** Nobody has judged what it calls. */
  unjudged: 'unjudged',
  systemVariable: 'system-variable',
  /** FOR SYSTEM_TIME */
  timeTravel: 'time-travel',
  /** It asks not to be cached. */
  sqlNoCache: 'sql-no-cache',
  /** A value of the type TIME, which becomes one of the current day where it is made a DATETIME. */
  timeOfDay: 'time-of-day',
} as const;
export type VaryingReason = (typeof VaryingReason)[keyof typeof VaryingReason];

export interface Varying {
  readonly reason: VaryingReason;
  /** What made it, e.g. the function's name. */
  readonly detail: string;
}

export interface StatementClass {
  /** Of the first statement when there are several (`statementCount > 1`). */
  readonly kind: StatementKind;
  /** How many statements the text holds (`;` between them); 1 for an ordinary one, 0 for an empty one. */
  readonly statementCount: number;
  /** Which of them, from 0, are CALLs. */
  readonly calls: readonly number[];
  /** First keyword in upper case, e.g. `SELECT`, `INSERT`, `CREATE_TABLE`-like words for DDL: for counters. */
  readonly command: string;
  /** Every part is a read, without side effects, that gives the same answer on a replica that has caught up. */
  readonly provenRead: boolean;
  readonly reason: ClassReason;
  /** What made the reason, e.g. the function's name; empty where nothing needs naming. */
  readonly detail: string;
  /** Tables and views read; complete when `provenRead`, else best effort. */
  readonly tables: readonly TableReference[];
  /**
   * Tables and views whose rows or definition it changes itself; what triggers, foreign keys and views add, the schema
   * tells. Empty for what changes none, null where it cannot be told: any table may be another.
   */
  readonly writes: readonly TableReference[] | null;
  /** Pins that a successful execution brings. */
  readonly pins: readonly PinReason[];
  /** Pins that a successful execution ends. */
  readonly releases: readonly PinReason[];
  /** null where nothing is made or ended by name, and for several statements at once. */
  readonly named: NamedChange | null;
  /**
   * User variables that it names, in lower case; null if some name is not plain. With `PinReason.userVariable` among
   * the pins it may set any of them.
   */
  readonly userVariables: readonly string[] | null;
  /** Of these, those whose value or type it may find as it is: all but the mere targets of SET. */
  readonly readsVariables: readonly string[];
  /** EXECUTE: the name of what runs, in lower case; null for EXECUTE IMMEDIATE and all else. */
  readonly executes: string | null;
  readonly locks: LockUse;
  /** SQL_CALC_FOUND_ROWS: FOUND_ROWS() will be another number than that of the rows sent. */
  readonly calculatesFoundRows: boolean;
  /** START TRANSACTION READ ONLY (any spelling, without a second statement). */
  readonly beginReadOnly: boolean;
  /** Any part starts, ends or implies the end of a transaction (COMMIT, DDL, START TRANSACTION …). */
  readonly transactionControl: boolean;
  /** Any part other than a proven read, SET of session variables, USE, transaction control: data may have changed. */
  readonly mayWrite: boolean;
  /** CREATE/ALTER/DROP/RENAME VIEW or something that may: the view catalogue must be read again. */
  readonly changesViews: boolean;
  /** It may change which tables belong together: triggers, foreign keys, tables made of others; views are told above. */
  readonly changesRelations: boolean;
  /** INSERT DELAYED: MariaDB says OK before it inserts. */
  readonly mayBeDeferred: boolean;
  /** Variables set in a spelling that the server does not report: they must be asked for. */
  readonly unreportedVariables: readonly string[];
  readonly residue: ResidueUse;
  /** null: the same data, user, schema and session variables give the same answer. Of meaning for proven reads only. */
  readonly varies: Varying | null;
  readonly hint: RouteHint;
  /** It names variables of Sluice's own (sluice-variables.ts): no server is to see it. */
  readonly ownVariables: boolean;
}
