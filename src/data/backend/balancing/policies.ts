/** The policies by name. */

import { BalancingPolicyName } from '../../../topology/balancing.ts';
import type { BalancedPool } from './balanced-member.ts';
import type { BalancingPolicy } from './balancing-policy.ts';
import { ConsistentHash } from './consistent-hash.ts';
import { LeastConnections } from './least-connections.ts';
import { PeakEwma } from './peak-ewma.ts';
import { Weighted } from './weighted.ts';

export function policyNamed<P extends BalancedPool>(name: BalancingPolicyName): BalancingPolicy<P> {
  const now = () => performance.now();
  switch (name) {
    case BalancingPolicyName.leastConnections:
      return new LeastConnections<P>();
    case BalancingPolicyName.weighted:
      return new Weighted<P>();
    case BalancingPolicyName.peakEwma:
      return new PeakEwma<P>(Math.random, now);
    case BalancingPolicyName.consistentHash:
      return new ConsistentHash<P>(now);
  }
}
