/** How reads are shared among the servers of a hostgroup: closed sets, and what a server counts for. Pure. */

export const BalancingPolicyName = {
  leastConnections: 'least-connections',
  weighted: 'weighted',
  peakEwma: 'peak-ewma',
  consistentHash: 'consistent-hash',
} as const;
export type BalancingPolicyName = (typeof BalancingPolicyName)[keyof typeof BalancingPolicyName];

/** What consistent hashing keeps together. */
export const HashKey = { statement: 'statement', user: 'user', schema: 'schema' } as const;
export type HashKey = (typeof HashKey)[keyof typeof HashKey];

export interface Balancing {
  readonly policy: BalancingPolicyName;
  readonly hashKey: HashKey;
}

export function describePolicy({ policy, hashKey }: Balancing): string {
  return policy === BalancingPolicyName.consistentHash ? `${policy} by ${hashKey}` : policy;
}

/** What a server that has just come back gets at the least, of its weight. */
const LEAST_RAMP = 0.1;

/** A server that has come back with cold caches, and takes its full share only after a while; of the wall clock. */
export interface Warming {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** The part of its weight that counts now, from 0.1 to 1. */
export function rampOf(warming: Warming | null, nowMs: number): number {
  if (warming === null || nowMs >= warming.untilMs || nowMs < warming.sinceMs) return 1;
  return Math.max(LEAST_RAMP, (nowMs - warming.sinceMs) / (warming.untilMs - warming.sinceMs));
}
