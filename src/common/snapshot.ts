/**
 * The one value that the control plane hands to the workers: everything a statement's way depends on, frozen,
 * with a version number. A worker swaps its reference between two packets; a session sees one snapshot per
 * statement. It crosses threads by structured clone, so it holds plain data only.
 */

import type { RuledHostgroup } from '../topology/hostgroup-membership.ts';
import type { ServerDescription, ServerFlavor, TlsMode } from '../topology/server-description.ts';
import type { CacheSettings } from './cache-settings.ts';
import type { CausalLevel } from './causal-level.ts';
import type { GtidSource } from './gtid-position.ts';
import type { LogThreshold } from './logger.ts';

/** What changes with every check, and workers do not decide by: with it, every check would make a new snapshot. */
type MeasuredAllTheTime = 'lagMs' | 'lagSource' | 'laggingOver' | 'latencyMs' | 'gtidExecuted';

/** A backend server together with its place in the shared counters. */
export interface SnapshotServer extends Omit<ServerDescription, MeasuredAllTheTime> {
  /** Index into `SharedCounters`; never reused for another address while the process lives. */
  readonly slot: number;
  readonly backendTls: BackendTls;
}

/** What the account needs of its client's connection, in the words of `CREATE USER … REQUIRE`. */
export const TlsRequirement = { NONE: 'NONE', SSL: 'SSL', X509: 'X509' } as const;
export type TlsRequirement = (typeof TlsRequirement)[keyof typeof TlsRequirement];

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** TLS towards one server, with everything in PEM. */
export interface BackendTls {
  readonly mode: TlsMode;
  /** null: the system's authorities. */
  readonly ca: string | null;
  readonly certificate: string | null;
  readonly key: string | null;
  readonly minVersion: TlsVersion;
  /** The name that is sent and, with VERIFY_IDENTITY, expected. */
  readonly serverName: string;
}

/** TLS towards clients, with everything in PEM. */
export interface ClientTls {
  readonly certificate: string;
  readonly key: string;
  /** Not null: clients are asked for a certificate that it has signed. */
  readonly ca: string | null;
  readonly minVersion: TlsVersion;
  /** Nobody logs in without, but through a Unix socket. */
  readonly required: boolean;
  /** 48 bytes, the same in all workers: a session that began in one goes on in another. */
  readonly ticketKeys: Uint8Array;
}

/** What holds for all accounts, as the primary has it. */
export interface AccountPolicy {
  /** Whose words refusals are in; null while no server has been asked. */
  readonly flavor: ServerFlavor | null;
  /** Loopback addresses are `localhost`: the server has no `skip_name_resolve`. */
  readonly resolvesLoopback: boolean;
  /** Whether clients that do not know of expired passwords are sent away. */
  readonly disconnectsExpired: boolean;
  /** `max_user_connections`; 0 for no limit. */
  readonly maxUserConnections: number;
}

export interface SnapshotAccounts {
  /** For `AccountTable`. Shared, and never changed: another one takes its place. */
  readonly table: SharedArrayBuffer;
  /** `Gauge.accountsEpoch` before the accounts were read: with another value now they may be out of date. */
  readonly epoch: number;
  /** `unread`: those of the primary are wanted and not known. */
  readonly source: 'listed' | 'unread' | 'read';
  /** '' unless unread. */
  readonly unreadReason: string;
  readonly policy: AccountPolicy;
  /** Whether the servers' limits for connections of one account hold for clients. */
  readonly serverConnectionLimits: boolean;
}

/** What is known of views: a view is as safe to read on a replica as what its definition calls. */
export interface SnapshotCatalog {
  /** False until a complete list was read; reads of tables are not proven before that. */
  readonly complete: boolean;
  /** Why it is not complete, for logs and EXPLAIN ROUTE; empty when it is. */
  readonly incompleteReason: string;
  /** `schema.view` (lower case) of every view whose definition is not proven to be free of side effects. */
  readonly unsafeViews: readonly string[];
  /**
   * Likewise of every view and table whose answers may be others though nobody has written: its definition, or a generated
   * column, calls something like NOW(), or it is unsafe. null: not known.
   */
  readonly varying: readonly string[] | null;
  /** Of those with values of the type TIME. null: not known. */
  readonly timesOfDay: readonly TimedTable[] | null;
  readonly tables: SnapshotTables;
}

/** A table or view with values of the type TIME: made a DATETIME, they are of the current day. */
export interface TimedTable {
  /** `schema.table` (lower case). */
  readonly name: string;
  /** In lower case: who does nothing with these gets values as they are stored. null: any value may be made of one. */
  readonly columns: readonly string[] | null;
}

/** Which tables belong together: views and their base tables, triggers, cascades. */
export interface SnapshotTables {
  /** Another one for every change. */
  readonly version: number;
  /** False until a complete list was read: any table may be related to any other. */
  readonly complete: boolean;
  /** Empty when it is complete. */
  readonly incompleteReason: string;
  /** For `TableRelations`. Shared, and never changed: another one takes its place. */
  readonly relations: SharedArrayBuffer | null;
  readonly keys: SnapshotKeys;
}

/** By which unique keys rows are told apart. */
export interface SnapshotKeys {
  /** Another one for each time that they were read. */
  readonly version: number;
  /** For `KeyCatalog`. Shared, and never changed. */
  readonly catalog: SharedArrayBuffer | null;
  /** `TableEpochs.definitions` before they were read: with another value now they may be out of date. */
  readonly definitions: number;
}

/** No number of `TableEpochs.definitions`. */
const NEVER_READ = -1;
export const NO_KEYS: SnapshotKeys = Object.freeze({ version: 0, catalog: null, definitions: NEVER_READ });

