/** Variables of ProxySQL as settings of Sluice. */
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { exposedDefaultUsers } from '../../../config/default-password.ts';
import { nearestName } from '../../../config/nearest-name.ts';
import { withSetting } from '../../../config/reload.ts';
import type { Config } from '../../../config/schema.ts';
import { ValueError } from '../../control/runtime/column-mapping.ts';
import { MAPPED_VARIABLES } from '../../control/runtime/proxysql-variables.ts';
import type { VariableCatalog } from '../../control/runtime/variable-catalog.ts';
import type { ImportReport } from './import-report.ts';
import { readListenAddresses } from './listen-addresses.ts';
import type { ProxySqlSource, SourceVariable } from './proxysql-source.ts';
import { isProxySqlDefault } from './variable-defaults.ts';
import { variableReason } from './variable-reasons.ts';

/** Of those that the admin port shows as variables of its own, and of a few more that an import can use. */
const SETTINGS: ReadonlyMap<string, string> = new Map([
  ...MAPPED_VARIABLES.filter(({ name }) => !name.startsWith('sluice-')).map(
    ({ name, setting }) => [name, setting] as const,
  ),
  ['admin-admin_credentials', 'admin.users'],
  ['admin-stats_credentials', 'admin.users'],
]);

/** The name that the catalogue has for what ProxySQL has under another one. */
const SAME_AS: ReadonlyMap<string, string> = new Map([
  ['mysql-query_digests_max_digest_length', 'sluice-statistics_digest_text_bytes'],
  ['mysql-query_digests_max_query_length', 'sluice-limits_rule_text_bytes'],
  ['mysql-query_digests_track_hostname', 'sluice-statistics_track_client_address'],
]);

/** What is taken, but does not mean the same. */
const CHANGED: ReadonlyMap<string, string> = new Map([
  [
    'mysql-eventslog_filename',
    'slowQueryLog.file, JSON lines of slow statements and of those of rules with `log`, not of all',
  ],
  [
    'mysql-eventslog_default_log',
    'slowQueryLog.enabled, for statements over slowQueryLog.thresholdMs; 0 there logs all',
  ],
  ['mysql-auditlog_filename', 'auditLog.file, JSON lines with logins and what operators do'],
  ['mysql-monitor_read_only_interval', 'monitor.intervalMs, the interval of every check'],
  ['mysql-monitor_read_only_timeout', 'monitor.timeoutMs, the time-out of every check'],
  ['mysql-monitor_read_only_max_timeout_count', 'monitor.failureThreshold, of every check'],
  ['mysql-threads', 'workers: threads that serve clients; one for each core is the default, and best'],
  [
    'mysql-query_cache_size_MB',
    'cache.maxBytes, of a cache whose hits are proven fresh or have a time to live',
  ],
  ['mysql-default_query_timeout', 'limits.queryTimeoutMs: the statement is killed, its session goes on'],
  ['mysql-connection_max_age_ms', 'pool.maxLifetimeMs'],
  [
    'mysql-ssl_p2s_ca',
    'backendTls.ca; certificates are checked if backendTls.mode is VERIFY_CA or VERIFY_IDENTITY',
  ],
]);

const FILE_VARIABLES: ReadonlySet<string> = new Set(['mysql-eventslog_filename', 'mysql-auditlog_filename']);
const HEARTBEAT = 'mysql-monitor_replication_lag_use_percona_heartbeat';
const FIREWALL = 'mysql-firewall_whitelist_enabled';

/** What both have where nobody has said anything. */
function isSameDefault(name: string, value: string): boolean {
  return name.endsWith('_credentials') && isProxySqlDefault(name, value);
}

export class VariableTranslation {
  readonly #source: ProxySqlSource;
  readonly #catalog: VariableCatalog;
  readonly #report: ImportReport;
  #config: Config;

  constructor(source: ProxySqlSource, catalog: VariableCatalog, config: Config, report: ImportReport) {
    this.#source = source;
    this.#catalog = catalog;
    this.#config = config;
    this.#report = report;
  }

  translate(): Config {
    for (const [name, variable] of this.#source.variables) {
      if (this.#source.holdsDefaults && isProxySqlDefault(name, variable.value)) continue;
      // After the accounts of operators, whose passwords decide where they may be listened for.
      if (name === 'admin-mysql_ifaces') continue;
      if (isSameDefault(name, variable.value)) {
        this.#report.taken('variables', 1);
        continue;
      }
      this.#one(name, variable);
    }
    const operators = this.#source.variables.get('admin-mysql_ifaces');
    if (operators !== undefined) this.#listenForOperators(operators);
    return this.#monitorAccount();
  }

  #one(name: string, variable: SourceVariable): void {
    if (name.startsWith('sluice-')) this.#own(name, variable);
    else if (name === 'mysql-interfaces') this.#listenForClients(variable);
    else if (name === 'mysql-have_ssl') this.#clientTls(variable);
    else if (name === HEARTBEAT) this.#heartbeat(variable);
    else if (name === FIREWALL) this.#firewall(variable);
    else if (FILE_VARIABLES.has(name)) this.#file(name, variable);
    else if (SETTINGS.has(name) || SAME_AS.has(name)) this.#setting(name, variable);
    else this.#without(name, variable);
  }

