/** KILL by the id that the client knows: the same through Sluice as at a server. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const OTHER = { username: 'other', password: 'other-secret' } as const;

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
      'CREATE TABLE app.t (n INT)',
    ],
  });
  t.teardown(() => set.dispose());
  await set.start();
  const sluice = await SluiceProcess.startFor(set, { config: { users: [APP_ACCOUNT, OTHER] } });
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
    const serverIds = await set.primary.query<{ id: number }>(
      "SELECT id FROM information_schema.processlist WHERE user IN ('app', 'other')",
    );
    const known = new Set([killer.threadId, victim.threadId]);
    for (const { id } of serverIds.filter((one) => !known.has(one.id))) {
      t.equal(
        await outcome(killer.query(`KILL ${id}`)),
        1094,
        `the server’s own id ${id} means nothing here`,
      );
    }
    await victim.query('SELECT 1');
    await killer.end();
    await victim.end();
  });
}

t.test('MariaDB', (t) => runKills(t, ServerFlavor.mariadb));

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, (t) => runKills(t, ServerFlavor.mysql));
