/** How reads are shared among the servers of a hostgroup. */
import * as z from 'zod';
import { describe, milliseconds } from './schema-parts.ts';

const BALANCING_POLICIES = ['least-connections', 'weighted', 'peak-ewma', 'consistent-hash'] as const;
const HASH_KEYS = ['statement', 'user', 'schema'] as const;

const ZONE = /^[\x21-\x7e]*$/;

/** Of one hostgroup; null leaves it to `routing`. */
export const hostgroupBalancing = {
  policy: describe(z.enum(BALANCING_POLICIES).nullable().default(null), {
    description: 'How its reads are shared among its servers (see `routing.policy`).',
    defaultText: '`routing.policy`',
  }),
  hashKey: describe(z.enum(HASH_KEYS).nullable().default(null), {
    description: 'What `consistent-hash` keeps together in it.',
    defaultText: '`routing.hashKey`',
  }),
};

export function zone(description: string) {
  return describe(z.string().max(64).regex(ZONE, 'a zone is printable ASCII without spaces').default(''), {
    description,
    defaultText: 'none',
  });
}

/** Parts of `routing`. */
export const routingBalancing = {
  policy: describe(z.enum(BALANCING_POLICIES).default('least-connections'), {
    description:
      'How reads are shared among the servers of a hostgroup, unless the hostgroup says otherwise. `least-connections`: the one with the fewest connections in use for its weight. `weighted`: in turn, by weight. `peak-ewma`: of two at random the one that has answered faster of late, for what it has to do and its weight. `consistent-hash`: the same key goes to the same server, so that its caches stay warm.',
  }),
  hashKey: describe(z.enum(HASH_KEYS).default('statement'), {
    description:
      'What `consistent-hash` keeps together: `statement` (digest and literals, or the parameters of a prepared one), `user`, or `schema`.',
  }),
  slowStartMs: milliseconds(
    0,
    10_000,
    'A server that comes back gets its share of the reads little by little, within this time, since its caches are cold; 0 turns it off.',
  ),
  zone: zone(
    'Availability zone of this Sluice: servers of the same zone (`servers[].zone`) answer reads as long as one of them is fit.',
  ),
};
