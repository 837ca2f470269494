/** Redis as a server of the second level: how it is reached, who it lets in, and what it may have lost when it comes back. */

import t, { type Test } from 'tap';
import { tableSlot } from '../../../src/common/table-slots.ts';
import { CertificateAuthority } from '../../support/certificates.ts';
import { findProgramIfAny } from '../../support/find-program.ts';
import type { SharedCacheServer } from '../../support/shared-cache-server.ts';
import { Sharer, type SharerOptions, UNREADY } from '../../support/sharer.ts';
import { sharedServer, sharers, sharersOf } from '../../support/sharers.ts';
import { waitUntil } from '../../support/wait-until.ts';

t.setTimeout(400_000);

const X = { name: 'x', table: 't' };
const SECRET = 'a secret of Redis';

const programs = await Promise.all([findProgramIfAny(['redis-server']), findProgramIfAny(['memcached'])]);
const skip = programs.includes(null) && 'redis-server or memcached is missing';

/** Both of them share what one of them has put. */
async function shares(t: Test, options: SharerOptions): Promise<[Sharer, Sharer, ...Sharer[]]> {
  const made = await sharers(t, 2, options);
  await made[0].share(X);
  t.equal(await made[1].get(X), 'x');
  return made;
}

/** It is not used, and says why. */
async function refuses(t: Test, options: SharerOptions, reason: RegExp): Promise<Sharer> {
  const sharer = await Sharer.start(options);
  t.teardown(() => sharer.dispose());
  await waitUntil('it is said', () => sharer.log.length > 0);
  t.match(sharer.log[0]?.reason, reason);
  t.notMatch(JSON.stringify(sharer.log), SECRET);
  t.equal(await sharer.get(X), UNREADY);
  return sharer;
}

t.test('password, account, database, socket', { skip }, async (t) => {
  const allowed = '+ping +select +info +mget +get +set +del +pexpire +watch +unwatch +multi +exec';
  const server = await sharedServer(t, 'redis', {
    password: SECRET.replaceAll(' ', '-'),
    config: [
      `user sluice on >other-secret ~sluice:* ${allowed}`,
      'user poor on >other-secret ~sluice:* +@all -info',
    ],
  });
  const base: SharerOptions = { kind: 'redis', endpoints: [server.address] };
  const password = SECRET.replaceAll(' ', '-');
  const [one] = await shares(t, { ...base, password });
  const [elsewhere] = await sharers(t, 1, { ...base, password, database: 3 });
  t.equal(await elsewhere.get(X), null, 'another database has nothing of it');
  t.equal(await one.get(X), 'x');
  await shares(t, { ...base, username: 'sluice', password: 'other-secret', database: 1 });
  await shares(t, { ...base, password, endpoints: [`unix:${server.socket}`], database: 2 });
  await refuses(t, { ...base, password: `${password}!` }, /WRONGPASS/);
  await refuses(t, base, /NOAUTH/);
  await refuses(t, { ...base, password, database: 99 }, /DB index/);
  await refuses(t, { ...base, username: 'poor', password: 'other-secret' }, /info/);
});

t.test('TLS, with certificates of one authority', { skip }, async (t) => {
  const authority = await CertificateAuthority.create();
  t.teardown(() => authority.dispose());
  const { file: ca } = authority;
  const server = await sharedServer(t, 'redis', {
    tls: { ca, ...(await authority.issue('redis', ['IP:127.0.0.1'])) },
  });
  const base: SharerOptions = { kind: 'redis', endpoints: [server.address], tls: true };
  await shares(t, { ...base, ca, ...(await authority.issue('sluice')) });
  await refuses(t, { ...base, ca }, /certificate|closed|ECONNRESET/i);
  await refuses(t, base, /certificate/);
  await refuses(t, { ...base, ca: '/nowhere' }, /ENOENT/);
  await refuses(t, { kind: 'redis', endpoints: [server.address] }, /closed|ECONNRESET/);
});

t.test('a server without room for more', { skip }, async (t) => {
  const server = await sharedServer(t, 'redis');
  const [a, b] = await sharersOf(t, server, 2, { leaseMs: 1000 });
  await a.share(X);
  await server.command('CONFIG', 'SET', 'maxmemory', 1);
  t.equal(await b.get(X), 'x', 'what it has is taken');
  a.put({ name: 'y' });
  t.equal(await a.get({ name: 'y' }), null);
  t.ok(a.errors() > 0, 'it was refused');
  a.level.flush();
  await a.untilFlushed();
  t.not(await b.get(X), 'x', 'a flush holds all the same');
  await server.command('CONFIG', 'SET', 'maxmemory', 0);
  await Promise.all([a.untilReady(), b.untilReady()]);
  t.equal(await b.get(X), null);
  await b.share(X);
  await waitUntil('for both', async () => (await a.get(X)) === 'x');
});

