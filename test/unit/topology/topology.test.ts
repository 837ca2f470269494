import t from 'tap';
import { TopologyDescription } from '../../../src/topology/topology.ts';
import {
  at,
  channel,
  facts,
  failed,
  good,
  readOnly,
  replication,
  SETTINGS,
  server,
  TopologyUnderTest,
  uuid,
} from './topology-builder.ts';

const replicaOf = (source: string, overrides = {}) => ({
  readOnly: true,
  sources: [channel(source)],
  ...overrides,
});

/** p is primary of r1 and r2. */
function cluster(): TopologyUnderTest {
  return new TopologyUnderTest('p', 'r1', 'r2').apply(
    good('p'),
    good('r1', replicaOf('p')),
    good('r2', replicaOf('p')),
  );
}

t.test('empty', (t) => {
  const topology = TopologyDescription.empty(SETTINGS);
  t.equal(topology.version, 0);
  t.strictSame(topology.servers, []);
  t.equal(topology.primary, null);
  t.end();
});

t.test('configured servers are SHUNNED and of unknown role until they are measured', (t) => {
  const topology = new TopologyUnderTest('p', 'r1');
  t.strictSame(topology.kinds(), ['server-added', 'server-added']);
  t.equal(topology.status('p'), 'SHUNNED');
  t.equal(topology.role('p'), 'unknown');
  t.equal(topology.value.find(at('p'))?.statusReason, 'connect: not checked yet');
  t.equal(topology.value.primary, null);
  t.end();
});

t.test('a primary and two replicas', (t) => {
  const topology = cluster();
  t.equal(topology.value.primary, at('p'));
  t.strictSame(
    topology.value.servers.map(({ address, role, status, hostgroup }) => [address, role, status, hostgroup]),
    [
      [at('p'), 'primary', 'ONLINE', 0],
      [at('r1'), 'replica', 'ONLINE', 1],
      [at('r2'), 'replica', 'ONLINE', 1],
    ],
  );
  t.equal(topology.value.find(at('r1'))?.source, at('p'));
  t.equal(topology.value.find(at('r1'))?.replicationRunning, true);
  t.equal(topology.value.find(at('p'))?.replicationRunning, false);
  t.equal(topology.kinds().filter((kind) => kind === 'status-changed').length, 3);
  t.match(topology.events, [{ kind: 'read-only-changed' }], 'in order');
  t.match(topology.events.at(-1), { kind: 'primary-changed', from: null, to: at('p'), reason: 'measured' });
  t.end();
});

t.test('update returns a new value and leaves the old one', (t) => {
  const topology = cluster();
  const before = topology.value;
  const replica = before.find(at('r1'));
  topology.apply(readOnly('r2', false));
  t.equal(topology.value.version, before.version + 1);
  t.equal(before.find(at('r2'))?.readOnly, true);
  t.equal(topology.value.find(at('r2'))?.readOnly, false);
  t.equal(topology.value.find(at('r1')), replica, 'a description that says the same is the same object');
  t.throws(() => Object.assign(before.find(at('r2'))!, { weight: 5 }), TypeError);
  t.end();
});

t.test('a replica that takes writes is a replica all the same', (t) => {
  const topology = cluster().apply(readOnly('r1', false));
  t.equal(topology.role('r1'), 'replica');
  t.equal(topology.value.primary, at('p'));
  t.strictSame(topology.kinds(), ['read-only-changed']);
  t.end();
});

t.test('each of the three variables makes a server read-only', (t) => {
  for (const name of ['readOnly', 'superReadOnly', 'innodbReadOnly']) {
    const probe = { readOnly: false, superReadOnly: false, innodbReadOnly: false, [name]: true };
    const topology = cluster().apply({
      kind: 'check',
      address: at('p'),
      report: { check: 'read_only', ok: true, readOnly: probe },
    });
    t.equal(topology.value.primary, null, name);
  }
  t.end();
});

