/**
 * A rule set in shared memory: it crosses to the workers without being copied for each, and is read in slices, so that
 * five thousand rules hold up nobody's statement. Lines of JSON, each an entry; of a rule only what it says.
 */

import type { FirewallRule, FirewallUser, QueryRule, QueryRuleSet } from './query-rule.ts';

const NEWLINE = 0x0a;
/** Entries between two chances to do something else. */
const SLICE = 64;

/** A rule that says nothing. */
export const EMPTY_RULE: QueryRule = Object.freeze({
  ruleId: 0,
  active: true,
  username: null,
  schemaname: null,
  flagIn: 0,
  clientAddr: null,
  proxyAddr: null,
  proxyPort: null,
  digest: null,
  matchDigest: null,
  matchPattern: null,
  negateMatchPattern: false,
  reModifiers: 'CASELESS',
  flagOut: null,
  replacePattern: null,
  destinationHostgroup: null,
  cacheTtlMs: null,
  cacheEmptyResult: null,
  cacheTimeoutMs: null,
  reconnect: null,
  timeoutMs: null,
  retries: null,
  delayMs: null,
  nextQueryFlagIn: null,
  mirrorFlagOut: null,
  mirrorHostgroup: null,
  errorMsg: null,
  okMsg: null,
  stickyConn: null,
  multiplex: null,
  gtidFromHostgroup: null,
  log: null,
  apply: false,
  attributes: '',
  comment: '',
});

const COLUMNS = Object.keys(EMPTY_RULE) as readonly (keyof QueryRule)[];

type Head = Pick<QueryRuleSet, 'userRateLimits'> & {
  readonly firewall: { readonly enabled: boolean; readonly errorMessage: string };
  readonly hasShadow: boolean;
  /** How many lines of each kind follow, in this order. */
  readonly counts: readonly number[];
};

export function encodeRuleSet(set: QueryRuleSet): SharedArrayBuffer {
  const { rules, fastRouting, firewall, userRateLimits, shadow } = set;
  const { enabled, errorMessage } = firewall;
  const lists = [
    rules,
    fastRouting,
    firewall.users,
    firewall.rules,
    shadow?.rules ?? [],
    shadow?.fastRouting ?? [],
  ];
  const head: Head = {
    userRateLimits,
    firewall: { enabled, errorMessage },
    hasShadow: shadow !== null,
    counts: lists.map(({ length }) => length),
  };
  const lines = [
    JSON.stringify(head),
    ...rules.map(ruleLine),
    ...[...fastRouting, ...firewall.users, ...firewall.rules].map((entry) => JSON.stringify(entry)),
    ...(shadow?.rules ?? []).map(ruleLine),
    ...(shadow?.fastRouting ?? []).map((entry) => JSON.stringify(entry)),
  ];
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  const encoded = new SharedArrayBuffer(bytes.length);
  new Uint8Array(encoded).set(bytes);
  return encoded;
}

function ruleLine(rule: QueryRule): string {
  return JSON.stringify(
    Object.fromEntries(
      COLUMNS.filter((column) => rule[column] !== EMPTY_RULE[column]).map((column) => [column, rule[column]]),
    ),
  );
}

/** Yields between slices; what it returns is the set. */
export function* decodeRuleSet(encoded: SharedArrayBuffer): Generator<void, QueryRuleSet> {
  const lines = readLines(encoded);
  const read = (): unknown => JSON.parse(lines.next().value ?? 'null');
  const head = read() as Head;
  const [rules, fastRouting, users, firewallRules, shadowRules, shadowRouting] = head.counts;
  const set = {
    rules: yield* readMany(rules, readRule),
    fastRouting: yield* readMany(fastRouting, () => read() as QueryRuleSet['fastRouting'][number]),
    users: yield* readMany(users, () => read() as FirewallUser),
    firewallRules: yield* readMany(firewallRules, () => read() as FirewallRule),
    shadowRules: yield* readMany(shadowRules, readRule),
    shadowRouting: yield* readMany(shadowRouting, () => read() as QueryRuleSet['fastRouting'][number]),
  };
  return {
    rules: set.rules,
    fastRouting: set.fastRouting,
    firewall: { ...head.firewall, users: set.users, rules: set.firewallRules },
    userRateLimits: head.userRateLimits,
    shadow: head.hasShadow ? { rules: set.shadowRules, fastRouting: set.shadowRouting } : null,
  };

  function readRule(): QueryRule {
    return { ...EMPTY_RULE, ...(read() as Partial<QueryRule>) };
  }
}

function* readMany<T>(count: number | undefined, read: () => T): Generator<void, T[]> {
  const entries: T[] = [];
  for (let at = 0; at < (count ?? 0); at++) {
    entries.push(read());
    if (at % SLICE === SLICE - 1) yield;
  }
  return entries;
}

function* readLines(encoded: SharedArrayBuffer): Generator<string, undefined> {
  const bytes = Buffer.from(encoded);
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, start);
    yield bytes.toString('utf8', start, end);
    start = end + 1;
  }
  return undefined;
}
