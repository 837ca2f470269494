/** What the control plane asks workers about their sessions, and their answers: values of one moment. */

import type { ShadowRecord } from './shadow-report.ts';

export const InspectSubject = {
  /** All sessions. */
  sessions: 'sessions',
  /** Those that are pinned. */
  pins: 'pins',
  /** The last statements. */
  routes: 'routes',
  /** What is counted of digests. */
  digests: 'digests',
  /** The errors that statements have ended with. */
  errors: 'errors',
  /** Prepared statements of clients. */
  prepared: 'prepared',
  /** Connections to servers that nobody uses now. */
  idleConnections: 'idleConnections',
  /** What shadow rules would change. */
  shadow: 'shadow',
  /** What the result cache has done, digest by digest. */
  cache: 'cache',
  /** What the result cache could do, as watched since `watchCache`; the watching ends. */
  cacheAdvice: 'cacheAdvice',
} as const;
export type InspectSubject = (typeof InspectSubject)[keyof typeof InspectSubject];

export interface Inspection {
  readonly subject: InspectSubject;
  /** Only this session; null for all. */
  readonly connectionId: number | null;
  /** Most rows of one worker: of statements the last ones; of digests and errors it gives all. */
  readonly limit: number;
  /** Digests, errors: what is told is forgotten, in the same moment. */
  readonly reset?: boolean;
}

export interface InspectRequest extends Inspection {
  readonly type: 'inspect';
  readonly requestId: number;
}

/** What is found: of the subject that was asked for, and nothing of the others. */
export interface InspectRecords {
  readonly sessions: readonly SessionRecord[];
  readonly routes: readonly RouteRecord[];
  readonly digests: readonly DigestRecord[];
  readonly errors: readonly ErrorRecord[];
  readonly shadow: readonly ShadowRecord[];
  readonly prepared: readonly PreparedRecord[];
  readonly idleConnections: readonly IdleConnectionRecord[];
  readonly cache: readonly CacheRecord[];
  readonly cacheAdvice: readonly CacheAdvice[];
}

export const NO_RECORDS: InspectRecords = Object.freeze({
  sessions: [],
  routes: [],
  digests: [],
  errors: [],
  shadow: [],
  prepared: [],
  idleConnections: [],
  cache: [],
  cacheAdvice: [],
});

/** A part of an answer; workers send large ones in several, so that their clients wait for none. */
export interface InspectAnswer extends InspectRecords {
  readonly type: 'inspected';
  readonly requestId: number;
  readonly isLast: boolean;
}

export interface PinRecord {
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
}

/** A client's session. Times are milliseconds since the epoch. */
export interface SessionRecord {
  readonly worker: number;
  readonly connectionId: number;
  readonly username: string;
  /** `host:port`; empty for a Unix socket. */
  readonly client: string;
  readonly schema: string | null;
  /** `idle`, `infile`, `closed`, or the phase of the command that runs. */
  readonly state: string;
  /** Since when the command runs, or none does. */
  readonly stateSinceMs: number;
  readonly connectedSinceMs: number;
  readonly inTransaction: boolean;
  /** null outside of one. */
  readonly transactionSinceMs: number | null;
  readonly pins: readonly PinRecord[];
  /** Of the connection that it has for itself now; null where it has none. */
  readonly server: string | null;
  readonly serverThreadId: number | null;
  /** Statements up to now. */
  readonly statements: number;
  readonly preparedStatements: number;
  /** Bytes that the client has not taken. */
  readonly unsentBytes: number;
  readonly target: string;
  readonly reason: string;
  /** Digest of the statement that runs, or ran last. */
  readonly digestText: string;
}

/** A statement that has ended, without any of its literals. */
export interface RouteRecord {
  readonly worker: number;
  /** 1 for the first statement of the worker. */
  readonly sequence: number;
  /** When it came; milliseconds since the epoch, with fractions. */
  readonly timeMs: number;
  readonly connectionId: number;
  readonly username: string;
  readonly client: string;
  readonly schema: string | null;
  /** As the protocol calls it, e.g. `COM_QUERY`. */
  readonly command: string;
  readonly target: string;
  readonly reason: string;
  /** Of the statement's class; empty for a command that is no statement. */
  readonly classReason: string;
  /** What made the reason: a function, the pins. */
  readonly detail: string;
  /** Numbers of the query rules that have matched. */
  readonly rules: readonly number[];
  /** null where Sluice answered itself, or found no server. */
  readonly hostgroup: number | null;
  readonly server: string | null;
  readonly serverThreadId: number | null;
  /** `held`, `previous`, `pipelined` or `own` (see SHOW ROUTES). */
  readonly connection: string;
  /** Session state was sent in front. */
  readonly aligned: boolean;
  readonly reprepared: boolean;
  /** 1 unless it was sent again. */
  readonly attempts: number;
  /** For a connection, or for a server. */
  readonly waitMicros: number;
  /** From its arrival to the end of its answer. */
  readonly durationMicros: number;
  /** Of the last result set; null without one. */
  readonly rowsSent: number | null;
  /** null with a result set. */
  readonly rowsAffected: number | null;
  readonly bytes: number;
  readonly errno: number;
  /** The client was gone before the end. */
  readonly abandoned: boolean;
  /** What pins the session behind it. */
  readonly pins: readonly string[];
  readonly digest: string;
  readonly digestText: string;
}