  #set(path: string, value: unknown): void {
    this.#config = withSetting(this.#config, path, value);
  }

  #setting(name: string, { value, place }: SourceVariable): void {
    const found = this.#catalog.find(SAME_AS.get(name) ?? name);
    if (found === null) throw new TypeError(`There is no variable ${name}`);
    try {
      const next = found.write(this.#config, value);
      if ('ignored' in next) throw new TypeError(`${name} has no setting`);
      this.#config = next;
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      const setting = found.setting ?? 'admin.users';
      this.#report.attention(name, `left at Sluice's default (${setting}): ${error.message}`, place);
      return;
    }
    this.#report.taken('variables', 1);
    const changed = CHANGED.get(name) ?? (SAME_AS.has(name) ? (found.setting ?? null) : null);
    if (changed !== null) this.#report.changed(name, changed, place);
  }

  /** Of a Sluice that is asked as if it were a ProxySQL. */
  #own(name: string, variable: SourceVariable): void {
    const known = this.#catalog.find(name);
    if (known === null) this.#without(name, variable);
    else if (known.read(this.#config) !== variable.value) this.#setting(name, variable);
  }

  #without(name: string, { place }: SourceVariable): void {
    const reason = variableReason(name);
    if (reason !== null) {
      this.#report.missing(name, reason, place);
      return;
    }
    const nearest = nearestName(name, this.#catalog.names);
    const hint = nearest === null ? '' : `; ${nearest} is one`;
    this.#report.attention(
      name,
      `ProxySQL is not known to have this variable${hint}; nothing was taken`,
      place,
    );
  }

  /** Relative names are in ProxySQL's folder. */
  #file(name: string, { value, place }: SourceVariable): void {
    if (value === '') return;
    const path = isAbsolute(value) ? value : join(this.#source.datadir, value);
    this.#setting(name, { value: path, place });
    if (name === 'mysql-auditlog_filename') this.#set('auditLog.clients', true);
  }

  #heartbeat({ value, place }: SourceVariable): void {
    if (value === '') return;
    if (!/^[^.]+\.[^.]+$/.test(value)) {
      this.#report.attention(HEARTBEAT, 'expected schema.table; monitor.heartbeat is at its default', place);
      return;
    }
    this.#set('monitor.heartbeat', { ...this.#config.monitor.heartbeat, table: value, write: false });
    this.#report.taken('variables', 1);
    this.#report.changed(
      HEARTBEAT,
      'monitor.heartbeat.table with write: false: somebody else (pt-heartbeat --update) has to write it',
      place,
    );
  }

  /** Its list is of digests, and Sluice's are others. */
  #firewall({ value, place }: SourceVariable): void {
    if (!/^(?:true|1)$/i.test(value)) return;
    this.#report.attention(
      FIREWALL,
      "the firewall is left off: its digests are ProxySQL's. Take Sluice's with the mode DETECTING, then enable it",
      place,
    );
  }

  #listenForClients({ value, place }: SourceVariable): void {
    const found = readListenAddresses(value);
    if (found === null) {
      const { host, port } = this.#config.listen;
      const message = `no address of it can be listened on, ${host}:${port} is left`;
      this.#report.attention('mysql-interfaces', message, place);
      return;
    }
    this.#set('listen', { ...this.#config.listen, ...found });
    this.#report.taken('variables', 1);
  }

  #listenForOperators({ value, place }: SourceVariable): void {
    const name = 'admin-mysql_ifaces';
    if (this.#source.holdsDefaults && isProxySqlDefault(name, value)) return;
    const found = readListenAddresses(value);
    const { admin } = this.#config;
    if (found === null) {
      const message = `no address of it can be listened on, ${admin.host}:${admin.port} is left`;
      this.#report.attention(name, message, place);
      return;
    }
    const hosts = [found.host, ...found.addresses.filter((each) => !each.startsWith('/'))];
    const exposed = hosts.flatMap((host) => exposedDefaultUsers(host, admin.users));
    this.#report.taken('variables', 1);
    if (exposed.length === 0) {
      this.#set('admin', { ...admin, ...found });
      return;
    }
    const sockets = found.addresses.filter((each) => each.startsWith('/'));
    this.#set('admin', { ...admin, port: found.port, socket: found.socket, addresses: sockets });
    this.#report.attention(
      name,
      `only 127.0.0.1:${found.port} is listened on: ${[...new Set(exposed)].join(', ')} of admin.users has a default password. Change it, then set admin.host`,
      place,
    );
  }

  /** ProxySQL makes itself a certificate, Sluice does not. */
  #clientTls({ value, place }: SourceVariable): void {
    if (!/^(?:true|1)$/i.test(value)) return;
    const [certificate, key] = ['cert', 'key'].map((part) =>
      join(this.#source.datadir, `proxysql-${part}.pem`),
    );
    if (certificate !== undefined && key !== undefined && existsSync(certificate) && existsSync(key)) {
      this.#set('tls', { ...this.#config.tls, certificate, key });
      this.#report.taken('variables', 1);
      this.#report.changed(
        'mysql-have_ssl',
        `tls.certificate and tls.key: ProxySQL's own, ${certificate}`,
        place,
      );
      return;
    }
    this.#report.attention(
      'mysql-have_ssl',
      `clients are not offered TLS: set tls.certificate and tls.key (ProxySQL's are ${certificate} and ${key} on its machine)`,
      place,
    );
  }

  /** ProxySQL has an account where none is named. */
  #monitorAccount(): Config {
    const { monitor } = this.#config;
    const { variables } = this.#source;
    const isGiven = (what: string) => {
      const given = variables.get(`mysql-monitor_${what}`)?.value;
      return given !== undefined && given !== 'monitor';
    };
    const username = isGiven('username') ? monitor.username : 'monitor';
    const password = isGiven('password') ? monitor.password : 'monitor';
    if (username === monitor.username && password === monitor.password) return this.#config;
    const message = "ProxySQL's default, monitor, is written out where nothing else is said";
    this.#report.changed('monitor.username and password', message);
    this.#set('monitor', { ...monitor, username, password });
    return this.#config;
  }
}
