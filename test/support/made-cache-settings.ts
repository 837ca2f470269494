/** Settings of the result cache for tests that are not about them: nothing is cached, nobody follows. */

import type { CacheRule, CacheSettings } from '../../src/common/cache-settings.ts';

export const MADE_CACHE_SETTINGS: CacheSettings = {
  enabled: true,
  maxBytes: 1 << 24,
  maxResultBytes: 1 << 20,
  waitMs: 100,
  storesEmptyResults: true,
  storesWarnings: false,
  softTtlPercent: 0,
  auto: 'off',
  follower: { mode: 'off', serverId: null, maxLagMs: 500 },
  level2: {
    kind: 'off',
    topology: 'servers',
    endpoints: [],
    username: null,
    password: null,
    database: 0,
    sentinelName: null,
    sentinelUsername: null,
    sentinelPassword: null,
    tls: false,
    ca: null,
    certificate: null,
    key: null,
    prefix: 'sluice',
    timeoutMs: 20,
    maxValueBytes: 262_144,
  },
  rules: [],
};

/** `strong`, for every statement. */
export const MADE_CACHE_RULE: CacheRule = {
  ruleId: 1,
  active: true,
  digest: null,
  matchDigest: null,
  schema: null,
  user: null,
  tables: [],
  class: 'strong',
  ttlMs: null,
  staleWhileRevalidateMs: 0,
};