/** What one worker has counted of a digest, of one user in one schema. Moments are seconds since the epoch. */
export interface DigestRecord {
  readonly worker: number;
  /** -1 where no server was needed. */
  readonly hostgroup: number;
  readonly schema: string;
  readonly username: string;
  /** '' unless addresses are told apart. */
  readonly clientAddress: string;
  readonly digest: string;
  readonly digestText: string;
  /** Exact since the digest has got its place. */
  readonly count: number;
  /** So many more it may have been before. */
  readonly countError: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly sumMicros: number;
  readonly minMicros: number;
  readonly maxMicros: number;
  readonly waitMicros: number;
  readonly rowsAffected: number;
  readonly rowsSent: number;
  readonly bytes: number;
  readonly errors: number;
  /** Where the last one went, and why: a place of `ROUTE_SLOTS`; -1 for none. */
  readonly routeSlot: number;
  /** Step of `DIGEST_SCALE`, count, step, count, … */
  readonly histogram: readonly number[];
}

/** An error that statements have ended with. Moments are seconds since the epoch. */
export interface ErrorRecord {
  /** -1 where no server was reached. */
  readonly hostgroup: number;
  /** `host:port`; '' for an error of Sluice's own. */
  readonly server: string;
  readonly username: string;
  readonly clientAddress: string;
  readonly schema: string;
  readonly errno: number;
  readonly count: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** The last one, without what stood in quotes. */
  readonly message: string;
}

/** Prepared statements of one digest that clients of one user have in one schema. */
export interface PreparedRecord {
  readonly worker: number;
  readonly schema: string;
  readonly username: string;
  readonly digest: string;
  readonly digestText: string;
  /** How many of them clients have now. */
  readonly clientStatements: number;
  readonly parameters: number;
}

/** A connection to a server that nobody uses now. */
export interface IdleConnectionRecord {
  readonly worker: number;
  /** The server's id of it. */
  readonly serverThreadId: number;
  readonly server: string;
  readonly hostgroup: number;
  readonly username: string;
  readonly schema: string;
  readonly timeZone: string;
  readonly sqlMode: string;
  readonly autocommit: boolean;
  readonly idleMs: number;
  readonly ageMs: number;
  /** Prepared statements that it has. */
  readonly statements: number;
}

/** What the result cache of one worker has done for a digest. Counts are since its start. */
export interface CacheRecord {
  readonly worker: number;
  readonly digest: string;
  readonly digestText: string;
  /** By which its last statement was looked for. */
  readonly class: string;
  readonly source: string;
  /** Now. */
  readonly entries: number;
  readonly bytes: number;
  readonly hits: number;
  readonly misses: number;
  readonly unproven: number;
  readonly stored: number;
  readonly notStored: number;
  /** Of servers, which the hits have not taken. */
  readonly savedMs: number;
  readonly expired: number;
  readonly evicted: number;
  readonly flushed: number;
  /** Entries that writes have ended, by `RaiseCause`. */
  readonly outdated: readonly number[];
}

/** What a worker has seen of a digest while it watched. */
export interface CacheAdvice {
  readonly worker: number;
  readonly digest: string;
  readonly digestText: string;
  readonly watchedMs: number;
  readonly statements: number;
  readonly distinct: number;
  /** Statements that had come before. */
  readonly repeats: number;
  /** Of these, those before which nothing was written to their tables: a cache would have answered them. */
  readonly hits: number;
  /** How often their tables were raised meanwhile. */
  readonly writes: number;
  /** What a server takes for one; 0 while nobody knows. */
  readonly serverMs: number;
  /** What it is cached by already; '' for nothing. */
  readonly cachedBy: string;
}
