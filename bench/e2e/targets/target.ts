/** A way to the servers that the bench measures: straight, or through a proxy that it starts and stops. */

import type { ReplicationSet } from '../../../test/support/replication-set.ts';
import type { ConfigObject } from '../../../test/support/sluice-process.ts';

export const TargetName = {
  direct: 'direct',
  haproxy: 'haproxy',
  sluice: 'sluice',
  /** Another Sluice to compare with: an older checkout, or this one with other settings. */
  base: 'base',
  proxysql: 'proxysql',
} as const;
export type TargetName = (typeof TargetName)[keyof typeof TargetName];

export interface BaseSluice {
  /** Its checkout. */
  readonly directory: string;
  readonly args: readonly string[];
}

export interface TargetOptions {
  readonly set: ReplicationSet;
  /** Threads that move bytes: HAProxy's `nbthread`, Sluice's `workers`, ProxySQL's `threads`. */
  readonly threads: number;
  /** Most clients that one measurement has at work at the same time. */
  readonly maxBusyClients: number;
  /** More arguments for Sluice. */
  readonly sluiceArgs: readonly string[];
  /** What `base` is; null when it is not to be measured. */
  readonly base: BaseSluice | null;
  /** Laid over Sluice's configuration. */
  readonly sluiceConfig?: ConfigObject;
  /** ProxySQL's: how long it keeps results; it keeps none unless told. */
  readonly proxysqlCacheTtlMs?: number;
  /** ProxySQL's binary; null when it is not to be measured. */
  readonly proxysqlBinary: string | null;
}

export interface Target {
  readonly name: TargetName;
  readonly port: number;
  /** The proxy's process; null for `direct`. */
  readonly pid: number | null;
  /** Where the files of a client in TLS are; null where TLS is not measured. */
  readonly tlsDirectory: string | null;
  /** e.g. `HAProxy version 2.6.12 …`; for the report. */
  readonly version: string;
  /** How it was set up, in one line; for the report. */
  readonly setup: string;
  stop(): Promise<void>;
}
