/** [B1] What becomes of reads when replicas lag: nothing of those that run, and others go where the settings say. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import type { DatabaseServer } from '../../support/database-server.ts';
import { waitForReplicaReads } from '../../support/replica-reads.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { type ConfigObject, SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

t.setTimeout(400_000);

const LIMIT_MS = 1500;
const set = new ReplicationSet({ sql: ['CREATE TABLE app.t (n INT)', 'INSERT INTO app.t VALUES (1)'] });
const [first, second] = [set.replicas[0]!, set.replicas[1]!];

const config = (routing: ConfigObject): ConfigObject => ({
  workers: 1,
  servers: set.servers.map((server) => ({
    host: server.host,
    port: server.port,
    maxReplicationLagMs: LIMIT_MS,
  })),
  users: [{ username: 'app', password: 'app-secret' }],
  routing,
  causalReads: { level: 'none' },
  pool: { waitTimeoutMs: 1500 },
});

const WHO = 'SELECT @@server_id AS id FROM t';

async function whoAnswers(client: Connection, hint = ''): Promise<string> {
  const [rows] = await client.query<RowDataPacket[]>(`${hint}${WHO}`);
  return set.nameOf(rows[0]?.id);
}

let sluice: SluiceProcess;

/** Replication runs on, and applies nothing. Reads are not held up. */
class HeldUp {
  readonly #lock: Connection;

  private constructor(lock: Connection) {
    this.#lock = lock;
  }

  static async begin(replica: DatabaseServer): Promise<HeldUp> {
    const lock = await replica.rootConnection();
    await lock.query('LOCK TABLES sluice.heartbeat READ');
    return new HeldUp(lock);
  }

  async end(): Promise<void> {
    await this.#lock.query('UNLOCK TABLES');
    await this.#lock.end();
  }
}

async function settle(routing: ConfigObject): Promise<void> {
  const since = sluice.log.length;
  sluice.writeConfig(config(routing));
  sluice.signal('SIGHUP');
  await waitUntil('the configuration is in force', () =>
    sluice.log.slice(since).some(({ msg }) => msg === 'configuration changed'),
  );
}

const lagging = async (admin: Connection): Promise<string[]> => {
  const [rows] = await admin.query<RowDataPacket[]>('SHOW HOSTGROUPS');
  return rows.filter(({ verdict }) => verdict === 'lagging').map(({ server }) => String(server));
};

async function seeLagging(admin: Connection, ...servers: { readonly address: string }[]): Promise<void> {
  const wanted = servers.map(({ address }) => address).toSorted();
  await waitUntil(
    `${wanted.length} replicas lag`,
    async () => JSON.stringify((await lagging(admin)).toSorted()) === JSON.stringify(wanted),
  );
}

t.before(async () => {
  await set.start();
  sluice = await SluiceProcess.startFor(set, { config: config({}) });
});
t.teardown(async () => {
  await sluice?.dispose();
  await set.dispose();
});

