/** The servers that are to follow a new primary, all at once, while writes go on already. */

import { describeError } from '../../monitor/server-error.ts';
import { followPrimary, replicationProblem } from '../follow-primary.ts';
import type { PlannedServer, SwitchoverPlan } from './switchover-plan.ts';

const FOLLOW_WITHIN_MS = 10_000;

interface Follower {
  readonly address: string;
  /** What is wrong in the end, '' for nothing. */
  readonly done: Promise<string>;
}

export class Following {
  readonly #plan: SwitchoverPlan;
  #followers: readonly Follower[] = [];

  constructor(plan: SwitchoverPlan) {
    this.#plan = plan;
  }

  /** Of a pair the old primary follows already. */
  get #servers(): readonly PlannedServer[] {
    const { from, others, isPair } = this.#plan;
    return isPair ? others : [from, ...others];
  }

  get addresses(): readonly string[] {
    return this.#servers.map(({ operator }) => operator.address);
  }

  begin(): void {
    this.#followers = this.#servers.map((server) => ({
      address: server.operator.address,
      done: this.#follow(server).catch(describeError),
    }));
  }

  /** Resolves when the first one replicates, or after the time. */
  async first(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([late, ...this.#followers.map(({ done }) => done)]);
    clearTimeout(timer);
  }

  /** Resolves when all have succeeded or failed. */
  async problems(): Promise<readonly string[]> {
    const problems = await Promise.all(
      this.#followers.map(async ({ address, done }) => {
        const problem = await done;
        return problem === '' ? [] : [`${address}: ${problem}`];
      }),
    );
    return problems.flat();
  }

  async #follow(server: PlannedServer): Promise<string> {
    const { from, others, place } = this.#plan;
    const { operator, state } = server;
    const channel = others.find((other) => other.operator === operator)?.channel ?? null;
    // The old primary is read-only by now, whatever it was when it was looked at.
    const now = server === from ? { ...state, readOnly: true } : state;
    await followPrimary(operator, now, channel, place);
    return replicationProblem(operator, FOLLOW_WITHIN_MS);
  }
}
