/** Rows of the operator × pairs × what was measured: who is in which hostgroup, and whether it serves there. */

import t from 'tap';
import type { HostgroupPair } from '../../../src/topology/hostgroup.ts';
import {
  type HostgroupEntry,
  hostgroupsOf,
  type MembershipInput,
  takesWrites,
} from '../../../src/topology/hostgroup-membership.ts';
import type { ServerDescription } from '../../../src/topology/server-description.ts';
import { newMember } from '../../../src/topology/topology-member.ts';
import { at, server } from './topology-builder.ts';

const FIRST: HostgroupPair = { writer: 0, reader: 1 };
const SECOND: HostgroupPair = { writer: 100, reader: 200 };

function described(name: string, more: Partial<ServerDescription> = {}): ServerDescription {
  const { description } = newMember(at(name), server(name), 'seed');
  return { ...description, status: 'ONLINE', statusReason: '', ...more };
}

const primary = (more: Partial<ServerDescription> = {}) => described('p', { role: 'primary', ...more });
const replica = (name: string, more: Partial<ServerDescription> = {}) =>
  described(name, { role: 'replica', replicationRunning: true, lagMs: 0, ...more });

function row(name: string, more: Partial<HostgroupEntry> = {}): HostgroupEntry {
  return {
    address: at(name),
    hostgroup: null,
    weight: 1,
    status: 'ONLINE',
    maxReplicationLagMs: 0,
    maxLatencyMs: 0,
    zone: '',
    ...more,
  };
}

/** `hostgroup kind: server verdict, …`, for each hostgroup that has members. */
function shown(input: Partial<MembershipInput>): string[] {
  const servers = input.servers ?? [primary(), replica('a'), replica('b')];
  const groups = hostgroupsOf({
    servers,
    primary: at('p'),
    entries: [],
    pairs: [FIRST],
    primaryReads: false,
    ...input,
  });
  return groups
    .filter(({ members }) => members.length > 0)
    .map(({ id, kind, members }) => {
      const list = members.map(({ address, verdict }) => `${address.split(':')[0]} ${verdict}`);
      return `${id} ${kind}: ${list.join(', ')}`;
    });
}

