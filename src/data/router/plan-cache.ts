/**
 * Digest to plan. Two generations instead of a linked list: a plan that is used moves to the young one, and when
 * that is full the old one is dropped. Bounded, and a hit costs one lookup.
 */

import { keptCopy } from '../../common/kept-copy.ts';
import { classify } from '../../sql/classify.ts';
import { DigestScanner } from '../../sql/digest.ts';
import type { LexicalContext } from '../../sql/lexical-context.ts';
import { Plan } from './plan.ts';

export interface PlanCacheCounters {
  miss(): void;
}

export class PlanCache {
  readonly #scanner: DigestScanner;
  readonly #counters: PlanCacheCounters;
  #limit: number;
  #young = new Map<number, Plan>();
  #old = new Map<number, Plan>();

  constructor(seed: number, limit: number, counters: PlanCacheCounters) {
    this.#scanner = new DigestScanner(seed);
    this.#limit = Math.max(2, limit);
    this.#counters = counters;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  resize(limit: number): void {
    this.#limit = Math.max(2, limit);
  }

  /** The plan of `buffer[start, end)`, classified now if it is new. */
  planFor(buffer: Buffer, start: number, end: number, context: LexicalContext): Plan {
    const scanner = this.#scanner;
    scanner.scan(buffer, start, end, context);
    const length = scanner.normalizedLength;
    // 53 bits of the hash and the context find the entry; the bytes prove it.
    const key = (scanner.hashHigh >>> 11) * 0x1_0000_0000 + ((scanner.hashLow ^ context.key) >>> 0);
    let plan = this.#young.get(key);
    if (plan === undefined) {
      plan = this.#old.get(key);
      if (plan !== undefined) this.#keep(key, plan);
    }
    if (
      plan !== undefined &&
      plan.contextKey === context.key &&
      plan.normalized.length === length &&
      scanner.normalized.compare(plan.normalized, 0, length, 0, length) === 0
    )
      return plan;
    this.#counters.miss();
    const normalized = keptCopy(scanner.normalized, 0, length);
    const { hashLow, hashHigh } = scanner;
    const statement = classify(buffer, start, end, context);
    const made = new Plan(statement, normalized, context.key, hashLow, hashHigh);
    this.#keep(key, made);
    return made;
  }

  #keep(key: number, plan: Plan): void {
    if (this.#young.size >= this.#limit / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, plan);
  }
}