t.test('hysteresis: three failures to shun, two good rounds to return', (t) => {
  const topology = cluster().apply(failed('r1'));
  t.equal(topology.status('r1'), 'ONLINE');
  t.strictSame(topology.kinds(), ['check-failed', 'check-failed', 'check-failed', 'check-failed']);
  topology.apply(failed('r1'));
  t.strictSame(topology.kinds(), [], 'the second failure is no news');
  topology.apply(failed('r1'));
  t.equal(topology.status('r1'), 'SHUNNED');
  t.match(topology.events, [
    { kind: 'status-changed', from: 'ONLINE', to: 'SHUNNED', reason: 'connect failed: refused' },
  ]);
  t.equal(topology.role('r1'), 'replica', 'what was measured last is still known');
  topology.apply(good('r1', replicaOf('p')));
  t.equal(topology.status('r1'), 'SHUNNED');
  topology.apply(good('r1', replicaOf('p')));
  t.equal(topology.status('r1'), 'ONLINE');
  t.equal(topology.kinds().filter((kind) => kind === 'check-recovered').length, 4);
  t.end();
});

t.test('a confirmed failure shuns at once', (t) => {
  t.equal(cluster().apply(failed('r1', true)).status('r1'), 'SHUNNED');
  t.end();
});

t.test('without the replication check a server serves, but nothing is known of its role', (t) => {
  const denied = {
    kind: 'check',
    address: at('p'),
    report: { check: 'replication', ok: false, reason: 'denied', confirmed: false },
  } as const;
  const topology = new TopologyUnderTest('p').apply(good('p').slice(0, 3), denied);
  t.equal(topology.status('p'), 'ONLINE');
  t.equal(topology.role('p'), 'unknown');
  t.equal(topology.value.primary, null, 'it may be a replica that takes writes');
  t.end();
});

t.test('the primary dies: it stays primary, SHUNNED, while nobody took its place', (t) => {
  const topology = cluster().apply(failed('p', true));
  t.equal(topology.value.primary, at('p'));
  t.equal(topology.status('p'), 'SHUNNED');
  t.equal(topology.role('p'), 'primary');
  t.end();
});

t.test('its replicas keep serving: their IO threads have nothing newer to get', (t) => {
  const connecting = [channel('p', { ioRunning: 'Connecting', lagMs: null })];
  const topology = cluster().apply(failed('p', true));
  for (let round = 0; round < 10; round++) topology.apply(replication('r1', connecting));
  t.equal(topology.value.find(at('r1'))?.replicationRunning, true);
  t.equal(topology.value.find(at('r1'))?.lagMs, null);
  topology.apply(good('p'), good('p'));
  for (let round = 0; round < 3; round++) topology.apply(replication('r1', connecting));
  t.equal(
    topology.value.find(at('r1'))?.replicationRunning,
    false,
    'the primary is back, the replica is not',
  );
  t.end();
});

t.test('an IO thread that connects once is no reason, one that goes on connecting is', (t) => {
  const connecting = [channel('p', { ioRunning: 'Connecting', lagMs: null, error: 'no route' })];
  const topology = cluster().apply(replication('r1', connecting));
  t.equal(topology.value.find(at('r1'))?.replicationRunning, true);
  topology.apply(replication('r1', connecting), replication('r1', connecting));
  t.equal(topology.value.find(at('r1'))?.replicationRunning, false);
  t.match(topology.events, [
    { kind: 'replication-changed', address: at('r1'), running: false, error: 'no route' },
  ]);
  topology.apply(replication('r1', [channel('p')]));
  t.equal(topology.value.find(at('r1'))?.replicationRunning, true);
  t.end();
});

