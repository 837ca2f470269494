/** Servers and hostgroups as rows. */

import { defaultPair } from '../../../config/hostgroup-pairs.ts';
import { hostgroupAttributesSchema, replicationHostgroupSchema } from '../../../config/hostgroups-schema.ts';
import type {
  Config,
  HostgroupAttributesConfig,
  ReplicationHostgroupConfig,
  ServerConfig,
} from '../../../config/schema.ts';
import { MAX_TIMEOUT_MS } from '../../../config/schema-parts.ts';
import { formatAddress, parseHost } from '../../../config/server-address.ts';
import { serverSchema } from '../../../config/servers-schema.ts';
import type { SqlRow } from '../../common/admin-tables/admin-table.ts';
import { flag, integer, integerOf, json, text, word } from './column-mapping.ts';
import { type ElementMapping, keyText, type NamedRow, namedRow, orderedRow } from './element-mapping.ts';
import type { RowProblem } from './row-error.ts';

const SSL_PARAMS = 'mysql_servers_ssl_params';
/** What a server's certificate is not checked by: rows that ask for it would be less safe than they look. */
const UNSUPPORTED_SSL_PARAMS = ['ssl_capath', 'ssl_crl', 'ssl_crlpath', 'ssl_cipher', 'tls_version'];
const NO_TLS: ReadonlySet<unknown> = new Set([null, false, 'DISABLED', 'PREFERRED']);

/** Of one server, whatever hostgroups it is in. */
export interface ServerFiles {
  readonly tlsCa: string | null;
  readonly tlsCertificate: string | null;
  readonly tlsKey: string | null;
}

/**
 * `use_ssl` 1 is TLS that is required; 0 leaves it to `backendTls.mode`, so that a row written without a thought is
 * never less safe than the configuration.
 */
function useSsl(): ElementMapping<ServerConfig>['columns'][string] {
  const column = flag('tls');
  return {
    field: 'tls',
    write: (value) => (NO_TLS.has(value) ? 0 : 1),
    read: (value) => (column.read(value) === true ? true : null),
  };
}

/**
 * @param sections whose hostgroups the rows are to be understood by
 * @param files by address
 */
export function serverMapping(
  sections: Pick<Config, 'hostgroups' | 'replicationHostgroups' | 'pool' | 'servers'>,
  files: ReadonlyMap<string, ServerFiles>,
): ElementMapping<ServerConfig> {
  const { writer } = defaultPair(sections);
  const known = new Map(sections.servers.map((server) => [formatAddress(server.host, server.port), server]));
  return {
    table: 'mysql_servers',
    key: ['hostgroup_id', 'hostname', 'port'],
    columns: {
      hostgroup_id: {
        field: 'hostgroup',
        write: (value) => (value as number | null) ?? writer,
        read: integerOf,
      },
      hostname: text('host'),
      port: integer('port'),
      gtid_port: integer('gtidPort'),
      status: word('status'),
      weight: integer('weight'),
      compression: flag('compression'),
      max_connections: {
        field: 'maxConnections',
        write: (value) => (value as number | null) ?? sections.pool.maxConnections,
        read: integerOf,
      },
      max_replication_lag: {
        field: 'maxReplicationLagMs',
        write: (value) => Math.ceil((value as number) / 1000),
        read: (value) => Math.min(integerOf(value) * 1000, MAX_TIMEOUT_MS),
      },
      use_ssl: useSsl(),
      max_latency_ms: integer('maxLatencyMs'),
      comment: text('comment'),
    },
    extra: (row) => {
      const address = addressOf(row);
      const tlsServerName = known.get(address)?.tlsServerName ?? undefined;
      const zone = known.get(address)?.zone;
      return { ...definedFiles(files.get(address)), tlsServerName, zone };
    },
    schema: serverSchema,
  };
}

function definedFiles(files: ServerFiles | undefined): Readonly<Record<string, string | undefined>> {
  const { tlsCa, tlsCertificate, tlsKey } = files ?? { tlsCa: null, tlsCertificate: null, tlsKey: null };
  return {
    tlsCa: tlsCa ?? undefined,
    tlsCertificate: tlsCertificate ?? undefined,
    tlsKey: tlsKey ?? undefined,
  };
}

function addressOf({ hostname, port }: NamedRow): string {
  const host = String(hostname ?? '');
  return formatAddress(parseHost(host) ?? host, Number(port));
}

