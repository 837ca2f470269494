/** A hostgroup's servers that are fit for reads, as pools, and the choice among them. */

import { type Balancing, BalancingPolicyName, type HashKey, rampOf } from '../../topology/balancing.ts';
import { BalancedMember, type BalancedPool, type MemberSettings } from './balancing/balanced-member.ts';
import type { BalancingPolicy } from './balancing/balancing-policy.ts';
import { LeastLagged } from './balancing/least-lagged.ts';
import { policyNamed } from './balancing/policies.ts';
import type { ReadNeeds } from './balancing/read-needs.ts';
import { isUndemanding, type ReplicaMeasurements, satisfies } from './balancing/replica-measurements.ts';

export interface ReadMember<P extends BalancedPool> extends MemberSettings {
  readonly pool: P;
}

export interface ReadGroupSettings extends Balancing {
  /** Weight of the heaviest server that is listed for it, fit or not. */
  readonly heaviest: number;
  /** All of them are over their limit of lag: the one that is the least behind answers. */
  readonly isLagging?: boolean;
}

/** How a read would be given to a server now, for people. */
export interface ForeseenChoice {
  readonly address: string;
  readonly policy: BalancingPolicyName;
  /** By what each server that may have it is judged. */
  readonly candidates: readonly { readonly address: string; readonly figures: string }[];
}

export class ReadGroup<P extends BalancedPool> {
  readonly #measured: ReplicaMeasurements;
  #members: readonly BalancedMember<P>[] = [];
  /** Those of the own zone, or all if none of it is fit. */
  #preferred: readonly BalancedMember<P>[] = [];
  /** Those whose caches are cold. */
  #warming: readonly BalancedMember<P>[] = [];
  #warmedIn = -1;
  #policyName: BalancingPolicyName = BalancingPolicyName.leastConnections;
  #policy: BalancingPolicy<P> = policyNamed<P>(this.#policyName);
  #isLagging = false;
  #hashKey: HashKey = 'statement';
  /** Scratch memory: those that a read's needs leave. */
  readonly #left: BalancedMember<P>[] = [];
  /** In this turn: for all, and for those that need something which not all have. */
  #chosen: BalancedMember<P> | null = null;
  #chosenFor: BalancedMember<P> | null = null;
  #chosenIn = -1;

  constructor(measured: ReplicaMeasurements) {
    this.#measured = measured;
  }

