import t from 'tap';
import { hostgroupOf } from '../../../src/topology/hostgroup.ts';
import type { ServerDescription } from '../../../src/topology/server-description.ts';
import { WITHOUT_TLS } from '../../../src/topology/server-description.ts';
import {
  composeSelectors,
  firstOf,
  fitForReads,
  online,
  primaryOnly,
  runningReplicas,
  selectForReads,
  selectForWrites,
  withinLag,
} from '../../../src/topology/server-selection.ts';

const PRIMARY: ServerDescription = {
  address: 'p:3306',
  host: 'p',
  port: 3306,
  status: 'ONLINE',
  statusReason: '',
  role: 'primary',
  hostgroup: 0,
  weight: 1,
  maxConnections: 0,
  maxReplicationLagMs: 0,
  tls: WITHOUT_TLS,
  origin: 'seed',
  version: '8.0.36',
  flavor: 'mysql',
  versionId: 80_036,
  sessionTracking: true,
  readOnly: false,
  serverUuid: null,
  serverId: 1,
  source: null,
  replicationRunning: false,
  lagMs: null,
  lagSource: null,
  laggingOver: null,
  latencyMs: null,
  gtidExecuted: '',
};
const primary = (overrides: Partial<ServerDescription> = {}): ServerDescription => ({
  ...PRIMARY,
  ...overrides,
});
const replica = (name: string, overrides: Partial<ServerDescription> = {}): ServerDescription => ({
  ...PRIMARY,
  address: `${name}:3306`,
  host: name,
  role: 'replica',
  hostgroup: 1,
  readOnly: true,
  source: 'p:3306',
  replicationRunning: true,
  lagMs: 0,
  ...overrides,
});

const names = (servers: readonly ServerDescription[]): string => servers.map(({ host }) => host).join(' ');
const topologyOf = (...servers: readonly ServerDescription[]) => ({
  servers,
  primary: servers.find(({ role }) => role === 'primary')?.address ?? null,
});

t.test('who may serve what', (t) => {
  for (const [title, servers, writes, reads, shared] of [
    ['all well', [primary(), replica('a'), replica('b')], 'p', 'a b', 'a b p'],
    ['no servers', [], '', '', ''],
    ['no replica', [primary()], 'p', 'p', 'p'],
    ['a replica is shunned', [primary(), replica('a', { status: 'SHUNNED' }), replica('b')], 'p', 'b', 'b p'],
    ['a replica drains', [primary(), replica('a', { status: 'OFFLINE_SOFT' })], 'p', 'p', 'p'],
    ['replication stopped', [primary(), replica('a', { replicationRunning: false })], 'p', 'p', 'p'],
    ['replication not known', [primary(), replica('a', { replicationRunning: null })], 'p', 'p', 'p'],
    ['role not known', [primary(), replica('a', { role: 'unknown' })], 'p', 'p', 'p'],
    ['weight 0', [primary(), replica('a', { weight: 0 })], 'p', 'p', 'p'],
    ['within the lag', [primary(), replica('a', { lagMs: 900, maxReplicationLagMs: 1000 })], 'p', 'a', 'a p'],
    ['over the lag', [primary(), replica('a', { lagMs: 2000, maxReplicationLagMs: 1000 })], 'p', 'p', 'p'],
    ['lag not known', [primary(), replica('a', { lagMs: null, maxReplicationLagMs: 1000 })], 'p', 'p', 'p'],
    ['lag not known, no limit', [primary(), replica('a', { lagMs: null })], 'p', 'a', 'a p'],
    ['the primary is shunned', [primary({ status: 'SHUNNED' }), replica('a')], '', 'a', 'a'],
    [
      'everybody is shunned',
      [primary({ status: 'SHUNNED' }), replica('a', { status: 'SHUNNED' })],
      '',
      '',
      '',
    ],
    ['no primary', [replica('a')], '', 'a', 'a'],
    ['a lone server that is read-only', [primary({ role: 'unknown', readOnly: true })], '', 'p', 'p'],
    [
      'two that are writable',
      [primary({ role: 'unknown' }), primary({ role: 'unknown', host: 'q' })],
      '',
      '',
      '',
    ],
    [
      'a read-only server that no replica names',
      [
        primary({ role: 'unknown', readOnly: true }),
        replica('a', { replicationRunning: false, source: 'x:3306' }),
      ],
      '',
      '',
      '',
    ],
    [
      'read-only top, but its replica only lags',
      [primary({ role: 'unknown', readOnly: true }), replica('a', { replicationRunning: false })],
      '',
      'p',
      'p',
    ],
  ] as const) {
    const topology = topologyOf(...servers);
    t.equal(names(selectForWrites(topology)), writes, `${title}: writes`);
    t.equal(names(selectForReads(topology, 'fallback')), reads, `${title}: reads`);
    t.equal(names(selectForReads(topology, 'share')), shared, `${title}: reads, shared`);
  }
  t.end();
});

t.test('a role alone does not make a primary', (t) => {
  const topology = { servers: [primary()], primary: null };
  t.equal(names(primaryOnly(topology, topology.servers)), '');
  t.end();
});

t.test('selectors compose from left to right and change nothing', (t) => {
  const servers = Object.freeze([primary(), replica('a'), replica('b', { status: 'SHUNNED' })]);
  const topology = topologyOf(...servers);
  const both = composeSelectors(online, runningReplicas);
  t.equal(names(both(topology, servers)), 'a');
  t.equal(names(composeSelectors()(topology, servers)), 'p a b');
  t.equal(names(firstOf(composeSelectors(runningReplicas, withinLag), online)(topology, servers)), 'a b');
  t.equal(names(firstOf()(topology, servers)), '');
  t.equal(names(fitForReads(topology, [])), '', 'only the candidates count, not the topology');
  t.end();
});

t.test('hostgroups follow the role, unless the operator fixed them', (t) => {
  const pair = { writer: 10, reader: 20 };
  t.equal(hostgroupOf('primary', null, pair), 10);
  t.equal(hostgroupOf('replica', null, pair), 20);
  t.equal(hostgroupOf('unknown', null, pair), 20);
  t.equal(hostgroupOf('replica', 7, pair), 7);
  t.end();
});
