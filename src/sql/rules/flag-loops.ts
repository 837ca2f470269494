/**
 * Chains of flagIN and flagOUT. Rules are looked at once, in the order of their numbers, so that a chain never turns in
 * circles; one that leads back to rules that have had their turn is a mistake, and is told as such.
 */

import type { QueryRule } from '../../common/query-rule.ts';
import { parseAttributes } from './rule-attributes.ts';

export interface FlagProblem {
  readonly rule: QueryRule;
  readonly message: string;
}

interface Link {
  readonly rule: QueryRule;
  readonly flags: readonly number[];
}

/** @param rules those that are active, with attributes that can be read. */
export function flagProblems(rules: readonly QueryRule[]): {
  readonly errors: readonly FlagProblem[];
  readonly warnings: readonly FlagProblem[];
} {
  const links = rules.map((rule) => ({ rule, flags: flagsOf(rule) }));
  const byFlag = Map.groupBy(links, ({ rule }) => rule.flagIn);
  const errors: FlagProblem[] = [];
  const warnings: FlagProblem[] = [];
  for (const link of links) {
    const { rule } = link;
    for (const flag of link.flags) {
      const next = byFlag.get(flag) ?? [];
      if (next.length === 0 || next.some((other) => other.rule.ruleId > rule.ruleId)) continue;
      const back = next.find((other) => reaches(other, link, byFlag));
      const before = (back ?? next[0]!).rule.ruleId;
      const order = 'rules are looked at once, in the order of rule_id';
      if (back === undefined)
        warnings.push({ rule, message: `flagIN ${flag} is of rules before it only (${before}); ${order}` });
      else errors.push({ rule, message: `flagOUT ${flag} leads back to rule ${before}: a loop; ${order}` });
    }
  }
  return { errors, warnings };
}

function flagsOf({ apply, flagOut, attributes }: QueryRule): number[] {
  // No rule is looked at behind it: the flag is for fast routing and the firewall.
  if (apply) return [];
  const weighted = parseAttributes(attributes).flagOuts.map(({ flag }) => flag);
  return flagOut === null ? weighted : [flagOut];
}

/** Whether rules that follow `from` come to `to`. */
function reaches(from: Link, to: Link, byFlag: ReadonlyMap<number, readonly Link[]>): boolean {
  if (from === to) return true;
  const seen = new Set<number>(from.flags);
  // A set that grows while it is walked through.
  for (const flag of seen) {
    if (flag === to.rule.flagIn) return true;
    for (const { flags } of byFlag.get(flag) ?? []) for (const next of flags) seen.add(next);
  }
  return false;
}
