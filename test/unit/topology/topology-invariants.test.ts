/** Random histories: whatever is measured in whatever order, some things are never true. */

import fc from 'fast-check';
import t from 'tap';
import { HostgroupKind, hostgroupsOf, MemberVerdict } from '../../../src/topology/hostgroup-membership.ts';
import type { ServerDescription } from '../../../src/topology/server-description.ts';
import type { TopologyChange, TopologyDescription } from '../../../src/topology/topology.ts';
import type { TopologyEvent } from '../../../src/topology/topology-event.ts';
import {
  at,
  channel,
  failed,
  good,
  readOnly,
  replication,
  SETTINGS,
  server,
  TopologyUnderTest,
  uuid,
} from './topology-builder.ts';

const NAMES = ['a', 'b', 'c', 'd'] as const;
const name = fc.constantFrom(...NAMES);
const sources = fc.array(
  fc.record({
    source: fc.constantFrom(...NAMES, 'stranger'),
    ioRunning: fc.constantFrom('Yes' as const, 'No' as const, 'Connecting' as const),
    sqlRunning: fc.constantFrom('Yes' as const, 'No' as const),
  }),
  { maxLength: 2 },
);
const gtids = fc.integer({ min: 0, max: 5 }).map((last) => (last === 0 ? '' : `${uuid('a')}:1-${last}`));

type Step = readonly TopologyChange[];

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(name, fc.boolean(), sources, gtids).map(([who, ro, from, set]) =>
      good(who, {
        readOnly: ro,
        sources: from.map(({ source, ...state }) => channel(source, state)),
        gtids: set,
      }),
    ),
  },
  { weight: 3, arbitrary: fc.tuple(name, fc.boolean()).map(([who, confirmed]) => failed(who, confirmed)) },
  { weight: 3, arbitrary: fc.tuple(name, fc.boolean()).map(([who, value]) => [readOnly(who, value)]) },
  { weight: 2, arbitrary: fc.tuple(name, name).map(([who, from]) => [replication(who, [channel(from)])]) },
  { weight: 1, arbitrary: fc.tuple(name, name).map(([who, as]) => good(who, { facts: { identity: as } })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(name, fc.constantFrom('ONLINE' as const, 'OFFLINE_SOFT' as const, 'OFFLINE_HARD' as const))
      .map(([who, status]) => [{ kind: 'administered' as const, address: at(who), status }]),
  },
  {
    weight: 1,
    arbitrary: fc
      .subarray([...NAMES], { minLength: 1 })
      .map((who) => [{ kind: 'configured' as const, servers: who.map((each) => server(each)) }]),
  },
  {
    weight: 1,
    arbitrary: name.map((who) => [{ kind: 'discovered' as const, server: server(who), via: at('a') }]),
  },
  {
    weight: 1,
    arbitrary: name.map((who) => [
      { kind: 'removed' as const, address: at(who), reason: 'unreachable' as const },
    ]),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(name, name)
      .map(([alias, who]) => [{ kind: 'alias' as const, alias: at(alias), address: at(who) }]),
  },
);

/** Who serves in the one pair of hostgroups. */
function fitFor(topology: TopologyDescription, kind: HostgroupKind): ServerDescription[] {
  const { servers, primary } = topology;
  const groups = hostgroupsOf({
    servers,
    primary,
    entries: [],
    pairs: [SETTINGS.hostgroups],
    primaryReads: true,
  });
  const members = groups.find((group) => group.kind === kind)?.members ?? [];
  return members
    .filter(({ verdict }) => verdict === MemberVerdict.fit)
    .map(({ address }) => topology.find(address)!);
}

function checkState(topology: TopologyDescription): string | null {
  const primaries = topology.servers.filter(({ role }) => role === 'primary');
  if (primaries.length > 1) return 'two primaries';
  if ((primaries[0]?.address ?? null) !== topology.primary) return 'primary and role differ';
  for (const { address, role, hostgroup, status, statusReason, source } of topology.servers) {
    if (role !== 'primary' && hostgroup === 0) return `${address} is among the writers`;
    if ((status === 'ONLINE') !== (statusReason === ''))
      return `${address}: ${status} because "${statusReason}"`;
    if (role === 'replica' && source === null) return `${address} is a replica of nobody`;
  }
  if (topology.primary !== null && topology.rivals.includes(topology.primary))
    return 'the primary is its own rival';
  const writers = fitFor(topology, HostgroupKind.writer);
  if (writers.length > 1) return 'two servers for writes';
  if (writers[0]?.readOnly === true) return 'writes to a read-only server';
  for (const { status, role, replicationRunning, address } of fitFor(topology, HostgroupKind.reader)) {
    if (status !== 'ONLINE') return `reads from ${address}, ${status}`;
    if (role === 'replica' && replicationRunning !== true) return `reads from ${address}, not replicating`;
    if (topology.rivals.includes(address) && role !== 'replica') return `reads from the rival ${address}`;
  }
  return null;
}

/** The events alone tell how it came to be as it is. */
function checkEvents(
  before: TopologyDescription,
  after: TopologyDescription,
  events: readonly TopologyEvent[],
): string | null {
  const statuses = new Map(before.servers.map(({ address, status }) => [address, status as string]));
  const roles = new Map(before.servers.map(({ address, role }) => [address, role as string]));
  let { primary } = before;
  for (const event of events) {
    if (event.kind === 'server-removed') {
      statuses.delete(event.address);
      roles.delete(event.address);
    } else if (event.kind === 'server-added') {
      statuses.set(event.address, 'SHUNNED');
      roles.set(event.address, 'unknown');
    } else if (event.kind === 'status-changed') {
      if (statuses.get(event.address) !== event.from)
        return `status of ${event.address} was not ${event.from}`;
      statuses.set(event.address, event.to);
    } else if (event.kind === 'role-changed') {
      if (roles.get(event.address) !== event.from) return `role of ${event.address} was not ${event.from}`;
      roles.set(event.address, event.to);
    } else if (event.kind === 'primary-changed') {
      if (event.from !== primary || event.from === event.to) return 'primary-changed from somebody else';
      primary = event.to;
    }
  }
  if (primary !== after.primary) return 'the primary changed without an event';
  for (const { address, status, role } of after.servers) {
    if (statuses.get(address) !== status) return `status of ${address} changed without an event`;
    if (roles.get(address) !== role) return `role of ${address} changed without an event`;
  }
  return statuses.size === after.servers.length ? null : 'a server came or went without an event';
}

const seed = Number(process.env.FUZZ_SEED ?? 20_261_122);
t.comment(`seed ${seed}`);

t.test('property: never two primaries, and every change has its event', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const topology = new TopologyUnderTest('a', 'b', 'c');
      for (const changes of steps) {
        const before = topology.value;
        topology.apply(changes);
        const wrong = checkState(topology.value) ?? checkEvents(before, topology.value, topology.events);
        if (wrong !== null) throw new Error(wrong);
      }
    }),
    { seed, numRuns: 1500 },
  );
  t.pass('no counterexample');
  t.end();
});

t.test('property: a known primary that goes on answering, writable, stays', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const topology = new TopologyUnderTest('p', 'a', 'b').apply(good('p'));
      for (const changes of steps) {
        const theirs = changes.filter(
          (change) => change.kind !== 'configured' && (!('address' in change) || change.address !== at('p')),
        );
        topology.apply(theirs).apply(good('p'));
        if (topology.value.primary !== at('p')) throw new Error(`the primary is ${topology.value.primary}`);
      }
    }),
    { seed, numRuns: 1000 },
  );
  t.pass('no counterexample');
  t.end();
});
