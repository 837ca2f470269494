/** Pools without servers, for the choice among them. */

import {
  BalancedMember,
  type BalancedPool,
} from '../../../../../src/data/backend/balancing/balanced-member.ts';
import { LatencyAverage } from '../../../../../src/data/backend/balancing/latency-average.ts';
import type { ReadNeeds } from '../../../../../src/data/backend/balancing/read-needs.ts';

export interface MadePool extends BalancedPool {
  inUse: number;
  /** Reads that it was chosen for. */
  reads: number;
}

export function pool(slot: number, role = 'replica'): MadePool {
  const server = { address: `10.0.0.${slot}:3306`, slot, role };
  return { server, inUse: 0, reads: 0, latency: new LatencyAverage() };
}

export function member(slot: number, weight = 1): BalancedMember<MadePool> {
  return new BalancedMember(pool(slot), { weight, warming: null, isNear: true });
}

export function members(weights: readonly number[]): BalancedMember<MadePool>[] {
  return weights.map((weight, slot) => member(slot, weight));
}

export function withKey(affinity: number): ReadNeeds {
  return { affinity, maxLagMs: -1, neededGtid: 0 };
}