t.test('reads and lagging replicas', async (t) => {
  const admin = await sluice.adminConnection();
  const client = await sluice.connect();
  t.teardown(async () => {
    await client.end();
    await admin.end();
  });

  let firstHeld: HeldUp | null = null;
  let secondHeld: HeldUp | null = null;

  await t.test('how lag is shown', async (t) => {
    await waitUntil('both are measured by heartbeats', async () => {
      const [rows] = await admin.query<RowDataPacket[]>('SHOW TOPOLOGY');
      return rows.filter(({ lag_source }) => lag_source === 'heartbeat').length === 2;
    });
    const [rows] = await admin.query<RowDataPacket[]>('SHOW TOPOLOGY');
    t.match(rows[0], { role: 'primary', lag_ms: null, lag_source: null });
    t.match(rows[1], { role: 'replica', lag_ms: Number });
    const metrics = [...(await sluice.metrics()).keys()];
    t.equal(
      metrics.filter((name) => /^sluice_server_lag_seconds\{.*source="heartbeat"/.test(name)).length,
      2,
    );
  });

  await t.test('a hint asks for less', async (t) => {
    await waitForReplicaReads(sluice, set, 't');
    await waitUntil('a replica answers', async () => (await whoAnswers(client)) !== 'primary');
    await waitUntil(
      'one that is within it',
      async () => (await whoAnswers(client, '/* sluice:max_lag_ms=600000 */ ')) !== 'primary',
    );
    firstHeld = await HeldUp.begin(first);
    secondHeld = await HeldUp.begin(second);
    await waitUntil(
      'both are further behind than the hint allows',
      async () => (await whoAnswers(client, '/* sluice:max_lag_ms=300 */ ')) === 'primary',
    );
    await waitUntil(
      'in the words of ProxySQL',
      async () => (await whoAnswers(client, '/*;max_lag_ms=300*/ ')) === 'primary',
    );
    t.equal(await whoAnswers(client, `/*;min_epoch_ms=${Date.now()}*/ `), 'primary');
  });

  await t.test('a statement that runs on a replica that becomes late is left alone', async (t) => {
    await firstHeld?.end();
    await seeLagging(admin, second);
    const locker = await first.rootConnection();
    await locker.query('LOCK TABLES app.t WRITE');
    const running = whoAnswers(client);
    const isStuck = () =>
      first.queryValue(
        "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table metadata%'",
      );
    await waitUntil('the read waits on the replica', isStuck);
    firstHeld = await HeldUp.begin(first);
    await seeLagging(admin, first, second);
    t.equal(await isStuck(), '1', 'it still does');
    await locker.query('UNLOCK TABLES');
    t.equal(await running, 'replica1');
    await locker.end();
  });

  await t.test('all lag: the primary answers, so many at once', async (t) => {
    await seeLagging(admin, first, second);
    t.equal(await whoAnswers(client), 'primary');
    await settle({ lagFallbackMaxReads: 2 });
    const clients = await Promise.all([1, 2, 3, 4, 5].map(() => sluice.connect()));
    t.teardown(() => Promise.all(clients.map((each) => each.end())));
    const locker = await set.primary.rootConnection();
    await locker.query('LOCK TABLES app.t WRITE');
    const answers = clients
      .slice(0, 4)
      .map((each) => whoAnswers(each).catch((error: { errno: number }) => error.errno));
    const stuck = async () =>
      Number(
        await set.primary.queryValue(
          "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table metadata%'",
        ),
      );
    const refused = await Promise.all([
      waitUntil('two do not get a place', async () => {
        const settled = await Promise.all(answers.map((each) => Promise.race([each, null])));
        return settled.filter((each) => each === 9043).length === 2;
      }),
      t.equal(await waitUntil('two run', async () => ((await stuck()) === 2 ? 2 : null)), 2),
    ]);
    t.ok(refused);
    t.equal(await stuck(), 2, 'never more than two');
    const patient = whoAnswers(clients[4]!);
    await locker.query('UNLOCK TABLES');
    const ends = await Promise.all(answers);
    t.strictSame(ends.toSorted(), [9043, 9043, 'primary', 'primary']);
    t.equal(await patient, 'primary', 'who waited has the place of one that has ended');
    await locker.end();
    for (const each of clients) t.equal(await whoAnswers(each), 'primary', 'all places are free again');
  });

  await t.test('all lag: none', async (t) => {
    await settle({ whenAllLag: 'error' });
    await t.rejects(whoAnswers(client), { errno: 9043, message: /routing.whenAllLag is error/ });
    const [rows] = await client.query<RowDataPacket[]>('SELECT 1 AS one FROM t FOR UPDATE');
    t.strictSame(rows, [{ one: 1 }], 'what is for the primary goes there');
  });

  await t.test('all lag: the one that is the least behind', async (t) => {
    await settle({ whenAllLag: 'least-lagged' });
    await firstHeld?.end();
    await waitUntil('the first one catches up', async () => (await lagging(admin)).length === 1);
    firstHeld = await HeldUp.begin(first);
    await seeLagging(admin, first, second);
    t.equal(await whoAnswers(client), 'replica1');
    await secondHeld?.end();
    await waitUntil('who is well answers', async () => (await whoAnswers(client)) === 'replica2');
    await firstHeld.end();
  });
});
