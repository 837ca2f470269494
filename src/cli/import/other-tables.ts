/** What ProxySQL has besides: each row, or each table, with the reason why nothing of it is taken. */
import type { ImportReport } from './import-report.ts';
import type { OtherSetting, ProxySqlSource, SourceRow } from './proxysql-source.ts';
import { rowsOf } from './source-list.ts';
import { cellOf, FOREIGN_TABLES } from './source-tables.ts';

/** What scripts are known to do, by the name of their file. */
const SCRIPTS: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  {
    pattern: /galera|pxc/i,
    instead: 'Sluice measures who is writable; see what is said of mysql_galera_hostgroups in the guide',
  },
  { pattern: /group_?repl|gr_/i, instead: 'Sluice measures who is writable' },
  {
    pattern: /failover|switch|promot|replication|read_?only/i,
    instead: 'Sluice measures who is primary, and can change it: SWITCHOVER TO, failover.automatic',
  },
  {
    pattern: /heartbeat|lag/i,
    instead: 'Sluice writes heartbeats and measures lag itself (monitor.heartbeat)',
  },
  {
    pattern: /metric|stat|export|monitor/i,
    instead: '/metrics and the tables of the admin port have numbers',
  },
  { pattern: /backup|config|sync/i, instead: 'the configuration is one file' },
];

const SERVED_SETTINGS: ReadonlySet<string> = new Set(['datadir']);

const SETTINGS: Readonly<Record<string, string>> = {
  datadir: 'dataDir would be where Sluice keeps changes of the admin port; without it the file is the truth',
  errorlog: 'the log goes to standard output',
  pidfile: 'there is none: systemd, or what else starts Sluice, knows its process',
  restart_on_missing_heartbeats:
    'threads that end are started again; a process is restarted by what started it',
  execute_on_exit_failure: 'what has started Sluice sees its exit code',
  uuid: 'Sluices have no names of their own',
  cluster_sync_interfaces: 'Sluices do not copy their configuration from each other: give each the same file',
  ldap_auth_plugin: 'there is no LDAP; users: {source: backend} takes the accounts that the primary has',
  web_interface_plugin: 'the dashboard is on the http port',
  sqlite3_plugin: "ProxySQL's SQLite server is not there",
  set_thread_name: "about the inside of ProxySQL's threads; there is nothing to set",
};

function foreignReason(table: string): string {
  if (table.startsWith('pgsql_')) return 'Sluice speaks the MySQL protocol only, PostgreSQL is not served';
  if (table.startsWith('clickhouse_')) return 'ClickHouse is not served';
  if (/^(?:genai|mcp)_/.test(table)) return "ProxySQL's functions for language models are not there";
  return 'for debugging ProxySQL itself';
}

function scheduler(row: SourceRow, report: ImportReport): void {
  const table = 'scheduler';
  const value = (column: string) => String(cellOf(table, row, column) ?? '');
  const file = value('filename');
  const instead = SCRIPTS.find(({ pattern }) => pattern.test(file))?.instead;
  const off = value('active') === '1' ? '' : ' (not active)';
  // Arguments may be passwords.
  const what = `${table} id ${value('id')}: ${file === '' ? 'no filename' : file}${off}`;
  const more = instead === undefined ? 'a systemd timer or cron can' : instead;
  report.missing(what, `Sluice runs no scripts: ${more}`, row.place);
}

function setting({ name, place }: OtherSetting, report: ImportReport): void {
  if (SERVED_SETTINGS.has(name)) report.changed(name, SETTINGS[name] ?? '', place);
  else if (Object.hasOwn(SETTINGS, name)) report.missing(name, SETTINGS[name] ?? '', place);
  else report.attention(name, 'ProxySQL is not known to have this setting; nothing was taken', place);
}

export function reportOthers(source: ProxySqlSource, report: ImportReport): void {
  for (const each of source.others) setting(each, report);
  for (const row of rowsOf(source, 'scheduler')) scheduler(row, report);
  for (const row of rowsOf(source, 'restapi_routes')) {
    const uri = String(cellOf('restapi_routes', row, 'uri') ?? '');
    report.missing(
      `restapi_routes ${uri}`,
      'Sluice runs no scripts; the http port has /metrics and an API',
      row.place,
    );
  }
  for (const row of rowsOf(source, 'proxysql_servers')) {
    const [host, port] = ['hostname', 'port'].map((column) => cellOf('proxysql_servers', row, column));
    report.missing(
      `proxysql_servers ${host}:${port}`,
      'Sluices do not copy their configuration from each other: give each the same file',
      row.place,
    );
  }
  for (const row of rowsOf(source, 'mysql_ldap_mapping'))
    report.missing(
      `mysql_ldap_mapping priority ${cellOf('mysql_ldap_mapping', row, 'priority')}`,
      'there is no LDAP; users: {source: backend} takes the accounts that the primary has',
      row.place,
    );
  for (const table of FOREIGN_TABLES) {
    const rows = rowsOf(source, table);
    if (rows.length > 0)
      report.missing(`${table} (rows: ${rows.length})`, foreignReason(table), rows[0]?.place);
  }
}
