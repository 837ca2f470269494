/** Query rules, fast routing and the firewall. */
import type { Config, FastRouteConfig, QueryRuleConfig } from '../../../config/schema.ts';
import {
  fastRouteMapping,
  fingerprintMapping,
  firewallRuleMapping,
  firewallUserMapping,
  queryRuleMapping,
} from '../../control/runtime/rule-rows.ts';
import { checkQueryRules } from '../../sql/rules/query-rule-checks.ts';
import type { Cluster } from './hostgroup-clusters.ts';
import type { ImportReport } from './import-report.ts';
import type { ProxySqlSource, SourceRow } from './proxysql-source.ts';
import { type ColumnReasons, listFrom, nameOfRow, rowsOf, withoutColumns, withValue } from './source-list.ts';
import { cellOf } from './source-tables.ts';

const RULES = 'mysql_query_rules';
const ROUTES = 'mysql_query_rules_fast_routing';
const KEY = ['rule_id'];

const COLUMNS: ColumnReasons = { reconnect: 'what may be tried again is decided by what has been done' };

/** Begins with a word of reads; what it may let through besides goes to the primary anyway. */
const FOR_READS = /^\s*\^?[\s(\\s*+?:]*(?:select|show|desc|explain|with|values|table|checksum)\b/i;

function usableRow(row: SourceRow, report: ImportReport): boolean {
  if (cellOf(RULES, row, 'rule_id') !== null) return true;
  report.attention(RULES, 'left out, as ProxySQL does: a rule needs a rule_id', row.place);
  return false;
}

function noted(row: SourceRow, report: ImportReport): SourceRow {
  const what = nameOfRow(RULES, KEY, row);
  const given = (column: string) => (cellOf(RULES, row, column) ?? '') !== '';
  if (given('digest')) {
    const message = "matches nothing as it is: digests are Sluice's own, take them from SHOW DIGESTS";
    report.attention(`${what}, column digest`, message, row.place);
  }
  if (given('cache_ttl'))
    report.changed(
      `${what}, column cache_ttl`,
      'a cached result may be stale for this long; with {"cache": {"class": "strong"}} among the attributes it is never stale',
      row.place,
    );
  if (given('gtid_from_hostgroup'))
    report.changed(
      `${what}, column gtid_from_hostgroup`,
      'its reads see what their session has written; by default all reads see what anybody has written through Sluice',
      row.place,
    );
  const modifiers = String(cellOf(RULES, row, 're_modifiers') ?? '');
  // The empty text is what NULL comes to: nothing is said.
  return modifiers === '' ? withValue(row, 're_modifiers', 'CASELESS') : row;
}

/** All rules; `routeRules` brings those in order that lead elsewhere. */
export async function readRules(
  source: ProxySqlSource,
  report: ImportReport,
): Promise<readonly QueryRuleConfig[]> {
  const rows = rowsOf(source, RULES)
    .filter((row) => usableRow(row, report))
    .map((row) => noted(withoutColumns(RULES, KEY, row, COLUMNS, report), report));
  const rules = await listFrom(queryRuleMapping, rows, report);
  return rules.toSorted((a, b) => a.ruleId - b.ruleId);
}

export function readFastRouting(
  source: ProxySqlSource,
  report: ImportReport,
): Promise<readonly FastRouteConfig[]> {
  return listFrom(fastRouteMapping, rowsOf(source, ROUTES), report);
}

/** Hostgroups that may be sent more than reads. */
export function writtenTo(
  rules: readonly QueryRuleConfig[],
  routes: readonly FastRouteConfig[],
): ReadonlySet<number> {
  const written = new Set(routes.map(({ destinationHostgroup }) => destinationHostgroup));
  for (const { active, destinationHostgroup, matchDigest, matchPattern, negateMatchPattern } of rules) {
    if (!active || destinationHostgroup === null) continue;
    const pattern = matchDigest ?? matchPattern;
    if (pattern === null || negateMatchPattern || !FOR_READS.test(pattern)) written.add(destinationHostgroup);
  }
  return written;
}

const elsewhere = (hostgroup: number) => `hostgroup ${hostgroup} is not served here`;

function routedRule(rule: QueryRuleConfig, cluster: Cluster, report: ImportReport): QueryRuleConfig {
  const what = `${RULES} rule_id ${rule.ruleId}`;
  let routed = rule;
  const { destinationHostgroup: destination, mirrorHostgroup: mirror } = rule;
  if (mirror !== null && !cluster.hostgroups.has(mirror)) {
    if (rule.active)
      report.attention(`${what}, column mirror_hostgroup`, `not mirrored: ${elsewhere(mirror)}`);
    routed = { ...routed, mirrorHostgroup: null };
  }
  if (destination === null || cluster.hostgroups.has(destination)) return routed;
  if (rule.active) report.attention(what, `its statements get an error, as ${elsewhere(destination)}`);
  return { ...routed, destinationHostgroup: null, errorMsg: rule.errorMsg ?? elsewhere(destination) };
}

/** What leads to a hostgroup that this Sluice does not serve is answered with an error, not by another cluster. */
export function routeRules(
  rules: readonly QueryRuleConfig[],
  routes: readonly FastRouteConfig[],
  cluster: Cluster,
  report: ImportReport,
): { readonly queryRules: QueryRuleConfig[]; readonly fastRouting: FastRouteConfig[] } {
  const queryRules = rules.map((rule) => routedRule(rule, cluster, report));
  const fastRouting = routes.filter(({ destinationHostgroup }) =>
    cluster.hostgroups.has(destinationHostgroup),
  );
  let ruleId = Math.max(0, ...rules.map((rule) => rule.ruleId));
  for (const route of routes) {
    const { username, schemaname, flagIn, destinationHostgroup } = route;
    if (cluster.hostgroups.has(destinationHostgroup)) continue;
    ruleId++;
    report.attention(
      `${ROUTES} username '${username}', schemaname '${schemaname}'`,
      `rule_id ${ruleId} answers with an error, as ${elsewhere(destinationHostgroup)}`,
    );
    queryRules.push(
      queryRuleMapping.schema.parse({
        ruleId,
        ...(username === '' ? {} : { username }),
        ...(schemaname === '' ? {} : { schemaname }),
        flagIn,
        errorMsg: elsewhere(destinationHostgroup),
        apply: true,
        comment: `${ROUTES}: ${destinationHostgroup}`,
      }),
    );
  }
  return { queryRules, fastRouting };
}

/** A rule that cannot be used is kept, switched off. */
export function withoutBadRules(
  rules: readonly QueryRuleConfig[],
  hostgroups: ReadonlySet<number>,
  report: ImportReport,
): QueryRuleConfig[] {
  let list = [...rules];
  for (;;) {
    const { errors } = checkQueryRules({ rules: list, fastRouting: [], firewall: NO_FIREWALL }, hostgroups);
    const [error] = errors;
    if (error === undefined) return list;
    const bad = new Map(errors.map(({ key, column, message }) => [key, { column, message }]));
    const switchedOff = list.map((rule) => {
      const problem = bad.get(`rule_id=${rule.ruleId}`);
      if (problem === undefined || !rule.active) return rule;
      const what = `${RULES} rule_id ${rule.ruleId}, column ${problem.column}`;
      report.attention(what, `the rule is switched off: ${problem.message}`);
      return { ...rule, active: false };
    });
    if (switchedOff.every((rule, index) => rule === list[index])) return list;
    list = switchedOff;
  }
}

const NO_FIREWALL = { enabled: false, errorMessage: '', users: [], rules: [] } as const;

/** Its lists, to be looked at: it stays switched off, as its digests are ProxySQL's. */
export async function readFirewall(
  source: ProxySqlSource,
  config: Config,
  report: ImportReport,
): Promise<Config['firewall']> {
  const users = await listFrom(firewallUserMapping, rowsOf(source, firewallUserMapping.table), report);
  const rules = await listFrom(firewallRuleMapping, rowsOf(source, firewallRuleMapping.table), report);
  for (const row of rowsOf(source, fingerprintMapping.table))
    report.missing(
      nameOfRow(fingerprintMapping.table, fingerprintMapping.key, row),
      'there is no detection by heuristics',
      row.place,
    );
  if (users.length > 0) {
    const message =
      "the lists are taken, the digests in them are ProxySQL's: nothing that Sluice sees is on the list. firewall.enabled is false";
    report.attention(`${firewallUserMapping.table}, ${firewallRuleMapping.table}`, message);
  }
  report.taken('firewall entries', users.length + rules.length);
  return { ...config.firewall, enabled: false, users, rules };
}
