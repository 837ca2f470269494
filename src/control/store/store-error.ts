/** Why the store did not do what was asked. */
export type StoreErrorKind =
  /** SQLite refused it; `code` says why. */
  | 'sql'
  /** Not for this user, or for nobody. */
  | 'denied'
  /** A limit of time, rows, bytes or memory was reached, and the statement ended. */
  | 'limit'
  | 'timeout'
  /** There is no layer `disk`, or it cannot be written to. */
  | 'noDisk'
  /** The process was lost or did not start. Whether a write was done is not known. */
  | 'lost';

export class StoreError extends Error {
  readonly kind: StoreErrorKind;
  /** SQLite's extended result code; 0 where it does not come from SQLite. */
  readonly code: number;

  constructor(kind: StoreErrorKind, message: string, code = 0) {
    super(message);
    this.name = 'StoreError';
    this.kind = kind;
    this.code = code;
  }
}
