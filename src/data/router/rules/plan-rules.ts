/** What rules have said of a plan, kept with it: for the context that asked last, and some others. */

import type { CompiledRule } from './compiled-rule.ts';
import type { RuleContext } from './rule-context.ts';
import type { RuleVerdict } from './rule-verdict.ts';

/** The verdict, where the digest and the session decide; else the rules that are left for the text to decide about. */
export interface RuleOutcome {
  readonly verdict: RuleVerdict | null;
  readonly candidates: readonly CompiledRule[];
}

/** A plan, as far as rules need it. */
export interface RuledPlan {
  readonly normalized: Buffer;
  rules: PlanRules | null;
}

/** More contexts than this are not kept for one plan. */
const MAX_OTHERS = 64;

export class PlanRules {
  context: RuleContext;
  outcome: RuleOutcome;
  #others: Map<RuleContext, RuleOutcome> | null = null;

  constructor(context: RuleContext, outcome: RuleOutcome) {
    this.context = context;
    this.outcome = outcome;
  }

  find(context: RuleContext): RuleOutcome | null {
    if (context === this.context) return this.outcome;
    const outcome = this.#others?.get(context) ?? null;
    if (outcome !== null) this.keep(context, outcome);
    return outcome;
  }

  keep(context: RuleContext, outcome: RuleOutcome): void {
    // Rules that are gone would be kept alive by what they have said.
    if (context.generation !== this.context.generation) this.#others = null;
    else {
      if (this.#others === null || this.#others.size >= MAX_OTHERS) this.#others = new Map();
      this.#others.set(this.context, this.outcome);
    }
    this.context = context;
    this.outcome = outcome;
  }
}
