/** What one key's type cannot say: addresses, twins, and settings that contradict each other. */
import { checkCache } from './cache-checks.ts';
import { MAX_SERVERS } from './capacity.ts';
import { exposedDefaultUsers, isLoopback } from './default-password.ts';
import { checkFailover } from './failover-checks.ts';
import { checkHostgroupAttributes, checkHostgroupUses, checkPairs } from './hostgroup-checks.ts';
import { defaultPair } from './hostgroup-pairs.ts';
import { checkLevel2 } from './level2-checks.ts';
import { checkRuleLists } from './rule-checks.ts';
import type { ConfigValues, FastRouteConfig, QueryRuleConfig, ServerConfig, UserConfig } from './schema.ts';
import { serverDefaults } from './schema.ts';
import { formatAddress, parseHost, parseServerAddress } from './server-address.ts';
import {
  checkAddresses,
  checkNetworks,
  checkServerTls,
  checkSocketPath,
  checkTls,
} from './transport-checks.ts';

export interface CheckProblem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** One element of a list, with its place in the list as it was written. */
export interface Placed<T> {
  readonly index: number;
  readonly value: T;
}

export interface CheckedLists {
  readonly servers: readonly ServerConfig[];
  readonly users: readonly UserConfig[];
}

const WILDCARD = /^(0\.0\.0\.0|::)$/;

function normaliseServer(
  entry: Placed<ConfigValues['servers'][number]>,
  problems: CheckProblem[],
): ServerConfig | null {
  const path = ['servers', entry.index];
  if (typeof entry.value === 'string') {
    const address = parseServerAddress(entry.value);
    if (address.ok) return serverDefaults(address.host, address.port);
    problems.push({ path, message: address.message });
    return null;
  }
  const host = parseHost(entry.value.host);
  if (host !== null) return { ...entry.value, host };
  problems.push({
    path: [...path, 'host'],
    message: 'expected a host name or an IP address, without a port',
  });
  return null;
}

const TLS_KEYS = ['tls', 'tlsCa', 'tlsCertificate', 'tlsKey', 'tlsServerName', 'compression'] as const;

/** Connections to a server are shared by all of its hostgroups. */
function checkSameTls(
  first: ServerConfig,
  other: ServerConfig,
  index: number,
  problems: CheckProblem[],
): void {
  for (const key of TLS_KEYS) {
    if (first[key] === other[key]) continue;
    const message = `${formatAddress(other.host, other.port)} is listed with another ${key} for another hostgroup, but its connections are the same`;
    problems.push({ path: ['servers', index, key], message });
  }
}

/** A server may be listed once for each hostgroup. */
function checkServers(
  entries: readonly Placed<ConfigValues['servers'][number]>[],
  values: ConfigValues,
  problems: CheckProblem[],
): ServerConfig[] {
  const seen = new Map<string, number>();
  const addresses = new Map<string, ServerConfig>();
  const { writer } = defaultPair(values);
  const servers: ServerConfig[] = [];
  for (const entry of entries) {
    const server = normaliseServer(entry, problems);
    if (server === null) continue;
    const address = formatAddress(server.host, server.port);
    const place = `${address} in hostgroup ${server.hostgroup ?? writer}`;
    const twin = seen.get(place);
    const path = ['servers', entry.index];
    if (twin !== undefined) {
      const what = server.hostgroup === null ? address : place;
      problems.push({ path, message: `${what} is in the list already, as servers[${twin}]` });
    }
    checkServerTls(server, entry.index, problems);
    if (twin === undefined) seen.set(place, entry.index);
    checkSameTls(addresses.get(address) ?? server, server, entry.index, problems);
    if (!addresses.has(address)) addresses.set(address, server);
    if (addresses.size === MAX_SERVERS + 1)
      problems.push({ path, message: `these are more than ${MAX_SERVERS} different servers` });
    servers.push(server);
  }
  return servers;
}

