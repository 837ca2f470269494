/** The result cache: what is kept of results, for whom, and how fresh it must be. */
import * as z from 'zod';
import { MAX_CACHE_RULES } from './capacity.ts';
import {
  comment,
  describe,
  integer,
  MAX_TIMEOUT_MS,
  optionalInteger,
  optionalText,
  section,
} from './schema-parts.ts';
import { optionalPassword } from './secret-schema.ts';

const DIGEST = /^0x[0-9A-Fa-f]{1,16}$/;
const PREFIX = /^[A-Za-z0-9._:-]{1,64}$/;
const MAX_RULE_ID = 2_147_483_647;
const MAX_SERVER_ID = 4_294_967_295;
/** Over all workers. */
const MAX_BYTES = 1_099_511_627_776;
/** Longer than MySQL's longest packet no single row can be. */
const MAX_RESULT_BYTES = 1_073_741_824;

function optionalString(maxLength: number, description: string) {
  return describe(z.string().min(1).max(maxLength).nullable().default(null), {
    description,
    defaultText: 'none',
  });
}

export const cacheRuleSchema = z
  .strictObject({
    ruleId: describe(z.int().min(1).max(MAX_RULE_ID), { description: 'Rules are tried in the order of it.' }),
    active: describe(z.boolean().default(true), { description: '`false`: as if it were not there.' }),
    digest: describe(z.string().regex(DIGEST, 'expected 0x and up to 16 hexadecimal digits').nullable(), {
      description: 'Digest of the statement, as `stats_mysql_query_digest` shows it.',
      defaultText: 'all',
    }).default(null),
    matchDigest: optionalString(65_536, 'Regular expression (RE2), in any case, for the digest text.'),
    schema: optionalString(64, 'Schema that the session is in.'),
    user: optionalString(128, 'Account of the session.'),
    tables: describe(z.array(z.string().min(3).max(193)).max(1000).default([]), {
      description:
        '`schema.table` or `schema.*`: the statement reads nothing else. Views count as what they are called.',
      defaultText: 'any',
    }),
    class: describe(z.enum(['strong', 'weak', 'immutable', 'off']), {
      description:
        '`strong`: as fresh as the primary; `weak`: up to `ttlMs` old; `immutable`: until it is flushed; `off`: not cached.',
    }),
    ttlMs: optionalInteger(1, MAX_TIMEOUT_MS, {
      description: 'For `weak`, which needs it: how old a result may be.',
      unit: 'ms',
    }),
    staleWhileRevalidateMs: integer(0, MAX_TIMEOUT_MS, 0, {
      description: 'For `weak`: how much longer it is served while one statement reads it again.',
      unit: 'ms',
    }),
    comment: comment(),
  })
  .meta({
    description: 'Which reads are cached, and how fresh they must be. The first rule that fits decides.',
  });

