/** Who is served from the cache, who is not, and what becomes of those who wait for the same read. */

import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ReplicationSet } from '../../support/replication-set.ts';
import { type ConfigObject, SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const WAIT_MS = 60_000;
const CACHE = { waitMs: WAIT_MS, follower: { mode: 'off' } };
const OTHER = { username: 'other', password: 'other-secret' } as const;

const set = new ReplicationSet({
  flavor: 'mariadb',
  replicas: 1,
  sql: [
    'CREATE DATABASE second',
    'CREATE TABLE app.t (id INT PRIMARY KEY, v VARCHAR(20), at TIMESTAMP NULL) DEFAULT CHARSET utf8mb4',
    "INSERT INTO app.t VALUES (1, 'é', '2024-01-01 00:00:00'), (2, 'A', NULL)",
    'CREATE TABLE second.t LIKE app.t',
    "INSERT INTO second.t VALUES (1, 'second', NULL)",
    `CREATE USER ${OTHER.username} IDENTIFIED BY '${OTHER.password}'`,
    `GRANT SELECT ON app.t TO ${OTHER.username}`,
    'GRANT ALL ON *.* TO app WITH GRANT OPTION',
  ],
});
let sluice: SluiceProcess;

type Counter = 'hits' | 'fills' | 'waits' | 'waits_expired' | 'stored' | 'not_stored' | 'expired';

const CONFIG = {
  servers: [] as string[],
  workers: 1,
  users: [{ username: 'app', password: 'app-secret' }, OTHER],
  causalReads: { level: 'none' },
};

/** Holds up all reads of `app.t`, on all servers. */
class Lock {
  readonly #holders: readonly Connection[];

  private constructor(holders: readonly Connection[]) {
    this.#holders = holders;
  }

  static async take(): Promise<Lock> {
    const holders = await Promise.all(set.servers.map((server) => server.rootConnection()));
    await Promise.all(holders.map((holder) => holder.query('LOCK TABLES app.t WRITE')));
    return new Lock(holders);
  }

  /** So many statements wait for it, no more and no fewer. */
  async waitFor(count: number): Promise<void> {
    const sql =
      "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE USER = 'app' AND STATE LIKE '%lock%'";
    await waitUntil(`${count} statements wait for a lock`, async () => {
      const found = await Promise.all(this.#holders.map((holder) => holder.query<RowDataPacket[]>(sql)));
      return found.reduce((sum, [rows]) => sum + Number(rows[0]?.n), 0) === count;
    });
  }

  async release(): Promise<void> {
    await Promise.all(this.#holders.map((holder) => holder.end()));
  }
}

/** The file says something else of the cache, and all workers know it. */
async function reload(cache: ConfigObject): Promise<void> {
  const since = sluice.log.length;
  sluice.writeConfig({ ...CONFIG, servers: [set.primary.address], cache: { ...CACHE, ...cache } });
  sluice.signal('SIGHUP');
  await waitUntil('the configuration is in force', () =>
    sluice.log.slice(since).some(({ msg }) => msg === 'configuration changed'),
  );
}

async function counters(): Promise<Record<Counter, number>> {
  const text = await (await sluice.get('/metrics')).text();
  const count = (name: Counter): number =>
    Number(new RegExp(`^sluice_cache_${name}_total\\{worker="0"\\} (\\d+)$`, 'm').exec(text)?.[1]);
  return {
    hits: count('hits'),
    fills: count('fills'),
    waits: count('waits'),
    waits_expired: count('waits_expired'),
    stored: count('stored'),
    not_stored: count('not_stored'),
    expired: count('expired'),
  };
}

/** Clients have their answers a moment before these are stored. */
async function settled(): Promise<Record<Counter, number>> {
  return waitUntil('nothing is being filled', async () => {
    const now = await counters();
    return now.fills === now.stored + now.not_stored ? now : null;
  });
}

/** How the counters have changed by `work`. */
async function counted(work: () => Promise<unknown>): Promise<Partial<Record<Counter, number>>> {
  const before = await settled();
  await work();
  const after = await settled();
  const names = (Object.keys(after) as Counter[]).filter((name) => after[name] !== before[name]);
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]]));
}

