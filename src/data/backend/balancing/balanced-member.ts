/** One server of a hostgroup as policies see it, with what they keep of it. */

import type { Warming } from '../../../topology/balancing.ts';
import type { LatencyAverage } from './latency-average.ts';

/** A server's pool, as far as a choice needs it. */
export interface BalancedPool {
  readonly server: { readonly address: string; readonly slot: number; readonly role: string };
  /** Connections that a session or a batch has. */
  readonly inUse: number;
  readonly latency: LatencyAverage;
}

export interface MemberSettings {
  /** Above 0. */
  readonly weight: number;
  /** null: its weight counts in full. */
  readonly warming: Warming | null;
  /** It is in the zone of this Sluice, or zones do not matter. */
  readonly isNear: boolean;
}

export class BalancedMember<P extends BalancedPool = BalancedPool> {
  readonly pool: P;
  settings: MemberSettings;
  /** Of its weight, what counts now: below 1 while its caches are cold. */
  ramp = 1;
  /** In force: of its settings, for as much as counts now. */
  weight: number;
  /** What smooth weighting owes it. */
  credit = 0;
  /** Reads that consistent hashing has given it of late. */
  recent = 0;
  /** Scratch: the choice that it is a candidate of. */
  candidateOf = 0;

  constructor(pool: P, settings: MemberSettings) {
    this.pool = pool;
    this.settings = settings;
    this.weight = settings.weight;
  }

  counts(ramp: number): void {
    this.ramp = ramp;
    this.weight = this.settings.weight * ramp;
  }
}