t.test('a thread that was stopped counts at once', (t) => {
  for (const stopped of [{ ioRunning: 'No' }, { sqlRunning: 'No' }] as const) {
    const topology = cluster().apply(replication('r1', [channel('p', { ...stopped, lagMs: null })]));
    t.equal(topology.value.find(at('r1'))?.replicationRunning, false);
    t.equal(topology.status('r1'), 'ONLINE');
  }
  const connecting = [channel('p', { ioRunning: 'Connecting' })];
  const fresh = new TopologyUnderTest('p', 'r1').apply(
    good('p'),
    good('r1', { readOnly: true, sources: connecting }),
  );
  t.equal(fresh.value.find(at('r1'))?.replicationRunning, false, 'never seen running');
  t.end();
});

t.test('a replication check that fails for long: what it said is too old to send reads by', (t) => {
  const fail = {
    kind: 'check',
    address: at('r1'),
    report: { check: 'replication', ok: false, reason: 'x', confirmed: false },
  } as const;
  const topology = cluster().apply(fail, fail);
  t.equal(topology.value.find(at('r1'))?.replicationRunning, true);
  topology.apply(fail);
  t.equal(topology.value.find(at('r1'))?.replicationRunning, null);
  t.equal(topology.status('r1'), 'ONLINE');
  t.end();
});

t.test('of several sources, a member is shown', (t) => {
  const topology = cluster().apply(
    replication('r1', [channel('stranger', { name: 'a' }), channel('p', { name: 'b' })]),
  );
  t.equal(topology.value.find(at('r1'))?.source, at('p'));
  t.equal(topology.role('r1'), 'replica');
  t.end();
});

t.test('one channel that has stopped is enough', (t) => {
  const topology = cluster().apply(
    replication('r1', [channel('p', { name: 'a' }), channel('r2', { name: 'b' })]),
  );
  t.equal(topology.value.find(at('r1'))?.replicationRunning, true);
  topology.apply(
    replication('r1', [
      channel('p', { name: 'a' }),
      channel('r2', { name: 'b', sqlRunning: 'No', lagMs: null }),
    ]),
  );
  t.equal(topology.value.find(at('r1'))?.replicationRunning, false);
  t.equal(topology.value.find(at('r1'))?.lagMs, null);
  t.end();
});

t.test('the primary is set read-only: no primary, and its replicas are replicas still', (t) => {
  const topology = cluster().apply(readOnly('p', true));
  t.equal(topology.value.primary, null);
  t.equal(topology.value.lastPrimary, at('p'));
  t.equal(topology.role('p'), 'unknown');
  t.equal(topology.role('r1'), 'replica');
  t.match(topology.events.at(-1), {
    kind: 'primary-changed',
    from: at('p'),
    to: null,
    reason: 'not-writable',
  });
  topology.apply(readOnly('p', false));
  t.equal(topology.value.primary, at('p'));
  t.end();
});

t.test('an outside switchover is followed', (t) => {
  const topology = cluster().apply(readOnly('p', true));
  topology.apply(good('r1', { readOnly: false }));
  t.equal(topology.value.primary, at('r1'));
  t.equal(topology.role('r2'), 'unknown', 'still a replica of the old primary: its data are going stale');
  topology.apply(good('p', replicaOf('r1')), good('r2', replicaOf('r1')));
  t.strictSame(
    ['p', 'r1', 'r2'].map((name) => topology.role(name)),
    ['replica', 'primary', 'replica'],
  );
  t.end();
});

t.test('an outside failover is followed, in whatever order it is seen', (t) => {
  const first = cluster().apply(failed('p', true)).apply(good('r1'));
  t.equal(first.value.primary, at('r1'), 'death, then promotion');
  const second = cluster().apply(failed('p')).apply(good('r1'));
  t.equal(second.value.primary, at('p'), 'not shunned yet: the known one stays');
  t.match(second.events.at(-1), { kind: 'two-primaries', kept: at('p'), others: [at('r1')] });
  second.apply(failed('p')).apply(failed('p'));
  t.equal(second.value.primary, at('r1'), 'promotion, then death');
  t.match(second.events.at(-1), { kind: 'two-primaries-resolved', primary: at('r1') });
  t.end();
});