async function rowsOf(connection: Connection, sql: string): Promise<unknown> {
  const [rows] = await connection.query<RowDataPacket[]>({ sql, rowsAsArray: true });
  return rows;
}

t.before(async () => {
  await set.start();
  sluice = await SluiceProcess.startFor(set, {
    config: { ...CONFIG, servers: [set.primary.address], cache: CACHE },
  });
  const connection = await sluice.connect();
  await waitUntil('something is cached', async () => {
    await connection.query('/* sluice:cache=strong */ SELECT COUNT(*) FROM t');
    return (await counters()).hits > 0;
  });
  await connection.end();
});
t.teardown(async () => {
  await sluice?.dispose();
  await set.dispose();
});

t.test('sessions that differ in what decides an answer share none', async (t) => {
  const kinds: readonly {
    readonly name: string;
    readonly sql: string;
    readonly first: string;
    readonly second: string;
  }[] = [
    { name: 'schema', sql: 'SELECT v FROM t WHERE id = 1', first: 'USE app', second: 'USE second' },
    {
      name: 'sql_mode',
      sql: 'SELECT "v" FROM app.t WHERE id = 1',
      first: "SET sql_mode = ''",
      second: "SET sql_mode = 'ANSI_QUOTES'",
    },
    {
      name: 'time zone',
      sql: 'SELECT CAST(at AS CHAR) FROM app.t WHERE id = 1',
      first: "SET time_zone = '+00:00'",
      second: "SET time_zone = '+05:00'",
    },
    {
      name: 'character set of results',
      sql: 'SELECT HEX(v), v FROM app.t WHERE id = 1 /* charset */',
      first: 'SET character_set_results = utf8mb4',
      second: 'SET character_set_results = latin1',
    },
    {
      name: 'collation',
      sql: "SELECT 'a' = 'A', id FROM app.t WHERE id = 2",
      first: 'SET NAMES utf8mb4 COLLATE utf8mb4_general_ci',
      second: 'SET NAMES utf8mb4 COLLATE utf8mb4_bin',
    },
    {
      name: 'limit of rows',
      sql: 'SELECT id FROM app.t ORDER BY id',
      first: 'SET sql_select_limit = 1',
      second: 'SET sql_select_limit = DEFAULT',
    },
  ];
  const [first, second] = [await sluice.connect(), await sluice.connect()];
  const direct = await set.primary.rootConnection();
  for (const kind of kinds) {
    const sql = `/* sluice:cache=strong */ ${kind.sql}`;
    await first.query(kind.first);
    await second.query(kind.second);
    const answers: unknown[] = [];
    const work = async (): Promise<void> => {
      for (const connection of [first, first, second, second, first, second])
        answers.push(await rowsOf(connection, sql));
    };
    t.same(await counted(work), { fills: 2, stored: 2, hits: 4 }, `${kind.name}: each fills for itself`);
    await direct.query('USE app');
    await direct.query(kind.first);
    const expectedFirst = await rowsOf(direct, kind.sql);
    await direct.query(kind.second);
    const expectedSecond = await rowsOf(direct, kind.sql);
    // The driver decodes by the character set of the column: bytes are compared in the differential tests.
    t.same(
      answers,
      [0, 0, 1, 1, 0, 1].map((n) => (n === 0 ? expectedFirst : expectedSecond)),
      kind.name,
    );
    if (kind.name !== 'character set of results') t.notSame(expectedFirst, expectedSecond);
    await direct.query('SET sql_mode = DEFAULT, time_zone = DEFAULT, sql_select_limit = DEFAULT');
    await direct.query('SET NAMES utf8mb4');
  }
  for (const connection of [first, second, direct]) await connection.end();
});

