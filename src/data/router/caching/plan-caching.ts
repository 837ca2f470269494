/** What the cache policy has said of a plan, kept with it: for who asked last, and some others. */

import type { RuleVerdict } from '../rules/rule-verdict.ts';
import type { CacheVerdict } from './cache-decision.ts';

export interface CachingAnswer {
  readonly rules: RuleVerdict;
  readonly username: string;
  readonly schema: string | null;
  readonly verdict: CacheVerdict;
}

/** More answers than this are not kept for one plan. */
const MAX_OTHERS = 64;

export class PlanCaching {
  /** Of the settings and the catalogue that the answers are from. */
  readonly generation: number;
  #last: CachingAnswer;
  readonly #others: CachingAnswer[] = [];

  constructor(generation: number, answer: CachingAnswer) {
    this.generation = generation;
    this.#last = answer;
  }

  find(rules: RuleVerdict, username: string, schema: string | null): CacheVerdict | null {
    if (isFor(this.#last, rules, username, schema)) return this.#last.verdict;
    for (const answer of this.#others) if (isFor(answer, rules, username, schema)) return answer.verdict;
    return null;
  }

  keep(answer: CachingAnswer): void {
    if (this.#others.length >= MAX_OTHERS) this.#others.length = 0;
    this.#others.push(this.#last);
    this.#last = answer;
  }
}

function isFor(answer: CachingAnswer, rules: RuleVerdict, username: string, schema: string | null): boolean {
  return answer.rules === rules && answer.username === username && answer.schema === schema;
}
