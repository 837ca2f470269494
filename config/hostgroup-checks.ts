/** Hostgroups that are in one pair only, and that exist where somebody is sent to them. */
import type { CheckProblem, Placed } from './checks.ts';
import { existingHostgroups, hostgroupPairs } from './hostgroup-pairs.ts';
import type { ConfigValues, FastRouteConfig, QueryRuleConfig, ServerConfig, UserConfig } from './schema.ts';

export interface HostgroupUses {
  readonly values: ConfigValues;
  readonly servers: readonly ServerConfig[];
  readonly users: readonly Placed<UserConfig>[];
  readonly queryRules: readonly Placed<QueryRuleConfig>[];
  readonly fastRouting: readonly Placed<FastRouteConfig>[];
}

export function checkPairs({ replicationHostgroups }: ConfigValues, problems: CheckProblem[]): void {
  const taken = new Map<number, number>();
  for (const [index, { writerHostgroup, readerHostgroup }] of replicationHostgroups.entries()) {
    const path = ['replicationHostgroups', index];
    if (writerHostgroup === readerHostgroup) {
      const message = `writerHostgroup and readerHostgroup are both ${readerHostgroup}, they must differ`;
      problems.push({ path: [...path, 'readerHostgroup'], message });
    }
    for (const key of ['writerHostgroup', 'readerHostgroup'] as const) {
      const hostgroup = key === 'writerHostgroup' ? writerHostgroup : readerHostgroup;
      const twin = taken.get(hostgroup);
      if (twin === undefined) taken.set(hostgroup, index);
      else if (twin !== index) {
        const message = `hostgroup ${hostgroup} is in a pair already, replicationHostgroups[${twin}]`;
        problems.push({ path: [...path, key], message });
      }
    }
  }
}

export function checkHostgroupAttributes(
  { hostgroupAttributes }: ConfigValues,
  problems: CheckProblem[],
): void {
  const seen = new Map<number, number>();
  for (const [index, { hostgroup }] of hostgroupAttributes.entries()) {
    const twin = seen.get(hostgroup);
    if (twin === undefined) seen.set(hostgroup, index);
    else {
      const message = `hostgroup ${hostgroup} is in the list already, as hostgroupAttributes[${twin}]`;
      problems.push({ path: ['hostgroupAttributes', index, 'hostgroup'], message });
    }
  }
}

/** What is not active sends nobody anywhere. */
export function checkHostgroupUses(uses: HostgroupUses, problems: CheckProblem[]): void {
  const { values, servers, users, queryRules, fastRouting } = uses;
  const existing = existingHostgroups({ ...values, servers });
  const check = (hostgroup: number | null, path: readonly PropertyKey[]) => {
    if (hostgroup === null || existing.has(hostgroup)) return;
    const known = [...existing].sort((a, b) => a - b);
    const shown = known.length > 10 ? `${known.slice(0, 10).join(', ')}, …` : known.join(', ');
    const message = `there is no hostgroup ${hostgroup}: no server and no pair has it (there are ${shown})`;
    problems.push({ path, message });
  };
  const list = Array.isArray(values.users) ? ['users'] : ['users', 'listed'];
  for (const { index, value } of users)
    if (value.active) check(value.defaultHostgroup, [...list, index, 'defaultHostgroup']);
  for (const { index, value } of queryRules) {
    if (!value.active) continue;
    check(value.destinationHostgroup, ['queryRules', index, 'destinationHostgroup']);
    check(value.mirrorHostgroup, ['queryRules', index, 'mirrorHostgroup']);
  }
  for (const { index, value } of fastRouting)
    check(value.destinationHostgroup, ['fastRouting', index, 'destinationHostgroup']);
  if (values.replicationHostgroups.length === 0) return;
  const pairs = hostgroupPairs(values);
  if (pairs.some(({ writer }) => writer === values.hostgroups.writer)) return;
  if (values.hostgroups.writer !== 0 || values.hostgroups.reader !== 1) {
    const message = `${values.hostgroups.writer} is the writer of no pair in replicationHostgroups; leave hostgroups out, or name the pair that is the default`;
    problems.push({ path: ['hostgroups', 'writer'], message });
  }
}