t.test('users share nothing, and who loses a privilege is not served any more', async (t) => {
  const mine = await sluice.connect();
  const other = await sluice.connect({ user: OTHER.username, password: OTHER.password });
  for (const hint of ['cache=strong', 'cache=weak cache_ttl_ms=3600000', 'cache=immutable']) {
    const sql = `/* sluice:${hint} */ SELECT id FROM t WHERE id < 9`;
    const reads = async (): Promise<void> => {
      for (const connection of [mine, other, mine, other]) await connection.query(sql);
    };
    t.same(await counted(reads), { fills: 2, stored: 2, hits: 2 }, hint);
    await mine.query(`REVOKE SELECT ON app.t FROM ${OTHER.username}`);
    // At level `none` the replica may answer as before until it has heard of it.
    await set.waitForSync();
    await t.rejects(other.query(sql), { code: 'ER_TABLEACCESS_DENIED_ERROR' });
    await mine.query(`GRANT SELECT ON app.t TO ${OTHER.username}`);
    await set.waitForSync();
  }
  await mine.end();
  await other.end();
});

t.test('who is in the middle of something is not served', async (t) => {
  const sql = '/* sluice:cache=strong */ SELECT v FROM t WHERE id = 2';
  const connection = await sluice.connect();
  await connection.query(sql);
  t.same(await counted(() => connection.query(sql)), { hits: 1 });
  for (const [begin, end] of [
    ['BEGIN', 'COMMIT'],
    ['START TRANSACTION READ ONLY', 'COMMIT'],
    ['SET autocommit = 0', 'SET autocommit = 1'],
    ['LOCK TABLES t READ', 'UNLOCK TABLES'],
    ['SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED', 'SET SESSION tx_isolation = DEFAULT'],
    ['SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'BEGIN; COMMIT'],
  ] as const) {
    await connection.query(begin);
    t.same(await counted(() => connection.query(sql)), {}, begin);
    for (const statement of end.split('; ')) await connection.query(statement);
  }
  await connection.query('CREATE TEMPORARY TABLE t (id INT, v VARCHAR(20))');
  await connection.query("INSERT INTO t VALUES (2, 'temporary')");
  t.same(await rowsOf(connection, sql), [['temporary']], 'a temporary table of the same name');
  await connection.query('DROP TEMPORARY TABLE t');
  t.same(await rowsOf(connection, sql), [['A']]);
  await connection.end();
});

t.test('one read fills for all who come meanwhile', async (t) => {
  const sql = '/* sluice:cache=strong */ SELECT COUNT(*) AS together FROM t';
  const clients = await Promise.all(Array.from({ length: 6 }, () => sluice.connect()));
  const lock = await Lock.take();
  const { waits } = await counters();
  const answers = await counted(async () => {
    const first = clients[0]?.query(sql);
    await lock.waitFor(1);
    const others = clients.slice(1).map((client) => rowsOf(client, sql));
    await waitUntil('all wait', async () => (await counters()).waits === waits + 5);
    await lock.waitFor(1);
    await lock.release();
    await first;
    t.same(
      await Promise.all(others),
      Array.from({ length: 5 }, () => [[2]]),
    );
  });
  t.same(answers, { fills: 1, stored: 1, waits: 5, hits: 5 });
  for (const client of clients) await client.end();
});

t.test('KILL, the end of a client, and of the one who fills', async (t) => {
  const sql = '/* sluice:cache=strong */ SELECT COUNT(*) AS lost FROM t';
  const [filler, killed, gone, stays, killer] = await Promise.all(
    Array.from({ length: 5 }, () => sluice.connect()),
  );
  if (!filler || !killed || !gone || !stays || !killer) throw new Error('connections');
  const lock = await Lock.take();
  const { waits, not_stored } = await counters();
  // Who is destroyed hears nothing more of his statement.
  void filler.query(sql).catch(() => undefined);
  await lock.waitFor(1);
  void gone.query(sql).catch(() => undefined);
  const interrupted = t.rejects(killed.query(sql), { code: 'ER_QUERY_INTERRUPTED' });
  const answered = rowsOf(stays, sql);
  await waitUntil('three wait', async () => (await counters()).waits === waits + 3);
  await killer.query(`KILL QUERY ${killed.threadId}`);
  await interrupted;
  gone.destroy();
  await lock.waitFor(1);
  filler.destroy();
  await waitUntil('the fill is over', async () => (await counters()).not_stored === not_stored + 1);
  await lock.release();
  t.same(await answered, [[2]], 'who waits is answered by a server');
  t.same(await rowsOf(killed, 'SELECT 1'), [[1]], 'the killed session goes on');
  for (const client of [killed, stays, killer]) await client.end();
});

t.test('an outdated result is served while one statement reads it again', async (t) => {
  const sql = '/* sluice:cache=weak cache_ttl_ms=1 cache_stale_ms=3600000 */ SELECT v FROM t WHERE id = 2';
  const clients = await Promise.all(Array.from({ length: 4 }, () => sluice.connect()));
  const [first] = clients;
  if (first === undefined) throw new Error('connections');
  await first.query(sql);
  await set.primary.query("UPDATE app.t SET v = 'B' WHERE id = 2");
  await set.waitForSync();
  const lock = await Lock.take();
  const changes = await counted(async () => {
    const answers = await Promise.all(clients.map((client) => rowsOf(client, sql)));
    t.same(
      answers,
      Array.from({ length: 4 }, () => [['A']]),
      'all at once, although the table is locked',
    );
    await lock.waitFor(1);
    await lock.release();
    await waitUntil('it is read again', async () => JSON.stringify(await rowsOf(first, sql)) === '[["B"]]');
  });
  t.equal((changes.hits ?? 0) >= 5, true);
  const [statement, parameters] = [sql.replace('= 2', '= ?'), [2]];
  await first.execute(statement, parameters);
  await set.primary.query("UPDATE app.t SET v = 'C' WHERE id = 2");
  await waitUntil('a prepared one as well', async () => {
    const [rows] = await first.execute<RowDataPacket[]>(statement, parameters);
    return rows[0]?.v === 'C';
  });
  for (const client of clients) await client.end();
});

t.test('a strong result is never filled from a replica that is behind', async (t) => {
  const sql = '/* sluice:cache=strong */ SELECT v FROM t WHERE id = 1 /* behind */';
  const connection = await sluice.connect();
  const [replica] = set.replicas;
  await replica?.query('STOP SLAVE SQL_THREAD');
  for (const value of ['one', 'two']) {
    await connection.query(`UPDATE t SET v = '${value}' WHERE id = 1`);
    t.same(await rowsOf(connection, sql), [[value]], 'read');
    t.same(await counted(async () => t.same(await rowsOf(connection, sql), [[value]])), { hits: 1 });
  }
  await replica?.query('START SLAVE SQL_THREAD');
  await set.waitForSync();
  await connection.end();
});

t.test('who looks sees that it was the cache', async (t) => {
  const connection = await sluice.connect();
  const sql = '/* sluice:cache=strong */ SELECT id AS shown FROM t WHERE id = 1';
  await connection.query(sql);
  await connection.query(sql);
  const admin = await sluice.adminConnection();
  const [routes] = await admin.query<RowDataPacket[]>('SHOW ROUTES');
  const mine = routes.filter(({ digest_text: text }) => String(text).includes('AS shown'));
  t.match(mine.at(-1), { target: 'sluice', reason: 'cached', rows_sent: 1, errno: 0, server: null });
  t.equal(mine.filter(({ reason }) => reason === 'cached').length, 1);
  t.equal(mine.at(-1)?.bytes, mine.at(-2)?.bytes, 'as many bytes as from the server');
  const [digests] = await admin.query<RowDataPacket[]>(
    "SELECT count_star, hostgroup FROM stats_mysql_query_digest WHERE digest_text LIKE '%AS shown%'",
  );
  t.equal(
    digests.reduce((sum, row) => sum + Number(row.count_star), 0),
    2,
  );
  await admin.end();
  await connection.end();
});

t.test('who reads late gets what he was sent, although the cache has forgotten it', async (t) => {
  await reload({ maxBytes: 1_048_576 });
  const late = await sluice.connect();
  const other = await sluice.connect();
  const sql = (letter: number, n: number): string =>
    `/* sluice:cache=strong */ SELECT ${n} AS n, REPEAT(CHAR(${letter}), 6000) AS r FROM t WHERE id = 1`;
  await late.query(sql(65, 0));
  // Below the driver, which sends one statement at a time and reads at once.
  const { stream } = (late as unknown as { readonly connection: { readonly stream: Socket } }).connection;
  stream.removeAllListeners('data');
  stream.pause();
  const text = Buffer.concat([Buffer.from([3]), Buffer.from(sql(65, 0))]);
  const header = Buffer.from([text.length, 0, 0, 0]);
  const copies = 2000;
  const hits = (await counters()).hits;
  stream.write(Buffer.concat(Array.from({ length: copies }, () => Buffer.concat([header, text]))));
  await waitUntil('the client has more to take than it may', async () => {
    const before = (await counters()).hits;
    await delay(50);
    return before > hits && before === (await counters()).hits;
  });
  const served = (await counters()).hits - hits;
  t.ok(served < copies, `${served} answers, then the client is waited for`);
  // The second time, since a full cache lets nothing in that comes for the first.
  for (let n = 0; n < 600; n++) for (let time = 0; time < 2; time++) await other.query(sql(66, n));
  t.ok((await sluice.metrics()).get('sluice_cache_evicted_total{worker="0"}'), 'something had to go');
  const chunks: Buffer[] = [];
  let received = 0;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    received += chunk.length;
  });
  stream.resume();
  const firstBytes = await waitUntil(
    'the first answer is there',
    () => received > 20_000 && Buffer.concat(chunks),
  );
  const length = firstBytes.indexOf(firstBytes.subarray(0, 200), 1);
  await waitUntil('all answers are there', () => received === copies * length);
  const all = Buffer.concat(chunks);
  let different = 0;
  for (let at = length; at < all.length; at += length)
    if (all.compare(all, 0, length, at, at + length) !== 0) different++;
  t.equal(different, 0, 'each is the first one');
  t.equal(all.subarray(0, length).filter((byte) => byte === 65).length >= 6000, true);
  late.destroy();
  await other.end();
});