export const NO_TABLES: SnapshotTables = Object.freeze({
  version: 0,
  complete: false,
  incompleteReason: 'the triggers and foreign keys have not been read yet',
  relations: null,
  keys: NO_KEYS,
});

/** Query rules, fast routing, the firewall and shadow rules. */
export interface SnapshotRules {
  /** Another one for every change; topology changes leave it. */
  readonly version: number;
  /** A `QueryRuleSet` (see rule-set-encoding.ts), decoded by a worker when the version is new; null: none. */
  readonly encoded: SharedArrayBuffer | null;
  /** How often rules have matched, worker by worker; see `RuleHits`. */
  readonly hits: SharedArrayBuffer | null;
  /** Of the rate limits, for all workers; see `RateBuckets`. */
  readonly buckets: SharedArrayBuffer | null;
}

export const NO_SNAPSHOT_RULES: SnapshotRules = Object.freeze({
  version: 0,
  encoded: null,
  hits: null,
  buckets: null,
});

export interface SnapshotSettings {
  readonly pool: {
    readonly maxConnections: number;
    readonly minIdle: number;
    readonly idleTimeoutMs: number;
    readonly maxLifetimeMs: number;
    readonly connectTimeoutMs: number;
    readonly maxConnecting: number;
    readonly waitTimeoutMs: number;
    readonly waitQueueLength: number;
    readonly pipelineDepth: number;
    readonly maxStatementsPerConnection: number;
  };
  readonly limits: {
    readonly maxConnections: number;
    readonly maxPacketBytes: number;
    readonly handshakeTimeoutMs: number;
    readonly loginDelayMs: number;
    readonly loginDelayMaxMs: number;
    readonly idleTimeoutMs: number;
    readonly shutdownGraceMs: number;
    readonly noServerWaitMs: number;
    /** Per worker. */
    readonly heldBytes: number;
    /** 0: none. */
    readonly queryTimeoutMs: number;
    readonly digestCacheEntries: number;
    readonly writeBufferBytes: number;
    readonly maxPreparedStatements: number;
    readonly maxPreparedBytes: number;
    readonly ruleTextBytes: number;
    readonly routeRingEntries: number;
  };
  readonly routing: {
    readonly readsOnPrimary: 'fallback' | 'share';
    readonly whenAllLag: 'primary' | 'least-lagged' | 'error';
    /** Over all workers; 0: no limit. */
    readonly lagFallbackMaxReads: number;
    readonly trustViews: boolean;
    /** '': none is known. */
    readonly zone: string;
    /** Per worker. */
    readonly mirrorConcurrency: number;
  };
  readonly causalReads: { readonly level: CausalLevel; readonly waitMs: number };
  readonly cache: CacheSettings;
  readonly statistics: {
    readonly enabled: boolean;
    readonly digestEntries: number;
    readonly digestBytes: number;
    readonly digestTextBytes: number;
    readonly trackClientAddress: boolean;
    readonly errorEntries: number;
    readonly longQueryMs: number;
  };
  readonly transactionReplay: {
    readonly enabled: boolean;
    readonly maxBytes: number;
    readonly maxStatements: number;
    readonly maxWorkerBytes: number;
  };
  readonly logLevel: LogThreshold;
  readonly slowQueryLog: {
    readonly enabled: boolean;
    readonly thresholdMs: number;
    readonly sampleEvery: number;
    readonly literals: boolean;
    readonly maxTextBytes: number;
    readonly queueLength: number;
  };
  readonly auditLog: { readonly clients: boolean; readonly queueLength: number };
  readonly tracing: {
    readonly enabled: boolean;
    readonly sampleEvery: number;
    readonly queueLength: number;
  };
  readonly hostgroups: { readonly writer: number; readonly reader: number };
  /** From where a PROXY header is believed; see the configuration. */
  readonly proxyNetworks: readonly string[];
  /** Offered to clients. */
  readonly compression: boolean;
  /** Transactions are marked, so that a COMMIT whose answer is lost can be looked for. */
  readonly resolveCommits: boolean;
}

/** Whether workers begin anything new on the primary that is not a plain read. */
export const WritesState = { open: 'open', held: 'held' } as const;
export type WritesState = (typeof WritesState)[keyof typeof WritesState];

export interface SnapshotWrites {
  /** One more with each new primary, whoever has moved it; 0 before the first one. */
  readonly term: number;
  readonly state: WritesState;
  /** A server that was given up: nobody is connected to it, whatever it says of itself; null for none. */
  readonly fenced: string | null;
  /** Counts the holds. */
  readonly hold: number;
  /** Milliseconds since the epoch after which workers take a hold for ended: there is none for ever. */
  readonly holdUntil: number;
}

export interface Snapshot {
  readonly version: number;
  readonly writes: SnapshotWrites;
  readonly servers: readonly SnapshotServer[];
  /** By number. */
  readonly hostgroups: readonly RuledHostgroup[];
  readonly accounts: SnapshotAccounts;
  readonly catalog: SnapshotCatalog;
  /** `Gauge.viewsEpoch` before the catalogue was read: with another value now it may be out of date. */
  readonly catalogEpoch: number;
  /** `Gauge.relationsEpoch` likewise: with another value now, which tables belong together may be out of date. */
  readonly relationsEpoch: number;
  /** The last ones, the current one at the end; empty where the primary makes no GTIDs, or none is known. */
  readonly gtidSources: readonly GtidSource[];
  readonly settings: SnapshotSettings;
  readonly rules: SnapshotRules;
  /** Whether new clients are let in; those that are there go on in any case. */
  readonly accepting: boolean;
  /** null: not offered. */
  readonly clientTls: ClientTls | null;
  /** What the handshake announces: the primary's own version string, else a default. */
  readonly serverVersion: string;
}
