/** What servers of the second level may do, and lose: never is something taken that was flushed, or kept from others for good. */

import t, { type Test } from 'tap';
import { tableSlot } from '../../../src/common/table-slots.ts';
import { digestName } from '../../../src/sql/digest-text.ts';
import { findProgramIfAny } from '../../support/find-program.ts';
import type { SharedCacheKind } from '../../support/shared-cache-server.ts';
import { type Sharer, UNREADY } from '../../support/sharer.ts';
import { sharedServer, sharersOf } from '../../support/sharers.ts';
import { waitUntil } from '../../support/wait-until.ts';

t.setTimeout(400_000);

const SHORT_LEASE_MS = 1000;
const X = { name: 'x', table: 't' };
const Y = { name: 'y', table: 'w', digest: 'other' };

/** Not there any more, and then, put again, there. */
async function flushedFor(
  t: Test,
  who: Sharer,
  ...texts: readonly { readonly name: string }[]
): Promise<void> {
  for (const text of texts) {
    t.equal(await who.get(text), null, `${text.name} is not taken`);
    await who.share(text);
  }
}

async function common(t: Test, kind: SharedCacheKind): Promise<void> {
  await t.test('a table, a digest and everything are flushed for all, and nothing else', async (t) => {
    const [a, b] = await sharersOf(t, await sharedServer(t, kind), 2);
    await a.share(X, Y);
    t.equal(await b.get(X), 'x');
    t.equal(await b.get(Y), 'y');
    a.level.flushTable(tableSlot('app', 't'));
    await a.untilFlushed();
    t.equal(await b.get(Y), 'y', 'another table stays');
    await flushedFor(t, b, X);
    t.equal(await a.get(X), 'x', 'what was put since is taken by who has flushed');
    a.level.flushDigest(digestName(Buffer.from(Y.digest)));
    await a.untilFlushed();
    t.equal(await b.get(X), 'x', 'another digest stays');
    await flushedFor(t, b, Y);
    a.level.flush();
    await a.untilFlushed();
    await flushedFor(t, b, X, Y);
  });

  await t.test('what was read before a flush is not shared behind it', async (t) => {
    const [a, b] = await sharersOf(t, await sharedServer(t, kind), 2);
    const before = a.noted(X);
    b.level.flushTable(tableSlot('app', 't'));
    await b.untilFlushed();
    a.putNoted(X, before);
    t.equal(await a.get(X), null);
    t.equal(await b.get(X), null);
  });

  await t.test('all at once flush other things: none of them is lost', async (t) => {
    const members = await sharersOf(t, await sharedServer(t, kind), 6);
    const texts = members.map((_member, index) => ({ name: `x${index}`, table: `t${index}` }));
    await members[0].share(...texts, X);
    for (const [index, member] of members.entries()) member.level.flushTable(tableSlot('app', `t${index}`));
    await Promise.all(members.map((member) => member.untilFlushed()));
    for (const text of texts) t.equal(await members[0].get(text), null, text.name);
    t.equal(await members[1].get(X), 'x');
  });

  await t.test('more flushes than a record holds', async (t) => {
    const [a, b] = await sharersOf(t, await sharedServer(t, kind), 2);
    await a.share(X);
    for (let table = 0; table < 200; table++) {
      a.level.flushTable(tableSlot('app', `other${table}`));
      if (table % 20 === 19) await a.untilFlushed();
    }
    await a.untilFlushed();
    t.equal(await b.get(X), null, 'is of a time of which nothing is known any more');
    await b.share(X);
  });

  await t.test('a flush waits for a server that is frozen', async (t) => {
    const frozen = await sharedServer(t, kind);
    const [a, b] = await sharersOf(t, frozen, 2);
    await a.share(X);
    frozen.freeze();
    a.level.flush();
    t.equal(await a.get(X), UNREADY, 'and nothing is taken meanwhile');
    t.equal(a.level.pendingFlushes, 1);
    frozen.thaw();
    await a.untilFlushed();
    t.equal(await b.get(X), null);
  });

  await t.test('a flush whose worker has ended is made up for by others', async (t) => {
    const frozen = await sharedServer(t, kind);
    const [a, b] = await sharersOf(t, frozen, 2, { leaseMs: SHORT_LEASE_MS });
    await b.share(X);
    frozen.freeze();
    a.level.flush();
    a.cut();
    frozen.thaw();
    await waitUntil('it is flushed', async () => (await b.get(X)) === null);
    await b.share(X);
  });

  await t.test('… and by who comes next', async (t) => {
    const frozen = await sharedServer(t, kind);
    const options = { leaseMs: SHORT_LEASE_MS };
    const [a] = await sharersOf(t, frozen, 1, options);
    await a.share(X);
    frozen.freeze();
    a.level.flush();
    a.cut();
    frozen.thaw();
    const [next] = await sharersOf(t, frozen, 1, options);
    await waitUntil('it is flushed', async () => (await next.get(X)) === null);
  });

  await t.test('who ends has told what there was to flush, and costs the others nothing', async (t) => {
    const living = await sharedServer(t, kind);
    const [a, b] = await sharersOf(t, living, 2, { leaseMs: SHORT_LEASE_MS });
    await b.share(X, Y);
    a.level.flushTable(tableSlot('app', 't'));
    await a.level.close();
    t.equal(await b.get(X), null);
    t.equal((await b.members()).length, 1, 'it is on the list no more');
    const [c] = await sharersOf(t, living, 1);
    t.equal(await b.get(Y), 'y');
    t.equal(await c.get(Y), 'y', 'also for who has come meanwhile');
    await b.level.close();
    await c.level.close();
    const [alone] = await sharersOf(t, living, 1);
    t.equal(await alone.get(Y), null, 'nobody had looked after it');
  });

  await t.test('a server that begins anew is empty, and is used', async (t) => {
    const restarted = await sharedServer(t, kind);
    const [a, b] = await sharersOf(t, restarted, 2);
    await a.share(X);
    await restarted.kill();
    await waitUntil('it is missed', () => a.log.length > 0 && b.log.length > 0);
    await restarted.start();
    await Promise.all([a.untilReady(), b.untilReady()]);
    await flushedFor(t, b, X);
    t.equal(await a.get(X), 'x');
  });

  await t.test('its record is evicted: what was there is lost', async (t) => {
    const [a, b] = await sharersOf(t, await sharedServer(t, kind), 2);
    await a.share(X);
    await a.remove('sluice:flushed');
    t.equal(await b.get(X), null);
    await b.share(X);
    await waitUntil('for both', async () => (await a.get(X)) === 'x');
  });
}

const hasServers = await Promise.all([findProgramIfAny(['redis-server']), findProgramIfAny(['memcached'])]);
t.test('Redis', { skip: hasServers[0] === null && 'there is no redis-server' }, (t) => common(t, 'redis'));
t.test('memcached', { skip: hasServers[1] === null && 'there is no memcached' }, (t) =>
  common(t, 'memcached'),
);
