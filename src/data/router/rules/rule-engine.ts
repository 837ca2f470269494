/**
 * One set of query rules: says of a statement what the rules say. What session and digest decide is found out once per
 * digest and context; only rules that look at the text are asked for each statement, and only those of them that
 * session and digest leave.
 */

import type { QueryRuleSet } from '../../../common/query-rule.ts';
import { replaceMatches } from '../../../sql/rules/replacement.ts';
import { type NumberedLimits, numberedLimits, orderedRules } from '../../../sql/rules/rule-order.ts';
import type { RulePattern } from '../../../sql/rules/rule-pattern.ts';
import { RuleText } from '../../../sql/rules/rule-text.ts';
import { AutomatonMemory } from './automaton-memory.ts';
import { CompiledRule } from './compiled-rule.ts';
import { FastRouting } from './fast-routing.ts';
import { FirewallList } from './firewall-list.ts';
import { oftenTried, patternsOf } from './often-tried.ts';
import { PlanDigest } from './plan-digest.ts';
import { PlanRules, type RuledPlan, type RuleOutcome } from './plan-rules.ts';
import { type RuleContext, RuleContexts } from './rule-context.ts';
import type { RuleSession } from './rule-session.ts';
import type { RuleVerdict } from './rule-verdict.ts';
import type { VerdictEnvironment, VerdictNode } from './verdict-tree.ts';

export interface RuleEngineOptions {
  /** What is kept with plans for another one goes; shadow rules have that of the rules that they are beside. */
  readonly generation: number;
  /** Of a statement, and of a digest, that patterns look at. */
  readonly maxTextBytes: number;
  /** From 0 up to and without 1. */
  readonly random: () => number;
}

type RulesInForce = Omit<QueryRuleSet, 'shadow'>;

interface EngineParts {
  readonly rules: readonly CompiledRule[];
  readonly patterns: readonly RulePattern[];
  readonly contexts: RuleContexts;
  readonly limits: NumberedLimits;
  readonly fastRouting: FastRouting;
  readonly firewall: FirewallList;
}

const RULES_PER_SLICE = 64;
const ENTRIES_PER_SLICE = 512;

/** A replacement has made more of a statement than it may become. */
export class RewriteTooLongError extends RangeError {
  override readonly name = 'RewriteTooLongError';
}

export class RuleEngine {
  readonly rules: readonly CompiledRule[];
  readonly firewall: FirewallList;
  readonly options: RuleEngineOptions;
  readonly #contexts: RuleContexts;
  readonly #memory: AutomatonMemory;
  /** What the last statement that a verdict was asked for has become; null: nothing else. Text only, no command. */
  rewritten: Buffer | null = null;

