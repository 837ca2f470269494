/**
 * The one schema of Sluice's configuration. Types, defaults, validation, `proxy.schema.json`, the settings table of
 * `README.md`, the names of `SLUICE_…` variables and of flags are all made from it.
 *
 * Every section is optional and every leaf has a default, so that an empty mapping parses; what an operator must
 * give (a server, the monitor's account) is asked for in `checks.ts`, where a better sentence can be said.
 */
import * as z from 'zod';
import { adminSection } from './admin-schema.ts';
import { httpSection } from './http-schema.ts';
import { auditLogSection, logSection, slowQueryLogSection, tracingSection } from './logging-schema.ts';
import {
  describe,
  hostName,
  integer,
  listenPort,
  milliseconds,
  optionalText,
  section,
} from './schema-parts.ts';
import { optionalPassword } from './secret-schema.ts';
import { backendTlsSection, pem, proxyProtocolSection, TLS_MODES, tlsSection } from './transport-schema.ts';

/** The largest `max_allowed_packet` of a server: what a server took before, Sluice must not refuse. */
const MAX_PACKET_BYTES = 1_073_741_824;
const MAX_CONNECTIONS = 1_000_000;
const MAX_HOSTGROUP = 2_147_483_647;
/** Places in the tables that the threads share; a test compares them with `src/common/shared-counters.ts`. */
export const MAX_WORKERS = 64;
export const MAX_SERVERS = 256;
export const MAX_USERS = 16_384;

const serverSchema = z
  .strictObject({
    host: describe(z.string().min(1), {
      description: 'Host name or IP address; IPv6 with or without brackets.',
    }),
    port: integer(1, 65_535, 3306, { description: 'TCP port of the server.' }),
    weight: integer(0, 10_000_000, 1, {
      description: 'Share of the reads relative to the other servers of its hostgroup; 0 takes no reads.',
    }),
    maxConnections: describe(z.int().min(1).max(MAX_CONNECTIONS).nullable().default(null), {
      description: 'Most connections to this server over all workers.',
      unit: 'connections',
      defaultText: '`pool.maxConnections`',
    }),
    maxReplicationLagMs: milliseconds(0, 0, 'A replica further behind takes no reads; 0 sets no limit.'),
    hostgroup: describe(z.int().min(0).max(MAX_HOSTGROUP).nullable().default(null), {
      description:
        'Hostgroup that the server is shown in; where statements go is decided by the measured role.',
      defaultText: 'measured',
    }),
    tls: describe(
      z
        .union([z.boolean(), z.enum(TLS_MODES)])
        .nullable()
        .default(null),
      {
        description:
          'TLS towards this server, in the words of `backendTls.mode`; `true` is `REQUIRED`, `false` `DISABLED`.',
        defaultText: '`backendTls.mode`',
      },
    ),
    tlsCa: pem("Authority that signs this server's certificate", '`backendTls.ca`'),
    tlsCertificate: pem("Sluice's own certificate for it", '`backendTls.certificate`'),
    tlsKey: pem('Its private key', '`backendTls.key`'),
    tlsServerName: describe(z.string().min(1).max(253).nullable().default(null), {
      description: "Name that the server's certificate has to be for, and that is sent to it (SNI).",
      defaultText: '`host`',
    }),
  })
  .meta({ description: 'A backend server.' });

const userSchema = z
  .strictObject({
    username: describe(z.string().min(1).max(128), {
      description: 'Account name, the same at Sluice and at the servers.',
    }),
    password: optionalPassword({
      description:
        'Plain text, or the mysql_native_password hash (`"*"` and 40 hex digits, in quotes); none means an account without a password.',
      defaultText: 'none',
    }),
    host: describe(z.string().min(1).max(255).default('%'), {
      description:
        'Clients that the account is for, as a server knows it: `%` and `_` are wildcards, `10.0.0.0/255.0.0.0` is a network. Host names are not looked up.',
    }),
    defaultSchema: describe(z.string().min(1).max(64).nullable().default(null), {
      description: 'Schema of a client that names none when it connects.',
      defaultText: 'none',
    }),
    maxConnections: integer(0, MAX_CONNECTIONS, 0, {
      description: 'Most client connections of this account over all workers; 0 sets no limit of its own.',
      unit: 'connections',
    }),
    requireTls: describe(z.union([z.boolean(), z.enum(['NONE', 'SSL', 'X509'])]).default('NONE'), {
      description:
        '`SSL` (or `true`): the account may be used over TLS only; `X509`: and with a certificate that `tls.ca` has signed. Else error 1045.',
    }),
  })
  .meta({ description: 'An account that clients may use.' });

