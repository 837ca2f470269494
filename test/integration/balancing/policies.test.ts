/** Policies over real replicas: each has a row that says who it is, written past replication. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { waitForReplicaReads } from '../../support/replica-reads.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const KEYS = 40;
const MANY_KEYS = 2000;
const DEADLINE = { timeoutMs: 60_000 };

const set = new ReplicationSet({
  replicas: 4,
  sql: ['CREATE TABLE app.who (id INT PRIMARY KEY, name VARCHAR(20))'],
});
t.before(async () => {
  await set.start();
  const rows = Array.from({ length: KEYS }, (_, id) => `(${id}, @@hostname)`).join(', ');
  for (const server of set.servers) {
    // In one go: the connection that it runs on is kept.
    await server.query('SET sql_log_bin = 0');
    await server.query(`INSERT INTO app.who VALUES ${rows}`);
    await server.query('UPDATE app.who SET name = ?', [server.name]);
    await server.query('SET sql_log_bin = 1');
  }
});
t.teardown(() => set.dispose());

async function started(t: Test, routing: object, more: object = {}): Promise<[SluiceProcess, Connection]> {
  const config = { routing, causalReads: { level: 'none' }, ...more };
  const sluice = await SluiceProcess.startFor(set, { config });
  t.teardown(() => sluice.dispose());
  const admin = await sluice.adminConnection();
  t.teardown(() => admin.end());
  await fit(admin, 4);
  await waitForReplicaReads(sluice, set, 'who');
  return [sluice, admin];
}

async function fit(admin: Connection, count: number): Promise<void> {
  await waitUntil(
    `${count} replicas are fit`,
    async () => {
      const [rows] = await admin.query<RowDataPacket[]>('SHOW HOSTGROUPS');
      return rows.filter(({ kind, verdict }) => kind === 'reader' && verdict === 'fit').length === count;
    },
    DEADLINE,
  );
}

async function clients(t: Test, sluice: SluiceProcess, count: number): Promise<Connection[]> {
  const made = await Promise.all(Array.from({ length: count }, () => sluice.connect()));
  t.teardown(() => Promise.all(made.map((client) => client.end())));
  return made;
}

async function who(client: Connection, key: number): Promise<string> {
  const [rows] = await client.query<RowDataPacket[]>(`SELECT name FROM who WHERE id = ${key}`);
  return String(rows[0]?.name);
}

async function whoPrepared(client: Connection, key: number): Promise<string> {
  const [rows] = await client.execute<RowDataPacket[]>('SELECT name FROM who WHERE id = ?', [key]);
  return String(rows[0]?.name);
}

/** The server of each key, which must be the same for every client. */
async function homes(
  t: Test,
  readers: readonly Connection[],
  ask: (client: Connection, key: number) => Promise<string>,
): Promise<string[]> {
  const found = Array.from({ length: KEYS }, () => new Set<string>());
  for (const client of readers) for (const [key, names] of found.entries()) names.add(await ask(client, key));
  t.strictSame(
    found.filter((names) => names.size !== 1),
    [],
    'one server for each key',
  );
  return found.map((names) => [...names].join());
}

async function chosen(admin: Connection, key: number): Promise<string> {
  const [rows] = await admin.query<RowDataPacket[]>(
    `EXPLAIN ROUTE SELECT name FROM app.who WHERE id = ${key}`,
  );
  return String(rows.find(({ step }) => step === 'chosen')?.value);
}

async function foreseen(admin: Connection): Promise<string[]> {
  const result: string[] = [];
  for (let key = 0; key < MANY_KEYS; key++) result.push(await chosen(admin, key));
  return result;
}