/** Which certificate files each server has. */
export function filesOf(servers: readonly ServerConfig[]): Map<string, ServerFiles> {
  const files = new Map<string, ServerFiles>();
  for (const { host, port, tlsCa, tlsCertificate, tlsKey } of servers) {
    if (tlsCa === null && tlsCertificate === null && tlsKey === null) continue;
    const address = formatAddress(host, port);
    if (!files.has(address)) files.set(address, { tlsCa, tlsCertificate, tlsKey });
  }
  return files;
}

export function sslParamRows(servers: readonly ServerConfig[]): SqlRow[] {
  const files = filesOf(servers);
  const rows: SqlRow[] = [];
  for (const { host, port } of servers) {
    const address = formatAddress(host, port);
    const found = files.get(address);
    if (found === undefined) continue;
    files.delete(address);
    const empty = Object.fromEntries(
      ['username', ...UNSUPPORTED_SSL_PARAMS, 'comment'].map((name) => [name, '']),
    );
    rows.push(
      orderedRow(SSL_PARAMS, {
        ...empty,
        hostname: host,
        port,
        ssl_ca: found.tlsCa ?? '',
        ssl_cert: found.tlsCertificate ?? '',
        ssl_key: found.tlsKey ?? '',
      }),
    );
  }
  return rows;
}

export function filesOfRows(rows: readonly SqlRow[], problems: RowProblem[]): Map<string, ServerFiles> {
  const files = new Map<string, ServerFiles>();
  for (const values of rows) {
    const row = namedRow(SSL_PARAMS, values);
    const key = keyText(['hostname', 'port', 'username'], row);
    for (const column of ['username', ...UNSUPPORTED_SSL_PARAMS]) {
      if ((row[column] ?? '') === '') continue;
      const message = 'must be empty: Sluice has no such setting';
      problems.push({ table: SSL_PARAMS, key, column, message });
    }
    const textOrNull = (column: string) =>
      row[column] === '' || row[column] === null ? null : String(row[column]);
    files.set(addressOf(row), {
      tlsCa: textOrNull('ssl_ca'),
      tlsCertificate: textOrNull('ssl_cert'),
      tlsKey: textOrNull('ssl_key'),
    });
  }
  return files;
}

export const replicationHostgroupMapping: ElementMapping<ReplicationHostgroupConfig> = {
  table: 'mysql_replication_hostgroups',
  key: ['writer_hostgroup'],
  columns: {
    writer_hostgroup: integer('writerHostgroup'),
    reader_hostgroup: integer('readerHostgroup'),
    check_type: { ...text('checkType'), read: (value) => String(value ?? '').toLowerCase() },
    comment: text('comment'),
  },
  schema: replicationHostgroupSchema,
};

/** Which key of the column stands for which field: ProxySQL's own table has no columns for them. */
const BALANCING_KEYS = { policy: 'policy', hash_key: 'hashKey' } as const;

const settings = json('hostgroupSettings', {});
const hostgroupSettings: ElementMapping<HostgroupAttributesConfig>['columns'][string] = {
  ...settings,
  write: (value, element) => {
    const shown: Record<string, unknown> = { ...(value as object) };
    for (const [key, field] of Object.entries(BALANCING_KEYS))
      if (element[field] !== null) shown[key] = element[field];
    return settings.write(shown, element);
  },
};

function settingsOf(column: unknown): Readonly<Record<string, unknown>> {
  if (typeof column !== 'object' || column === null || Array.isArray(column)) return {};
  const { policy, hash_key: hashKey, ...others } = column as Record<string, unknown>;
  return { policy: policy ?? undefined, hashKey: hashKey ?? undefined, hostgroupSettings: others };
}

export const hostgroupAttributesMapping: ElementMapping<HostgroupAttributesConfig> = {
  table: 'mysql_hostgroup_attributes',
  key: ['hostgroup_id'],
  columns: {
    hostgroup_id: integer('hostgroup'),
    max_num_online_servers: integer('maxNumOnlineServers'),
    autocommit: integer('autocommit'),
    free_connections_pct: integer('freeConnectionsPct'),
    init_connect: text('initConnect'),
    multiplex: flag('multiplex'),
    connection_warming: flag('connectionWarming'),
    throttle_connections_per_sec: integer('throttleConnectionsPerSec'),
    ignore_session_variables: json('ignoreSessionVariables', []),
    hostgroup_settings: hostgroupSettings,
    servers_defaults: json('serversDefaults', {}),
    comment: text('comment'),
  },
  extra: ({ hostgroup_settings: value }) => settingsOf(hostgroupSettings.read(value ?? null)),
  extraColumns: { policy: 'hostgroup_settings', hashKey: 'hostgroup_settings' },
  schema: hostgroupAttributesSchema,
};