t.test('two writable at once: the known one stays, the other gets nothing', (t) => {
  const topology = cluster().apply(good('r1'));
  t.equal(topology.value.primary, at('p'));
  t.equal(topology.role('r1'), 'unknown');
  t.equal(topology.value.servers.filter(({ role }) => role === 'primary').length, 1);
  t.strictSame(topology.value.rivals, [at('r1')]);
  topology.apply(good('r1'));
  t.notOk(topology.kinds().includes('two-primaries'), 'said once');
  topology.apply(good('r1', replicaOf('p')));
  t.strictSame(topology.kinds().at(-1), 'two-primaries-resolved');
  t.end();
});

t.test('a dead primary that comes back writable does not take the writes back', (t) => {
  const topology = cluster().apply(failed('p', true)).apply(good('r1')).apply(good('p')).apply(good('p'));
  t.equal(topology.status('p'), 'ONLINE');
  t.equal(topology.value.primary, at('r1'));
  t.equal(topology.role('p'), 'unknown');
  topology.apply(good('r1'));
  topology.apply(failed('r1', true));
  t.equal(topology.value.primary, at('r1'), 'nor when the new one dies: it has missed writes');
  t.equal(topology.role('p'), 'unknown');
  t.end();
});

t.test('… unless it has every transaction of the new one', (t) => {
  const set = (last: number) => ({ gtids: `${uuid('p')}:1-${last}` });
  const old = (gtids: { gtids: string }) =>
    cluster()
      .apply(failed('p', true))
      .apply(good('r1', set(7)))
      .apply(good('p', gtids))
      .apply(good('p', gtids))
      .apply(good('r1', set(7)));
  t.equal(old(set(6)).apply(failed('r1', true)).value.primary, at('r1'));
  t.equal(old(set(7)).apply(failed('r1', true)).value.primary, at('p'));
  t.equal(old(set(6)).apply(readOnly('r1', true)).value.primary, null);
  t.equal(old(set(7)).apply(readOnly('r1', true)).value.primary, at('p'));
  t.end();
});

t.test('the primary dies: a writable server that never followed it is no heir', (t) => {
  const fresh = cluster().apply(failed('p', true));
  fresh.apply(
    { kind: 'configured', servers: ['p', 'r1', 'r2', 'new'].map((name) => server(name)) },
    good('new'),
  );
  t.equal(fresh.status('new'), 'ONLINE');
  t.equal(fresh.value.primary, at('p'), 'one that was just set up');
  t.match(fresh.events.at(-1), { kind: 'two-primaries', kept: at('p'), others: [at('new')] });
  fresh.apply(good('r1'));
  t.equal(fresh.value.primary, at('r1'), 'the replica that was promoted is');
  const old = cluster().apply(failed('p', true)).apply(good('r1'));
  old
    .apply(good('r2', replicaOf('r1')))
    .apply(failed('r1', true))
    .apply(good('p'))
    .apply(good('p'));
  t.equal(old.status('p'), 'ONLINE');
  t.equal(old.value.primary, at('r1'), 'the primary before the last');
  old.apply(good('r2'));
  t.equal(old.value.primary, at('r2'));
  t.end();
});

t.test('at the first look the true primary hangs: another writable one is not taken for it', (t) => {
  const set = (last: number) => ({ gtids: `${uuid('p')}:1-${last}` });
  const look = (old: object, replica: object) =>
    new TopologyUnderTest('p', 'old', 'r1').apply(
      failed('p'),
      good('old', old),
      good('r1', { ...replicaOf('p'), ...replica }),
    );
  const behind = look(set(5), set(9));
  t.equal(behind.value.primary, null);
  t.match(behind.events.at(-1), { kind: 'two-primaries', kept: null, others: [at('old')] });
  behind.apply(good('p', set(9))).apply(good('p', set(9)));
  t.equal(behind.value.primary, at('p'));
  t.equal(look({}, {}).value.primary, null, 'without GTIDs nothing is proven');
  t.equal(
    look(set(9), set(9)).value.primary,
    at('old'),
    'it lacks nothing: it was promoted, its replicas not yet moved',
  );
  t.end();
});

