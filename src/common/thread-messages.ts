/** Everything that main thread and workers say to each other. Plain data: it crosses by structured clone. */

import type { CommitDoubt, CommitTruth } from './commit-outcome.ts';
import type { InspectAnswer, InspectRequest } from './inspection.ts';
import type { ListeningSocket } from './listening-socket.ts';
import type { SharedCounterBuffers } from './shared-counters.ts';
import type { SharedGtidBuffers } from './shared-gtids.ts';
import type { SharedMeasurementBuffers } from './shared-measurements.ts';
import type { SharedStatisticsBuffers } from './shared-statistics.ts';
import type { Snapshot } from './snapshot.ts';
import type { TableEpochBuffers } from './table-epochs.ts';
import type { ReportTaken, WorkerReport } from './worker-report.ts';

export interface WorkerStart {
  readonly workerIndex: number;
  /** How many there are. */
  readonly workers: number;
  readonly counters: SharedCounterBuffers;
  readonly statistics: SharedStatisticsBuffers;
  readonly measurements: SharedMeasurementBuffers;
  readonly gtids: SharedGtidBuffers;
  readonly epochs: TableEpochBuffers;
  readonly snapshot: Snapshot;
  readonly listen: {
    readonly host: string;
    readonly port: number;
    /** Further TCP addresses. */
    readonly more: readonly { readonly host: string; readonly port: number }[];
    /** Paths of Unix sockets; each is one worker's, the n-th the n-th one's. */
    readonly sockets: readonly string[];
    readonly socketMode: number;
  };
  /** Sockets of the process before this one that this worker is to open. */
  readonly inherited: readonly ListeningSocket[];
  /** Private and public key in PEM, for caching_sha2_password without TLS. */
  readonly rsaKey: { readonly privateKey: string; readonly publicKey: string };
}

export const StopMode = {
  /** Let statements and transactions end, up to the limit. */
  graceful: 'graceful',
  immediate: 'immediate',
} as const;
export type StopMode = (typeof StopMode)[keyof typeof StopMode];

export const KillOutcome = { killed: 'killed', denied: 'denied', unknown: 'unknown' } as const;
export type KillOutcome = (typeof KillOutcome)[keyof typeof KillOutcome];

/**
 * KILL of a connection that another worker may have: the id of a client, or the thread id of a connection to the
 * primary that serves one. `requestId` is unique within the worker that asks.
 */
export interface KillRequest {
  readonly type: 'kill';
  readonly requestId: number;
  readonly fromWorker: number;
  readonly connectionId: number;
  readonly queryOnly: boolean;
  readonly username: string;
  /** Who asks may kill sessions of other users. */
  readonly ofAll: boolean;
  /** MariaDB's KILL USER: all sessions of this user instead of one; each worker answers `unknown` when it is done. */
  readonly allOfUser: string | null;
}

export interface KillAnswer {
  readonly type: 'killAnswer';
  readonly requestId: number;
  readonly fromWorker: number;
  readonly outcome: KillOutcome;
}

/** SHOW PROCESSLIST: who is there, in the other workers. */
export interface SessionListRequest {
  readonly type: 'listSessions';
  readonly requestId: number;
  readonly fromWorker: number;
}

/** One client that has logged in. */
export interface SessionDescription {
  readonly id: number;
  readonly user: string;
  /** As servers show it: `address:port`. */
  readonly host: string;
  readonly schema: string | null;
  readonly isBusy: boolean;
  /** Since the last byte came from the client. */
  readonly seconds: number;
  /** What runs, where that is known. */
  readonly info: string | null;
  /** Of the primary's connection that it has for itself now, 0 for none. */
  readonly threadId: number;
}

export interface SessionList {
  readonly type: 'sessionList';
  readonly requestId: number;
  readonly fromWorker: number;
  readonly sessions: readonly SessionDescription[];
  /** Thread ids of the worker's connections to the primary. */
  readonly threads: readonly number[];
}

export interface SessionLists {
  readonly type: 'sessionLists';
  readonly requestId: number;
  /** Of the other workers. */
  readonly lists: readonly SessionList[];
}

/** EXPLAIN ROUTE: a worker is asked, since it is a worker that decides. */
export interface ExplainRequest {
  readonly type: 'explain';
  readonly requestId: number;
  readonly statement: string;
  readonly schema: string | null;
  /** Whose statement it is; null for nobody's in particular. */
  readonly user: string | null;
  readonly clientAddress: string | null;
}

export type ExplainQuestion = Omit<ExplainRequest, 'type' | 'requestId'>;

