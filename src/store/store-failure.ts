import type { StoreFailure } from '../common/store-messages.ts';

/** What goes back as `failed`. */
export class StoreFailureError extends Error {
  readonly failure: StoreFailure;
  /** SQLite's extended result code, else 0. */
  readonly code: number;

  constructor(failure: StoreFailure, message: string, code = 0) {
    super(message);
    this.name = 'StoreFailureError';
    this.failure = failure;
    this.code = code;
  }
}

const SQLITE_NOMEM = 7;
const SQLITE_TOOBIG = 18;

/** @returns null for what is no error of SQLite: a fault of ours */
export function sqliteCodeOf(error: unknown): number | null {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode : null;
}

export function asFailure(error: unknown): StoreFailureError {
  if (error instanceof StoreFailureError) return error;
  const { message } = error as Error;
  const code = sqliteCodeOf(error);
  if (code === SQLITE_NOMEM)
    return new StoreFailureError('limit', 'The statement needs more memory than there is');
  if (code === SQLITE_TOOBIG)
    return new StoreFailureError('limit', 'A value of the statement is larger than a value may be');
  return new StoreFailureError('sql', message, code ?? 0);
}
