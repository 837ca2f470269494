/** Servers, pairs of hostgroups of every kind, and what holds for single hostgroups. */
import type { Config, ReplicationHostgroupConfig, ServerConfig } from '../../../config/schema.ts';
import { formatAddress } from '../../../config/server-address.ts';
import type { RowProblem } from '../../control/runtime/row-error.ts';
import {
  filesOfRows,
  hostgroupAttributesMapping,
  replicationHostgroupMapping,
  type ServerFiles,
  serverMapping,
} from '../../control/runtime/server-rows.ts';
import type { Cluster, HostgroupPairRow } from './hostgroup-clusters.ts';
import type { ImportReport } from './import-report.ts';
import type { ProxySqlSource, SourceRow } from './proxysql-source.ts';
import { type ColumnReasons, listFrom, nameOfRow, rowsOf, sqlRow, withoutColumns } from './source-list.ts';
import { cellOf, isSaid } from './source-tables.ts';

const SERVERS = 'mysql_servers';
const SERVER_KEY = ['hostgroup_id', 'hostname', 'port'];
const SSL_PARAMS = 'mysql_servers_ssl_params';
const ATTRIBUTES = 'mysql_hostgroup_attributes';
const AURORA = 'mysql_aws_aurora_hostgroups';

const SERVER_COLUMNS: ColumnReasons = {
  gtid_port: 'GTIDs are asked of the server itself, there is no other daemon',
  compression: 'servers are talked to uncompressed',
};

const ATTRIBUTE_COLUMNS: ColumnReasons = {
  max_num_online_servers: 'only the primary takes writes, however many servers a hostgroup has',
  autocommit: 'a session has the autocommit that it has set, or the server has',
  free_connections_pct: 'pool.minIdle is how many idle connections are kept',
  init_connect: "the servers' own init_connect has effect",
  connection_warming: 'pool.minIdle is how many idle connections are kept',
  throttle_connections_per_sec: 'pool.maxConnecting is how many connections are opened at the same time',
  ignore_session_variables: 'session variables are never ignored',
  servers_defaults: 'each server says what holds for it',
};

const SSL_PARAM_COLUMNS: ColumnReasons = {
  ssl_capath: 'a server has tlsCa, tlsCertificate and tlsKey',
  ssl_crl: 'lists of revoked certificates are not read',
  ssl_crlpath: 'lists of revoked certificates are not read',
  ssl_cipher: 'ciphers are those of Node',
  tls_version: 'backendTls.minVersion is for all servers',
};

const CLUSTER_COLUMNS: ColumnReasons = {
  max_writers: 'there is one primary',
  writer_is_also_reader: 'routing.readsOnPrimary: share gives the primary its part of the reads',
  max_transactions_behind: 'a server that is behind is left out by maxReplicationLagMs of servers[]',
};

const AURORA_COLUMNS: ColumnReasons = {
  domain_name: 'servers[] names the instances by their own endpoints',
  aurora_port: 'servers[] names the instances with their ports',
  max_lag_ms: 'maxReplicationLagMs of servers[]',
  check_interval_ms: 'monitor.intervalMs',
  check_timeout_ms: 'monitor.timeoutMs',
  writer_is_also_reader: 'routing.readsOnPrimary: share gives the primary its part of the reads',
  new_reader_weight: 'instances have to be listed, with their weight',
  add_lag_ms: 'lag is measured, nothing is added to it',
  min_lag_ms: 'lag is measured, nothing is added to it',
  lag_num_checks: 'monitor.lag says how many samples decide',
};

const UNMEASURED =
  'taken as a pair, but what replicates without a source that a server reports is not measured: one writable member is the primary and answers everything, the others get no reads';

const CLUSTER_TABLES: Readonly<Record<string, ColumnReasons>> = {
  mysql_group_replication_hostgroups: CLUSTER_COLUMNS,
  mysql_galera_hostgroups: CLUSTER_COLUMNS,
  [AURORA]: AURORA_COLUMNS,
};

