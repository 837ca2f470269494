/**
 * Automata grow with the texts that they see, each up to a limit of its own; this is the limit for all of them
 * together. When it is reached they are dropped, and grow again.
 */

import type { RulePattern } from '../../../sql/rules/rule-pattern.ts';

const MAX_BYTES = 64 * 1024 * 1024;
/** Evaluations between two looks. */
const PERIOD = 256;

export class AutomatonMemory {
  readonly #patterns: readonly RulePattern[];
  #evaluations = 0;

  constructor(patterns: readonly RulePattern[]) {
    this.#patterns = patterns;
  }

  /** After each evaluation. */
  watch(): void {
    if (++this.#evaluations < PERIOD) return;
    this.#evaluations = 0;
    if (this.bytes <= MAX_BYTES) return;
    for (const pattern of this.#patterns) pattern.forgetAutomaton();
  }

  get bytes(): number {
    return this.#patterns.reduce((sum, { automatonBytes }) => sum + automatonBytes, 0);
  }
}
