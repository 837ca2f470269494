/** Results that two Sluices share, in Redis and in memcached: what each takes of the other's, and what it does not. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { type SharedCacheKind, SharedCacheServer } from '../../support/shared-cache-server.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil as waitFor } from '../../support/wait-until.ts';

t.setTimeout(400_000);

/** Numbers are asked for over http, which a busy machine takes seconds for. */
function waitUntil(what: string, isTrue: () => Promise<boolean>): Promise<unknown> {
  return waitFor(what, isTrue, { timeoutMs: 60_000 });
}

const set = new ReplicationSet({
  replicas: 0,
  sql: [
    'CREATE TABLE app.t (id INT PRIMARY KEY, v INT)',
    'CREATE TABLE app.w (id INT PRIMARY KEY, v INT)',
    'INSERT INTO app.t SELECT seq, 0 FROM app.seq_1_to_1000',
    'INSERT INTO app.w SELECT seq, 0 FROM app.seq_1_to_1000',
    "CREATE USER 'other'@'%' IDENTIFIED BY 'app-secret'",
    "GRANT SELECT ON app.t TO 'other'@'%'",
    "GRANT SELECT ON app.w TO 'other'@'%'",
  ],
});
const RULES = [
  { ruleId: 1, matchDigest: '^SELECT .* FROM (app\\.)?t ', class: 'strong' },
  { ruleId: 2, matchDigest: '^SELECT .* FROM w ', class: 'weak', ttlMs: 600_000 },
];
const USERS = [APP_ACCOUNT, { username: 'other', password: APP_ACCOUNT.password }];

t.before(async () => {
  await set.start();
});
t.teardown(() => set.dispose());

/** One Sluice with one worker, and a client of it. */
class Side {
  readonly sluice: SluiceProcess;
  readonly client: Connection;

  private constructor(sluice: SluiceProcess, client: Connection) {
    this.sluice = sluice;
    this.client = client;
  }

  static async start(server: SharedCacheServer): Promise<Side> {
    const sluice = await SluiceProcess.startFor(set, {
      startTimeoutMs: 90_000,
      config: {
        workers: 1,
        users: USERS,
        cache: {
          follower: { maxLagMs: 10_000 },
          level2: { kind: server.kind, endpoints: [server.address], timeoutMs: 5000 },
          rules: RULES,
        },
      },
    });
    return new Side(sluice, await sluice.connect());
  }

  async read(text: string, client: Connection = this.client): Promise<number> {
    const [rows] = await client.query<RowDataPacket[]>(text);
    return Number(rows[0]?.v);
  }

  async execute(text: string, id: number): Promise<number> {
    const [rows] = await this.client.execute<RowDataPacket[]>(text, [id]);
    return Number(rows[0]?.v);
  }

  count(name: string): Promise<number> {
    return this.sluice.metric(`sluice_${name}_total`);
  }

  async admin(text: string): Promise<void> {
    const admin = await this.sluice.adminConnection();
    await admin.query(text);
    admin.destroy();
  }

  async dispose(): Promise<void> {
    this.client.destroy();
    await this.sluice.dispose();
  }
}

let nextId = 1;
/** No test has asked for it. */
const freshId = (): number => nextId++;

/** Until what one fills is a hit in the other: tables known, followers at work, the second level reached. */
async function untilShared(one: Side, other: Side, table: string): Promise<void> {
  await waitUntil(`${table} is shared`, async () => {
    const text = `SELECT v FROM ${table} WHERE id = ${freshId()}`;
    const before = await other.count('shared_cache_hits');
    await one.read(text);
    await other.read(text);
    return (await other.count('shared_cache_hits')) > before;
  });
}

/** What the second Sluice takes of what the first has read, and shows. */
async function handedOver(one: Side, other: Side, text: string): Promise<{ hits: number; value: number }> {
  const written = await one.count('shared_cache_written_bytes');
  // What the other has written may be raised once more just now: then it is not stored.
  await waitUntil('it is written', async () => {
    await one.read(text);
    return (await one.count('shared_cache_written_bytes')) > written;
  });
  const before = await other.count('shared_cache_hits');
  const value = await other.read(text);
  return { hits: (await other.count('shared_cache_hits')) - before, value };
}