t.test('a server that is slow costs its time-out, and nothing more', { skip }, async (t) => {
  const server = await sharedServer(t, 'redis');
  const [a] = await sharersOf(t, server, 1, { timeoutMs: 20 });
  await a.share(X);
  await server.command('CLIENT', 'PAUSE', 4000, 'ALL');
  const beganAtMs = performance.now();
  t.equal(await a.get(X), null);
  t.ok(performance.now() - beganAtMs < 3500, 'it was not waited for');
  t.equal(a.timeouts(), 1);
  await waitUntil('it answers again', async () => (await a.get(X)) === 'x');
});

t.test('a replica is no server for it, nor what becomes one', { skip }, async (t) => {
  const server = await sharedServer(t, 'redis');
  const replica = await sharedServer(t, 'redis', { config: [`replicaof 127.0.0.1 ${server.port}`] });
  await refuses(t, { kind: 'redis', endpoints: [replica.address] }, /no master \(role slave\)/);
  const [a] = await sharersOf(t, server, 1);
  await a.share(X);
  const other = await sharedServer(t, 'redis');
  await server.command('REPLICAOF', '127.0.0.1', other.port);
  await waitUntil('it is not used any more', async () => {
    a.put(X);
    return (await a.get(X)) === UNREADY;
  });
  t.match(a.log[0]?.reason, /READONLY|no master/);
  await server.command('REPLICAOF', 'NO', 'ONE');
  await a.untilReady();
  t.equal(await a.get(X), null);
});

t.test('a server that starts from an old dump', { skip }, async (t) => {
  const server = await sharedServer(t, 'redis');
  const [a, b] = await sharersOf(t, server, 2);
  await a.share(X);
  await server.command('SAVE');
  a.level.flush();
  await a.untilFlushed();
  await server.kill();
  await server.start();
  t.match(await server.command('KEYS', '*'), [/sluice/], 'it has what was flushed');
  const [next] = await sharersOf(t, server, 1);
  t.equal(await next.get(X), null, 'for who has never heard of it');
  await Promise.all([a.untilReady(), b.untilReady()]);
  for (const one of [a, b]) t.equal(await one.get(X), null);
  await a.share(X);
  await waitUntil('it is shared again', async () => (await b.get(X)) === 'x');
});

t.test('a record of an earlier moment of the same server', { skip }, async (t) => {
  const server = await sharedServer(t, 'redis');
  const [a, b] = await sharersOf(t, server, 2);
  await a.share(X);
  await server.command('COPY', 'sluice:flushed', 'kept');
  for (const flush of [() => a.level.flushTable(1), () => a.level.flush()]) {
    flush();
    await a.untilFlushed();
    await b.get(X);
    await server.command('COPY', 'kept', 'sluice:flushed', 'REPLACE');
    t.equal(await b.get(X), null, 'who has seen a later one takes nothing');
    await b.untilReady();
    await a.share(X);
    await server.command('COPY', 'sluice:flushed', 'kept', 'REPLACE');
  }
});

t.test('Sentinels: a master that was lost with a flush', { skip }, async (t) => {
  const master = await sharedServer(t, 'redis', { config: ['repl-diskless-sync-delay 0'] });
  const replica = await sharedServer(t, 'redis', { config: [`replicaof 127.0.0.1 ${master.port}`] });
  const sentinel = await sharedServer(t, 'redis', { watches: master.port });
  await waitUntil('it replicates', async () =>
    /master_link_status:up/.test(String(await replica.command('INFO', 'replication'))),
  );
  await waitUntil('the Sentinel knows of it', async () => {
    const replicas = await sentinel.command('SENTINEL', 'REPLICAS', 'mymaster');
    return Array.isArray(replicas) && replicas.length === 1;
  });
  const options: SharerOptions = {
    kind: 'redis',
    topology: 'sentinel',
    endpoints: [`127.0.0.1:1`, sentinel.address],
    sentinelName: 'mymaster',
  };
  await refuses(t, { ...options, sentinelName: 'another' }, /knows of none/);
  const [a, b] = await shares(t, options);
  await waitUntil('the replica has it', async () => {
    const keys = await replica.command('KEYS', 'sluice:*');
    return Array.isArray(keys) && keys.length >= 5;
  });
  replica.freeze();
  a.level.flush();
  await a.untilFlushed();
  await master.kill();
  replica.thaw();
  await waitUntil('the replica is the master', async () =>
    /role:master/.test(String(await replica.command('INFO', 'replication'))),
  );
  await waitUntil('both have heard of it', async () => a.log.length > 0 && b.log.length > 0);
  await Promise.all([a.untilReady(), b.untilReady()]);
  for (const one of [a, b]) t.equal(await one.get(X), null);
  await a.share(X);
  await waitUntil('it is shared again', async () => (await b.get(X)) === 'x');
});

