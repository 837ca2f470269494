/** KILL by the id that the client knows: the same through Sluice as at a server. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const OTHER = { username: 'other', password: 'other-secret' } as const;
/** May kill what belongs to others. */
const BOSS = { username: 'boss', password: 'boss-secret' } as const;

interface Subject {
  readonly set: ReplicationSet;
  readonly sluice: SluiceProcess;
}

/** The id of the handshake, which is the client's for good. */
function idOf(connection: Connection): number {
  return connection.threadId;
}

function running(set: ReplicationSet, text: string): Promise<boolean> {
  const sql = `SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '${text}%'`;
  return set.primary.queryValue(sql).then((count) => count !== '0');
}

async function outcome(work: Promise<unknown>): Promise<number | string> {
  return work.then(
    () => 'done',
    (error: { errno?: number; code?: string }) => error.errno ?? error.code ?? 'error',
  );
}

/** Runs a statement that lasts, kills it from another session, and gives what its client saw. */
async function killRunning(
  { set, sluice }: Subject,
  t: Test,
  kill: (id: number) => string,
): Promise<{ victim: Connection; saw: unknown }> {
  const victim = await sluice.connect();
  victim.on('error', () => undefined);
  const killer = await sluice.connect();
  t.teardown(() => killer.end());
  const id = idOf(victim);
  const slow = outcome(victim.query('SELECT 5 AS five, SLEEP(20) FROM DUAL WHERE 1 = 1 OR SLEEP(1)'));
  await waitUntil('it runs', () => running(set, 'SELECT 5 AS five, SLEEP(20)'));
  await killer.query(kill(id));
  return { victim, saw: await slow };
}