const backendUsersSchema = z
  .strictObject({
    source: describe(z.literal('backend'), { description: 'Read the accounts from the primary.' }),
    refreshIntervalMs: milliseconds(100, 10_000, 'Time between two readings of the accounts.'),
    timeoutMs: milliseconds(100, 10_000, 'A reading that takes longer has failed.'),
    serverConnectionLimits: describe(z.boolean().default(true), {
      description:
        "Clients count against the account's MAX_USER_CONNECTIONS and the server's `max_user_connections` as connections to the server would; `false` leaves these to the server, which counts the connections of Sluice.",
    }),
    listed: describe(z.array(userSchema).max(MAX_USERS).default([]), {
      description: "Accounts that are listed all the same; each replaces the primary's accounts of its name.",
      defaultText: 'none',
    }),
  })
  .meta({ description: 'Accounts are read from the primary.' });

const monitorSection = section('How Sluice watches the servers, with an account of its own.', {
  username: optionalText({
    description:
      'Account on every server, with REPLICATION CLIENT (MariaDB 10.5+: also REPLICA MONITOR) and, for the definitions of views, SELECT and SHOW VIEW on `*.*`.',
    defaultText: 'required',
  }),
  password: optionalPassword({ description: 'Its password.', defaultText: 'none' }),
  intervalMs: milliseconds(
    10,
    1000,
    'Time between two checks of one kind (ping, read_only, replication) of a server.',
  ),
  connectIntervalMs: milliseconds(10, 10_000, 'Time between two trials to connect to a server that is well.'),
  timeoutMs: milliseconds(10, 800, 'A check that takes longer has failed.'),
  failureThreshold: integer(1, 1000, 3, {
    description: 'Failed checks in a row before a server is shunned.',
    unit: 'checks',
  }),
  recoveryThreshold: integer(1, 1000, 2, {
    description: 'Good checks in a row before a shunned server is used again.',
    unit: 'checks',
  }),
  discovery: describe(z.boolean().default(true), {
    description: 'Find replicas from the primary, and the primary from a replica.',
  }),
  discoveryIntervalMs: milliseconds(100, 5000, 'Time between two searches for other servers.'),
  forgetDiscoveredAfterMs: milliseconds(
    1000,
    300_000,
    'A server that was discovered and has not been ONLINE for this long is forgotten.',
  ),
  catalogIntervalMs: milliseconds(
    100,
    5000,
    'Time between two readings of the view definitions from the primary.',
  ),
  catalogTimeoutMs: milliseconds(
    100,
    10_000,
    'A reading of the view definitions that takes longer has failed.',
  ),
  maxViews: integer(1, 1_000_000, 50_000, {
    description: 'Views that are looked at; with more of them no read of a table is proven.',
    unit: 'views',
  }),
  eventHistory: integer(1, 100_000, 1000, {
    description: 'Events that are kept to be shown.',
    unit: 'events',
  }),
});

const poolSection = section('Connections to the servers.', {
  maxConnections: integer(1, MAX_CONNECTIONS, 100, {
    description: 'Most connections to one server over all workers.',
    unit: 'connections',
  }),
  minIdle: integer(0, MAX_CONNECTIONS, 0, {
    description:
      'Idle connections that are kept once they are open, for each worker, server and user, whatever `idleTimeoutMs` says.',
    unit: 'connections',
  }),
  idleTimeoutMs: milliseconds(1, 300_000, 'An idle connection is closed after this time.'),
  maxLifetimeMs: milliseconds(
    1000,
    3_600_000,
    'A connection older than this is closed when it is next idle.',
  ),
  connectTimeoutMs: milliseconds(1, 2000, 'Time for connecting to a server and logging in.'),
  maxConnecting: integer(1, 1000, 10, {
    description: 'Connections that one worker opens to one server at the same time.',
    unit: 'connections',
  }),
  waitTimeoutMs: milliseconds(1, 10_000, 'A statement waits this long for a connection, then gets an error.'),
  waitQueueLength: integer(1, 1_000_000, 10_000, {
    description: 'Most statements that wait for a connection of one server in one worker.',
    unit: 'statements',
  }),
  pipelineDepth: integer(1, 1024, 16, {
    description: 'Most short reads in flight on one connection; 1 turns pipelining off.',
    unit: 'statements',
  }),
  maxStatementsPerConnection: integer(1, 16_382, 100, {
    description:
      'Prepared statements that are kept on one connection; the longest unused is closed for a new one.',
    unit: 'statements',
  }),
});