/** What tells accounts apart in messages: the host only where it matters. */
function nameOf({ username, host }: UserConfig): string {
  return host === '%' ? username : `${username}@${host}`;
}

function checkTwinUsers(list: string, usernames: readonly Placed<string>[], problems: CheckProblem[]): void {
  const seen = new Map<string, number>();
  const steps = list.split('.');
  for (const { index, value } of usernames) {
    const twin = seen.get(value);
    if (twin === undefined) seen.set(value, index);
    else {
      const message = `user "${value}" is in the list already, as ${list}[${twin}]`;
      problems.push({ path: [...steps, index], message });
    }
  }
}

function checkAdmin({ admin }: ConfigValues, problems: CheckProblem[]): void {
  const usernames = admin.users.map(({ username }, index) => ({ index, value: username }));
  checkTwinUsers('admin.users', usernames, problems);
  const hosts = admin.addresses.map((text, index) => ({
    path: ['admin', 'addresses', index],
    host: text.includes('/') ? null : parseServerAddress(text, 0),
  }));
  for (const { path, host } of [
    { path: ['admin', 'host'], host: { ok: true, host: admin.host } as const },
    ...hosts,
  ]) {
    if (host?.ok !== true) continue;
    for (const username of exposedDefaultUsers(host.host, admin.users))
      problems.push({
        path,
        message: `"${host.host}" is not loopback, and user "${username}" of admin.users has a default password: set another one, or listen on 127.0.0.1`,
      });
  }
}

function checkHttp({ http, admin, tls }: ConfigValues, problems: CheckProblem[]): void {
  if (http.dashboard) {
    for (const username of exposedDefaultUsers(http.host, admin.users)) {
      problems.push({
        path: ['http', 'host'],
        message: `"${http.host}" is not loopback, and user "${username}" of admin.users, who may log in there, has a default password: set another one, listen on 127.0.0.1, or set http.dashboard to false`,
      });
    }
  }
  if (http.tls && (tls.certificate === null || tls.key === null)) {
    const message = 'HTTPS needs tls.certificate and tls.key';
    problems.push({ path: ['http', 'tls'], message });
  }
  if (http.metricsAddress === null) return;
  const address = parseServerAddress(http.metricsAddress, 0);
  if (!/:[0-9]+$/.test(http.metricsAddress))
    problems.push({ path: ['http', 'metricsAddress'], message: 'expected host:port' });
  else if (!address.ok) problems.push({ path: ['http', 'metricsAddress'], message: address.message });
  else if (portsClash(address, http)) {
    const message = `${address.port} is the port of http.port too`;
    problems.push({ path: ['http', 'metricsAddress'], message });
  }
}

function portsClash(a: { host: string; port: number }, b: { host: string; port: number }): boolean {
  return (
    a.port !== 0 && a.port === b.port && (a.host === b.host || WILDCARD.test(a.host) || WILDCARD.test(b.host))
  );
}

function checkListeners(values: ConfigValues, problems: CheckProblem[]): void {
  const listeners = ['listen', 'admin', 'http'] as const;
  for (const [position, name] of listeners.entries()) {
    if (parseHost(values[name].host) === null) {
      problems.push({
        path: [name, 'host'],
        message: 'expected a host name or an IP address, without a port',
      });
    }
    for (const other of listeners.slice(0, position)) {
      if (!portsClash(values[name], values[other])) continue;
      const message = `${values[name].port} is the port of ${other}.port too`;
      problems.push({ path: [name, 'port'], message });
    }
  }
  checkSocketPath(values.listen.socket, ['listen', 'socket'], problems);
  checkSocketPath(values.admin.socket, ['admin', 'socket'], problems);
  checkSocketTwins(values, problems);
}

/** One of the two would take the other's name away. */
function checkSocketTwins({ listen, admin }: ConfigValues, problems: CheckProblem[]): void {
  const isPath = (text: string | null): text is string => text?.includes('/') === true;
  const clients = [listen.socket, ...listen.addresses].filter(isPath);
  const operators = [admin.socket, ...admin.addresses].filter(isPath);
  for (const path of operators.filter((each) => clients.includes(each)))
    problems.push({ path: ['admin', 'socket'], message: `${path} is a socket for clients already` });
}

