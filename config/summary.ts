/** A valid configuration in a few lines, for `--check-config`, and what looks unintended in it. Names no secret. */
import type { Config, ServerConfig } from './schema.ts';
import { formatAddress } from './server-address.ts';

function serverLine(server: ServerConfig, config: Config): string {
  const details = [
    `weight ${server.weight}`,
    `at most ${server.maxConnections ?? config.pool.maxConnections} connections`,
    ...(server.maxReplicationLagMs === 0 ? [] : [`at most ${server.maxReplicationLagMs} ms of lag`]),
    ...(server.hostgroup === null ? [] : [`hostgroup ${server.hostgroup}`]),
  ];
  return `${formatAddress(server.host, server.port)} (${details.join(', ')})`;
}

function shortened(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(', ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}

function usersLine({ users, backendUsers }: Config): string {
  const listed = shortened(users.map(({ username }) => username));
  if (backendUsers === null) return users.length === 0 ? 'none' : listed;
  const read = `from the primary, every ${backendUsers.refreshIntervalMs} ms`;
  return users.length === 0 ? read : `${read}; listed ${listed}`;
}

export function summariseConfig(config: Config): string {
  const { listen, admin, http, hostgroups } = config;
  const socket = listen.socket === null ? '' : ` and ${listen.socket}`;
  const rows: [string, string][] = [
    ['clients', `${formatAddress(listen.host, listen.port)}${socket}`],
    [
      'admin',
      `${formatAddress(admin.host, admin.port)}${admin.socket === null ? '' : ` and ${admin.socket}`}`,
    ],
    ['http', formatAddress(http.host, http.port)],
    ['workers', String(config.workers)],
    ['hostgroups', `writer ${hostgroups.writer}, reader ${hostgroups.reader}`],
    ...config.servers.map((server, index): [string, string] => [
      index === 0 ? 'servers' : '',
      serverLine(server, config),
    ]),
    ['users', usersLine(config)],
    ['monitor', `${config.monitor.username}, every ${config.monitor.intervalMs} ms`],
    ['data', config.dataDir ?? 'not kept (no dataDir)'],
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(11)} ${value}`).join('\n');
}

/** Valid, but probably not what was meant. */
export function configWarnings(config: Config): string[] {
  const warnings: string[] = [];
  if (config.users.length === 0 && config.backendUsers === null)
    warnings.push('users is empty: no client can log in');
  if (config.admin.users.length === 0)
    warnings.push('admin.users is empty: nobody can log in on the admin port');
  const guessable = config.admin.users.filter(({ username, password }) => password === username);
  for (const { username } of guessable)
    warnings.push(`admin.users has the default account ${username} with its default password`);
  if (config.servers.length > 0 && config.servers.every(({ weight }) => weight === 0)) {
    warnings.push('every server has weight 0: no replica takes reads');
  }
  return warnings;
}
