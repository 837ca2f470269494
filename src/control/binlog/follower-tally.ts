/** What the follower has done, for metrics and SHOW CACHE. One object, written by the follower alone. */

export interface FollowerTally {
  events: number;
  rowEvents: number;
  bytes: number;
  transactions: number;
  foreignTransactions: number;
  raises: number;
  everythingRaises: number;
  /** Connections that have ended, and suspensions. */
  losses: number;
  suspensions: number;
  /** How old its last word had become when the next one came, in milliseconds. */
  ages: () => AgeFigures;
}

export interface AgeFigures {
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

const NO_AGES: AgeFigures = Object.freeze({ p50Ms: null, p99Ms: null });

export function emptyTally(): FollowerTally {
  return {
    events: 0,
    rowEvents: 0,
    bytes: 0,
    transactions: 0,
    foreignTransactions: 0,
    raises: 0,
    everythingRaises: 0,
    losses: 0,
    suspensions: 0,
    ages: () => NO_AGES,
  };
}
