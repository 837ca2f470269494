/** The one place that decides what becomes of a connection that a session gives back. Pure. */

import { StatusFlag } from '../../../protocol/index.ts';

export const CheckInAction = { keep: 'keep', rollback: 'rollback', reset: 'reset', close: 'close' } as const;
export type CheckInAction = (typeof CheckInAction)[keyof typeof CheckInAction];

export const CheckInReason = {
  clean: 'clean',
  inTransaction: 'in-transaction',
  untrackedState: 'untracked-state',
  repliesOwed: 'replies-owed',
  awaitsInfile: 'awaits-infile',
  serverGone: 'server-gone',
  tooOld: 'too-old',
  poolClosing: 'pool-closing',
  stateUnknown: 'state-unknown',
  survivesReset: 'survives-reset',
  initConnect: 'init-connect',
  killed: 'killed',
} as const;
export type CheckInReason = (typeof CheckInReason)[keyof typeof CheckInReason];

export interface CheckInFacts {
  readonly statusFlags: number;
  readonly repliesOwed: number;
  readonly awaitsInfile: boolean;
  /** State was left on it that no report describes (temporary tables, locks, user variables …). */
  readonly untracked: boolean;
  /** A role (MariaDB keeps it through COM_RESET_CONNECTION), a prepared XA transaction: only closing ends it. */
  readonly survivesReset: boolean;
  /** What the session's state is could not be followed (a lost SET, an error in the middle of one). */
  readonly stateUnknown: boolean;
  /** What the server's init_connect has done to it would be lost at a reset. */
  readonly initialised: boolean;
  /** User variables have been set, and init_connect sets some too, whose values are not known. */
  readonly initialLost: boolean;
  /** A KILL was sent to it. */
  readonly tainted: boolean;
  readonly ageMs: number;
  readonly maxLifetimeMs: number;
  readonly serverUsable: boolean;
  readonly poolClosing: boolean;
}

/** What a session leaves on a connection, besides what is tracked. */
export type LeftBehind = Pick<CheckInFacts, 'untracked' | 'survivesReset' | 'stateUnknown'>;

export const NOTHING_LEFT: LeftBehind = { untracked: false, survivesReset: false, stateUnknown: false };

export function checkInVerdict(facts: CheckInFacts): { action: CheckInAction; reason: CheckInReason } {
  if (facts.awaitsInfile) return verdict(CheckInAction.close, CheckInReason.awaitsInfile);
  if (facts.repliesOwed > 0) return verdict(CheckInAction.close, CheckInReason.repliesOwed);
  if (facts.tainted) return verdict(CheckInAction.close, CheckInReason.killed);
  if (facts.poolClosing) return verdict(CheckInAction.close, CheckInReason.poolClosing);
  if (!facts.serverUsable) return verdict(CheckInAction.close, CheckInReason.serverGone);
  if (facts.maxLifetimeMs > 0 && facts.ageMs > facts.maxLifetimeMs)
    return verdict(CheckInAction.close, CheckInReason.tooOld);
  if (facts.survivesReset) return verdict(CheckInAction.close, CheckInReason.survivesReset);
  if (facts.initialLost || (facts.initialised && (facts.untracked || facts.stateUnknown)))
    return verdict(CheckInAction.close, CheckInReason.initConnect);
  // A reset rolls back as well.
  if (facts.untracked) return verdict(CheckInAction.reset, CheckInReason.untrackedState);
  if (facts.stateUnknown) return verdict(CheckInAction.reset, CheckInReason.stateUnknown);
  if ((facts.statusFlags & StatusFlag.SERVER_STATUS_IN_TRANS) !== 0)
    return verdict(CheckInAction.rollback, CheckInReason.inTransaction);
  return verdict(CheckInAction.keep, CheckInReason.clean);
}

function verdict(
  action: CheckInAction,
  reason: CheckInReason,
): { action: CheckInAction; reason: CheckInReason } {
  return { action, reason };
}