async function runKills(t: Test, flavor: ServerFlavor): Promise<void> {
  const set = new ReplicationSet({
    flavor,
    replicas: 1,
    sql: [
      `CREATE USER other IDENTIFIED BY '${OTHER.password}'`,
      'GRANT ALL ON app.* TO other',
      `CREATE USER boss IDENTIFIED BY '${BOSS.password}'`,
      'GRANT ALL ON *.* TO boss',
      'CREATE TABLE app.t (n INT)',
    ],
  });
  t.teardown(() => set.dispose());
  await set.start();
  const sluice = await SluiceProcess.startFor(set, { config: { users: [APP_ACCOUNT, OTHER, BOSS] } });
  t.teardown(() => sluice.dispose());
  const subject = { set, sluice };

  await t.test('KILL QUERY ends the statement, not the session', async (t) => {
    const { victim, saw } = await killRunning(subject, t, (id) => `KILL QUERY ${id}`);
    // A SLEEP that is interrupted ends MySQL's statement early, without an error.
    t.ok(saw === 1317 || (flavor === ServerFlavor.mysql && saw === 'done'), `interrupted: ${saw}`);
    t.equal(await outcome(victim.query('SELECT 1')), 'done', 'the session goes on');
    await victim.end();
  });

  await t.test('KILL ends the session', async (t) => {
    for (const word of ['KILL', 'KILL CONNECTION', 'kill /* c */ connection']) {
      const { victim, saw } = await killRunning(subject, t, (id) => `${word} ${id}`);
      if (flavor === ServerFlavor.mariadb) t.not(saw, 'done', `${word}: the statement fails (${saw})`);
      t.not(await outcome(victim.query('SELECT 1')), 'done', 'the session is over');
      await waitUntil('the statement is over', async () => !(await running(set, 'SELECT 5 AS five')));
      victim.destroy();
    }
  });

  await t.test('KILL of an idle session', async (t) => {
    const victim = await sluice.connect();
    victim.on('error', () => undefined);
    const killer = await sluice.connect();
    await killer.query(`KILL ${idOf(victim)}`);
    const saw = await waitUntil('the session is over', async () => {
      const now = await outcome(victim.query('SELECT 1'));
      return now === 'done' ? null : now;
    });
    t.ok(saw, `its next statement fails: ${saw}`);
    await killer.query('SELECT 1');
    await killer.end();
  });

  await t.test('KILL in front of other statements', async (t) => {
    const killer = await sluice.connect({ multipleStatements: true });
    for (const rest of [
      'SELECT 1 AS one',
      'SELECT 1 AS one; SELECT 2 AS two',
      'SELECT nope',
      'CALL nope()',
    ]) {
      const victim = await sluice.connect();
      victim.on('error', () => undefined);
      const kill = `KILL ${idOf(victim)}; ${rest}`;
      if (rest.includes('nope')) {
        t.ok([1054, 1305].includes(Number(await outcome(killer.query(kill)))), rest);
      } else {
        const [results] = await killer.query<RowDataPacket[][]>(kill);
        t.same(results.slice(1).flat(), [{ one: 1 }, { two: 2 }].slice(0, results.length - 1), rest);
      }
      const isOver = async () => (await outcome(victim.query('SELECT 1'))) !== 'done';
      await waitUntil('the session is over', isOver);
    }
    const [first, second] = [await sluice.connect(), await sluice.connect()];
    for (const one of [first, second]) one.on('error', () => undefined);
    const [results] = await killer.query<RowDataPacket[][]>(
      `KILL ${idOf(first)}; KILL ${idOf(second)}; SELECT 3 AS three`,
    );
    t.same(results[2], [{ three: 3 }]);
    await killer.end();
  });

  await t.test('KILL of oneself', async (t) => {
    const connection = await sluice.connect();
    connection.on('error', () => undefined);
    await outcome(connection.query(`KILL ${idOf(connection)}`));
    t.not(await outcome(connection.query('SELECT 1')), 'done', 'the session is over');
    connection.destroy();
  });

  await t.test('KILL QUERY of a session that does nothing hits no later statement', async (t) => {
    const victim = await sluice.connect();
    const killer = await sluice.connect();
    const id = idOf(victim);
    for (let round = 0; round < 200; round++) {
      await killer.query(`KILL QUERY ${id}`);
      const [rows] = await victim.query<RowDataPacket[]>(`SELECT ${round} AS n`);
      if (rows[0]?.n !== round) t.fail(`round ${round}: ${JSON.stringify(rows)}`);
    }
    t.pass('200 statements were not hit');
    await victim.end();
    await killer.end();
  });

  await t.test('nobody else is hit', async (t) => {
    const killer = await sluice.connect();
    const victim = await sluice.connect({ user: OTHER.username, password: OTHER.password });
    t.equal(await outcome(killer.query('KILL 999999999')), 1094, 'no such thread');
    t.equal(await outcome(killer.query(`KILL ${idOf(victim)}`)), 1095, 'another user’s');
    t.equal(await outcome(killer.query(`KILL QUERY ${idOf(victim)}`)), 1095, 'another user’s statement');
    await victim.query('SELECT 1');
    await killer.end();
    await victim.end();
  });

  await t.test('with the privilege, sessions of others too', async (t) => {
    const boss = await sluice.connect({ user: BOSS.username, password: BOSS.password });
    const victim = await sluice.connect({ user: OTHER.username, password: OTHER.password });
    victim.on('error', () => undefined);
    const slow = outcome(victim.query('SELECT 6 AS six, SLEEP(20) FROM DUAL'));
    await waitUntil('it runs', () => running(set, 'SELECT 6 AS six, SLEEP(20)'));
    t.equal(await outcome(boss.query(`KILL ${idOf(victim)}`)), 'done');
    t.type(await slow, 'string', 'the connection ends without a word');
    await waitUntil('the statement is over', async () => !(await running(set, 'SELECT 6 AS six')));
    await boss.end();
    victim.destroy();
  });

  await t.test('the id of the server’s thread stands for the session that it serves', async (t) => {
    const threads = (user: string, command: string): Promise<{ id: number }[]> =>
      set.primary.query<{ id: number }>(
        `SELECT id FROM information_schema.processlist WHERE user = '${user}' AND command = '${command}'`,
      );
    const killer = await sluice.connect();
    const victim = await sluice.connect();
    const other = await sluice.connect({ user: OTHER.username, password: OTHER.password });
    const slow = outcome(victim.query('SELECT 7 AS seven, SLEEP(20) FROM DUAL'));
    const foreign = outcome(other.query('SELECT 7 AS seven, SLEEP(20) FROM DUAL'));
    const [own] = await waitUntil('it runs', async () => {
      const found = await threads('app', 'Query');
      return found.length === 1 && (await threads('other', 'Query')).length === 1 ? found : null;
    });
    const [others] = await threads('other', 'Query');
    t.equal(await outcome(killer.query(`KILL QUERY ${others?.id}`)), 1095, 'another user’s');
    t.equal(await outcome(killer.query(`KILL QUERY ${own?.id}`)), 'done');
    t.ok([1317, 'done'].includes(await slow));
    t.equal(await outcome(victim.query('SELECT 1')), 'done', 'the session goes on');
    const boss = await sluice.connect({ user: BOSS.username, password: BOSS.password });
    t.equal(await outcome(boss.query(`KILL QUERY ${others?.id}`)), 'done');
    t.ok([1317, 'done'].includes(await foreign));
    for (const { id } of await threads('app', 'Sleep'))
      t.match(
        await outcome(killer.query(`KILL ${id}`)),
        /done|1094/,
        'an idle connection of the pool, or one that has just closed',
      );
    t.equal(await outcome(victim.query('SELECT 1')), 'done', 'which nobody misses');
    // Those of the monitor come and go.
    const straight = await set.connect(set.primary, OTHER);
    t.equal(
      await outcome(killer.query(`KILL ${straight.threadId}`)),
      1095,
      'a thread that is none of Sluice’s clients',
    );
    await Promise.all([straight, killer, victim, other, boss].map((one) => one.end()));
  });

  await t.test('KILL CONNECTION_ID(), and by another command', async (t) => {
    for (const word of ['KILL CONNECTION_ID()', 'KILL QUERY CONNECTION_ID()']) {
      const connection = await sluice.connect();
      connection.on('error', () => undefined);
      const expected = flavor === ServerFlavor.mysql || word.includes('QUERY') ? 1317 : 1927;
      t.equal(await outcome(connection.query(word)), expected);
      t.equal((await outcome(connection.query('SELECT 1'))) === 'done', word.includes('QUERY'));
      connection.destroy();
    }
  });

  await t.test('KILL USER', { skip: flavor === ServerFlavor.mysql && 'MariaDB has it' }, async (t) => {
    const killer = await sluice.connect();
    const boss = await sluice.connect({ user: BOSS.username, password: BOSS.password });
    const victims = await Promise.all(
      [1, 2, 3, 4].map(() => sluice.connect({ user: OTHER.username, password: OTHER.password })),
    );
    for (const victim of victims) victim.on('error', () => undefined);
    await Promise.all(victims.map((victim) => victim.query('SELECT 1')));
    t.equal(await outcome(killer.query('KILL USER other')), 1095);
    const slow = outcome(victims[0]!.query('SELECT 8 AS eight, SLEEP(20) FROM DUAL'));
    await waitUntil('it runs', () => running(set, 'SELECT 8 AS eight, SLEEP(20)'));
    t.equal(await outcome(boss.query('KILL USER other')), 'done');
    t.type(await slow, 'string');
    await waitUntil('all are gone', async () => {
      const ends = await Promise.all(victims.map((victim) => outcome(victim.query('SELECT 1'))));
      return ends.every((end) => end !== 'done');
    });
    t.equal(await outcome(killer.query('SELECT 1')), 'done');
    await killer.end();
    await boss.end();
  });
}

t.test('MariaDB', (t) => runKills(t, ServerFlavor.mariadb));

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, (t) => runKills(t, ServerFlavor.mysql));