t.test('consistent-hash: the same read meets the same server, in every worker; few keys move', async (t) => {
  const [sluice, admin] = await started(t, { policy: 'consistent-hash', slowStartMs: 0 });
  const readers = await clients(t, sluice, 4);
  const text = await homes(t, readers, who);
  const prepared = await homes(t, readers, whoPrepared);
  t.ok(new Set(text).size === 4 && new Set(prepared).size === 4, 'every replica has keys');
  const before = await foreseen(admin);
  const addressOf = new Map(set.servers.map(({ name, address }) => [name, address]));
  const [schemaless] = await admin.query<RowDataPacket[]>('EXPLAIN ROUTE SELECT name FROM who WHERE id = 0');
  t.match(
    schemaless.find(({ step }) => step === 'chosen'),
    { value: addressOf.get(text[0]!) },
    'EXPLAIN ROUTE tells where it goes',
  );
  const gone = set.replicas[0]!;
  await admin.query(`DRAIN '${gone.address}' TIMEOUT 30`);
  await fit(admin, 3);
  const after = await foreseen(admin);
  const moved = before.filter((server, key) => server !== after[key]);
  t.strictSame([...new Set(moved)], [gone.address], 'only the keys of the server that has left');
  t.ok(moved.length <= 0.3 * MANY_KEYS, `${moved.length} of ${MANY_KEYS}`);
  t.equal(moved.length, before.filter((server) => server === gone.address).length, 'all of these');
  const textAfter = await homes(t, readers, who);
  for (const [key, name] of text.entries()) if (name !== gone.name) t.equal(textAfter[key], name);
  await admin.query(`UNDRAIN '${gone.address}'`);
  await fit(admin, 4);
  t.strictSame(await homes(t, readers, who), text, 'it has its keys back');

  const queries = () =>
    Promise.all(
      set.replicas.map(({ address }) => sluice.metric('sluice_server_queries_total', { server: address })),
    );
  const counted = await queries();
  await Promise.all(
    readers.map(async (client, index) => {
      for (let read = 0; read < 1000; read++)
        await client.query(`SELECT name, ${index * 1000 + read} FROM who WHERE id = 1`);
    }),
  );
  const reads = (await queries()).map((count, index) => count - counted[index]!);
  const mean = reads.reduce((sum, count) => sum + count, 0) / reads.length;
  t.ok(Math.max(...reads) <= 1.25 * mean, `${reads.join(', ')}`);
});

t.test('a hostgroup has a policy of its own, also by SQL', async (t) => {
  const [sluice, admin] = await started(t, { policy: 'weighted' });
  const settings = JSON.stringify({ policy: 'consistent-hash', hash_key: 'user' });
  await admin.query(
    `INSERT INTO mysql_hostgroup_attributes (hostgroup_id, hostgroup_settings) VALUES (1, '${settings}')`,
  );
  await admin.query('LOAD MYSQL SERVERS TO RUNTIME');
  const [rows] = await admin.query<RowDataPacket[]>('SHOW HOSTGROUPS');
  const policies = rows.filter(({ kind }) => kind === 'reader').map(({ policy }) => policy);
  t.strictSame([...new Set(policies)], ['consistent-hash by user']);
  const readers = await clients(t, sluice, 4);
  const names = new Set<string>();
  for (const client of readers) for (let key = 0; key < 12; key++) names.add(await who(client, key));
  t.equal(names.size, 1, `all of ${APP_ACCOUNT.username}`);
  await t.rejects(
    admin
      .query('UPDATE mysql_hostgroup_attributes SET hostgroup_settings = \'{"policy": "best"}\'')
      .then(() => admin.query('LOAD MYSQL SERVERS TO RUNTIME')),
    { message: /hostgroup_settings.*least-connections/ },
  );
});

t.test('weighted, in the own zone as long as one of it is there', async (t) => {
  const [one, two, three, four] = set.replicas.map(({ host, port }) => ({ host, port }));
  const servers = [
    { host: set.primary.host, port: set.primary.port, zone: 'a' },
    { ...one, zone: 'a', weight: 3 },
    { ...two, zone: 'a', weight: 1 },
    { ...three, zone: 'b', weight: 100 },
    { ...four, weight: 100 },
  ];
  const [sluice, admin] = await started(t, { policy: 'weighted', zone: 'a' }, { servers, workers: 1 });
  const [client] = await clients(t, sluice, 1);
  const counts = new Map(set.servers.map(({ name }) => [name, 0]));
  const read = async (times: number) => {
    for (let count = 0; count < times; count++) {
      const name = await who(client!, count % KEYS);
      counts.set(name, counts.get(name)! + 1);
    }
  };
  await read(400);
  t.ok(Math.abs(counts.get('replica1')! - 300) <= 10, `${[...counts].join('; ')}`);
  t.equal(counts.get('replica1')! + counts.get('replica2')!, 400, 'none of another zone');
  for (const { address } of set.replicas.slice(0, 2)) await admin.query(`DRAIN '${address}' TIMEOUT 30`);
  await read(20);
  t.equal(counts.get('replica3')! + counts.get('replica4')!, 20, 'the others when nobody of it is there');
});
