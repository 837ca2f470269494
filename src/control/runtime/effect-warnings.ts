/** What tables take because ProxySQL's have it, and what changes nothing here. */

import type { Config, HostgroupAttributesConfig, UserConfig } from '../../../config/schema.ts';

const SHOWN = 3;
/** Of hostgroups: what has an effect, or is for people. */
const ATTRIBUTES_WITH_EFFECT: ReadonlySet<string> = new Set([
  'hostgroup',
  'multiplex',
  'policy',
  'hashKey',
  'comment',
]);
const ATTRIBUTE_DEFAULTS: Readonly<Record<string, unknown>> = {
  maxNumOnlineServers: 1_000_000,
  autocommit: -1,
  freeConnectionsPct: 10,
  initConnect: '',
  connectionWarming: false,
  throttleConnectionsPerSec: 1_000_000,
  ignoreSessionVariables: [],
  hostgroupSettings: {},
  serversDefaults: {},
};

function sentence(column: string, rows: readonly string[]): string[] {
  if (rows.length === 0) return [];
  const more = rows.length > SHOWN ? ` and ${rows.length - SHOWN} more` : '';
  return [`${column} has no effect in Sluice (${rows.slice(0, SHOWN).join(', ')}${more})`];
}

function namesOf(users: readonly UserConfig[], isMeant: (user: UserConfig) => boolean): string[] {
  return users.filter(isMeant).map(({ username }) => username);
}

function withoutEffect(attributes: HostgroupAttributesConfig): boolean {
  return Object.entries(attributes).some(
    ([key, value]) =>
      !ATTRIBUTES_WITH_EFFECT.has(key) && JSON.stringify(value) !== JSON.stringify(ATTRIBUTE_DEFAULTS[key]),
  );
}

/** Of the lists that are others than `before`; of all if that is null. */
export function effectWarnings(before: Config | null, config: Config): string[] {
  const { servers, users, queryRules, hostgroupAttributes } = config;
  const warnings: string[] = [];
  if (users !== before?.users) {
    warnings.push(
      ...sentence(
        'mysql_users.transaction_persistent 0',
        namesOf(users, (user) => !user.transactionPersistent),
      ),
      ...sentence(
        'mysql_users.schema_locked 1',
        namesOf(users, ({ schemaLocked }) => schemaLocked),
      ),
    );
  }
  if (servers !== before?.servers) {
    const hosts = (isMeant: (server: Config['servers'][number]) => boolean) =>
      servers.filter(isMeant).map(({ host, port }) => `${host}:${port}`);
    warnings.push(
      ...sentence(
        'mysql_servers.compression 1',
        hosts(({ compression }) => compression),
      ),
      ...sentence(
        'mysql_servers.gtid_port',
        hosts(({ gtidPort }) => gtidPort !== 0),
      ),
    );
  }
  if (queryRules !== before?.queryRules) {
    const rules = (isMeant: (rule: Config['queryRules'][number]) => boolean) =>
      queryRules.filter((rule) => rule.active && isMeant(rule)).map(({ ruleId }) => `rule_id ${ruleId}`);
    warnings.push(
      ...sentence(
        'mysql_query_rules.reconnect',
        rules(({ reconnect }) => reconnect !== null),
      ),
    );
  }
  if (hostgroupAttributes !== before?.hostgroupAttributes) {
    const hostgroups = hostgroupAttributes.filter(withoutEffect).map(({ hostgroup }) => String(hostgroup));
    warnings.push(...sentence('what mysql_hostgroup_attributes has beside multiplex', hostgroups));
  }
  return warnings;
}
