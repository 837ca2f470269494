/**
 * What must be right before rules take effect. Pure, so that the configuration's loader, the admin port and tests ask
 * the same questions; each answer names table, key and column.
 */

import { CacheClass } from '../../common/cache-settings.ts';
import type { QueryRule, QueryRuleSet } from '../../common/query-rule.ts';
import { flagProblems } from './flag-loops.ts';
import { highestGroup, parseReplacement } from './replacement.ts';
import { parseAttributes, type RuleCaching } from './rule-attributes.ts';
import { groupCount, parseModifiers, patternProblem } from './rule-pattern.ts';

export interface RuleProblem {
  /** `mysql_query_rules` and its kin. */
  readonly table: string;
  /** `rule_id=7` */
  readonly key: string;
  readonly column: string;
  readonly message: string;
}

export interface RuleChecks {
  /** With any of these nothing is applied. */
  readonly errors: readonly RuleProblem[];
  /** What has no effect, or not the one that somebody may expect. */
  readonly warnings: readonly RuleProblem[];
}

const RULES = 'mysql_query_rules';
const FAST_ROUTING = 'mysql_query_rules_fast_routing';
const FIREWALL_USERS = 'mysql_firewall_whitelist_users';
const FIREWALL_RULES = 'mysql_firewall_whitelist_rules';
const DIGEST = /^0x[0-9a-f]{1,16}$/i;
const MAX_PORT = 65_535;

/** As a sentence for an operator. */
export function problemText({ table, key, column, message }: RuleProblem): string {
  return `${table} ${key}, column ${column}: ${message}`;
}

/** `0x` and 16 capital digits; null if it is no digest. */
export function canonicalDigest(text: string): string | null {
  return DIGEST.test(text) ? `0x${text.slice(2).toUpperCase().padStart(16, '0')}` : null;
}

/** @param hostgroups those that exist. */
export function checkQueryRules(
  set: Pick<QueryRuleSet, 'rules' | 'fastRouting' | 'firewall'>,
  hostgroups: ReadonlySet<number>,
): RuleChecks {
  const errors: RuleProblem[] = [];
  const warnings: RuleProblem[] = [];
  checkIds(set.rules, errors);
  const active = set.rules.filter((rule) => rule.active);
  for (const rule of active) {
    checkMatching(rule, errors);
    checkActions(rule, hostgroups, errors, warnings);
  }
  // Loops are looked for only where the attributes, which may hold flags, can be read.
  if (errors.length === 0) {
    const flags = flagProblems(active);
    errors.push(...flags.errors.map(({ rule, message }) => problem(rule, 'flagOUT', message)));
    warnings.push(...flags.warnings.map(({ rule, message }) => problem(rule, 'flagOUT', message)));
  }
  checkFastRouting(set, hostgroups, errors);
  checkFirewall(set, errors);
  return { errors, warnings };
}

function problem(rule: QueryRule, column: string, message: string): RuleProblem {
  return { table: RULES, key: `rule_id=${rule.ruleId}`, column, message };
}

function checkIds(rules: readonly QueryRule[], errors: RuleProblem[]): void {
  const ids = new Set<number>();
  for (const rule of rules) {
    if (ids.has(rule.ruleId)) errors.push(problem(rule, 'rule_id', 'another rule has the same number'));
    ids.add(rule.ruleId);
  }
}

function checkMatching(rule: QueryRule, errors: RuleProblem[]): void {
  const { modifiers, unknown } = parseModifiers(rule.reModifiers);
  if (unknown !== null)
    errors.push(problem(rule, 're_modifiers', `expected CASELESS, GLOBAL or both, not '${unknown}'`));
  if (rule.digest !== null && canonicalDigest(rule.digest) === null)
    errors.push(problem(rule, 'digest', `expected 0x and up to 16 hexadecimal digits, not '${rule.digest}'`));
  if (rule.proxyPort !== null && (rule.proxyPort < 0 || rule.proxyPort > MAX_PORT))
    errors.push(problem(rule, 'proxy_port', `expected a port, not ${rule.proxyPort}`));
  const digestProblem =
    rule.matchDigest === null ? null : patternProblem(rule.matchDigest, modifiers.caseless);
  if (digestProblem !== null) errors.push(problem(rule, 'match_digest', digestProblem));
  const textProblem =
    rule.matchPattern === null ? null : patternProblem(rule.matchPattern, modifiers.caseless);
  if (textProblem !== null) errors.push(problem(rule, 'match_pattern', textProblem));
  if (rule.replacePattern !== null && textProblem === null)
    checkReplacement(rule, rule.replacePattern, errors);
}