const TABLE: readonly (readonly [string, Partial<MembershipInput>, readonly string[]])[] = [
  ['discovered servers are in the first pair', {}, ['0 writer: p fit', '1 reader: a fit, b fit']],
  [
    'the measured role counts, not the hostgroup of the row',
    { entries: [row('p', { hostgroup: 1 }), row('a', { hostgroup: 0 }), row('b', { hostgroup: 1 })] },
    ['0 writer: p fit', '1 reader: a fit, b fit'],
  ],
  ['the primary reads as well', { primaryReads: true }, ['0 writer: p fit', '1 reader: p fit, a fit, b fit']],
  [
    'a server that is listed elsewhere only is not in the pair',
    { entries: [row('b', { hostgroup: 9 })] },
    ['0 writer: p fit', '1 reader: a fit', '9 static: b fit'],
  ],
  [
    'a server may be in several',
    { entries: [row('b', { hostgroup: 9 }), row('b', { hostgroup: 1 }), row('p', { hostgroup: 9 })] },
    ['1 reader: a fit, b fit', '9 static: p fit, b fit'],
  ],
  [
    'two pairs over one topology',
    {
      pairs: [FIRST, SECOND],
      entries: [row('a', { hostgroup: 200 }), row('p', { hostgroup: 200 }), row('p')],
    },
    ['0 writer: p fit', '1 reader: b fit', '100 writer: p fit', '200 reader: a fit'],
  ],
  [
    'without a primary nobody writes',
    { primary: null, servers: [described('p', { role: 'unknown' }), replica('a')] },
    ['1 reader: p role-unknown, a fit'],
  ],
  [
    'a second writable server is no writer',
    { servers: [primary(), described('a', { role: 'primary' })] },
    ['0 writer: p fit', '1 reader: a role-unknown'],
  ],
  [
    'why a reader is not fit',
    {
      servers: [
        primary(),
        replica('s', { status: 'SHUNNED' }),
        replica('o', { status: 'OFFLINE_SOFT' }),
        replica('h', { status: 'OFFLINE_HARD' }),
        replica('n', { replicationRunning: false }),
        replica('q', { replicationRunning: null }),
        described('u'),
      ],
    },
    [
      '0 writer: p fit',
      '1 reader: s shunned, o offline-soft, h offline-hard, n not-replicating, q not-replicating, u role-unknown',
    ],
  ],
  [
    'lag and latency, by row',
    {
      servers: [
        primary(),
        replica('a', { lagMs: 900, laggingOver: [500] }),
        replica('b', { lagMs: null, laggingOver: null }),
        replica('c', { latencyMs: 11 }),
      ],
      entries: [
        row('a', { hostgroup: 1, maxReplicationLagMs: 1000 }),
        row('a', { hostgroup: 9, maxReplicationLagMs: 500 }),
        row('b', { hostgroup: 1 }),
        row('b', { hostgroup: 9, maxReplicationLagMs: 500 }),
        row('c', { hostgroup: 1, maxLatencyMs: 11 }),
        row('c', { hostgroup: 9, maxLatencyMs: 10 }),
      ],
    },
    ['0 writer: p fit', '1 reader: a fit, b fit, c fit', '9 static: a lagging, b lag-unknown, c too-slow'],
  ],
  [
    'no limit of lag for the primary',
    {
      servers: [primary({ lagMs: null })],
      entries: [row('p', { hostgroup: 9, maxReplicationLagMs: 1 })],
    },
    ['9 static: p fit'],
  ],
  [
    'a latency that is not known passes',
    { entries: [row('a', { maxLatencyMs: 1 }), row('b', { weight: 0 })] },
    ['0 writer: p fit', '1 reader: a fit, b no-weight'],
  ],
  [
    'OFFLINE in one hostgroup only',
    {
      entries: [
        row('a', { hostgroup: 1, status: 'OFFLINE_SOFT' }),
        row('a', { hostgroup: 9 }),
        row('b', { hostgroup: 9, status: 'OFFLINE_HARD' }),
        row('p', { hostgroup: 0, weight: 0 }),
      ],
    },
    ['0 writer: p fit', '1 reader: a offline-soft', '9 static: a fit, b offline-hard'],
  ],
  [
    'the worse of row and server',
    {
      servers: [primary(), replica('a', { status: 'OFFLINE_HARD' }), replica('b', { status: 'SHUNNED' })],
      entries: [row('a', { status: 'OFFLINE_SOFT' }), row('b', { status: 'OFFLINE_SOFT' })],
    },
    ['0 writer: p fit', '1 reader: a offline-hard, b offline-soft'],
  ],
];

for (const [name, input, want] of TABLE) t.test(name, async (t) => t.strictSame(shown(input), want));

t.test('hostgroups of pairs are there without members', async (t) => {
  const groups = hostgroupsOf({
    servers: [],
    primary: null,
    entries: [row('x', { hostgroup: 9 })],
    pairs: [SECOND, FIRST],
    primaryReads: false,
  });
  t.strictSame(
    groups.map(({ id, kind, pair }) => [id, kind, pair]),
    [
      [0, 'writer', FIRST],
      [1, 'reader', FIRST],
      [100, 'writer', SECOND],
      [200, 'reader', SECOND],
    ],
  );
});

t.test('writes stop where the operator takes the writer out, and only there', async (t) => {
  const allowed = (entries: readonly HostgroupEntry[], pairs: readonly HostgroupPair[] = [FIRST]): boolean =>
    takesWrites(
      hostgroupsOf({ servers: [primary()], primary: at('p'), entries, pairs, primaryReads: false }),
      at('p'),
    );
  t.ok(allowed([]), 'not listed');
  t.notOk(allowed([row('p', { hostgroup: 0, status: 'OFFLINE_SOFT' })]));
  t.notOk(allowed([row('p', { hostgroup: 0, status: 'OFFLINE_HARD' }), row('p', { hostgroup: 1 })]));
  t.ok(allowed([row('p', { hostgroup: 0 }), row('p', { hostgroup: 1, status: 'OFFLINE_SOFT' })]));
  t.ok(allowed([row('p', { hostgroup: 9, status: 'OFFLINE_SOFT' })]), 'not as a writer');
  const both = [row('p', { hostgroup: 0, status: 'OFFLINE_SOFT' }), row('p', { hostgroup: 100 })];
  t.ok(allowed(both, [FIRST, SECOND]), 'the other pair has it ONLINE');
});
