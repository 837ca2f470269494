/** A COMMIT whose answer was lost with its connection: what is asked about it, and the truth that comes back. */

export const CommitOutcome = {
  committed: 'committed',
  /** It is certainly not there, and will not be. */
  rolledBack: 'rolledBack',
  /** Nobody can tell. */
  unknown: 'unknown',
} as const;
export type CommitOutcome = (typeof CommitOutcome)[keyof typeof CommitOutcome];

export interface CommitDoubt {
  /** The name of the savepoint that stands in front of the COMMIT, in the transaction's own part of the binlog. */
  readonly tag: string;
  /** Of the server that the COMMIT was sent to, and there of the session's thread. */
  readonly address: string;
  readonly threadId: number;
  /** Before the COMMIT was sent; milliseconds since the epoch. */
  readonly sentAtMs: number;
  /** How long the client waits for the truth. */
  readonly waitMs: number;
}

export interface CommitTruth {
  readonly outcome: CommitOutcome;
  /** Why it is unknown; empty otherwise. */
  readonly reason: string;
}