t.test('nobody waits longer than he may', async (t) => {
  await reload({ waitMs: 1 });
  const sql = '/* sluice:cache=strong */ SELECT COUNT(*) AS patient FROM t';
  const [first, second] = [await sluice.connect(), await sluice.connect()];
  const lock = await Lock.take();
  const changes = await counted(async () => {
    const one = first.query(sql);
    await lock.waitFor(1);
    const two = second.query(sql);
    await lock.waitFor(2);
    await lock.release();
    await Promise.all([one, two]);
  });
  t.same(changes, { fills: 1, stored: 1, waits: 1, waits_expired: 1 });
  await first.end();
  await second.end();
});

t.test('a rule that changes holds for what is stored already', async (t) => {
  const sql = 'SELECT COUNT(*) AS ruled FROM t';
  const connection = await sluice.connect();
  const rule = (ttlMs: number): ConfigObject => ({ rules: [{ ruleId: 1, class: 'weak', ttlMs }] });
  await reload(rule(3_600_000));
  await connection.query(sql);
  t.same(await counted(() => connection.query(sql)), { hits: 1 });
  await reload(rule(1));
  t.same(await counted(() => connection.query(sql)), { fills: 1, stored: 1, expired: 1 });
  await reload({ rules: [] });
  t.same(await counted(() => connection.query(sql)), {}, 'no rule');
  await connection.end();
});
