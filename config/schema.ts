/**
 * The one schema of Sluice's configuration. Types, defaults, validation, `proxy.schema.json`, the settings table of
 * `README.md`, the names of `SLUICE_…` variables and of flags are all made from it.
 *
 * Every section is optional and every leaf has a default, so that an empty mapping parses; what an operator must
 * give (a server, the monitor's account) is asked for in `checks.ts`, where a better sentence can be said.
 */
import * as z from 'zod';
import { adminSection } from './admin-schema.ts';
import { routingBalancing } from './balancing-schema.ts';
import { type cacheRuleSchema, cacheSection } from './cache-schema.ts';
import { MAX_HOSTGROUP, MAX_SERVER_ENTRIES, MAX_USERS, MAX_WORKERS } from './capacity.ts';
import { causalReadsSection } from './causal-schema.ts';
import { failoverSection } from './failover-schema.ts';
import { handoverSection } from './handover-schema.ts';
import { hostgroupAttributesSchema, replicationHostgroupSchema } from './hostgroups-schema.ts';
import { httpSection } from './http-schema.ts';
import { limitsSection } from './limits-schema.ts';
import { listenPlaces } from './listen-places.ts';
import { auditLogSection, logSection, slowQueryLogSection, tracingSection } from './logging-schema.ts';
import { monitorSection } from './monitor-schema.ts';
import { poolSection } from './pool-schema.ts';
import { transactionReplaySection } from './replay-schema.ts';
import {
  type fastRouteSchema,
  fastRoutingList,
  firewallSection,
  type queryRuleSchema,
  queryRulesList,
} from './rules-schema.ts';
import { describe, hostName, integer, listenPort, optionalText, section } from './schema-parts.ts';
import { serverSchema } from './servers-schema.ts';
import { statisticsSection } from './statistics-schema.ts';
import { backendTlsSection, proxyProtocolSection, tlsSection } from './transport-schema.ts';
import { backendUsersSchema, userSchema } from './users-schema.ts';

const routingSection = section('Which statements replicas may answer.', {
  readsOnPrimary: describe(z.enum(['fallback', 'share']).default('fallback'), {
    description:
      '`fallback`: the primary answers reads only when no replica is fit; `share`: it takes its part of them.',
  }),
  whenAllLag: describe(z.enum(['primary', 'least-lagged', 'error']).default('primary'), {
    description:
      'Where reads go when every replica that could answer them is lagging over its limit: to the primary, to the replica that is the least behind, or nowhere (error 9043).',
  }),
  lagFallbackMaxReads: integer(0, 100_000, 64, {
    description:
      'Reads that the primary answers at the same time because the replicas lag, over all workers; more of them wait, up to `pool.waitTimeoutMs`. 0: no limit.',
    unit: 'reads',
  }),
  ...routingBalancing,
  mirrorConcurrency: integer(1, 10_000, 16, {
    description:
      'Statements that each worker mirrors at the same time (`mirror_hostgroup` of a query rule); more are not mirrored.',
    unit: 'statements',
  }),
  trustViews: describe(z.boolean().default(false), {
    description:
      'Believe that no view calls a function with side effects, so that reads may go to replicas without the view definitions.',
  }),
});

