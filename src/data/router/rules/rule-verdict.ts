/** What the query rules say of a statement: a value, made once for each outcome and compared by reference. */

import type { CausalLevel } from '../../../common/causal-level.ts';
import type { QueryRule, RateLimit } from '../../../common/query-rule.ts';
import type { RuleCaching } from '../../../sql/rules/rule-attributes.ts';

export interface RuledCaching extends RuleCaching {
  readonly ruleId: number;
  /** It is `cache_ttl` alone that says so: ProxySQL's own settings hold as well. */
  readonly isProxysql: boolean;
}

export type FirewallVerdict = 'off' | 'allowed' | 'detected' | 'blocked';

/** null is "no rule says anything". Where several do, the last one counts. */
export interface RuleVerdict {
  /** Those that have matched, in order. */
  readonly rules: readonly QueryRule[];
  /** Where each of them is counted. */
  readonly hitSlots: readonly number[];
  /** By a rule, or by fast routing. */
  readonly destinationHostgroup: number | null;
  readonly timeoutMs: number | null;
  readonly retries: number | null;
  readonly reconnect: boolean | null;
  readonly delayMs: number;
  readonly multiplex: 0 | 1 | 2 | null;
  readonly errorMessage: string | null;
  readonly okMessage: string | null;
  readonly mirrorHostgroup: number | null;
  readonly mirrorFlagOut: number | null;
  readonly log: boolean | null;
  readonly nextFlagIn: number | null;
  readonly stickyConn: boolean | null;
  /** Of the last rule that says anything of it. */
  readonly caching: RuledCaching | null;
  readonly cacheEmptyResult: boolean | null;
  readonly cacheTimeoutMs: number | null;
  readonly causalReads: CausalLevel | null;
  /** Those of `rules` that change the text. */
  readonly replaces: readonly QueryRule[];
  readonly rateLimits: readonly RateLimit[];
  readonly firewall: FirewallVerdict;
}

/** No rules are loaded, or the command is no statement. */
export const NO_RULES: RuleVerdict = Object.freeze({
  rules: [],
  hitSlots: [],
  destinationHostgroup: null,
  timeoutMs: null,
  retries: null,
  reconnect: null,
  delayMs: 0,
  multiplex: null,
  errorMessage: null,
  okMessage: null,
  mirrorHostgroup: null,
  mirrorFlagOut: null,
  log: null,
  nextFlagIn: null,
  stickyConn: null,
  caching: null,
  cacheEmptyResult: null,
  cacheTimeoutMs: null,
  causalReads: null,
  replaces: [],
  rateLimits: [],
  firewall: 'off',
});