t.test('a rival that was seen as a replica again has missed nothing', (t) => {
  const topology = cluster().apply(good('r1')).apply(good('p'));
  topology
    .apply(good('r1', replicaOf('p')))
    .apply(failed('p', true))
    .apply(good('r1'));
  t.equal(topology.value.primary, at('r1'));
  t.end();
});

t.test('at the first look, the one that others replicate from is the primary', (t) => {
  const topology = new TopologyUnderTest('old', 'p', 'r1').apply(
    good('old'),
    good('p'),
    good('r1', replicaOf('p')),
  );
  t.equal(topology.value.primary, at('p'));
  t.match(topology.events, [
    ...Array.from({ length: topology.events.length - 2 }, () => ({})),
    { kind: 'primary-changed', reason: 'most-replicas' },
    { kind: 'two-primaries', kept: at('p'), others: [at('old')] },
  ]);
  t.end();
});

t.test('two writable servers that have nothing to do with each other: neither', (t) => {
  const topology = new TopologyUnderTest('a', 'b').apply(good('a'), good('b'));
  t.equal(topology.value.primary, null);
  t.strictSame([topology.role('a'), topology.role('b')], ['unknown', 'unknown']);
  t.match(topology.events.at(-1), { kind: 'two-primaries', kept: null, others: [at('a'), at('b')] });
  t.end();
});

t.test('a dual-primary pair with one half read-only', (t) => {
  const topology = new TopologyUnderTest('a', 'b', 'r').apply(
    good('a', { readOnly: true, sources: [channel('b')] }),
    good('b', { sources: [channel('a')] }),
    good('r', replicaOf('a')),
  );
  t.equal(topology.value.primary, at('b'));
  t.strictSame([topology.role('a'), topology.role('r')], ['replica', 'replica'], 'r through a');
  topology.apply(readOnly('b', true)).apply(readOnly('a', false));
  t.equal(topology.value.primary, at('a'));
  t.equal(topology.role('b'), 'replica');
  t.end();
});

t.test('a dual-primary pair with both writable has one primary, and keeps it', (t) => {
  const topology = new TopologyUnderTest('a', 'b').apply(
    good('a', { sources: [channel('b')] }),
    good('b', { sources: [channel('a')] }),
  );
  t.equal(topology.value.primary, at('a'));
  t.equal(topology.role('b'), 'replica');
  t.match(topology.events.at(-2), { kind: 'primary-changed', reason: 'configured-first' });
  t.match(topology.events.at(-1), { kind: 'two-primaries', kept: at('a'), others: [at('b')] });
  t.end();
});

t.test('a chain of replicas', (t) => {
  const topology = cluster().apply(good('r2', replicaOf('r1')));
  t.equal(topology.role('r2'), 'replica');
  t.end();
});

t.test('a server that replicates from elsewhere is no replica of ours', (t) => {
  const topology = cluster().apply(good('r1', replicaOf('stranger')));
  t.equal(topology.role('r1'), 'unknown');
  t.end();
});

t.test('a source under another name: by alias, by UUID, by server id', (t) => {
  const byUuid = cluster().apply(
    good('r1', { readOnly: true, sources: [channel('internal', { sourceUuid: uuid('p') })] }),
  );
  t.equal(byUuid.role('r1'), 'replica');
  t.equal(byUuid.value.find(at('r1'))?.source, at('internal'), 'shown as the server reports it');
  const byId = cluster().apply(
    good('p', { facts: { serverId: 7 } }),
    good('r1', { readOnly: true, sources: [channel('internal', { sourceId: 7 })] }),
  );
  t.equal(byId.role('r1'), 'replica');
  const byAlias = cluster().apply(good('r1', replicaOf('internal')));
  t.equal(byAlias.role('r1'), 'unknown');
  byAlias.apply({ kind: 'alias', alias: at('internal'), address: at('p') });
  t.equal(byAlias.role('r1'), 'replica');
  t.equal(byAlias.value.find(at('internal'))?.address, at('p'));
  t.end();
});

