/** A query rule ready to be asked: what it wants of the session, of the digest and of the text, in that order. */

import { CacheClass } from '../../../common/cache-settings.ts';
import { CausalLevel } from '../../../common/causal-level.ts';
import type { QueryRule, RateLimit } from '../../../common/query-rule.ts';
import { canonicalDigest } from '../../../sql/rules/query-rule-checks.ts';
import { parseReplacement, type ReplacementPart } from '../../../sql/rules/replacement.ts';
import { parseAttributes, type RuleCaching } from '../../../sql/rules/rule-attributes.ts';
import { parseModifiers, RulePattern } from '../../../sql/rules/rule-pattern.ts';
import type { RuleText } from '../../../sql/rules/rule-text.ts';
import type { PlanDigest } from './plan-digest.ts';
import type { RuleSession } from './rule-session.ts';

/** A way on behind a rule: which rule has matched, and with which flag it goes on. */
export interface RuleEdge {
  readonly rule: CompiledRule;
  /** null: as before. */
  readonly flagOut: number | null;
  readonly weight: number;
}

/** Column that a statement does not agree with, as ProxySQL writes it. */
export type RuleColumn =
  | 'flagIN'
  | 'username'
  | 'schemaname'
  | 'client_addr'
  | 'proxy_addr'
  | 'proxy_port'
  | 'digest'
  | 'match_digest'
  | 'match_pattern';

export class CompiledRule {
  readonly rule: QueryRule;
  /** Place of its hits. */
  readonly slot: number;
  readonly flagIn: number;
  readonly username: string | null;
  readonly schemaname: string | null;
  readonly clientAddr: ClientAddressPattern | null;
  readonly proxyAddr: string | null;
  readonly proxyPort: number | null;
  readonly digest: string | null;
  readonly digestPattern: RulePattern | null;
  readonly textPattern: RulePattern | null;
  readonly replacement: readonly ReplacementPart[] | null;
  readonly isGlobal: boolean;
  readonly rateLimit: RateLimit | null;
  readonly causalReads: CausalLevel | null;
  /** By its attributes or, as ProxySQL has it, its `cache_ttl`. */
  readonly caching: RuleCaching | null;
  readonly isProxysqlCaching: boolean;
  /** One, or several of which chance takes one. */
  readonly edges: readonly RuleEdge[];
  readonly totalWeight: number;

  constructor(rule: QueryRule, slot: number, rateLimit: RateLimit | null) {
    const { modifiers } = parseModifiers(rule.reModifiers);
    this.rule = rule;
    this.slot = slot;
    this.flagIn = rule.flagIn;
    // As in ProxySQL, an empty text is none.
    this.username = rule.username || null;
    this.schemaname = rule.schemaname || null;
    this.clientAddr = rule.clientAddr ? new ClientAddressPattern(rule.clientAddr) : null;
    this.proxyAddr = rule.proxyAddr || null;
    this.proxyPort = rule.proxyPort;
    this.digest = rule.digest === null ? null : canonicalDigest(rule.digest);
    const { matchDigest, matchPattern, replacePattern } = rule;
    this.digestPattern = matchDigest === null ? null : new RulePattern(matchDigest, modifiers.caseless);
    this.textPattern = matchPattern === null ? null : new RulePattern(matchPattern, modifiers.caseless);
    this.replacement = replacePattern === null ? null : parseReplacement(replacePattern);
    this.isGlobal = modifiers.global;
    this.rateLimit = rateLimit;
    const { flagOuts, causalReads, caching } = parseAttributes(rule.attributes);
    // ProxySQL's: reads of this rule see what their own session has written.
    this.causalReads = causalReads ?? (rule.gtidFromHostgroup === null ? null : CausalLevel.session);
    this.caching = cachingOf(rule, caching);
    this.isProxysqlCaching = caching === null;
    const weighted = rule.flagOut === null ? flagOuts.filter(({ weight }) => weight > 0) : [];
    this.edges =
      weighted.length === 0
        ? [{ rule: this, flagOut: rule.flagOut, weight: 1 }]
        : weighted.map(({ flag, weight }) => ({ rule: this, flagOut: flag, weight }));
    this.totalWeight = this.edges.reduce((sum, { weight }) => sum + weight, 0);
  }

  /** Its answer is the same for every statement of a digest. */
  get isSettledByDigest(): boolean {
    return this.textPattern === null && this.edges.length === 1;
  }

  sessionMismatch(session: RuleSession): RuleColumn | null {
    if (this.username !== null && this.username !== session.username) return 'username';
    if (this.schemaname !== null && this.schemaname !== session.schema) return 'schemaname';
    if (this.clientAddr !== null && !this.clientAddr.matches(session.clientAddress)) return 'client_addr';
    if (this.proxyAddr !== null && this.proxyAddr !== session.proxyAddress) return 'proxy_addr';
    return this.proxyPort !== null && this.proxyPort !== session.proxyPort ? 'proxy_port' : null;
  }

  digestMismatch(digest: PlanDigest): RuleColumn | null {
    if (this.digest !== null && this.digest !== digest.name) return 'digest';
    const { digestPattern } = this;
    if (digestPattern === null) return null;
    const isFound = digest.forms.some((form) => digestPattern.test(form));
    return isFound === this.rule.negateMatchPattern ? 'match_digest' : null;
  }

  textMismatch(text: RuleText): RuleColumn | null {
    if (this.textPattern === null) return null;
    return this.textPattern.test(text) === this.rule.negateMatchPattern ? 'match_pattern' : null;
  }

  /** @param random from 0 up to and without 1. */
  edge(random: () => number): RuleEdge {
    const { edges } = this;
    if (edges.length === 1) return edges[0]!;
    let left = random() * this.totalWeight;
    for (const edge of edges) {
      if (left < edge.weight) return edge;
      left -= edge.weight;
    }
    return edges.at(-1)!;
  }
}

function cachingOf({ cacheTtlMs }: QueryRule, caching: RuleCaching | null): RuleCaching | null {
  if (caching === null)
    return cacheTtlMs === null ? null : { wish: CacheClass.weak, ttlMs: cacheTtlMs, staleMs: 0 };
  const isOpen = caching.wish === CacheClass.weak && caching.ttlMs === null;
  return isOpen ? { ...caching, ttlMs: cacheTtlMs } : caching;
}

/** Literal up to the first `%`; what stands behind that is not looked at. */
export class ClientAddressPattern {
  readonly text: string;
  readonly #prefix: string | null;

  constructor(text: string) {
    this.text = text;
    const wildcard = text.indexOf('%');
    this.#prefix = wildcard < 0 ? null : text.slice(0, wildcard);
  }

  matches(address: string): boolean {
    return this.#prefix === null ? address === this.text : address.startsWith(this.#prefix);
  }
}
