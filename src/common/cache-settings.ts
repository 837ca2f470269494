/** The words of the result cache that control plane and workers share. */

/** How fresh what is served from the cache must be. */
export const CacheClass = {
  /** As the primary would answer; see ARCHITECTURE.md for what holds without a follower. */
  strong: 'strong',
  /** As old as it may be by its time to live. */
  weak: 'weak',
  /** For ever, until it is flushed or its tables are altered. */
  immutable: 'immutable',
} as const;
export type CacheClass = (typeof CacheClass)[keyof typeof CacheClass];

/** `off`: what would be cached otherwise is not. */
export type CacheWish = CacheClass | 'off';

export const CACHE_WISHES: readonly CacheWish[] = [...Object.values(CacheClass), 'off'];

/** An element of `cache.rules`; null and an empty list match everything. */
export interface CacheRule {
  readonly ruleId: number;
  readonly active: boolean;
  readonly digest: string | null;
  readonly matchDigest: string | null;
  readonly schema: string | null;
  readonly user: string | null;
  /** `schema.table` or `schema.*` */
  readonly tables: readonly string[];
  readonly class: CacheWish;
  /** Only with `weak`. */
  readonly ttlMs: number | null;
  readonly staleWhileRevalidateMs: number;
}

/** Results that several Sluices share; none of it changes while a process runs. */
export interface Level2Settings {
  readonly kind: 'off' | 'redis' | 'memcached';
  /** What the endpoints are. */
  readonly topology: 'servers' | 'sentinel' | 'cluster';
  /** `host:port`, or `unix:` and a path */
  readonly endpoints: readonly string[];
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  /** The name by which Sentinels know the master. */
  readonly sentinelName: string | null;
  readonly sentinelUsername: string | null;
  readonly sentinelPassword: string | null;
  readonly tls: boolean;
  /** Path of a PEM file; null: the system's authorities. */
  readonly ca: string | null;
  /** Paths of PEM files, by which Sluice is known; both or none. */
  readonly certificate: string | null;
  readonly key: string | null;
  readonly prefix: string;
  readonly timeoutMs: number;
  readonly maxValueBytes: number;
}

export interface CacheSettings {
  /** The only one that a running process does not change. */
  readonly enabled: boolean;
  /** Over all workers. */
  readonly maxBytes: number;
  readonly maxResultBytes: number;
  readonly waitMs: number;
  readonly storesEmptyResults: boolean;
  readonly storesWarnings: boolean;
  /** 0: results of `cache_ttl` are served until the end of it. */
  readonly softTtlPercent: number;
  readonly auto: 'off' | 'strong';
  readonly follower: {
    readonly mode: 'auto' | 'on' | 'off';
    readonly serverId: number | null;
    readonly maxLagMs: number;
  };
  readonly level2: Level2Settings;
  readonly rules: readonly CacheRule[];
}