export const configSchema = z
  .strictObject({
    listen: section('Where clients connect.', {
      host: hostName('0.0.0.0', 'Address to listen on.'),
      port: listenPort(6033, 'TCP port; 0 lets the system choose.'),
      ...listenPlaces('0777', 'Unix sockets'),
      compression: describe(z.boolean().default(true), {
        description: 'Offer compression (zlib, zstd) to clients; those that ask for it get it.',
      }),
    }),
    tls: tlsSection,
    backendTls: backendTlsSection,
    proxyProtocol: proxyProtocolSection,
    admin: adminSection,
    http: httpSection,
    workers: describe(z.int().min(1).max(MAX_WORKERS).nullable().default(null), {
      description: 'Worker threads that serve clients.',
      unit: 'threads',
      reloadable: false,
      defaultText:
        'one for each core that the machine or the container has, as far as memory reaches; 64 at most',
    }),
    servers: describe(
      z
        .array(z.union([z.string().min(1), serverSchema]))
        .max(MAX_SERVER_ENTRIES)
        .default([]),
      {
        description:
          'Backend servers, each `host:port` or a mapping; one is enough when the others can be discovered.',
        defaultText: 'required',
      },
    ),
    hostgroups: section('Numbers of the two hostgroups, where `replicationHostgroups` names no pair.', {
      writer: integer(0, MAX_HOSTGROUP, 0, { description: 'Hostgroup of the primary.' }),
      reader: integer(0, MAX_HOSTGROUP, 1, { description: 'Hostgroup of the replicas.' }),
    }),
    replicationHostgroups: describe(z.array(replicationHostgroupSchema).max(1000).default([]), {
      description: 'Pairs of hostgroups whose servers change places by their measured role.',
      defaultText: 'the pair of `hostgroups`',
    }),
    hostgroupAttributes: describe(z.array(hostgroupAttributesSchema).max(10_000).default([]), {
      description: 'What holds for one hostgroup.',
      defaultText: 'none',
    }),
    users: describe(z.union([z.array(userSchema).max(MAX_USERS), backendUsersSchema]).default([]), {
      description:
        'Accounts that clients may use: a list, or `{source: backend}` for those that the primary has.',
      defaultText: 'none',
    }),
    queryRules: queryRulesList,
    fastRouting: fastRoutingList,
    firewall: firewallSection,
    monitor: monitorSection,
    failover: failoverSection,
    pool: poolSection,
    limits: limitsSection,
    handover: handoverSection,
    routing: routingSection,
    causalReads: causalReadsSection,
    cache: cacheSection,
    transactionReplay: transactionReplaySection,
    statistics: statisticsSection,
    log: logSection,
    slowQueryLog: slowQueryLogSection,
    auditLog: auditLogSection,
    tracing: tracingSection,
    dataDir: optionalText({
      description: 'Folder where changes made on the admin port are kept; without it the file is the truth.',
      reloadable: false,
      defaultText: 'none',
    }),
  })
  .meta({ title: 'Configuration of Sluice' });

export type ConfigValues = z.output<typeof configSchema>;

type DeepReadonly<T> = unknown extends T
  ? T
  : T extends (infer E)[]
    ? readonly DeepReadonly<E>[]
    : T extends object
      ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
      : T;

export type ServerConfig = DeepReadonly<z.output<typeof serverSchema>>;
export type UserConfig = DeepReadonly<z.output<typeof userSchema>>;
export type QueryRuleConfig = DeepReadonly<z.output<typeof queryRuleSchema>>;
export type FastRouteConfig = DeepReadonly<z.output<typeof fastRouteSchema>>;
export type CacheRuleConfig = DeepReadonly<z.output<typeof cacheRuleSchema>>;
export type FirewallConfig = DeepReadonly<z.output<typeof firewallSection>>;
export type ReplicationHostgroupConfig = DeepReadonly<z.output<typeof replicationHostgroupSchema>>;
export type HostgroupAttributesConfig = DeepReadonly<z.output<typeof hostgroupAttributesSchema>>;
/** How accounts are read from the primary. */
export type BackendUsersConfig = DeepReadonly<Omit<z.output<typeof backendUsersSchema>, 'source' | 'listed'>>;

/**
 * What the rest of Sluice sees: nothing optional, servers always mappings, `users` always the listed ones; deep-frozen.
 */
export type Config = DeepReadonly<Omit<ConfigValues, 'workers' | 'servers' | 'users'>> & {
  readonly workers: number;
  readonly servers: readonly ServerConfig[];
  readonly users: readonly UserConfig[];
  /** Null where the listed ones are all. */
  readonly backendUsers: BackendUsersConfig | null;
  /** Settings that nobody has written, by path, and what they became on this machine. */
  readonly fitted?: Readonly<Record<string, number>>;
};

/** Fills in the defaults of a server that was written as `host:port`. */
export function serverDefaults(host: string, port: number): ServerConfig {
  return serverSchema.parse({ host, port });
}
