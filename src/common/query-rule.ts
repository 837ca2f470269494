/**
 * Query rules as values: what an operator has written, in the words of ProxySQL's tables. Control plane and workers
 * share them; who matches them is `src/data/router/rules/`.
 */

/** A row of `mysql_query_rules`. null is "does not matter" for what is matched, and "is not changed" for what is done. */
export interface QueryRule {
  readonly ruleId: number;
  /** Others are kept and not looked at. */
  readonly active: boolean;
  readonly username: string | null;
  readonly schemaname: string | null;
  readonly flagIn: number;
  /** Up to the first `%` literal; behind it anything. */
  readonly clientAddr: string | null;
  /** Address of Sluice's own that the client has connected to. */
  readonly proxyAddr: string | null;
  readonly proxyPort: number | null;
  /** `0x` and 16 hexadecimal digits, as the statistics show it. */
  readonly digest: string | null;
  /** Regular expression (RE2) for the digest's text. */
  readonly matchDigest: string | null;
  /** Regular expression (RE2) for the statement's text. */
  readonly matchPattern: string | null;
  readonly negateMatchPattern: boolean;
  /** Any of `CASELESS` and `GLOBAL`, separated by commas. */
  readonly reModifiers: string;
  readonly flagOut: number | null;
  /** What each match of `matchPattern` becomes; `\1` … `\9` are its groups, `\0` is all of it. */
  readonly replacePattern: string | null;
  readonly destinationHostgroup: number | null;
  readonly cacheTtlMs: number | null;
  readonly cacheEmptyResult: boolean | null;
  readonly cacheTimeoutMs: number | null;
  readonly reconnect: boolean | null;
  readonly timeoutMs: number | null;
  readonly retries: number | null;
  readonly delayMs: number | null;
  /** `flagIn` that the session's next statement begins with. */
  readonly nextQueryFlagIn: number | null;
  readonly mirrorFlagOut: number | null;
  readonly mirrorHostgroup: number | null;
  readonly errorMsg: string | null;
  readonly okMsg: string | null;
  readonly stickyConn: boolean | null;
  /** 0: off, 1: on, 2: off for this statement only. */
  readonly multiplex: 0 | 1 | 2 | null;
  readonly gtidFromHostgroup: number | null;
  readonly log: boolean | null;
  /** No rule is looked at behind it. */
  readonly apply: boolean;
  /** A JSON object, or ''. */
  readonly attributes: string;
  readonly comment: string;
}

/** A row of `mysql_query_rules_fast_routing`. */
export interface FastRoutingRule {
  /** '' is any user. */
  readonly username: string;
  readonly schemaname: string;
  readonly flagIn: number;
  readonly destinationHostgroup: number;
  readonly comment: string;
}

export const FirewallMode = { OFF: 'OFF', DETECTING: 'DETECTING', PROTECTING: 'PROTECTING' } as const;
export type FirewallMode = (typeof FirewallMode)[keyof typeof FirewallMode];

/** A row of `mysql_firewall_whitelist_users`. */
export interface FirewallUser {
  readonly active: boolean;
  readonly username: string;
  /** '' is any. */
  readonly clientAddress: string;
  readonly mode: FirewallMode;
  readonly comment: string;
}

/** A row of `mysql_firewall_whitelist_rules`: a digest that its user may run. */
export interface FirewallRule {
  readonly active: boolean;
  readonly username: string;
  readonly clientAddress: string;
  readonly schemaname: string;
  readonly flagIn: number;
  readonly digest: string;
  readonly comment: string;
}

export interface Firewall {
  /** Without it nobody is looked at. With it users who are not listed may do nothing, as in ProxySQL. */
  readonly enabled: boolean;
  /** What a blocked client is told. */
  readonly errorMessage: string;
  readonly users: readonly FirewallUser[];
  readonly rules: readonly FirewallRule[];
}

/** A token bucket, one for all workers together. */
export interface RateLimit {
  /** `rule 7` or `user 'app'`: what is limited. */
  readonly name: string;
  /** Statements. */
  readonly perSecond: number;
  /** Statements that may come at once after a pause. */
  readonly burst: number;
  /** Its place in `RateBuckets`. */
  readonly slot: number;
}

/** All that decides about a statement by rule. */
export interface QueryRuleSet {
  readonly rules: readonly QueryRule[];
  readonly fastRouting: readonly FastRoutingRule[];
  readonly firewall: Firewall;
  readonly userRateLimits: readonly UserRateLimit[];
  /** Counted beside the others and not applied; null: none are loaded so. */
  readonly shadow: ShadowRules | null;
}

export interface UserRateLimit {
  readonly username: string;
  readonly perSecond: number;
  readonly burst: number;
}

export interface ShadowRules {
  readonly rules: readonly QueryRule[];
  readonly fastRouting: readonly FastRoutingRule[];
}
