/** What a client of the bank knows of one of its transfers, and what was found in a server's ledger. */

export const TransferOutcome = {
  /** COMMIT was answered with OK. */
  acknowledged: 'acknowledged',
  /** Ended before COMMIT was sent, or the answer to COMMIT said that the transaction is not there. */
  failed: 'failed',
  /** COMMIT was sent, and nobody said what became of it. */
  doubtful: 'doubtful',
} as const;
export type TransferOutcome = (typeof TransferOutcome)[keyof typeof TransferOutcome];

export const TransferStep = {
  connect: 'connect',
  begin: 'begin',
  body: 'body',
  commit: 'commit',
} as const;
export type TransferStep = (typeof TransferStep)[keyof typeof TransferStep];

export interface TransferFailure {
  readonly step: TransferStep;
  /** 0 for what is no error of the protocol, such as a connection that was closed. */
  readonly errno: number;
  readonly message: string;
}

export interface Transfer {
  /** Unique over all clients; it is in the ledger row that the transfer's transaction wrote. */
  readonly id: number;
  readonly client: number;
  /** By `performance.now()` of the test. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly outcome: TransferOutcome;
  readonly failure: TransferFailure | null;
}

export interface LedgerRow {
  readonly transfer: number;
  readonly fromAccount: number;
  readonly toAccount: number;
  readonly amount: number;
  /** Of the server on which the row was written: the INSERT itself stored it. */
  readonly serverId: number;
  /** When it was written, in microseconds since 1970, by the clock of that server. */
  readonly atMicros: number;
}

/**
 * Errors of Sluice's own that say of a COMMIT that its transaction is certainly not there: it was looked for; or the
 * connection was lost before COMMIT was sent, or looked for, and the transaction could not be done again.
 */
const NOT_COMMITTED: ReadonlySet<number> = new Set([9042, 9012]);

/** What an error means for the transfer whose step it ended. */
export function outcomeOfFailure(failure: TransferFailure): TransferOutcome {
  if (failure.step !== TransferStep.commit) return TransferOutcome.failed;
  return NOT_COMMITTED.has(failure.errno) ? TransferOutcome.failed : TransferOutcome.doubtful;
}