const level2Section = section('Results that several Sluices share, in Redis or memcached.', {
  kind: describe(z.enum(['off', 'redis', 'memcached']).default('off'), {
    description: 'What keeps them. Whoever may write there decides what clients are answered.',
    reloadable: false,
  }),
  topology: describe(z.enum(['servers', 'sentinel', 'cluster']).default('servers'), {
    description:
      'What the endpoints are. `servers`: each keeps a part of the results; `sentinel`: Sentinels, which know the master; `cluster`: some nodes of a Redis Cluster, which know all.',
    reloadable: false,
  }),
  endpoints: describe(z.array(z.string().min(1)).max(16).default([]), {
    description: '`host:port`, or `unix:` and the path of a socket. The same ones for all Sluices.',
    reloadable: false,
    defaultText: 'none',
  }),
  username: optionalText({
    description: 'Account of Redis (ACL).',
    reloadable: false,
    defaultText: 'its default one',
  }),
  password: optionalPassword({ description: 'Of Redis.', reloadable: false, defaultText: 'none' }),
  database: integer(0, 65_535, 0, { description: 'Number of the database in Redis.', reloadable: false }),
  sentinelName: optionalText({
    description: 'For `topology: sentinel`, which needs it: the name by which Sentinels know the master.',
    reloadable: false,
    defaultText: 'none',
  }),
  sentinelUsername: optionalText({
    description: 'Account of the Sentinels.',
    reloadable: false,
    defaultText: 'their default one',
  }),
  sentinelPassword: optionalPassword({
    description: 'Of the Sentinels.',
    reloadable: false,
    defaultText: 'none',
  }),
  tls: describe(z.boolean().default(false), {
    description: 'Speak TLS with Redis, and its Sentinels, and verify their certificates.',
    reloadable: false,
  }),
  ca: optionalText({
    description: "Path of a PEM file: authorities that sign Redis' certificates.",
    reloadable: false,
    defaultText: "the system's",
  }),
  certificate: optionalText({
    description: 'Path of a PEM file: the certificate that Redis is shown.',
    reloadable: false,
    defaultText: 'none',
  }),
  key: optionalText({
    description: 'Path of a PEM file: the key of `certificate`.',
    reloadable: false,
    defaultText: 'none',
  }),
  prefix: describe(z.string().regex(PREFIX, 'expected 1 to 64 of A-Z a-z 0-9 . _ : -').default('sluice'), {
    description:
      'What its keys begin with: the same for all Sluices in front of the same servers, another one for others.',
    reloadable: false,
  }),
  timeoutMs: integer(1, 10_000, 20, {
    description: 'How long a statement waits for it before it goes to a server.',
    unit: 'ms',
    reloadable: false,
  }),
  maxValueBytes: integer(1024, 536_870_912, 262_144, {
    description: 'A larger result is not shared. memcached takes less than 1 MiB unless told otherwise.',
    unit: 'bytes',
    reloadable: false,
  }),
});

export const cacheSection = section('Results of reads that are kept, and proven fresh at each hit.', {
  enabled: describe(z.boolean().default(true), {
    description: '`false`: there is no cache, and no write is marked for it.',
    reloadable: false,
  }),
  maxBytes: integer(1_048_576, MAX_BYTES, 67_108_864, {
    description: 'Memory for results, all workers together. Less unless it is set, where memory is limited.',
    unit: 'bytes',
  }),
  maxResultBytes: integer(1024, MAX_RESULT_BYTES, 1_048_576, {
    description: 'A result that is larger is not kept.',
    unit: 'bytes',
  }),
  waitMs: integer(0, MAX_TIMEOUT_MS, 100, {
    description:
      'How long a statement waits for the result of the same one that is under way before it goes to a server itself.',
    unit: 'ms',
  }),
  storesEmptyResults: describe(z.boolean().default(true), {
    description: 'Keep results without rows, where no rule says otherwise.',
  }),
  storesWarnings: describe(z.boolean().default(false), {
    description: 'Keep results that came with warnings; a hit has none.',
  }),
  softTtlPercent: integer(0, 100, 0, {
    description:
      'For `cache_ttl` of query rules: behind this part of it a result is read again while it is served on. 0: not before its end.',
    unit: '%',
  }),
  auto: describe(z.enum(['off', 'strong']).default('off'), {
    description: '`strong`: reads that no rule names are cached as `strong` where it pays.',
  }),
  follower: section('Follows the binary log of the primary, to see writes that go around Sluice.', {
    mode: describe(z.enum(['auto', 'on', 'off']).default('auto'), {
      description:
        '`auto`: while a rule, or `cache.auto`, caches something as `strong`; with `on` also for hints alone. `off`: `strong` knows of writes through this Sluice only.',
    }),
    serverId: optionalInteger(1, MAX_SERVER_ID, {
      description: '`server_id` by which the primary knows it; no server and no other Sluice may have it.',
      defaultText: 'some number over 2147483648',
    }),
    maxLagMs: integer(10, 3_600_000, 500, {
      description: 'While it is further behind, `strong` reads go to the servers.',
      unit: 'ms',
    }),
  }),
  level2: level2Section,
  rules: describe(z.array(cacheRuleSchema).max(MAX_CACHE_RULES).default([]), {
    description: 'What is cached. Hints and `cache_ttl` of query rules come first.',
    defaultText: 'none',
  }),
});
