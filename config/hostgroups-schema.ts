/** Pairs of hostgroups whose servers change places by measured role, and what holds for one hostgroup. */
import * as z from 'zod';
import { MAX_HOSTGROUP } from './capacity.ts';
import { comment, describe, integer, jsonObject } from './schema-parts.ts';

/** What a server has to say of itself to be the primary, in ProxySQL's words. */
export const CHECK_TYPES = [
  'read_only',
  'innodb_read_only',
  'super_read_only',
  'read_only|innodb_read_only',
  'read_only&innodb_read_only',
] as const;

function hostgroup(description: string) {
  return describe(z.int().min(0).max(MAX_HOSTGROUP), { description });
}

export const replicationHostgroupSchema = z
  .strictObject({
    writerHostgroup: hostgroup('Hostgroup of the primary.'),
    readerHostgroup: hostgroup('Hostgroup of its replicas.'),
    checkType: describe(z.enum(CHECK_TYPES).default('read_only'), {
      description:
        'Kept for tools that write it: what a server is comes from all that Sluice measures, `read_only` among it.',
    }),
    comment: comment(),
  })
  .meta({ description: 'A pair of hostgroups.' });

export const hostgroupAttributesSchema = z
  .strictObject({
    hostgroup: hostgroup('The hostgroup that this is about.'),
    maxNumOnlineServers: integer(0, 1_000_000, 1_000_000, {
      description: 'With more servers ONLINE than this, the hostgroup is not used.',
      unit: 'servers',
    }),
    autocommit: integer(-1, 1, -1, { description: 'Kept for tools that write it; of no effect.' }),
    freeConnectionsPct: integer(0, 100, 10, {
      description: 'Idle connections that are kept, of the most that a server may have.',
      unit: 'per cent',
    }),
    initConnect: describe(z.string().max(65_536).default(''), {
      description: 'Statement that each new connection to its servers begins with.',
      defaultText: 'none',
    }),
    multiplex: describe(z.boolean().default(true), {
      description: '`false`: a session keeps the connection of this hostgroup that it has got.',
    }),
    connectionWarming: describe(z.boolean().default(false), {
      description: 'Open connections up to `freeConnectionsPct` before they are needed.',
    }),
    throttleConnectionsPerSec: integer(1, 1_000_000, 1_000_000, {
      description: 'Most new connections to its servers in a second, for each worker.',
      unit: 'connections',
    }),
    ignoreSessionVariables: describe(z.array(z.unknown()).max(1000).default([]), {
      description: 'Kept for tools that write it; session variables are never ignored.',
      defaultText: 'none',
    }),
    hostgroupSettings: jsonObject('Kept for tools that write it; of no effect.'),
    serversDefaults: jsonObject(
      'What servers that are discovered for it begin with: `weight`, `max_connections`, `use_ssl`.',
    ),
    comment: comment(),
  })
  .meta({ description: 'What holds for one hostgroup.' });