/** Sluice as its own server would connect to itself until every descriptor is used up. */
function checkLoops(values: ConfigValues, servers: readonly ServerConfig[], problems: CheckProblem[]): void {
  for (const { host, port } of servers) {
    const sameHost = host === values.listen.host || (WILDCARD.test(values.listen.host) && isLoopback(host));
    if (port !== values.listen.port || !sameHost) continue;
    const message = `${formatAddress(host, port)} is where Sluice itself listens (listen.port: ${port})`;
    problems.push({ path: ['servers'], message });
  }
}

function checkLimits(
  { pool, hostgroups }: ConfigValues,
  servers: readonly ServerConfig[],
  problems: CheckProblem[],
): void {
  if (hostgroups.writer === hostgroups.reader) {
    const message = `hostgroups.reader and hostgroups.writer are both ${hostgroups.reader}, they must differ`;
    problems.push({ path: ['hostgroups', 'reader'], message });
  }
  if (pool.minIdle > pool.maxConnections) {
    const message = `pool.minIdle (${pool.minIdle}) is more than pool.maxConnections (${pool.maxConnections})`;
    problems.push({ path: ['pool', 'minIdle'], message });
  }
  for (const { host, port, maxConnections } of servers) {
    if (maxConnections === null || pool.minIdle <= maxConnections) continue;
    const message = `pool.minIdle (${pool.minIdle}) is more than maxConnections (${maxConnections}) of server ${formatAddress(host, port)}`;
    problems.push({ path: ['pool', 'minIdle'], message });
  }
}

export interface Candidates {
  readonly values: ConfigValues;
  readonly servers: readonly Placed<ConfigValues['servers'][number]>[];
  readonly users: readonly Placed<UserConfig>[];
  readonly queryRules: readonly Placed<QueryRuleConfig>[];
  readonly fastRouting: readonly Placed<FastRouteConfig>[];
  /** Lists or keys that were wrong already, which are therefore not missing. */
  readonly isFaulty: (key: string) => boolean;
}

export function checkConfig(candidates: Candidates, problems: CheckProblem[]): CheckedLists {
  const { values, isFaulty } = candidates;
  const servers = checkServers(candidates.servers, values, problems);
  if (candidates.servers.length === 0 && !isFaulty('servers')) {
    problems.push({ path: ['servers'], message: 'at least one server is needed, such as "10.0.0.5:3306"' });
  }
  if (values.monitor.username === null && !isFaulty('monitor')) {
    const message = 'the account that watches the servers is needed';
    problems.push({ path: ['monitor', 'username'], message });
  }
  const usernames = candidates.users.map(({ index, value }) => ({ index, value: nameOf(value) }));
  checkTwinUsers(Array.isArray(values.users) ? 'users' : 'users.listed', usernames, problems);
  checkAdmin(values, problems);
  checkHttp(values, problems);
  checkListeners(values, problems);
  checkAddresses('listen', values.listen.addresses, problems);
  checkAddresses('admin', values.admin.addresses, problems);
  checkNetworks(values.proxyProtocol.networks, problems);
  checkTls(values, candidates.users, problems);
  checkLoops(values, servers, problems);
  checkLimits(values, servers, problems);
  checkPairs(values, problems);
  checkFailover(values, isFaulty('failover'), problems);
  checkLevel2(values, problems);
  checkCache(values, problems);
  checkHostgroupAttributes(values, problems);
  checkRuleLists(values, candidates.queryRules, candidates.fastRouting, problems);
  // Where servers could not be read, hostgroups would be missing as well.
  if (!isFaulty('servers') && !isFaulty('replicationHostgroups'))
    checkHostgroupUses({ ...candidates, servers }, problems);
  return { servers, users: candidates.users.map(({ value }) => value) };
}
