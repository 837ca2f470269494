/** The latest operations of a run, so that a violation can be shown with what happened around it. */

import type { Chain } from './chain.ts';

export interface Operation {
  readonly session: string;
  readonly startedAt: number;
  endedAt: number;
  readonly sql: string;
  /** What came back, in short. */
  outcome: string;
  chains: readonly Chain[];
}

export class OperationLog {
  readonly #ring: Operation[] = [];
  readonly #capacity: number;
  #count = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get count(): number {
    return this.#count;
  }

  add(operation: Operation): void {
    this.#ring[this.#count++ % this.#capacity] = operation;
  }

  /** Those that have not ended. */
  unanswered(): Operation[] {
    return this.#ring.filter(({ endedAt }) => endedAt === Number.POSITIVE_INFINITY);
  }

  /** Those that touched one of these chains and had not ended before `from`, by their beginning. */
  about(chains: readonly Chain[], from: number, to: number): Operation[] {
    const wanted = new Set(chains);
    return this.#ring
      .filter(({ startedAt, endedAt }) => endedAt >= from && startedAt <= to)
      .filter((operation) => operation.chains.some((chain) => wanted.has(chain)))
      .sort((a, b) => a.startedAt - b.startedAt);
  }
}

export function operationLine({ session, startedAt, endedAt, sql, outcome }: Operation): string {
  return `${startedAt.toFixed(3).padStart(12)} ${endedAt.toFixed(3).padStart(12)}  ${session.padEnd(12)} ${sql} -> ${outcome}`;
}
