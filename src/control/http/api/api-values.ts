/**
 * What the dashboard's API answers: plain JSON, the same for every viewer. The pages are checked against these types.
 * Times are milliseconds since 1970 unless a name says otherwise; null is "not known" or "there is none".
 */

export interface MeValue {
  readonly username: string;
  readonly role: 'admin' | 'stats';
  /** For the header `x-sluice-token`; null for who sends a password with each request. */
  readonly csrfToken: string | null;
  readonly endsAtMs: number | null;
  readonly version: string;
}

export interface ServerValue {
  readonly address: string;
  /** `primary`, `replica`, `unknown`, or `rival`: a second writable server. */
  readonly role: string;
  readonly status: string;
  /** Why it is not ONLINE. */
  readonly reason: string;
  readonly hostgroup: number;
  readonly weight: number;
  readonly version: string;
  readonly readOnly: boolean | null;
  readonly source: string | null;
  readonly replicationRunning: boolean | null;
  readonly lagMs: number | null;
  /** 0: no limit. */
  readonly maxLagMs: number;
  readonly isDiscovered: boolean;
  readonly connections: number;
  readonly inUse: number;
  readonly maxConnections: number;
  readonly connectErrors: number;
  /** Statements in the last second. */
  readonly statementsPerSecond: number | null;
}

export interface WorkerValue {
  readonly index: number;
  readonly running: boolean;
  readonly restarts: number;
  readonly sessions: number;
  /** Version of the snapshot that it has applied. */
  readonly version: number;
}

/** Per second, but for the gauges and times. */
export type SeriesName =
  | 'statements'
  | 'replicaReads'
  | 'primaryReads'
  | 'writes'
  | 'errors'
  | 'clients'
  | 'serverConnections'
  | 'serverConnectionsInUse'
  | 'waits'
  | 'bytesIn'
  | 'bytesOut'
  /** Milliseconds; null while nothing ran. */
  | 'p50'
  | 'p95'
  | 'p99'
  /** 0 to 1; null while nothing was looked for in the cache. */
  | 'cacheHitRate';

/** Columns of equal length; the last value is the newest. */
export interface SeriesValue {
  readonly timesMs: readonly number[];
  /** Those that are known over this time. */
  readonly columns: Readonly<Partial<Record<SeriesName, readonly (number | null)[]>>>;
}

export interface OverviewValue {
  readonly timeMs: number;
  readonly version: string;
  readonly startedAtMs: number;
  /** What clients, load balancers and `/readyz` see. */
  readonly ready: boolean;
  readonly notReady: readonly string[];
  readonly primary: string | null;
  readonly servers: readonly ServerValue[];
  readonly workers: readonly WorkerValue[];
  readonly snapshotVersion: number;
  readonly clients: number;
  readonly maxClients: number;
  readonly pinnedSessions: number;
  readonly statements: number;
  /** Sequence number of the newest event; 0 before the first. */
  readonly lastEvent: number;
  /** Whether `/api/history/…` holds anything: `dataDir` is set. */
  readonly hasHistory: boolean;
  /** The last half minute. */
  readonly live: SeriesValue;
}

export interface PinValue {
  readonly reason: string;
  readonly sinceMs: number;
}

export interface SessionValue {
  readonly id: number;
  readonly worker: number;
  readonly username: string;
  readonly client: string;
  readonly schema: string | null;
  readonly state: string;
  readonly stateSinceMs: number;
  readonly connectedSinceMs: number;
  readonly inTransaction: boolean;
  readonly transactionSinceMs: number | null;
  readonly pins: readonly PinValue[];
  readonly server: string | null;
  readonly statements: number;
  readonly target: string;
  readonly reason: string;
  readonly digestText: string;
}

export interface PinCountValue {
  readonly reason: string;
  readonly now: number;
  readonly started: number;
}

export interface SessionsValue {
  readonly timeMs: number;
  /** Clients that there are; more than are listed where there are very many. */
  readonly total: number;
  readonly sessions: readonly SessionValue[];
  /** Pins of all sessions by their reason, the most frequent first. */
  readonly pins: readonly PinCountValue[];
  /** Workers that have not answered in time. */
  readonly missing: readonly number[];
}

/** A statement that has ended. */
export interface LastStatementValue {
  readonly timeMs: number;
  readonly command: string;
  readonly text: string;
  readonly target: string;
  readonly reason: string;
  /** What made the reason: a function, the pins. */
  readonly detail: string;
  readonly server: string | null;
  readonly durationMicros: number;
  readonly waitMicros: number;
  readonly rows: number | null;
  readonly errno: number;
}

export interface SessionDetailValue {
  readonly timeMs: number;
  /** Null where it has ended. */
  readonly session: SessionValue | null;
  /** Newest first; those that the workers still remember. */
  readonly statements: readonly LastStatementValue[];
  /** Nothing is remembered: `limits.routeRingEntries` is 0. */
  readonly isOff: boolean;
}

/** Statements of one user that differ in their literals only. */
export interface StatementValue {
  readonly digest: string;
  readonly text: string;
  /** Empty for none. */
  readonly schema: string;
  readonly username: string;
  /** Empty unless addresses are told apart. */
  readonly client: string;
  /** -1 where no server was needed. */
  readonly hostgroup: number;
  /** Where the last one went, and why. */
  readonly target: string;
  readonly reason: string;
  readonly count: number;
  readonly errors: number;
  readonly totalMicros: number;
  readonly p95Micros: number;
  readonly maxMicros: number;
  /** Of the total, waiting for a connection or a server. */
  readonly waitMicros: number;
  readonly rows: number;
  readonly lastSeenMs: number;
}

export interface StatementsValue {
  readonly timeMs: number;
  /** Digests that are known; the list has those that take the most time. */
  readonly known: number;
  /** Of all that are known. */
  readonly totalMicros: number;
  readonly statements: readonly StatementValue[];
  readonly missing: readonly number[];
}

export interface RuleValue {
  readonly id: number;
  readonly active: boolean;
  /** Null where it is not looked at. */
  readonly hits: number | null;
  /** What has to be true, each `column = value`. */
  readonly matches: readonly string[];
  readonly effects: readonly string[];
  readonly comment: string;
}

/** A configuration that was in force. */
export interface VersionValue {
  readonly number: number;
  /** Whose content it has; its own number unless it went back to another one. */
  readonly source: number;
  readonly timeMs: number;
  readonly by: string;
  readonly what: string;
  readonly isCurrent: boolean;
}

export interface RulesValue {
  readonly timeMs: number;
  readonly total: number;
  /** In the order of their ids; the first ones where there are very many. */
  readonly rules: readonly RuleValue[];
  readonly fastRouting: number;
  /** Users on its white list; null where it is off. */
  readonly firewall: number | null;
  /** Newest first. */
  readonly versions: readonly VersionValue[];
}

export interface EventValue {
  readonly sequence: number;
  readonly timeMs: number;
  readonly kind: string;
  readonly address: string;
  readonly detail: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
}

export interface EventsValue {
  readonly timeMs: number;
  /** Newest first. */
  readonly events: readonly EventValue[];
}

export interface ExplainValue {
  readonly steps: readonly { readonly step: string; readonly value: string }[];
}

export interface ActionValue {
  readonly message: string;
}

export interface ProblemValue {
  readonly error: string;
}
