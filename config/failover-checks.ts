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
}
