/** Where in the tables something stands that is wrong with a configuration. */

import type { CheckProblem } from '../../../config/checks.ts';
import { formatPath } from '../../../config/issue-message.ts';
import type { Config } from '../../../config/schema.ts';
import { cacheRuleMapping } from './cache-rows.ts';
import { columnOf, type ElementMapping, keyText, rowOf } from './element-mapping.ts';
import type { RowProblem } from './row-error.ts';
import {
  fastRouteMapping,
  fingerprintMapping,
  firewallRuleMapping,
  firewallUserMapping,
  queryRuleMapping,
} from './rule-rows.ts';
import {
  filesOf,
  hostgroupAttributesMapping,
  replicationHostgroupMapping,
  serverMapping,
} from './server-rows.ts';
import { userMapping } from './user-rows.ts';
import type { VariableCatalog } from './variable-catalog.ts';
import { VARIABLES_TABLE } from './variable-rows.ts';

type Place = Pick<RowProblem, 'table' | 'key' | 'column'>;

function placeIn<T extends object>(
  mapping: ElementMapping<T>,
  list: readonly T[],
  [index, field]: readonly PropertyKey[],
): Place {
  const element = typeof index === 'number' ? list[index] : undefined;
  const key = element === undefined ? '' : keyText(mapping.key, rowOf(mapping, element));
  return { table: mapping.table, key, column: columnOf(mapping, String(field ?? '')) };
}

function placeInList(config: Config, [first, ...rest]: readonly PropertyKey[]): Place | null {
  switch (first) {
    case 'servers':
      return placeIn(serverMapping(config, filesOf(config.servers)), config.servers, rest);
    case 'users':
      return placeIn(userMapping(config), config.users, rest);
    case 'queryRules':
      return placeIn(queryRuleMapping, config.queryRules, rest);
    case 'fastRouting':
      return placeIn(fastRouteMapping, config.fastRouting, rest);
    case 'replicationHostgroups':
      return placeIn(replicationHostgroupMapping, config.replicationHostgroups, rest);
    case 'hostgroupAttributes':
      return placeIn(hostgroupAttributesMapping, config.hostgroupAttributes, rest);
    case 'cache':
      return rest[0] === 'rules' ? placeIn(cacheRuleMapping, config.cache.rules, rest.slice(1)) : null;
    case 'firewall':
      return placeInFirewall(config.firewall, rest);
    default:
      return null;
  }
}

function placeInFirewall(
  firewall: Config['firewall'],
  [list, ...rest]: readonly PropertyKey[],
): Place | null {
  if (list === 'users') return placeIn(firewallUserMapping, firewall.users, rest);
  if (list === 'rules') return placeIn(firewallRuleMapping, firewall.rules, rest);
  return list === 'sqliFingerprints' ? placeIn(fingerprintMapping, firewall.sqliFingerprints, rest) : null;
}

/** A setting is named by its variable; what no table shows, by its path. */
export function placeProblem(
  config: Config,
  catalog: VariableCatalog,
  { path, message }: CheckProblem,
): RowProblem {
  const place = placeInList(config, path);
  if (place !== null) return { ...place, message };
  const setting = path.filter((step) => typeof step === 'string').join('.');
  const variable = catalog.ofSetting(setting);
  if (variable === null) return { table: 'configuration', key: formatPath(path), column: '', message };
  return { table: VARIABLES_TABLE, key: `variable_name ${variable.name}`, column: 'variable_value', message };
}