  update(members: readonly ReadMember<P>[], settings: ReadGroupSettings): void {
    const known = new Map(this.#members.map((member) => [member.pool, member]));
    this.#members = members.map((wanted) => {
      const member = known.get(wanted.pool) ?? new BalancedMember(wanted.pool, wanted);
      member.settings = wanted;
      return member;
    });
    this.#warming = this.#members;
    this.#warm();
    const near = this.#members.filter(({ settings: { isNear } }) => isNear);
    this.#preferred = near.length === 0 ? this.#members : near;
    const isLagging = settings.isLagging === true;
    if (settings.policy !== this.#policyName || isLagging !== this.#isLagging) {
      this.#policyName = settings.policy;
      this.#isLagging = isLagging;
      this.#policy = isLagging ? new LeastLagged(this.#measured) : policyNamed(settings.policy);
    }
    this.#hashKey = settings.hashKey;
    this.#policy.update(this.#members, settings.heaviest);
    this.#chosen = null;
    this.#chosenFor = null;
  }

  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  /** What reads are kept together by; null where they are not. */
  get hashKey(): HashKey | null {
    const isHashed = this.#policyName === BalancingPolicyName.consistentHash && !this.#isLagging;
    return isHashed ? this.#hashKey : null;
  }

  get watchesLatency(): boolean {
    return this.#policyName === BalancingPolicyName.peakEwma;
  }

  /**
   * The server for a read in this turn of the event loop: the one that was chosen before in this turn if it has what the
   * read needs, and the policy allows it, so that they can leave in one write. Null if none has it.
   */
  choose(turn: number, read: ReadNeeds): P | null {
    if (this.#warming.length > 0 && this.#warmedIn !== turn) {
      this.#warmedIn = turn;
      this.#warm();
    }
    if (this.#chosenIn !== turn) {
      this.#chosenIn = turn;
      this.#chosen = null;
      this.#chosenFor = null;
    }
    const anyWillDo = isUndemanding(read);
    const chosen = this.#chosen;
    const chosenFor = this.#chosenFor;
    if (chosen !== null && (anyWillDo || this.#mayAnswer(chosen, read, null))) return chosen.pool;
    if (chosenFor !== null && !anyWillDo && this.#mayAnswer(chosenFor, read, null)) return chosenFor.pool;
    const candidates = anyWillDo ? this.#preferred : this.#leftBy(read, null);
    if (candidates.length === 0) return null;
    const best = this.#policy.choose(candidates, read);
    if (this.#policy.isPerTurn) this.#remember(best, candidates);
    return best.pool;
  }

  /** Only what was chosen among all is for those that need nothing: else the others would get nothing at all. */
  #remember(best: BalancedMember<P>, candidates: readonly BalancedMember<P>[]): void {
    if (candidates === this.#preferred) this.#chosen = best;
    else this.#chosenFor = best;
  }

  /** The replica to wait on: of those within the read's lag limit the one that has applied most. */
  nearest({ maxLagMs }: ReadNeeds): P | null {
    let nearest: P | null = null;
    let most = -1;
    const needs = { affinity: -1, maxLagMs, neededGtid: 0 };
    for (const member of this.#leftBy(needs, null)) {
      const { server } = member.pool;
      const applied = server.role === 'primary' ? -1 : this.#measured.appliedGtid(server.slot);
      if (applied <= most) continue;
      most = applied;
      nearest = member.pool;
    }
    return nearest;
  }

  /** For a read that this one could not answer. */
  other(than: P, read: ReadNeeds): P | null {
    const left = this.#leftBy(read, than);
    return left.length === 0 ? null : this.#policy.choose(left, read).pool;
  }

  foresee(read: ReadNeeds): ForeseenChoice | null {
    this.#warm();
    const left = this.#leftBy(read, null);
    if (left.length === 0) return null;
    const { pool } = this.#policy.foresee(left, read);
    const candidates = left.map((member) => ({
      address: member.pool.server.address,
      figures: this.#policy.describe(member),
    }));
    return { address: pool.server.address, policy: this.#policyName, candidates };
  }

  /** Those of the own zone, else the others. Valid until the next call. */
  #leftBy(read: ReadNeeds, except: P | null): readonly BalancedMember<P>[] {
    if (this.#haveAll(read, except)) return this.#preferred;
    const left = this.#left;
    left.length = 0;
    for (const member of this.#preferred) if (this.#mayAnswer(member, read, except)) left.push(member);
    if (left.length > 0 || this.#preferred === this.#members) return left;
    for (const member of this.#members) if (this.#mayAnswer(member, read, except)) left.push(member);
    return left;
  }

  /** As a rule all have it, and nothing needs to be sorted out. */
  #haveAll(read: ReadNeeds, except: P | null): boolean {
    for (const member of this.#preferred) if (!this.#mayAnswer(member, read, except)) return false;
    return true;
  }

  #mayAnswer({ pool }: BalancedMember<P>, read: ReadNeeds, except: P | null): boolean {
    return (
      pool !== except && satisfies(this.#measured, pool.server.slot, pool.server.role === 'primary', read)
    );
  }

  #warm(): void {
    const now = Date.now();
    for (const member of this.#warming) member.counts(rampOf(member.settings.warming, now));
    if (this.#warming.some(({ ramp }) => ramp < 1))
      this.#warming = this.#warming.filter(({ ramp }) => ramp < 1);
    else this.#warming = [];
  }
}
