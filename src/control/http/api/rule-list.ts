/** The query rules in force with their hits, and the configurations that have been in force. */
import type { QueryRule } from '../../../common/query-rule.ts';
import type { AdminState } from '../../admin/admin-state.ts';
import { maskSecrets } from '../../logs/mask-secrets.ts';
import { ruleSetOf } from '../../query-rules/rule-set.ts';
import type { RulesValue, RuleValue } from './api-values.ts';
import { cutText } from './session-list.ts';

const MOST_RULES = 500;

/** In ProxySQL's names, as operators know them. */
const MATCHES = {
  username: 'username',
  schemaname: 'schemaname',
  clientAddr: 'client_addr',
  proxyAddr: 'proxy_addr',
  proxyPort: 'proxy_port',
  digest: 'digest',
  matchDigest: 'match_digest',
  matchPattern: 'match_pattern',
} as const satisfies Partial<Record<keyof QueryRule, string>>;

const EFFECTS = {
  destinationHostgroup: 'destination_hostgroup',
  replacePattern: 'replace_pattern',
  errorMsg: 'error_msg',
  okMsg: 'OK_msg',
  timeoutMs: 'timeout',
  retries: 'retries',
  delayMs: 'delay',
  multiplex: 'multiplex',
  stickyConn: 'sticky_conn',
  mirrorHostgroup: 'mirror_hostgroup',
  mirrorFlagOut: 'mirror_flagOUT',
  cacheTtlMs: 'cache_ttl',
  nextQueryFlagIn: 'next_query_flagIN',
  flagOut: 'flagOUT',
  log: 'log',
} as const satisfies Partial<Record<keyof QueryRule, string>>;

function named(rule: QueryRule, names: Readonly<Partial<Record<keyof QueryRule, string>>>): string[] {
  return (Object.entries(names) as [keyof QueryRule, string][]).flatMap(([key, name]) => {
    const value = rule[key];
    return value === null || value === '' ? [] : [cutText(`${name} = ${shown(value)}`)];
  });
}

function shown(value: string | number | boolean): string {
  return typeof value === 'boolean' ? (value ? '1' : '0') : String(value);
}

function ruleValue(rule: QueryRule, hits: number | null): RuleValue {
  const matches = named(rule, MATCHES);
  if (rule.flagIn !== 0) matches.unshift(`flagIN = ${rule.flagIn}`);
  if (rule.negateMatchPattern) matches.push('negated');
  const effects = named(rule, EFFECTS);
  if (rule.attributes !== '' && rule.attributes !== '{}')
    effects.push(cutText(`attributes = ${rule.attributes}`));
  if (rule.apply) effects.push('apply');
  const { ruleId, active, comment } = rule;
  return { id: ruleId, active, hits, matches, effects, comment };
}

export function rulesOf(state: AdminState): RulesValue {
  const { config, versions } = state.runtime;
  const set = ruleSetOf(config, null);
  const hits = new Map(state.ruleHits().map((one) => [one.ruleId, one.hits]));
  const current = versions.at(-1)?.number ?? 0;
  return {
    timeMs: Date.now(),
    total: set.rules.length,
    rules: set.rules.slice(0, MOST_RULES).map((rule) => ruleValue(rule, hits.get(rule.ruleId) ?? null)),
    fastRouting: set.fastRouting.length,
    firewall: set.firewall.enabled ? set.firewall.users.length : null,
    versions: versions.toReversed().map(({ number, source, atMs, by, what }) => ({
      number,
      source,
      timeMs: atMs,
      by,
      what: cutText(maskSecrets(what).text),
      isCurrent: number === current,
    })),
  };
}
