/** What the settings of `cache.level2` must be beside having the right types. */
import type { CheckProblem } from './checks.ts';
import type { ConfigValues } from './schema.ts';
import { parseServerAddress } from './server-address.ts';

export function checkLevel2({ cache }: ConfigValues, problems: CheckProblem[]): void {
  const { kind, endpoints, username, password, tls, ca } = cache.level2;
  const path = ['cache', 'level2'];
  for (const [index, endpoint] of endpoints.entries()) {
    const address = parseServerAddress(endpoint);
    const message = address.ok ? 'expected host:port' : address.message;
    if (!address.ok || !/:\d+$/.test(endpoint))
      problems.push({ path: [...path, 'endpoints', index], message });
  }
  if (kind !== 'off' && endpoints.length === 0)
    problems.push({
      path: [...path, 'endpoints'],
      message: `cache.level2.kind is ${kind}, which needs endpoints`,
    });
  if (ca !== null && !tls)
    problems.push({
      path: [...path, 'ca'],
      message: 'cache.level2.ca is of no use without cache.level2.tls',
    });
  if (kind !== 'memcached') return;
  const unknown = [
    ['username', username !== null],
    ['password', password !== null],
    ['tls', tls],
  ] as const;
  for (const [name, isSet] of unknown) {
    if (!isSet) continue;
    problems.push({ path: [...path, name], message: `cache.level2.${name} is not for memcached` });
  }
}