export interface ExplainStep {
  readonly step: string;
  readonly value: string;
  /** Every worker has one of its own. */
  readonly isOfWorker?: true;
}

export interface ExplainAnswer {
  readonly type: 'explained';
  readonly requestId: number;
  readonly steps: readonly ExplainStep[];
}

/** What a planned change of the primary waits for. */
export interface DrainingSession {
  readonly worker: number;
  readonly connectionId: number;
  readonly user: string;
  readonly client: string;
  /** `transaction`, `statement`, or the pins that bind it to its connection. */
  readonly reasons: readonly string[];
  /** Since when the transaction is open or the statement runs; milliseconds since the epoch, null where not known. */
  readonly sinceMs: number | null;
  readonly serverThreadId: number;
}

/** While writes are held: what is left on the primary. Sent when it is nothing, and when somebody asks. */
export interface DrainReport {
  readonly type: 'draining';
  readonly hold: number;
  readonly left: number;
  /** The first ones of them. */
  readonly sessions: readonly DrainingSession[];
}

/** The answer to a COMMIT was lost: is it there? Its tag is unlike any other. */
export interface CommitInDoubt {
  readonly type: 'commitInDoubt';
  readonly doubt: CommitDoubt;
}

export interface CommitResolved {
  readonly type: 'commitResolved';
  readonly tag: string;
  readonly truth: CommitTruth;
}

/**
 * A write whose connection has gone: the server may carry it out, or may have done so. What it has in flux, which is in the
 * ledger of the worker, is the main thread's from now on.
 */
export interface WriteInDoubt {
  readonly type: 'writeInDoubt';
  readonly address: string;
  /** null: it has been answered, and the server carries it out later. */
  readonly threadId: number | null;
  /** Each as often as it was taken. */
  readonly slots: readonly number[];
  /** It may change which tables belong together. */
  readonly isSchema: boolean;
}

/** Another process has the sockets: no new clients, those that are there end when it costs them nothing, or at the limit. */
export interface HandOverOrder {
  readonly type: 'handOver';
  /** Idle for this long, at the beginning; less and less until `drainMs` is over. */
  readonly idleMs: number;
  readonly drainMs: number;
}

/** What is cached of one of them is thrown away; both null: everything, which shared memory says as well. */
export interface FlushCacheOrder {
  readonly type: 'flushCache';
  /** Slot of its name. */
  readonly table: number | null;
  /** Its name. */
  readonly digest: string | null;
}

export type ToWorker =
  /** Who is in the way of this hold? */
  | { readonly type: 'whoDrains'; readonly hold: number }
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot }
  | { readonly type: 'stop'; readonly mode: StopMode }
  /** Where does it listen? */
  | { readonly type: 'whichSockets' }
  | HandOverOrder
  /** From now on it watches what a cache could do. */
  | { readonly type: 'watchCache' }
  | FlushCacheOrder
  | ExplainRequest
  | SessionListRequest
  | SessionLists
  | InspectRequest
  | ReportTaken
  | KillRequest
  | KillAnswer
  | CommitResolved;

export type FromWorker =
  | { readonly type: 'listening'; readonly host: string; readonly port: number }
  | { readonly type: 'listenFailed'; readonly message: string }
  /** It was told to let clients in, and does; but for what cannot be opened. */
  | { readonly type: 'accepting'; readonly failures: readonly string[] }
  | { readonly type: 'sockets'; readonly sockets: readonly ListeningSocket[] }
  /** A server could not be reached or broke a connection: an immediate check, please. */
  | { readonly type: 'serverFailure'; readonly address: string; readonly reason: string }
  /** The primary says that it is read-only: who is it now? */
  | { readonly type: 'primaryRefuses'; readonly address: string }
  /** A statement that may have changed views has run. */
  | { readonly type: 'viewsChanged' }
  /** Of such a statement; everything that the worker has in flux for it is the main thread's from now on. */
  | { readonly type: 'schemaInFlux' }
  /** The accounts may be others than in the snapshot: somebody has changed them, or could not log in. */
  | { readonly type: 'accountsWanted' }
  /** Something was written of which nobody knows the GTID: where is the primary? */
  | { readonly type: 'gtidsWanted' }
  /** A hint asks for results that are proven fresh: writes around Sluice must be seen. */
  | { readonly type: 'strongWanted' }
  | { readonly type: 'applied'; readonly version: number }
  | KillRequest
  | KillAnswer
  | ExplainAnswer
  | SessionListRequest
  | SessionList
  | InspectAnswer
  | WorkerReport
  | DrainReport
  | CommitInDoubt
  | WriteInDoubt
  | { readonly type: 'drained' };