async function sharing(t: Test, kind: SharedCacheKind): Promise<void> {
  const server = await SharedCacheServer.start(kind);
  t.teardown(() => server.dispose());
  const a = await Side.start(server);
  const b = await Side.start(server);
  t.teardown(() => Promise.all([a.dispose(), b.dispose()]));
  await untilShared(a, b, 't');
  await untilShared(a, b, 'w');

  await t.test('what one has read the other takes, once: then it has it itself', async (t) => {
    for (const table of ['t', 'w']) {
      const text = `SELECT v FROM ${table} WHERE id = ${freshId()}`;
      const hits = await b.count('cache_hits');
      t.strictSame(await handedOver(a, b, text), { hits: 1, value: 0 }, table);
      t.equal(await b.count('cache_hits'), hits + 1, 'it was served from there');
      const before = await b.count('shared_cache_hits');
      t.equal(await b.read(text), 0);
      t.equal(await b.count('shared_cache_hits'), before);
      t.equal(await b.count('cache_hits'), hits + 2);
    }
    const id = freshId();
    t.equal(await a.execute('SELECT v FROM t WHERE id = ?', id), 0);
    await waitUntil('an execution is shared', async () => {
      const other = freshId();
      const before = await b.count('shared_cache_hits');
      await a.execute('SELECT v FROM t WHERE id = ?', other);
      await b.execute('SELECT v FROM t WHERE id = ?', other);
      return (await b.count('shared_cache_hits')) > before;
    });
  });

  await t.test("a write ends it: one's own at once, the other's when the follower knows of it", async (t) => {
    for (let round = 0; round < 5; round++) {
      const id = freshId();
      const text = `SELECT v FROM t WHERE id = ${id}`;
      await handedOver(a, b, text);
      await b.client.query(`UPDATE t SET v = 1 WHERE id = ${id}`);
      t.equal(await b.read(text), 1, 'written through it');
      await a.client.query(`UPDATE t SET v = 2 WHERE id = ${id}`);
      await waitUntil('what was written through the other is seen', async () => (await b.read(text)) === 2);
      t.equal(await a.read(text), 2);
      // Nothing older comes back from there.
      for (let count = 0; count < 5; count++) {
        t.equal(await b.read(text), 2);
        t.equal(await a.read(text), 2);
      }
    }
  });

  await t.test('other accounts, schemas and variables share nothing', async (t) => {
    await untilShared(a, b, 't');
    const text = `SELECT v FROM app.t WHERE id = ${freshId()}`;
    t.strictSame(await handedOver(a, b, text), { hits: 1, value: 0 });
    const sessions: [string, Connection][] = [
      ['account', await b.sluice.connect({ user: 'other' })],
      ['variables', await b.sluice.connect()],
    ];
    await sessions[1]?.[1].query("SET time_zone = '+05:00'");
    const before = await b.count('shared_cache_hits');
    const misses = await b.count('shared_cache_misses');
    for (const [name, client] of sessions) t.equal(await b.read(text, client), 0, name);
    t.equal(await b.count('shared_cache_hits'), before);
    t.equal(await b.count('shared_cache_misses'), misses + sessions.length, 'they did ask');
    for (const [, client] of sessions) client.destroy();
  });

  await t.test('FLUSH CACHE holds for what lies there, and for both', async (t) => {
    for (const [order, by] of [
      ['FLUSH CACHE', a],
      ['FLUSH CACHE TABLE app.w', b],
    ] as const) {
      const id = freshId();
      const text = `SELECT v FROM w WHERE id = ${id}`;
      await a.read(text);
      await set.primary.query(`UPDATE app.w SET v = 7 WHERE id = ${id}`);
      t.equal(await a.read(text), 0, 'it may be stale');
      await by.admin(order);
      await waitUntil(
        `${order}: the one that was told reads it anew`,
        async () => (await by.read(text)) === 7,
      );
      t.equal(await by.read(text), 7);
    }
    await untilShared(a, b, 'w');
  });

  await t.test('privileges that are taken away', async (t) => {
    const client = await b.sluice.connect({ user: 'other' });
    t.teardown(() => client.destroy());
    const text = `SELECT v FROM w WHERE id = ${freshId()}`;
    const other = await a.sluice.connect({ user: 'other' });
    t.teardown(() => other.destroy());
    await a.read(text, other);
    await set.primary.query("REVOKE SELECT ON app.w FROM 'other'@'%'");
    await waitUntil('it is refused', async () => {
      try {
        await b.read(text, client);
        return false;
      } catch (error) {
        return (error as { errno?: number }).errno === 1142;
      }
    });
    await set.primary.query("GRANT SELECT ON app.w TO 'other'@'%'");
    await untilShared(a, b, 'w');
  });

  await t.test('a server that says nothing, and one that is gone, cost nothing but hits', async (t) => {
    server.freeze();
    const text = `SELECT v FROM t WHERE id = ${freshId()}`;
    t.equal(await b.read(text), 0);
    await b.sluice.waitForLog('the second level of the result cache fails');
    const asked = (await b.count('shared_cache_hits')) + (await b.count('shared_cache_misses'));
    t.equal(await b.read(`SELECT v FROM t WHERE id = ${freshId()}`), 0);
    const askedThen = (await b.count('shared_cache_hits')) + (await b.count('shared_cache_misses'));
    t.equal(askedThen, asked, 'it is not asked');
    server.thaw();
    await untilShared(a, b, 't');
    await server.kill();
    t.equal(await b.read(`SELECT v FROM t WHERE id = ${freshId()}`), 0);
    t.ok((await b.count('shared_cache_errors')) > 0);
    await server.start();
    await untilShared(a, b, 't');
    const told = b.sluice.log.filter(({ msg }) => msg === 'the second level of the result cache fails');
    t.equal(told.length, 2, 'said once for each time');
  });
}

t.test('Redis', (t) => sharing(t, 'redis'));
t.test('memcached', (t) => sharing(t, 'memcached'));
