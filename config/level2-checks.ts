/** What the settings of `cache.level2` must be beside having the right types. */
import type { CheckProblem } from './checks.ts';
import type { ConfigValues } from './schema.ts';
import { parseServerAddress } from './server-address.ts';

type Level2 = ConfigValues['cache']['level2'];

const PATH = ['cache', 'level2'];
const SOCKET = /^unix:\/[^\0]{1,106}$/;
/** Of Redis alone. */
const REDIS_ONLY = [
  'username',
  'password',
  'database',
  'sentinelName',
  'sentinelUsername',
  'sentinelPassword',
  'tls',
  'certificate',
  'key',
] as const;
const SENTINEL_ONLY = ['sentinelName', 'sentinelUsername', 'sentinelPassword'] as const;
const TLS_ONLY = ['ca', 'certificate', 'key'] as const;

/** @returns '' if it is one. What somebody has pasted may hold a password: it is not in there. */
function objectionTo(endpoint: string, topology: Level2['topology']): string {
  if (endpoint.startsWith('unix:')) {
    if (topology !== 'servers') return `cache.level2.topology is ${topology}, whose endpoints are host:port`;
    return SOCKET.test(endpoint) ? '' : 'expected unix: and an absolute path of at most 107 bytes';
  }
  if (endpoint.includes('://'))
    return 'expected host:port and no URL: what else it says are settings of their own';
  const address = parseServerAddress(endpoint);
  if (!address.ok) return address.message;
  return /:\d+$/.test(endpoint) ? '' : 'expected host:port';
}

export function checkLevel2({ cache }: ConfigValues, problems: CheckProblem[]): void {
  const { level2 } = cache;
  const { kind, topology, endpoints, tls } = level2;
  const say = (name: string, message: string): void => {
    problems.push({ path: [...PATH, name], message });
  };
  for (const [index, endpoint] of endpoints.entries()) {
    const message = objectionTo(endpoint, topology);
    if (message !== '') problems.push({ path: [...PATH, 'endpoints', index], message });
  }
  if (new Set(endpoints).size < endpoints.length) say('endpoints', 'an endpoint is listed twice');
  if (kind !== 'off' && endpoints.length === 0)
    say('endpoints', `cache.level2.kind is ${kind}, which needs endpoints`);
  if (!tls)
    for (const name of TLS_ONLY)
      if (level2[name] !== null) say(name, `cache.level2.${name} is of no use without cache.level2.tls`);
  if ((level2.certificate === null) !== (level2.key === null))
    say('key', 'cache.level2.certificate and cache.level2.key come together');
  checkTopology(level2, say);
}

function checkTopology(level2: Level2, say: (name: string, message: string) => void): void {
  const { kind, topology, database, sentinelName } = level2;
  if (kind === 'memcached') {
    for (const name of REDIS_ONLY) {
      const value = level2[name];
      if (value !== null && value !== false && value !== 0)
        say(name, `cache.level2.${name} is not for memcached`);
    }
    if (topology !== 'servers') say('topology', `cache.level2.topology ${topology} is not for memcached`);
    return;
  }
  if (topology === 'cluster' && database !== 0)
    say('database', `cache.level2.database is ${database}, and a Redis Cluster has 0 only`);
  if (topology !== 'sentinel') {
    for (const name of SENTINEL_ONLY)
      if (level2[name] !== null) say(name, `cache.level2.${name} is for cache.level2.topology sentinel only`);
  } else if (sentinelName === null) {
    say('sentinelName', 'cache.level2.topology is sentinel, which needs cache.level2.sentinelName');
  }
}