t.test('a server id that two servers share names neither', (t) => {
  const topology = cluster().apply(
    good('p', { facts: { serverId: 7 } }),
    good('r2', { ...replicaOf('p'), facts: { serverId: 7 } }),
    good('r1', { readOnly: true, sources: [channel('internal', { sourceId: 7 })] }),
  );
  t.equal(topology.role('r1'), 'unknown');
  t.end();
});

t.test('two names of one server: the second gets nothing, and there is one primary', (t) => {
  const topology = new TopologyUnderTest('p', 'also-p').apply(
    good('p'),
    good('also-p', { facts: { identity: 'p' } }),
  );
  t.equal(topology.value.primary, at('p'));
  t.equal(topology.status('also-p'), 'SHUNNED');
  t.equal(topology.value.find(at('also-p'))?.statusReason, `the same server as ${at('p')}`);
  t.match(
    topology.events.find(({ kind }) => kind === 'duplicate-server'),
    { address: at('also-p'), sameAs: at('p') },
  );
  t.notOk(topology.kinds().includes('two-primaries'));
  t.end();
});

t.test('the configuration changes: servers come, go and get other settings, discovered ones stay', (t) => {
  const topology = cluster().apply(
    { kind: 'discovered', server: server('d'), via: at('p') },
    good('d', replicaOf('p')),
  );
  t.equal(topology.value.find(at('d'))?.origin, 'discovered');
  topology.apply({
    kind: 'configured',
    servers: [server('n'), server('p'), server('r1', { weight: 9, hostgroup: 5 })],
  });
  t.strictSame(
    topology.value.servers.map(({ address }) => address),
    [at('n'), at('p'), at('r1'), at('d')],
  );
  t.equal(topology.value.find(at('r1'))?.weight, 9);
  t.equal(topology.value.find(at('r1'))?.hostgroup, 5);
  t.equal(topology.status('r1'), 'ONLINE', 'what was measured stays');
  t.match(topology.events, [
    { kind: 'server-added', address: at('n') },
    { kind: 'server-removed', address: at('r2'), reason: 'configuration' },
  ]);
  topology.apply({ kind: 'configured', servers: [server('p'), server('d')] });
  t.equal(topology.value.find(at('d'))?.origin, 'seed', 'named now');
  topology.apply({ kind: 'configured', servers: [server('p')] });
  t.equal(topology.value.find(at('d')), null);
  t.end();
});

t.test('the primary is taken out of the configuration', (t) => {
  const topology = cluster().apply({ kind: 'configured', servers: [server('r1'), server('r2')] });
  t.equal(topology.value.primary, null);
  t.match(topology.events.at(-1), { kind: 'primary-changed', from: at('p'), to: null, reason: 'removed' });
  t.end();
});

t.test('the operator drains, cuts off and brings back', (t) => {
  const topology = cluster().apply({ kind: 'administered', address: at('r1'), status: 'OFFLINE_SOFT' });
  t.equal(topology.status('r1'), 'OFFLINE_SOFT');
  topology.apply(failed('r1', true));
  t.equal(topology.status('r1'), 'OFFLINE_SOFT');
  topology.apply({ kind: 'administered', address: at('r1'), status: 'ONLINE' });
  t.equal(topology.status('r1'), 'SHUNNED');
  topology.apply({ kind: 'administered', address: at('r2'), status: 'OFFLINE_HARD' });
  topology.apply({ kind: 'administered', address: at('r2'), status: 'ONLINE' });
  t.equal(topology.status('r2'), 'SHUNNED', 'it has to prove itself');
  topology.apply(good('r2', replicaOf('p')));
  t.equal(topology.status('r2'), 'ONLINE');
  t.end();
});