const limitsSection = section('What one client, and all clients together, may take.', {
  maxConnections: integer(1, MAX_CONNECTIONS, 10_000, {
    description: 'Most client connections over all workers; one more gets error 1040.',
    unit: 'connections',
  }),
  maxPacketBytes: integer(1024, MAX_PACKET_BYTES, MAX_PACKET_BYTES, {
    description:
      'Longest statement; a longer one gets error 1153. The default is the most that a server can allow.',
    unit: 'bytes',
  }),
  handshakeTimeoutMs: milliseconds(1, 10_000, 'A client that has not logged in by then is disconnected.'),
  loginDelayMs: milliseconds(
    0,
    100,
    'The fourth refusal in a row of one user from one host is held back for this long, each further one for twice as long; 0 answers all at once.',
  ),
  loginDelayMaxMs: milliseconds(0, 5000, 'No refusal is held back for longer.'),
  idleTimeoutMs: milliseconds(1, 28_800_000, 'A client that sends nothing for this long is disconnected.'),
  shutdownGraceMs: milliseconds(
    0,
    30_000,
    'On SIGTERM, running statements and transactions get this long to finish; 0 ends them at once.',
  ),
  noServerWaitMs: milliseconds(
    0,
    10_000,
    'A statement waits this long for its hostgroup to have a server; 0 answers the error at once.',
  ),
  digestCacheEntries: integer(1, 10_000_000, 10_000, {
    description: 'Statement digests that each worker remembers the classification of.',
    unit: 'entries',
    reloadable: false,
  }),
  // With less than this waiting a stream may never tell that it has drained.
  writeBufferBytes: integer(131_072, MAX_PACKET_BYTES, 1_048_576, {
    description: 'Answer bytes held for a slow client before its server is paused, and its commands wait.',
    unit: 'bytes',
  }),
  maxPreparedStatements: integer(1, 10_000_000, 100_000, {
    description: 'Prepared statements that the clients of one worker may have; one more gets error 1461.',
    unit: 'statements',
  }),
  maxPreparedBytes: integer(1024, 16_000_000_000, 134_217_728, {
    description: 'Bytes of their texts, equal ones counted once; more gets error 1461.',
    unit: 'bytes',
  }),
  routeRingEntries: integer(0, 100_000, 1024, {
    description:
      'Last statements that each worker remembers the route and its reason of, for `SHOW ROUTES`; 0 turns it off.',
    unit: 'statements',
  }),
});

const routingSection = section('Which statements replicas may answer.', {
  stickyAfterWriteMs: milliseconds(
    0,
    2000,
    'A session that has written reads from the primary for this long; 0 turns it off.',
  ),
  readsOnPrimary: describe(z.enum(['fallback', 'share']).default('fallback'), {
    description:
      '`fallback`: the primary answers reads only when no replica is fit; `share`: it takes its part of them.',
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
      socket: optionalText({
        description: 'Path of a Unix socket to listen on as well.',
        reloadable: false,
        defaultText: 'none',
      }),
      addresses: describe(z.array(z.string().min(1)).max(64).default([]), {
        description: 'More to listen on: `host:port`, `[::1]:port`, or the path of a Unix socket.',
        reloadable: false,
        defaultText: 'none',
      }),
      socketMode: describe(
        z
          .string()
          .regex(/^0?[0-7]{3}$/, 'expected three octal digits, in quotes')
          .default('0777'),
        { description: 'Permissions of Unix sockets, octal, in quotes.', reloadable: false },
      ),
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
      defaultText: 'number of cores, 64 at most',
    }),
    servers: describe(
      z
        .array(z.union([z.string().min(1), serverSchema]))
        .max(MAX_SERVERS)
        .default([]),
      {
        description:
          'Backend servers, each `host:port` or a mapping; one is enough when the others can be discovered.',
        defaultText: 'required',
      },
    ),
    hostgroups: section('Numbers of the two hostgroups.', {
      writer: integer(0, MAX_HOSTGROUP, 0, { description: 'Hostgroup of the primary.' }),
      reader: integer(0, MAX_HOSTGROUP, 1, { description: 'Hostgroup of the replicas.' }),
    }),
    users: describe(z.union([z.array(userSchema).max(MAX_USERS), backendUsersSchema]).default([]), {
      description:
        'Accounts that clients may use: a list, or `{source: backend}` for those that the primary has.',
      defaultText: 'none',
    }),
    monitor: monitorSection,
    pool: poolSection,
    limits: limitsSection,
    routing: routingSection,
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

type DeepReadonly<T> = T extends (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

export type ServerConfig = DeepReadonly<z.output<typeof serverSchema>>;
export type UserConfig = DeepReadonly<z.output<typeof userSchema>>;
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
};

/** Fills in the defaults of a server that was written as `host:port`. */
export function serverDefaults(host: string, port: number): ServerConfig {
  return serverSchema.parse({ host, port });
}
