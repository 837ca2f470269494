/** The servers that are to follow a new primary, all at once, while writes go on already. */

import type { ServerAddress } from '../../topology/server-description.ts';
import { describeError } from '../monitor/server-error.ts';

export interface Follower {
  readonly address: ServerAddress;
  /** @returns what is wrong in the end, '' for nothing */
  follow(): Promise<string>;
}

interface BegunFollower {
  readonly address: ServerAddress;
  readonly problem: Promise<string>;
}

export class Following {
  readonly #followers: readonly Follower[];
  #begun: readonly BegunFollower[] = [];

  constructor(followers: readonly Follower[]) {
    this.#followers = followers;
  }

  get addresses(): readonly ServerAddress[] {
    return this.#followers.map(({ address }) => address);
  }

  begin(): void {
    this.#begun = this.#followers.map((follower) => ({
      address: follower.address,
      problem: follower.follow().catch(describeError),
    }));
  }

  /** @returns whether one replicates within the time */
  async first(timeoutMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    const replicates = this.#begun.map(async ({ problem }) => {
      if ((await problem) !== '') throw new Error('it does not replicate');
      return true;
    });
    const isThere = Promise.any(replicates).catch(() => false);
    const isInTime = await Promise.race([late, isThere]);
    clearTimeout(timer);
    return isInTime;
  }

  /** Resolves when all have succeeded or failed. */
  async problems(): Promise<readonly string[]> {
    const problems = await Promise.all(
      this.#begun.map(async ({ address, problem }) => {
        const text = await problem;
        return text === '' ? [] : [`${address}: ${text}`];
      }),
    );
    return problems.flat();
  }
}