function checkReplacement(rule: QueryRule, replacePattern: string, errors: RuleProblem[]): void {
  if (rule.matchPattern === null) {
    errors.push(
      problem(rule, 'replace_pattern', 'it replaces what match_pattern matches, and there is none'),
    );
    return;
  }
  try {
    const highest = highestGroup(parseReplacement(replacePattern));
    const groups = groupCount(rule.matchPattern);
    if (highest > groups)
      errors.push(
        problem(rule, 'replace_pattern', `\\${highest} names no group: match_pattern has ${groups}`),
      );
    if (rule.negateMatchPattern)
      errors.push(problem(rule, 'replace_pattern', 'with negate_match_pattern there is nothing to replace'));
  } catch (error) {
    errors.push(problem(rule, 'replace_pattern', (error as Error).message));
  }
}

function checkActions(
  rule: QueryRule,
  hostgroups: ReadonlySet<number>,
  errors: RuleProblem[],
  warnings: RuleProblem[],
): void {
  const destinations = [
    ['destination_hostgroup', rule.destinationHostgroup],
    ['mirror_hostgroup', rule.mirrorHostgroup],
  ] as const;
  for (const [column, hostgroup] of destinations)
    if (hostgroup !== null && !hostgroups.has(hostgroup))
      errors.push(problem(rule, column, unknownHostgroup(hostgroup, hostgroups)));
  try {
    checkCaching(rule, parseAttributes(rule.attributes).caching, errors, warnings);
  } catch (error) {
    errors.push(problem(rule, 'attributes', (error as Error).message));
  }
}

function checkCaching(
  rule: QueryRule,
  caching: RuleCaching | null,
  errors: RuleProblem[],
  warnings: RuleProblem[],
): void {
  const { cacheTtlMs, cacheTimeoutMs } = rule;
  if (cacheTtlMs !== null && cacheTtlMs <= 0)
    errors.push(problem(rule, 'cache_ttl', `expected milliseconds, more than 0, not ${cacheTtlMs}`));
  if (cacheTimeoutMs !== null && cacheTimeoutMs < 0)
    errors.push(problem(rule, 'cache_timeout', `expected milliseconds, not ${cacheTimeoutMs}`));
  if (caching === null || cacheTtlMs === null) {
    if (caching?.wish === CacheClass.weak && caching.ttlMs === null)
      errors.push(
        problem(rule, 'attributes', 'the class weak of "cache" needs "ttl_ms", or a cache_ttl of the rule'),
      );
    return;
  }
  if (caching.wish !== CacheClass.weak)
    warnings.push(
      problem(
        rule,
        'cache_ttl',
        `kept, without effect: the attributes say that the class is ${caching.wish}`,
      ),
    );
  else if (caching.ttlMs !== null)
    warnings.push(problem(rule, 'cache_ttl', 'kept, without effect: the attributes have a "ttl_ms"'));
}

function unknownHostgroup(hostgroup: number, hostgroups: ReadonlySet<number>): string {
  const known = [...hostgroups].sort((one, other) => one - other);
  return `there is no hostgroup ${hostgroup}; there are ${known.join(', ')}`;
}

function checkFastRouting(
  { fastRouting }: Pick<QueryRuleSet, 'fastRouting'>,
  hostgroups: ReadonlySet<number>,
  errors: RuleProblem[],
): void {
  const keys = new Set<string>();
  for (const { username, schemaname, flagIn, destinationHostgroup } of fastRouting) {
    const key = `username='${username}' schemaname='${schemaname}' flagIN=${flagIn}`;
    const add = (column: string, message: string): void => {
      errors.push({ table: FAST_ROUTING, key, column, message });
    };
    if (keys.has(key)) add('username', 'there is such an entry already');
    keys.add(key);
    if (!hostgroups.has(destinationHostgroup))
      add('destination_hostgroup', unknownHostgroup(destinationHostgroup, hostgroups));
  }
}

function checkFirewall({ firewall }: Pick<QueryRuleSet, 'firewall'>, errors: RuleProblem[]): void {
  const keys = new Set<string>();
  for (const { username, clientAddress } of firewall.users) {
    const key = `username='${username}' client_address='${clientAddress}'`;
    if (keys.has(key))
      errors.push({
        table: FIREWALL_USERS,
        key,
        column: 'username',
        message: 'there is such an entry already',
      });
    keys.add(key);
  }
  for (const { active, username, clientAddress, digest } of firewall.rules) {
    if (!active || canonicalDigest(digest) !== null) continue;
    const key = `username='${username}' client_address='${clientAddress}'`;
    const message = `expected 0x and up to 16 hexadecimal digits, not '${digest}'`;
    errors.push({ table: FIREWALL_RULES, key, column: 'digest', message });
  }
}
