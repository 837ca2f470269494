/** What the bench asks its load process to do, and what that answers: plain data, over the IPC channel. */

import type { SysbenchEndpoint } from '../sysbench.ts';
import type { LatencyReport } from './latencies.ts';

export type LoadJob =
  /** Connect, one query, close: each client again and again for so long. */
  | {
      readonly kind: 'churn';
      readonly endpoint: SysbenchEndpoint;
      readonly clients: number;
      readonly seconds: number;
    }
  /** So many clients that have run one query each and then do nothing, until told to finish. */
  | { readonly kind: 'idle'; readonly endpoint: SysbenchEndpoint; readonly clients: number }
  /** One statement; reading stops for `stallMs` after `stallAfterBytes` (0: never). */
  | {
      readonly kind: 'bigResult';
      readonly endpoint: SysbenchEndpoint;
      readonly sql: string;
      readonly stallAfterBytes: number;
      readonly stallMs: number;
    }
  /** So many statements, no two with the same digest, over all clients together. */
  | {
      readonly kind: 'flood';
      readonly endpoint: SysbenchEndpoint;
      readonly clients: number;
      readonly statements: number;
      readonly maxSeconds: number;
      readonly rows: number;
    }
  /** So many statements, no two alike, each prepared, executed once and closed. */
  | {
      readonly kind: 'prepares';
      readonly endpoint: SysbenchEndpoint;
      readonly clients: number;
      readonly firstNumber: number;
      readonly statements: number;
    }
  /** Point selects with a pause after each, until told to finish. */
  | {
      readonly kind: 'steady';
      readonly endpoint: SysbenchEndpoint;
      readonly clients: number;
      readonly thinkMs: number;
      readonly rows: number;
    };

export type LoadCommand = { readonly kind: 'start'; readonly job: LoadJob } | { readonly kind: 'finish' };

export type LoadMessage =
  /** `idle`: all clients are connected. `steady`: all clients are connected and have begun. */
  | { readonly kind: 'reached' }
  | { readonly kind: 'done'; readonly result: LoadResult }
  | { readonly kind: 'failed'; readonly message: string };

export interface LoadResult {
  readonly operations: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly latency: LatencyReport;
}
