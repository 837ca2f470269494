/**
 * What workers have to tell that somebody wrote down or sent on: lines of the log, slow statements, clients that come
 * and go, spans of traces. They send it in batches and count what the main thread has taken, so that a main thread that stands still
 * costs what has a limit; beyond that reports are dropped, and how many is told.
 */

import type { RouteRecord } from './inspection.ts';

export const ReportStream = {
  logLines: 'logLines',
  slowQueries: 'slowQueries',
  clientEvents: 'clientEvents',
  spans: 'spans',
} as const;
export type ReportStream = (typeof ReportStream)[keyof typeof ReportStream];

/** A line of the log, its fields plain. */
export interface LogLineRecord {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

export interface SlowQueryRecord {
  readonly route: RouteRecord;
  /** With its literals; null unless they are wanted. */
  readonly text: string | null;
}

export const ClientEventKind = {
  login: 'login',
  loginRefused: 'login-refused',
  changeUser: 'change-user',
  changeUserRefused: 'change-user-refused',
  end: 'end',
} as const;
export type ClientEventKind = (typeof ClientEventKind)[keyof typeof ClientEventKind];

export interface ClientEvent {
  readonly kind: ClientEventKind;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  readonly connectionId: number;
  readonly username: string;
  /** `address:port`. */
  readonly client: string;
  readonly schema: string | null;
  readonly tls: boolean;
  /** Of a refusal, or how a session ended. */
  readonly reason: string | null;
  readonly errno: number;
}

/** The span that a `traceparent` names. */
export interface TraceParent {
  /** 32 hexadecimal digits, in small letters. */
  readonly traceId: string;
  /** 16 of them. */
  readonly spanId: string;
  readonly sampled: boolean;
}

export interface SpanRecord {
  readonly route: RouteRecord;
  /** What kind of servers there are. */
  readonly flavor: 'mysql' | 'mariadb';
  /** null: the span begins a trace. */
  readonly parent: TraceParent | null;
}

export interface ReportRecords {
  readonly logLines: LogLineRecord;
  readonly slowQueries: SlowQueryRecord;
  readonly clientEvents: ClientEvent;
  readonly spans: SpanRecord;
}

export type WorkerReport = {
  readonly [S in ReportStream]: {
    readonly type: 'report';
    readonly stream: S;
    readonly records: readonly ReportRecords[S][];
    /** Dropped since the batch before, for want of room. */
    readonly dropped: number;
  };
}[ReportStream];

/** What is not for the log, but for those who look after Sluice. */
export type OperatorReport = Exclude<WorkerReport, { readonly stream: typeof ReportStream.logLines }>;

/** The main thread has taken so many records. */
export interface ReportTaken {
  readonly type: 'reportTaken';
  readonly stream: ReportStream;
  readonly count: number;
}