t.test('changes for servers that are not there are nothing', (t) => {
  const topology = cluster();
  topology.apply(good('ghost'), failed('ghost'), {
    kind: 'removed',
    address: at('ghost'),
    reason: 'unreachable',
  });
  topology.apply({ kind: 'alias', alias: at('x'), address: at('ghost') });
  topology.apply({ kind: 'administered', address: at('ghost'), status: 'OFFLINE_HARD' });
  topology.apply({ kind: 'discovered', server: server('p', { weight: 7 }), via: at('r1') });
  t.strictSame(topology.events, []);
  t.equal(topology.value.servers.length, 3);
  t.equal(topology.value.find(at('p'))?.weight, 1);
  t.end();
});

t.test('who belongs: it replicates from a member, or a member replicates from it', (t) => {
  const { value } = cluster().apply(
    good('r2', { readOnly: true, sources: [channel('up', { sourceId: 3 })] }),
  );
  const none = { channels: [], gtidExecuted: '' };
  t.equal(value.isRelated(at('new'), facts('new'), { channels: [channel('p')], gtidExecuted: '' }), true);
  t.equal(
    value.isRelated(at('new'), facts('new'), { channels: [channel('stranger')], gtidExecuted: '' }),
    false,
  );
  t.equal(value.isRelated(at('new'), facts('new'), none), false);
  t.equal(value.isRelated(at('up'), facts('up', { serverId: 3 }), none), true);
  t.equal(
    value.isRelated(at('up'), facts('up', { serverId: 4 }), none),
    false,
    'the name leads to another server',
  );
  t.end();
});

t.test('a primary that was demoted is a replica, even if nobody knows of whom', (t) => {
  const topology = cluster().apply(good('p', replicaOf('unknown')));
  t.equal(topology.value.primary, null);
  t.strictSame(
    ['p', 'r1', 'r2'].map((name) => topology.role(name)),
    ['replica', 'replica', 'replica'],
  );
  topology.apply(good('r2', replicaOf('stranger')));
  t.equal(topology.role('r2'), 'unknown');
  t.end();
});

t.test('another server at the same address is nobody until it is measured', (t) => {
  const [connect, ...others] = good('p', { facts: { identity: 'another' } });
  const topology = cluster().apply([connect!]);
  t.match(topology.events[0], { kind: 'server-replaced', address: at('p') });
  t.equal(topology.role('p'), 'unknown');
  t.equal(topology.value.find(at('p'))?.readOnly, null);
  t.equal(topology.value.primary, null);
  topology.apply(others);
  t.equal(topology.value.primary, at('p'));
  t.end();
});

t.test('an upgrade is noticed', (t) => {
  const topology = cluster().apply(good('p', { facts: { version: '8.0.40', versionId: 80_040 } }));
  t.match(topology.events, [{ kind: 'version-changed', from: '8.0.36', to: '8.0.40' }]);
  t.equal(topology.value.find(at('p'))?.versionId, 80_040);
  t.end();
});

t.test('the latency of pings is smoothed: one slow answer is no slow server', async (t) => {
  const topology = cluster();
  const pings = (...latencies: number[]): number | null | undefined => {
    for (const latencyMs of latencies)
      topology.apply({ kind: 'check', address: at('p'), report: { check: 'ping', ok: true, latencyMs } });
    return topology.value.find(at('p'))?.latencyMs;
  };
  t.equal(topology.value.find(at('p'))?.latencyMs, null, 'not measured yet');
  t.equal(pings(10), 10);
  t.equal(pings(110), 40);
  t.ok(pings(10, 10, 10, 10, 10)! < 16);
  t.ok(pings(110, 110, 110, 110, 110, 110, 110, 110)! > 100);
});
