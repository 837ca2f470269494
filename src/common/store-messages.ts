/**
 * What main thread and store process say to each other, one request at a time. Plain data: it crosses by structured
 * clone. Rows of results travel in slices of bytes, so that the main thread decodes a few of them in a turn.
 */

import type { SqlRow, SqlValue } from './admin-tables/admin-table.ts';

export interface StoreLimits {
  /** Of one result. */
  readonly maxRows: number;
  readonly maxResultBytes: number;
  /** Of one value or row. */
  readonly maxValueBytes: number;
}

export interface StoreFiles {
  /** The tables of MEMORY; null: only in the memory of the process. */
  readonly memory: string | null;
  /** `sluice.db`; null without `dataDir`. */
  readonly disk: string | null;
  /** The tables of `stats_history`; null: only in memory. */
  readonly history: string | null;
}

/** What a user's statement is told of its session. */
export interface StatementContext {
  readonly version: string;
  readonly database: string;
  /** `name@host` */
  readonly user: string;
  readonly connectionId: number;
}

export interface TrustedStatement {
  readonly sql: string;
  readonly parameters?: readonly SqlValue[];
}

/** `memory`: what operators edit; `disk`: `sluice.db` in `dataDir`, what SAVE … TO DISK writes. */
export type StoreLayer = 'memory' | 'disk';

export type StoreRequest =
  | { readonly kind: 'open'; readonly files: StoreFiles; readonly limits: StoreLimits }
  | {
      readonly kind: 'execute';
      readonly sql: string;
      readonly parameters: readonly SqlValue[];
      readonly role: 'admin' | 'stats';
      readonly context: StatementContext;
    }
  | { readonly kind: 'read'; readonly layer: StoreLayer; readonly tables: readonly string[] }
  /** `rows` of these tables follow. */
  | { readonly kind: 'replace'; readonly layer: StoreLayer; readonly tables: readonly string[] }
  | {
      readonly kind: 'copy';
      readonly from: StoreLayer;
      readonly to: StoreLayer;
      readonly tables: readonly string[];
    }
  | { readonly kind: 'internal'; readonly statements: readonly TrustedStatement[] };

/** What belongs to a request that runs. */
export type StoreInput =
  /** `table` is one of those that were asked for, or are replaced. */
  | { readonly kind: 'rows'; readonly table: string; readonly rows: readonly SqlRow[] }
  | { readonly kind: 'endOfRows' }
  /** The rows cannot be had. */
  | { readonly kind: 'abort'; readonly reason: string }
  | { readonly kind: 'nextSlice' };

export type StoreFailure =
  /** SQLite refused it. */
  | 'sql'
  /** Not for this user, or for nobody. */
  | 'denied'
  /** A limit of rows, bytes or memory was reached. */
  | 'limit'
  /** There is no layer `disk`, or it cannot be written to. */
  | 'noDisk';

export interface ReceivedRows {
  /** Which of the tables that were asked for; 0 for a statement. */
  readonly table: number;
  readonly rows: readonly (readonly StoreValue[])[];
}
export type StoreValue = SqlValue | Buffer;

export type StoreReply =
  | {
      readonly kind: 'opened';
      /** The tables of MEMORY have just been made, and are empty. */
      readonly isMemoryNew: boolean;
      /** What an operator should know of the files. */
      readonly notices: readonly string[];
    }
  /** The statement reads tables that the main thread fills; named `schema.table`. */
  | { readonly kind: 'need'; readonly tables: readonly string[] }
  /** Of `ReceivedRows`, by `v8.serialize`. */
  | { readonly kind: 'slice'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'done';
      readonly columns: readonly string[];
      readonly rowCount: number;
      readonly changes: number;
      /** Number of the last row that was inserted; 0 for none. */
      readonly lastRowid: number | bigint;
      readonly written: readonly string[];
    }
  | {
      readonly kind: 'failed';
      readonly failure: StoreFailure;
      readonly message: string;
      /** SQLite's extended result code, else 0. */
      readonly code: number;
    };

/**
 * How the store process ends when it has taken more memory than it may: its own limit is seen by a thread of it, in
 * the middle of a statement, which has no other way to say so.
 */
export const OUT_OF_MEMORY_SIGNAL = 'SIGUSR2';

/** How many slices may be on their way. */
export const SLICE_WINDOW = 4;
