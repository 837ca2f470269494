/** Pairs of hostgroups whose servers change places by measured role, and what holds for one hostgroup. */
import * as z from 'zod';
import { hostgroupBalancing } from './balancing-schema.ts';
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
      description:
        'Kept for tools that write it; of no effect: whoever is in a hostgroup, only one server takes writes.',
      unit: 'servers',
    }),
    autocommit: integer(-1, 1, -1, { description: 'Kept for tools that write it; of no effect.' }),
    freeConnectionsPct: integer(0, 100, 10, {
      description: 'Kept for tools that write it; of no effect (see `pool.minIdle`).',
      unit: 'per cent',
    }),
    initConnect: describe(z.string().max(65_536).default(''), {
      description: "Kept for tools that write it; of no effect (the servers' own `init_connect` has).",
      defaultText: 'none',
    }),
    multiplex: describe(z.boolean().default(true), {
      description:
        '`false`, for the writer of a pair: sessions that are for the pair stay on one connection of the primary. Of no effect for other hostgroups.',
    }),
    ...hostgroupBalancing,
    connectionWarming: describe(z.boolean().default(false), {
      description: 'Kept for tools that write it; of no effect.',
    }),
    throttleConnectionsPerSec: integer(1, 1_000_000, 1_000_000, {
      description: 'Kept for tools that write it; of no effect (see `pool.maxConnecting`).',
      unit: 'connections',
    }),
    ignoreSessionVariables: describe(z.array(z.unknown()).max(1000).default([]), {
      description: 'Kept for tools that write it; session variables are never ignored.',
      defaultText: 'none',
    }),
    hostgroupSettings: jsonObject(
      'Kept for tools that write it; of no effect. (In the table the column holds `policy` and `hash_key` as well.)',
    ),
    serversDefaults: jsonObject('Kept for tools that write it; of no effect.'),
    comment: comment(),
  })
  .meta({ description: 'What holds for one hostgroup.' });