  private constructor(parts: EngineParts, set: RulesInForce, options: RuleEngineOptions) {
    const { limits, fastRouting } = parts;
    this.firewall = parts.firewall;
    this.options = options;
    this.rules = parts.rules;
    this.#memory = new AutomatonMemory(parts.patterns);
    const environmentOf = (session: RuleSession): VerdictEnvironment => ({
      userLimit: limits.ofUser.get(session.username) ?? null,
      blockedMessage: this.firewall.message,
      fastRoute: (flag) => fastRouting.destination(session.username, session.schema, flag),
    });
    this.#contexts = parts.contexts;
    const limited = set.userRateLimits.map(({ username }) => username);
    const { addresses } = this.firewall;
    this.#contexts.complete(
      [fastRouting, this.firewall],
      limited,
      addresses,
      options.generation,
      environmentOf,
    );
  }

  /** Yields between slices of about a millisecond; what it returns is the engine. */
  static *build(set: RulesInForce, options: RuleEngineOptions): Generator<void, RuleEngine> {
    const limits = numberedLimits(set);
    yield;
    const rules: CompiledRule[] = [];
    const contexts = new RuleContexts();
    for (const [slot, rule] of orderedRules(set.rules).entries()) {
      const compiled = new CompiledRule(rule, slot, limits.ofRule.get(rule.ruleId) ?? null);
      rules.push(compiled);
      contexts.add(compiled);
      if (slot % RULES_PER_SLICE === 0) yield;
    }
    const patterns = patternsOf(rules);
    yield;
    for (const pattern of oftenTried(patterns)) {
      pattern.compile();
      yield;
    }
    const fastRouting = new FastRouting();
    for (const [index, entry] of set.fastRouting.entries()) {
      fastRouting.add(entry);
      if (index % ENTRIES_PER_SLICE === 0) yield;
    }
    const firewall = new FirewallList(set.firewall);
    for (const [index, entry] of firewall.isEnabled ? set.firewall.rules.entries() : []) {
      firewall.add(entry);
      if (index % ENTRIES_PER_SLICE === 0) yield;
    }
    yield;
    return new RuleEngine({ rules, patterns, contexts, limits, fastRouting, firewall }, set, options);
  }

  /** At once. */
  static of(set: RulesInForce, options: RuleEngineOptions): RuleEngine {
    const steps = RuleEngine.build(set, options);
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }

  /** @param flagIn 0, or what a statement before has left (`next_query_flagIN`). */
  contextOf(session: RuleSession, flagIn: number): RuleContext {
    return this.#contexts.contextOf(session, flagIn);
  }

  /**
   * What the rules say of the text `buffer[start, end)`, which is of `plan`. What the rules make of it is in
   * `rewritten` afterwards.
   * @throws RewriteTooLongError
   */
  verdict(plan: RuledPlan, context: RuleContext, buffer: Buffer, start: number, end: number): RuleVerdict {
    this.rewritten = null;
    const known = plan.rules;
    const { verdict, candidates } =
      known !== null && known.context === context ? known.outcome : this.outcome(plan, context);
    return verdict ?? this.#judgeText(plan, context, candidates, buffer, start, end);
  }

  outcome(plan: RuledPlan, context: RuleContext): RuleOutcome {
    const known = plan.rules?.find(context) ?? null;
    if (known !== null) return known;
    const digest = new PlanDigest(plan.normalized, this.options.maxTextBytes);
    const outcome = this.#settle(context, digest);
    if (plan.rules === null) plan.rules = new PlanRules(context, outcome);
    else plan.rules.keep(context, outcome);
    this.#memory.watch();
    return outcome;
  }

  /** The rules that session and digest leave, in so far as a chain may lead to them. */
  #settle(context: RuleContext, digest: PlanDigest): RuleOutcome {
    const flags = new Set([context.flagIn]);
    const candidates: CompiledRule[] = [];
    let isSettled = true;
    for (const rule of this.rules) {
      if (!flags.has(rule.flagIn) || rule.sessionMismatch(context.session) !== null) continue;
      if (rule.digestMismatch(digest) !== null) continue;
      candidates.push(rule);
      if (!rule.isSettledByDigest) isSettled = false;
      for (const { flagOut } of rule.edges) if (flagOut !== null) flags.add(flagOut);
    }
    if (!isSettled) return { verdict: null, candidates };
    let node = context.tree.root;
    for (const rule of candidates) {
      if (rule.flagIn !== node.flag) continue;
      node = node.after(rule.edges[0]!);
      if (rule.rule.apply) break;
    }
    return { verdict: this.#finish(node, context, digest), candidates: [] };
  }

  #judgeText(
    plan: RuledPlan,
    context: RuleContext,
    candidates: readonly CompiledRule[],
    buffer: Buffer,
    start: number,
    end: number,
  ): RuleVerdict {
    const original = RuleText.of(buffer, start, end, this.options.maxTextBytes);
    let text = original;
    let node = context.tree.root;
    for (const rule of candidates) {
      if (rule.flagIn !== node.flag || rule.textMismatch(text) !== null) continue;
      node = node.after(rule.edge(this.options.random));
      if (rule.replacement !== null) text = this.replace(rule, text);
      if (rule.rule.apply) break;
    }
    if (text !== original && text.value !== original.value) {
      const rest = buffer.subarray(start + original.byteLength, end);
      this.rewritten = Buffer.concat([Buffer.from(text.value, text.encoding), rest]);
    }
    this.#memory.watch();
    return this.#finish(node, context, new PlanDigest(plan.normalized, this.options.maxTextBytes));
  }

  /** What the rule makes of a text that it matches. @throws RewriteTooLongError */
  replace(rule: CompiledRule, text: RuleText): RuleText {
    const { textPattern, replacement, isGlobal } = rule;
    if (textPattern === null || replacement === null) return text;
    try {
      const value = replaceMatches(textPattern.regex, text.value, replacement, isGlobal, text.encoding);
      return value === text.value ? text : new RuleText(value, text.encoding);
    } catch (error) {
      if (error instanceof RangeError) throw new RewriteTooLongError(`rule ${rule.rule.ruleId}`);
      throw error;
    }
  }

  #finish(node: VerdictNode, { session }: RuleContext, digest: PlanDigest): RuleVerdict {
    return node.verdict(this.firewall.verdict(session, node.flag, digest));
  }
}
