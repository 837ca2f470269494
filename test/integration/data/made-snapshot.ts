/** Snapshots as the control plane publishes them, for tests that have no control plane. */

import type { PlacedAccount } from '../../../src/common/account.ts';
import { encodeAccountTable } from '../../../src/common/account-table.ts';
import {
  type BackendTls,
  NO_SNAPSHOT_RULES,
  NO_TABLES,
  type Snapshot,
  type SnapshotAccounts,
  type SnapshotServer,
  type SnapshotSettings,
} from '../../../src/common/snapshot.ts';
import { hostgroupsOf } from '../../../src/topology/hostgroup-membership.ts';
import { TlsMode, WITHOUT_TLS } from '../../../src/topology/server-description.ts';
import { MADE_CACHE_SETTINGS } from '../../support/made-cache-settings.ts';

export const NO_BACKEND_TLS: BackendTls = {
  mode: TlsMode.DISABLED,
  ca: null,
  certificate: null,
  key: null,
  minVersion: 'TLSv1.2',
  serverName: 'localhost',
};

export const POOL_SETTINGS: SnapshotSettings['pool'] = {
  maxConnections: 10,
  minIdle: 0,
  idleTimeoutMs: 60_000,
  maxLifetimeMs: 0,
  connectTimeoutMs: 5000,
  maxConnecting: 10,
  waitTimeoutMs: 10_000,
  waitQueueLength: 100,
  pipelineDepth: 16,
  maxStatementsPerConnection: 100,
};

export function madeServer(address: string, more: Partial<SnapshotServer> = {}): SnapshotServer {
  const separator = address.lastIndexOf(':');
  return {
    address,
    host: address.slice(0, separator),
    port: Number(address.slice(separator + 1)),
    status: 'ONLINE',
    statusReason: '',
    role: 'primary',
    hostgroup: 0,
    weight: 1,
    maxConnections: 0,
    maxReplicationLagMs: 0,
    tls: WITHOUT_TLS,
    origin: 'seed',
    version: '10.11.19-MariaDB',
    flavor: 'mariadb',
    versionId: 101_119,
    sessionTracking: true,
    readOnly: false,
    serverUuid: null,
    serverId: 1,
    source: null,
    replicationRunning: null,
    slot: 0,
    backendTls: NO_BACKEND_TLS,
    ...more,
  };
}

/** Listed accounts, each with its own place. */
export function madeAccounts(
  accounts: readonly { readonly username: string; readonly password: string }[],
): SnapshotAccounts {
  const placed = accounts.map(
    ({ username, password }, slot): PlacedAccount => ({
      username,
      host: '%',
      source: 'config',
      credentials: [{ kind: 'plain', password }],
      plugins: [],
      defaultSchema: null,
      defaultHostgroup: null,
      causalReads: null,
      fastForward: false,
      maxConnections: 0,
      maxUserConnections: 0,
      locked: false,
      expiresAtMs: null,
      requireTls: 'NONE',
      slot,
    }),
  );
  return {
    table: encodeAccountTable(placed, 'mysql'),
    epoch: 0,
    source: 'listed',
    unreadReason: '',
    policy: { flavor: null, resolvesLoopback: false, disconnectsExpired: true, maxUserConnections: 0 },
    serverConnectionLimits: false,
  };
}

export function madeSnapshot(more: Partial<Snapshot> = {}): Snapshot {
  const servers = more.servers ?? [];
  const hostgroups = hostgroupsOf({
    servers: servers.map((server) => ({
      ...server,
      lagMs: null,
      lagSource: null,
      laggingOver: null,
      latencyMs: null,
      gtidExecuted: '',
    })),
    primary: servers.find(({ role }) => role === 'primary')?.address ?? null,
    entries: [],
    pairs: [{ writer: 0, reader: 1 }],
    primaryReads: false,
  }).map((group) => ({
    ...group,
    multiplex: true,
    policy: 'least-connections' as const,
    hashKey: 'statement' as const,
    members: group.members.map((member) => ({ ...member, warming: null })),
  }));
  return {
    version: 1,
    writes: { term: 1, state: 'open', hold: 0, holdUntil: 0, fenced: null },
    servers,
    hostgroups,
    accounts: madeAccounts([]),
    catalogEpoch: 0,
    relationsEpoch: 0,
    rules: NO_SNAPSHOT_RULES,
    gtidSources: [],
    catalog: {
      complete: true,
      incompleteReason: '',
      unsafeViews: [],
      varying: [],
      timesOfDay: [],
      tables: NO_TABLES,
    },
    settings: {
      pool: POOL_SETTINGS,
      limits: {
        maxConnections: 100,
        maxPacketBytes: 64 << 20,
        handshakeTimeoutMs: 5000,
        loginDelayMs: 0,
        loginDelayMaxMs: 0,
        idleTimeoutMs: 28_800_000,
        shutdownGraceMs: 1000,
        noServerWaitMs: 1000,
        heldBytes: 1 << 20,
        queryTimeoutMs: 0,
        digestCacheEntries: 100,
        writeBufferBytes: 1 << 20,
        maxPreparedStatements: 100_000,
        maxPreparedBytes: 1 << 27,
        ruleTextBytes: 65_536,
        routeRingEntries: 1024,
      },
      transactionReplay: { enabled: false, maxBytes: 0, maxStatements: 0, maxWorkerBytes: 0 },
      logLevel: 'info',
      slowQueryLog: {
        enabled: false,
        thresholdMs: 1000,
        sampleEvery: 1,
        literals: false,
        maxTextBytes: 4096,
        queueLength: 1000,
      },
      auditLog: { clients: false, queueLength: 1000 },
      tracing: { enabled: false, sampleEvery: 100, queueLength: 2048 },
      causalReads: { level: 'none', waitMs: 50 },
      cache: MADE_CACHE_SETTINGS,
      routing: {
        readsOnPrimary: 'fallback',
        whenAllLag: 'primary',
        lagFallbackMaxReads: 64,
        trustViews: true,
        mirrorConcurrency: 16,
        zone: '',
      },
      statistics: {
        enabled: true,
        digestEntries: 100,
        digestBytes: 1 << 20,
        digestTextBytes: 2048,
        trackClientAddress: false,
        errorEntries: 100,
        longQueryMs: 1000,
      },
      hostgroups: { writer: 0, reader: 1 },
      proxyNetworks: [],
      compression: true,
      resolveCommits: false,
    },
    accepting: true,
    clientTls: null,
    serverVersion: '10.11.19-MariaDB',
    ...more,
  };
}
