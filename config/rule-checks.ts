/** Rules, routes and firewall entries that are there once, and are whole. Their regular expressions are not looked into here. */
import type { CheckProblem, Placed } from './checks.ts';
import type { ConfigValues, FastRouteConfig, QueryRuleConfig } from './schema.ts';

interface Keyed {
  readonly index: number;
  readonly key: string;
}

function checkTwins(list: readonly string[], entries: Iterable<Keyed>, problems: CheckProblem[]): void {
  const seen = new Map<string, number>();
  for (const { index, key } of entries) {
    const twin = seen.get(key);
    if (twin === undefined) seen.set(key, index);
    else {
      const message = `${key} is in the list already, as ${list.join('.')}[${twin}]`;
      problems.push({ path: [...list, index], message });
    }
  }
}

function checkRules(rules: readonly Placed<QueryRuleConfig>[], problems: CheckProblem[]): void {
  const keys = rules.map(({ index, value }) => ({ index, key: `rule ${value.ruleId}` }));
  checkTwins(['queryRules'], keys, problems);
  for (const { index, value } of rules) {
    if (value.replacePattern === null || value.matchPattern !== null) continue;
    const message = 'there is no matchPattern whose matches it could replace';
    problems.push({ path: ['queryRules', index, 'replacePattern'], message });
  }
}

function routeKey({ username, schemaname, flagIn }: FastRouteConfig): string {
  return `user "${username}", schema "${schemaname}", flagIn ${flagIn}`;
}

export function checkRuleLists(
  { firewall }: ConfigValues,
  queryRules: readonly Placed<QueryRuleConfig>[],
  fastRouting: readonly Placed<FastRouteConfig>[],
  problems: CheckProblem[],
): void {
  checkRules(queryRules, problems);
  checkTwins(
    ['fastRouting'],
    fastRouting.map(({ index, value }) => ({ index, key: routeKey(value) })),
    problems,
  );
  const users = firewall.users.map(({ username, clientAddress }, index) => ({
    index,
    key: `user "${username}" from "${clientAddress}"`,
  }));
  checkTwins(['firewall', 'users'], users, problems);
  const rules = firewall.rules.map((rule, index) => ({
    index,
    key: `${rule.digest} of user "${rule.username}" from "${rule.clientAddress}" in schema "${rule.schemaname}" with flagIn ${rule.flagIn}`,
  }));
  checkTwins(['firewall', 'rules'], rules, problems);
  const fingerprints = firewall.sqliFingerprints.map(({ fingerprint }, index) => ({
    index,
    key: fingerprint,
  }));
  checkTwins(['firewall', 'sqliFingerprints'], fingerprints, problems);
}
