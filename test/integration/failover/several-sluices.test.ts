/** Two Sluices in front of the same servers: one changes them, the other follows; without etcd nobody does. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { EtcdServer } from '../../support/etcd-server.ts';
import { REPLICATION_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const LONG = { timeoutMs: 90_000 };

interface EventRow extends RowDataPacket {
  readonly event: string;
  readonly detail: string;
}

class Sluice {
  readonly process: SluiceProcess;
  readonly admin: Connection;

  private constructor(process: SluiceProcess, admin: Connection) {
    this.process = process;
    this.admin = admin;
  }

  static async start(set: ReplicationSet, name: string, endpoint: string): Promise<Sluice> {
    const process = await SluiceProcess.startFor(set, {
      config: {
        servers: set.servers.map(({ address }) => address),
        workers: 1,
        monitor: { heartbeat: { write: false } },
        failover: {
          automatic: true,
          confirmMs: 300,
          replication: REPLICATION_ACCOUNT,
          etcd: { endpoints: [endpoint], name, ttlMs: 6000, timeoutMs: 2000 },
        },
      },
    });
    return new Sluice(process, await process.adminConnection());
  }

  async dispose(): Promise<void> {
    this.admin.destroy();
    await this.process.dispose();
  }

  async details(event: string): Promise<string[]> {
    const [rows] = await this.admin.query<EventRow[]>('SHOW EVENTS');
    return rows.filter((row) => row.event === event).map(({ detail }) => detail);
  }

  async sees(event: string, wanted: string): Promise<void> {
    const isThere = async () => (await this.details(event)).some((detail) => detail.includes(wanted));
    await waitUntil(`${event} tells ${wanted}`, isThere, LONG);
  }

  async write(value: number): Promise<void> {
    const isWritten = async () => {
      const client = await this.process.connect();
      try {
        await client.query('INSERT INTO t VALUES (?) ON DUPLICATE KEY UPDATE a = a', [value]);
        return true;
      } finally {
        client.destroy();
      }
    };
    await waitUntil(`${value} is written`, isWritten, LONG);
  }
}

t.test('one of two Sluices fails over', async (t) => {
  const etcd = await EtcdServer.start();
  t.teardown(() => etcd.dispose());
  const set = await new ReplicationSet({
    replicas: 2,
    sql: ['CREATE TABLE app.t (a INT PRIMARY KEY)'],
  }).start();
  t.teardown(() => set.dispose());
  const a = await Sluice.start(set, 'a', etcd.url);
  t.teardown(() => a.dispose());
  await a.sees('agreement-changed', 'to=leader');
  const b = await Sluice.start(set, 'b', etcd.url);
  t.teardown(() => b.dispose());
  await b.sees('agreement-changed', 'to=follower');
  await Promise.all([a.write(1), b.write(2)]);
  await set.waitForSync();

  await t.test('the follower changes nothing', async (t) => {
    await set.primary.kill();
    await Promise.all([a.write(3), b.write(4)]);
    await t.rejects(b.admin.query('FAILOVER'), /changes the servers is a/);
    t.equal((await a.details('operation-started')).length, 1);
    t.equal((await b.details('operation-started')).length, 0);
    const [winner] = set.replicas;
    t.same(await a.details('primary-changed'), await b.details('primary-changed'));
    t.equal(await winner?.queryValue('SELECT group_concat(a ORDER BY a) FROM app.t'), '1,2,3,4');
  });

  await t.test('without etcd nobody is promoted; with it the one that leads does it', async (t) => {
    await set.primary.start();
    await waitUntil(
      'the old primary is a replica',
      async () =>
        (await a.details('operation-ended')).filter((text) => text.includes('outcome=done')).length === 2,
      LONG,
    );
    await waitUntil(
      'the other one has everything',
      async () => (await set.replicas[1]?.queryValue('SELECT COUNT(*) FROM app.t')) === '4',
    );
    etcd.freeze();
    await a.sees('agreement-changed', 'to=lost');
    await b.sees('agreement-changed', 'to=lost');
    await set.replicas[0]?.kill();
    await a.sees('primary-suspected', 'verdict=not-ours');
    await b.sees('primary-suspected', 'verdict=not-ours');
    t.equal(await set.replicas[1]?.queryValue('SELECT @@global.read_only'), '1');
    t.equal(await set.primary.queryValue('SELECT @@global.read_only'), '1');
    etcd.thaw();
    await Promise.all([a.write(5), b.write(6)]);
    const begun = [...(await a.details('operation-started')), ...(await b.details('operation-started'))];
    t.equal(begun.filter((text) => text.includes('operation=failover')).length, 2, begun.join('\n'));
    // Which of the two was promoted depends on how long ago the first one had failed.
    for (const server of [set.primary, set.replicas[1]])
      await waitUntil(
        `${server?.name} has everything`,
        async () => (await server?.queryValue('SELECT COUNT(*) FROM app.t')) === '6',
      );
  });

  await t.test('terms have gone up, one for each promotion', async (t) => {
    const body = JSON.stringify({ key: Buffer.from('sluice/term').toString('base64') });
    const answer = await fetch(`${etcd.url}/v3/kv/range`, { method: 'POST', body });
    const { kvs } = (await answer.json()) as { kvs: { value: string }[] };
    t.match(JSON.parse(Buffer.from(kvs[0]!.value, 'base64').toString()), { term: 2 });
  });
});
