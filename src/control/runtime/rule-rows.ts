/** Query rules, fast routing and the firewall as rows. */

import { fastRouteSchema, firewallSection, queryRuleSchema } from '../../../config/rules-schema.ts';
import type { FastRouteConfig, FirewallConfig, QueryRuleConfig } from '../../../config/schema.ts';
import { flag, integer, optionalFlag, optionalInteger, optionalText, text, word } from './column-mapping.ts';
import type { ElementMapping } from './element-mapping.ts';

export const queryRuleMapping: ElementMapping<QueryRuleConfig> = {
  table: 'mysql_query_rules',
  key: ['rule_id'],
  columns: {
    rule_id: integer('ruleId'),
    active: flag('active'),
    username: optionalText('username'),
    schemaname: optionalText('schemaname'),
    flagIN: integer('flagIn'),
    client_addr: optionalText('clientAddr'),
    proxy_addr: optionalText('proxyAddr'),
    proxy_port: optionalInteger('proxyPort'),
    digest: optionalText('digest'),
    match_digest: optionalText('matchDigest'),
    match_pattern: optionalText('matchPattern'),
    negate_match_pattern: flag('negateMatchPattern'),
    re_modifiers: text('reModifiers'),
    flagOUT: optionalInteger('flagOut'),
    // The empty text takes away what was matched.
    replace_pattern: {
      ...optionalText('replacePattern'),
      read: (value) => (value === null ? null : String(value)),
    },
    destination_hostgroup: optionalInteger('destinationHostgroup'),
    cache_ttl: optionalInteger('cacheTtlMs'),
    cache_empty_result: optionalFlag('cacheEmptyResult'),
    cache_timeout: optionalInteger('cacheTimeoutMs'),
    reconnect: optionalFlag('reconnect'),
    timeout: optionalInteger('timeoutMs'),
    retries: optionalInteger('retries'),
    delay: optionalInteger('delayMs'),
    next_query_flagIN: optionalInteger('nextQueryFlagIn'),
    mirror_flagOUT: optionalInteger('mirrorFlagOut'),
    mirror_hostgroup: optionalInteger('mirrorHostgroup'),
    error_msg: optionalText('errorMsg'),
    OK_msg: optionalText('okMsg'),
    sticky_conn: optionalFlag('stickyConn'),
    multiplex: optionalInteger('multiplex'),
    gtid_from_hostgroup: optionalInteger('gtidFromHostgroup'),
    log: optionalFlag('log'),
    apply: flag('apply'),
    attributes: text('attributes'),
    comment: text('comment'),
  },
  schema: queryRuleSchema,
};

export const fastRouteMapping: ElementMapping<FastRouteConfig> = {
  table: 'mysql_query_rules_fast_routing',
  key: ['username', 'schemaname', 'flagIN'],
  columns: {
    username: text('username'),
    schemaname: text('schemaname'),
    flagIN: integer('flagIn'),
    destination_hostgroup: integer('destinationHostgroup'),
    comment: text('comment'),
  },
  schema: fastRouteSchema,
};

const { users, rules, sqliFingerprints } = firewallSection.unwrap().shape;

export const firewallUserMapping: ElementMapping<FirewallConfig['users'][number]> = {
  table: 'mysql_firewall_whitelist_users',
  key: ['username', 'client_address'],
  columns: {
    active: flag('active'),
    username: text('username'),
    client_address: text('clientAddress'),
    mode: word('mode'),
    comment: text('comment'),
  },
  schema: users.unwrap().element,
};

export const firewallRuleMapping: ElementMapping<FirewallConfig['rules'][number]> = {
  table: 'mysql_firewall_whitelist_rules',
  key: ['username', 'client_address', 'schemaname', 'flagIN', 'digest'],
  columns: {
    active: flag('active'),
    username: text('username'),
    client_address: text('clientAddress'),
    schemaname: text('schemaname'),
    flagIN: integer('flagIn'),
    digest: text('digest'),
    comment: text('comment'),
  },
  schema: rules.unwrap().element,
};

export const fingerprintMapping: ElementMapping<FirewallConfig['sqliFingerprints'][number]> = {
  table: 'mysql_firewall_whitelist_sqli_fingerprints',
  key: ['fingerprint'],
  columns: { active: flag('active'), fingerprint: text('fingerprint') },
  schema: sqliFingerprints.unwrap().element,
};
