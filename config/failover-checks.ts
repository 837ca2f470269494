/** What the settings of `failover` must be beside having the right types. */
import type { CheckProblem } from './checks.ts';
import type { ConfigValues } from './schema.ts';
import { parseServerAddress } from './server-address.ts';

/** @param isFaulty whether something of the section could not be read: then nothing is said of what is missing */
export function checkFailover({ failover }: ConfigValues, isFaulty: boolean, problems: CheckProblem[]): void {
  const { replication, candidates } = failover;
  const isHalf = (replication.username === null) !== (replication.password === null);
  if (isHalf && !isFaulty) {
    const missing = replication.username === null ? 'username' : 'password';
    const message = 'failover.replication needs both username and password, or none of them';
    problems.push({ path: ['failover', 'replication', missing], message });
  }
  for (const [index, text] of candidates.entries()) {
    const address = parseServerAddress(text);
    if (!address.ok) problems.push({ path: ['failover', 'candidates', index], message: address.message });
  }
  checkEtcd(failover.etcd, isFaulty, problems);
}

function checkEtcd(
  { endpoints, username, password, certificate, key, ttlMs, timeoutMs }: ConfigValues['failover']['etcd'],
  isFaulty: boolean,
  problems: CheckProblem[],
): void {
  const path = ['failover', 'etcd'];
  for (const [index, endpoint] of endpoints.entries()) {
    if (isEndpoint(endpoint)) continue;
    const message = `"${endpoint}" is no endpoint of etcd, expected http://host:port or https://host:port`;
    problems.push({ path: [...path, 'endpoints', index], message });
  }
  if (timeoutMs * 3 > ttlMs) {
    const message = `failover.etcd.timeoutMs (${timeoutMs}) is more than a third of failover.etcd.ttlMs (${ttlMs}): the lease would end before the second call`;
    problems.push({ path: [...path, 'timeoutMs'], message });
  }
  if (isFaulty) return;
  const pairs = [
    ['username', username, 'password', password],
    ['certificate', certificate, 'key', key],
  ] as const;
  for (const [one, oneValue, other, otherValue] of pairs) {
    if ((oneValue === null) === (otherValue === null)) continue;
    const missing = oneValue === null ? one : other;
    problems.push({
      path: [...path, missing],
      message: `failover.etcd needs both ${one} and ${other}, or none of them`,
    });
  }
}

function isEndpoint(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '' && url.pathname === '/';
}
