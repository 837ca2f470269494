/**
 * What is known about one backend server: a value, replaced as a whole when a check learns something.
 * Pure: both threads use it, nothing here touches a socket.
 */

import type { LagSource } from './lag.ts';

/** `host:port`, IPv6 hosts in brackets. Unique within a topology. */
export type ServerAddress = string;

export const ServerFlavor = { mysql: 'mysql', mariadb: 'mariadb' } as const;
export type ServerFlavor = (typeof ServerFlavor)[keyof typeof ServerFlavor];

/** Measured, not declared: `read_only` and the replication source decide. */
export const ServerRole = { primary: 'primary', replica: 'replica', unknown: 'unknown' } as const;
export type ServerRole = (typeof ServerRole)[keyof typeof ServerRole];

/** ProxySQL's words for operators. */
export const ServerStatus = {
  ONLINE: 'ONLINE',
  SHUNNED: 'SHUNNED',
  OFFLINE_SOFT: 'OFFLINE_SOFT',
  OFFLINE_HARD: 'OFFLINE_HARD',
} as const;
export type ServerStatus = (typeof ServerStatus)[keyof typeof ServerStatus];

/** MySQL's words for `--ssl-mode`. */
export const TlsMode = {
  DISABLED: 'DISABLED',
  /** TLS if the server offers it. */
  PREFERRED: 'PREFERRED',
  REQUIRED: 'REQUIRED',
  /** And the certificate is signed by a known authority. */
  VERIFY_CA: 'VERIFY_CA',
  /** And it is the server's own. */
  VERIFY_IDENTITY: 'VERIFY_IDENTITY',
} as const;
export type TlsMode = (typeof TlsMode)[keyof typeof TlsMode];

/** How to talk to one server. Certificates, keys and authorities as configured: a path, or PEM text. */
export interface ServerTls {
  readonly mode: TlsMode;
  readonly ca: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
  /** Instead of the host's name. */
  readonly serverName: string | null;
}

export const WITHOUT_TLS: ServerTls = {
  mode: TlsMode.DISABLED,
  ca: null,
  certificate: null,
  key: null,
  serverName: null,
};

const BY_STRICTNESS: readonly TlsMode[] = [
  TlsMode.DISABLED,
  TlsMode.PREFERRED,
  TlsMode.REQUIRED,
  TlsMode.VERIFY_CA,
  TlsMode.VERIFY_IDENTITY,
];

/** The strictest of them. */
export function tlsForAll(known: Iterable<ServerTls>): ServerTls {
  let strictest: ServerTls | null = null;
  for (const tls of known) {
    const isStricter =
      strictest === null || BY_STRICTNESS.indexOf(tls.mode) > BY_STRICTNESS.indexOf(strictest.mode);
    if (isStricter) strictest = tls;
  }
  return strictest ?? WITHOUT_TLS;
}

/** For a server that no configuration names: none of those that are named is talked to more strictly. */
export function tlsForDiscovered(known: Iterable<ServerTls>): ServerTls {
  const strictest = tlsForAll(known);
  // It has a name of its own.
  return strictest.serverName === null ? strictest : { ...strictest, serverName: null };
}

export function isSameTls(a: ServerTls, b: ServerTls): boolean {
  return (
    a.mode === b.mode &&
    a.ca === b.ca &&
    a.certificate === b.certificate &&
    a.key === b.key &&
    a.serverName === b.serverName
  );
}

export interface ServerDescription {
  readonly address: ServerAddress;
  readonly host: string;
  readonly port: number;
  readonly status: ServerStatus;
  /** Why the status is what it is, for logs and admin; empty when ONLINE. */
  readonly statusReason: string;
  readonly role: ServerRole;
  readonly hostgroup: number;
  readonly weight: number;
  /** Over all workers together; 0 means no limit. */
  readonly maxConnections: number;
  readonly maxReplicationLagMs: number;
  readonly tls: ServerTls;
  /** `seed` servers are in the configuration, `discovered` ones were found through replication. */
  readonly origin: 'seed' | 'discovered';
  /** As the server's handshake says it, `''` until the first successful check. */
  readonly version: string;
  readonly flavor: ServerFlavor;
  /** e.g. 100620 for MariaDB 10.6.20, 50729 for MySQL 5.7.29; 0 until known. */
  readonly versionId: number;
  /** Whether the server knows `session_track_system_variables` (design: fall back to pinning where not). */
  readonly sessionTracking: boolean;
  readonly readOnly: boolean | null;
  readonly serverUuid: string | null;
  readonly serverId: number | null;
  /** The address this server replicates from, as it reports it, or null. */
  readonly source: ServerAddress | null;
  readonly replicationRunning: boolean | null;
  /** Milliseconds behind the primary, null when not known or not a replica. */
  readonly lagMs: number | null;
  /** How that was measured. */
  readonly lagSource: LagSource | null;
  /** The limits (`max_replication_lag`) that it is lagging over; null while its lag was never known. */
  readonly laggingOver: readonly number[] | null;
  /** Of the monitor's pings, smoothed; null until measured. */
  readonly latencyMs: number | null;
  /** Executed GTID set in the server's own dialect, `''` when unknown. */
  readonly gtidExecuted: string;
}