t.test('Cluster', { skip }, async (t) => {
  const nodes: SharedCacheServer[] = [];
  const config = ['cluster-enabled yes', 'cluster-node-timeout 500', 'cluster-require-full-coverage no'];
  for (let i = 0; i < 3; i++) nodes.push(await sharedServer(t, 'redis', { config, hasClusterPort: true }));
  const [first, second, third] = nodes as [SharedCacheServer, SharedCacheServer, SharedCacheServer];
  await first.command('CLUSTER', 'ADDSLOTSRANGE', 0, 5000);
  await second.command('CLUSTER', 'ADDSLOTSRANGE', 5001, 11_000);
  await third.command('CLUSTER', 'ADDSLOTSRANGE', 11_001, 16_383);
  for (const node of [second, third])
    await first.command('CLUSTER', 'MEET', '127.0.0.1', node.port, node.clusterPort);
  await waitUntil('all know of all slots', async () => {
    const states = await Promise.all(nodes.map((node) => node.command('CLUSTER', 'INFO')));
    return states.every((state) => /cluster_slots_ok:16384/.test(String(state)));
  });
  await refuses(t, { kind: 'redis', endpoints: [first.address] }, /runs as cluster/);
  const options: SharerOptions = {
    kind: 'redis',
    topology: 'cluster',
    endpoints: [third.address, first.address],
  };
  const [a, b] = await sharers(t, 2, options);
  await Promise.all([a.untilAllReady(), b.untilAllReady()]);
  const texts = Array.from({ length: 60 }, (_, index) => ({ name: `x${index}`, table: `t${index % 2}` }));
  await a.share(...texts);
  const taken = async (who: Sharer): Promise<number> =>
    (await Promise.all(texts.map((text) => who.get(text)))).filter((name) => name?.startsWith('x')).length;
  t.equal(await taken(b), 60);
  const sizes = await Promise.all(nodes.map((node) => node.command('DBSIZE')));
  t.ok(
    sizes.every((size) => Number(size) > 3),
    `all nodes have some: ${sizes.join(', ')}`,
  );
  a.level.flushTable(tableSlot('app', 't1'));
  await a.untilFlushed();
  t.equal(await taken(b), 30, 'a flush holds on all nodes');
  await second.kill();
  await waitUntil('its parts fail', () => b.log.length > 0);
  const left = await taken(b);
  t.ok(left > 0 && left < 30, `the others serve: ${left}`);
});

t.test('several servers: what one loses is its part', { skip }, async (t) => {
  const servers = [
    await sharedServer(t, 'memcached'),
    await sharedServer(t, 'memcached'),
    await sharedServer(t, 'memcached'),
  ];
  const endpoints = servers.map(({ address }) => address);
  const [a] = await sharers(t, 1, { kind: 'memcached', endpoints });
  const [b] = await sharers(t, 1, { kind: 'memcached', endpoints: endpoints.toReversed() });
  await Promise.all([a.untilAllReady(), b.untilAllReady()]);
  const texts = Array.from({ length: 60 }, (_, index) => ({ name: `x${index}` }));
  await a.share(...texts);
  const of = async (who: Sharer) => await Promise.all(texts.map((text) => who.get(text)));
  t.ok(
    (await of(b)).every((name) => name?.startsWith('x')),
    'in whatever order they are named',
  );
  await servers[1]?.kill();
  await waitUntil('it is missed', () => a.log.length > 0);
  const found = await of(a);
  const lost = found.filter((name) => name === UNREADY).length;
  t.ok(lost > 5 && lost < 40, `${lost} of 60`);
  t.equal(found.filter((name) => name?.startsWith('x')).length, 60 - lost);
  t.ok(
    (await of(b)).every((name, index) => name === found[index] || name === null),
    'the same ones for both',
  );
});
