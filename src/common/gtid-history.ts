/**
 * Which history of a server's GTIDs its numbers are of. RESET MASTER begins another one, with the same numbers again: a number alone does
 * not say which transaction is meant. What does is when the server was started, and how often it has executed RESET since. Everybody
 * who asks the server finds out the same, but for a second or two.
 */

/** Clocks are read in whole seconds, one after the other. */
const TOLERANCE_S = 2;
const MAX_RESETS = 1000;

export interface GtidHistory {
  /** In seconds since 1970, by the server's clock. */
  readonly startedAtS: number;
  /** RESET MASTER, and RESET of whatever else. */
  readonly resets: number;
}

export function isSameStart(one: GtidHistory, other: GtidHistory): boolean {
  return Math.abs(one.startedAtS - other.startedAtS) <= TOLERANCE_S;
}

/** Whether numbers of before may be given to other transactions, or have been. */
export function isBroken(before: GtidHistory, now: GtidHistory): boolean {
  return isSameStart(before, now) ? now.resets !== before.resets : now.resets !== 0;
}

/** As one number for shared memory, and for other processes. */
export function historyNumber({ startedAtS, resets }: GtidHistory): number {
  return startedAtS * MAX_RESETS + (resets % MAX_RESETS);
}

/** Of two such numbers. */
export function isSameHistory(one: number, other: number): boolean {
  const resets = one % MAX_RESETS;
  if (one === 0 || other === 0 || resets !== other % MAX_RESETS) return false;
  return Math.abs(one - other) <= TOLERANCE_S * MAX_RESETS;
}
