/** Why a transaction cannot be begun anew elsewhere: a closed set, shown to clients and in logs as it stands. */

import { PinReason, type StatementClass, StatementKind } from '../../sql/statement-class.ts';

export const ReplayObstacle = {
  /** Its beginning was not seen: replay was off, or it was begun by something that is not logged. */
  beginUnknown: 'begin-unknown',
  tooLong: 'too-long',
  /** All logs of the worker together. */
  noMemory: 'no-memory',
  /** A statement or command that may commit, or does what nobody could take back. */
  statement: 'statement',
  /** Something that is bound to the lost connection. */
  pinned: 'pinned',
  /** Rows of a table without transactions have changed: they would change twice. */
  nonTransactional: 'non-transactional-table',
  /** It uses a LAST_INSERT_ID() from before its beginning. */
  earlierInsertId: 'earlier-insert-id',
  /** The client has part of the answer that was cut off. */
  partialAnswer: 'partial-answer',
  /** The lost statement may have ended the transaction. */
  mayHaveCommitted: 'may-have-committed',
} as const;
export type ReplayObstacle = (typeof ReplayObstacle)[keyof typeof ReplayObstacle];

/** What a transaction may be made of, besides its beginning and end. */
const REPEATED: ReadonlySet<StatementKind> = new Set<StatementKind>([
  StatementKind.read,
  StatementKind.write,
  StatementKind.savepoint,
  StatementKind.set,
  StatementKind.use,
]);
const OPENS: ReadonlySet<StatementKind> = new Set<StatementKind>([
  StatementKind.begin,
  StatementKind.setTransaction,
]);
const ENDS: ReadonlySet<StatementKind> = new Set<StatementKind>([
  StatementKind.commit,
  StatementKind.rollback,
]);
/** The server has it from a file, or makes one: nobody knows what it is elsewhere. */
const LOAD = 'LOAD';

/** Its outcome has to be known before anything is done about the transaction. */
export function mayEnd({ kind, transactionControl, statementCount }: StatementClass): boolean {
  if (statementCount > 1) return transactionControl || kind === StatementKind.call;
  if (kind === StatementKind.savepoint) return false;
  return transactionControl || kind === StatementKind.call || kind === StatementKind.prepare;
}

/** @param isFirst nothing of the transaction has run before. */
export function obstacleOf(statement: StatementClass, isFirst: boolean): ReplayObstacle | null {
  const { kind, statementCount, command, pins } = statement;
  if (statementCount > 1 || command === LOAD) return ReplayObstacle.statement;
  if (pins.some((pin) => pin !== PinReason.setTransaction && pin !== PinReason.userVariable))
    return ReplayObstacle.pinned;
  if (OPENS.has(kind)) return null;
  if (ENDS.has(kind)) return null;
  // SET autocommit ends what is open, and is as good a beginning as any.
  if (statement.transactionControl && !isFirst) return ReplayObstacle.statement;
  return REPEATED.has(kind) ? null : ReplayObstacle.statement;
}