/** Pairs of every kind, with the hostgroups that are one with the reader's. */
export class PairReader {
  readonly pairs: ReplicationHostgroupConfig[] = [];
  /** Backup writers, and what is offline for the time being. */
  readonly aliases = new Map<number, number>();
  readonly #source: ProxySqlSource;
  readonly #report: ImportReport;

  constructor(source: ProxySqlSource, report: ImportReport) {
    this.#source = source;
    this.#report = report;
  }

  async read(): Promise<void> {
    const table = replicationHostgroupMapping.table;
    const plain = await listFrom(replicationHostgroupMapping, rowsOf(this.#source, table), this.#report);
    for (const pair of plain) this.#add(pair, table, '');
    for (const [name, columns] of Object.entries(CLUSTER_TABLES))
      for (const row of rowsOf(this.#source, name)) this.#cluster(name, row, columns);
  }

  #cluster(table: string, row: SourceRow, columns: ColumnReasons): void {
    const key = ['writer_hostgroup', 'reader_hostgroup'];
    const what = nameOfRow(table, key, row);
    if (Number(cellOf(table, row, 'active')) !== 1) {
      this.#report.missing(what, 'it is not active', row.place);
      return;
    }
    const [writer, reader] = key.map((column) => Number(cellOf(table, row, column) ?? Number.NaN));
    if (!Number.isSafeInteger(writer) || !Number.isSafeInteger(reader)) {
      this.#report.attention(what, 'left out: writer_hostgroup and reader_hostgroup are needed', row.place);
      return;
    }
    withoutColumns(table, key, row, columns, this.#report);
    const pair = replicationHostgroupMapping.schema.safeParse({
      writerHostgroup: writer,
      readerHostgroup: reader,
      comment: String(cellOf(table, row, 'comment') ?? ''),
    });
    if (!pair.success) {
      this.#report.attention(what, 'left out: these are no hostgroups', row.place);
      return;
    }
    this.#report.attention(what, UNMEASURED, row.place);
    this.#add(pair.data, table, row.place);
    if (table !== AURORA) this.#alias(table, row, pair.data.readerHostgroup);
  }

  #alias(table: string, row: SourceRow, reader: number): void {
    for (const column of ['backup_writer_hostgroup', 'offline_hostgroup']) {
      const hostgroup = Number(cellOf(table, row, column) ?? Number.NaN);
      if (Number.isSafeInteger(hostgroup) && hostgroup !== reader) this.aliases.set(hostgroup, reader);
    }
    const what = `${table} backup_writer_hostgroup, offline_hostgroup`;
    this.#report.changed(
      what,
      'their servers are in the reader hostgroup, where checks decide who is used',
      row.place,
    );
  }

  /** A hostgroup may be in one pair only. */
  #add(pair: ReplicationHostgroupConfig, table: string, place: string): void {
    const { writerHostgroup: writer, readerHostgroup: reader } = pair;
    const what = `${table} writer_hostgroup ${writer}, reader_hostgroup ${reader}`;
    const taken = this.pairs.flatMap((each) => [each.writerHostgroup, each.readerHostgroup]);
    if (writer === reader || taken.includes(writer) || taken.includes(reader)) {
      this.#report.attention(what, 'left out: a hostgroup may be in one pair only', place);
      return;
    }
    this.pairs.push(pair);
  }
}

export function pairRows(pairs: readonly ReplicationHostgroupConfig[]): HostgroupPairRow[] {
  return pairs.map(({ writerHostgroup, readerHostgroup }) => ({
    writer: writerHostgroup,
    reader: readerHostgroup,
  }));
}

function readFiles(source: ProxySqlSource, report: ImportReport): ReadonlyMap<string, ServerFiles> {
  const key = ['hostname', 'port', 'username'];
  const rows = rowsOf(source, SSL_PARAMS)
    .filter((row) => {
      if (!isSaid(SSL_PARAMS, row, 'username')) return true;
      report.missing(
        nameOfRow(SSL_PARAMS, key, row),
        'certificates are for a server, whatever the account',
        row.place,
      );
      return false;
    })
    .map((row) => withoutColumns(SSL_PARAMS, key, row, SSL_PARAM_COLUMNS, report));
  const problems: RowProblem[] = [];
  const files = filesOfRows(
    rows.map((row) => sqlRow(SSL_PARAMS, row)),
    problems,
  );
  for (const { key: name, message } of problems) report.attention(`${SSL_PARAMS} ${name}`, message);
  report.taken('servers with certificates of their own', files.size);
  return files;
}

/** Rows that can be servers at all. */
function usableRow(row: SourceRow, report: ImportReport): boolean {
  const what = nameOfRow(SERVERS, SERVER_KEY, row);
  if (!row.values.has('hostname') || !row.values.has('hostgroup_id')) {
    report.attention(
      what,
      'left out, as ProxySQL does: a server needs an address and a hostgroup',
      row.place,
    );
    return false;
  }
  if (Number(cellOf(SERVERS, row, 'port')) !== 0) return true;
  report.attention(what, 'left out: servers are reached by TCP, this one is a Unix socket', row.place);
  return false;
}

/** Whether somebody has said how many connections it may have. */
function hasLimit({ holdsDefaults }: ProxySqlSource, row: SourceRow): boolean {
  return row.values.has('max_connections') && !(holdsDefaults && !isSaid(SERVERS, row, 'max_connections'));
}

function addressOfRow(row: SourceRow): string {
  return SERVER_KEY.map((column) => String(cellOf(SERVERS, row, column))).join(' ');
}

/** All servers, of this cluster or of another one. */
export async function readServers(
  source: ProxySqlSource,
  config: Config,
  aliases: ReadonlyMap<number, number>,
  report: ImportReport,
): Promise<ServerConfig[]> {
  const rows = rowsOf(source, SERVERS)
    .filter((row) => usableRow(row, report))
    .map((row) => withoutColumns(SERVERS, SERVER_KEY, row, SERVER_COLUMNS, report));
  const mapping = serverMapping(config, readFiles(source, report));
  const servers = await listFrom(mapping, rows, report);
  const limited = new Set(rows.filter((row) => hasLimit(source, row)).map(addressOfRow));
  const seen = new Set<string>();
  return servers
    .map((server) => ({
      ...server,
      hostgroup: aliases.get(server.hostgroup ?? 0) ?? server.hostgroup,
      maxConnections: limited.has(`${server.hostgroup} ${server.host} ${server.port}`)
        ? server.maxConnections
        : null,
    }))
    .filter(({ host, port, hostgroup }) => {
      const place = `${formatAddress(host, port)} ${hostgroup}`;
      return seen.size !== seen.add(place).size;
    });
}

/** @returns the settings of the hostgroups that are served */
export async function readHostgroupAttributes(
  source: ProxySqlSource,
  cluster: Cluster,
  report: ImportReport,
): Promise<Config['hostgroupAttributes']> {
  const rows = rowsOf(source, ATTRIBUTES).map((row) =>
    withoutColumns(ATTRIBUTES, ['hostgroup_id'], row, ATTRIBUTE_COLUMNS, report),
  );
  const all = await listFrom(hostgroupAttributesMapping, rows, report);
  const served = all.filter(({ hostgroup }) => cluster.hostgroups.has(hostgroup));
  for (const { hostgroup, hostgroupSettings } of served) {
    const names = Object.keys(hostgroupSettings);
    if (names.length === 0) continue;
    const what = `${ATTRIBUTES} hostgroup_id ${hostgroup}, column hostgroup_settings`;
    report.missing(what, `there is nothing like ${names.join(', ')}`);
  }
  const list = served
    .filter(({ multiplex, policy, hashKey }) => !multiplex || policy !== null || hashKey !== null)
    .map((attributes) => ({ ...attributes, hostgroupSettings: {} }));
  report.taken('hostgroups with settings', list.length);
  return list;
}
