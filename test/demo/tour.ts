/** The tour: what Sluice does, statement by statement, on real servers. */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import { waitUntil } from '../support/wait-until.ts';
import { Guide } from './guide.ts';
import type { Stage } from './stage.ts';

const READ = 'SELECT title FROM books WHERE id = 1';

/** Gives how many steps there were, and how many were not as expected. */
export async function runTour(
  stage: Stage,
  say: (text: string) => void,
): Promise<{ readonly steps: number; readonly failures: number }> {
  const guide = new Guide(stage, say);
  const connections: Connection[] = [];
  const connect = async (): Promise<Connection> => {
    const connection = await stage.connect();
    connections.push(connection);
    return connection;
  };
  try {
    await readsAndWrites(guide, connect, stage);
    await transactions(guide, connect);
    await whatOnlyLooksLikeARead(guide, connect);
    // A function that nobody knows has written, maybe anywhere.
    await replicasHaveAll(connect, stage.set);
    await sessionState(guide, connect);
    await severalStatements(guide, connect);
    await queryRules(guide, connect);
    await lostReplicas(guide, connect, stage);
  } finally {
    for (const connection of connections) connection.destroy();
    await guide.close();
  }
  return { steps: guide.steps, failures: guide.failures };
}

type Connect = () => Promise<Connection>;

/** Until they have what was written, and Sluice knows it: at once for people, not for a program. */
async function replicasHaveAll(connect: Connect, set: Stage['set']): Promise<void> {
  await set.waitForSync();
  await waitUntil('a replica is known to have everything', async () => {
    const connection = await connect();
    await connection.query('START TRANSACTION READ ONLY');
    const [rows] = await connection.query<RowDataPacket[]>('SELECT @@server_id AS id');
    await connection.end();
    return set.nameOf(rows[0]?.id).startsWith('replica');
  });
}

async function readsAndWrites(guide: Guide, connect: Connect, { set }: Stage): Promise<void> {
  guide.heading('Reads go to the replicas, writes to the primary');
  const writer = await connect();
  await guide.step({ on: writer, sql: READ, expect: 'replica', answer: 'The Sea' });
  await guide.step({ on: writer, sql: 'UPDATE books SET stock = 4 WHERE id = 1', expect: 'primary' });
  const sql = 'SELECT stock FROM books WHERE id = 1';
  await guide.step({
    on: await connect(),
    sql,
    expect: 'replica',
    servers: ['primary', ...set.replicas.map(({ name }) => name)],
    answer: '4',
    because: 'whoever has that write by now',
  });
  await replicasHaveAll(connect, set);
  await guide.step({
    on: await connect(),
    sql,
    expect: 'replica',
    answer: '4',
    because: 'the replicas have it',
  });
}

async function transactions(guide: Guide, connect: Connect): Promise<void> {
  guide.heading('Transactions stay on one server');
  const writer = await connect();
  const because = 'a transaction that may write';
  await guide.step({ on: writer, sql: 'START TRANSACTION', expect: 'primary' });
  await guide.step({ on: writer, sql: READ, expect: 'primary', because });
  await guide.step({ on: writer, sql: 'ROLLBACK', expect: 'primary', because: 'it ends where it began' });
  const reader = await connect();
  await guide.step({ on: reader, sql: 'START TRANSACTION READ ONLY', expect: 'replica' });
  await guide.step({ on: reader, sql: READ, expect: 'replica', because: 'a transaction that cannot write' });
  await guide.step({ on: reader, sql: 'COMMIT', expect: 'replica', because: 'it ends where it began' });
}

async function whatOnlyLooksLikeARead(guide: Guide, connect: Connect): Promise<void> {
  guide.heading('What only looks like a read goes to the primary');
  const locking = await connect();
  await guide.step({
    on: locking,
    sql: 'SELECT title FROM books WHERE id = 1 fOr\n/* in two words */  UpDaTe',
    expect: 'primary',
  });
  const calling = await connect();
  await guide.step({ on: calling, sql: 'SELECT next_number()', expect: 'primary', answer: '1' });
  const into = await connect();
  await guide.step({ on: into, sql: 'SELECT stock INTO @stock FROM books WHERE id = 1', expect: 'primary' });
}

async function sessionState(guide: Guide, connect: Connect): Promise<void> {
  guide.heading('Session state follows the client to whichever server answers');
  const client = await connect();
  const sql = 'SELECT added FROM books WHERE id = 2';
  await client.query("SET time_zone = '+05:00'");
  const because = "after SET time_zone = '+05:00'";
  await guide.step({ on: client, sql, expect: 'replica', answer: '2026-01-02 17:00:00', because });
  const other = await connect();
  await other.query("SET time_zone = '-03:00'");
  await guide.step({
    on: other,
    sql,
    expect: 'replica',
    answer: '2026-01-02 09:00:00',
    because: "another client, after SET time_zone = '-03:00'",
  });
  await guide.step({ on: client, sql, expect: 'replica', answer: '2026-01-02 17:00:00', because });
}

async function severalStatements(guide: Guide, connect: Connect): Promise<void> {
  guide.heading('Several statements in one packet go to one server');
  const client = await connect();
  const count = 'SELECT COUNT(*) FROM books';
  await guide.step({ on: client, sql: [READ, count], expect: 'replica', answer: '2' });
  await guide.step({
    on: client,
    sql: [READ, 'DELETE FROM books WHERE id = 99', count],
    expect: 'primary',
    answer: '2',
  });
}

async function queryRules(guide: Guide, connect: Connect): Promise<void> {
  guide.heading(
    'Operators speak SQL: a query rule is written, tried on live traffic, put in force, and taken back',
  );
  const client = await connect();
  await guide.order(
    "INSERT INTO mysql_query_rules (rule_id, active, match_digest, destination_hostgroup, apply) VALUES (10, 1, '^SELECT title', 0, 1)",
    'so far it is a row in MEMORY',
  );
  await guide.order('LOAD MYSQL QUERY RULES TO SHADOW', 'counted on live statements, and not applied');
  await guide.step({ on: client, sql: READ, expect: 'replica', because: 'the rule is a shadow' });
  await guide.order(
    "SELECT COUNT(*) FROM (SELECT 1 FROM mysql_query_rules WHERE match_digest LIKE '%title%')",
    'any SQL works there',
    '1',
  );
  await guide.order('PROMOTE SHADOW', 'now it is in force, in all workers at once');
  await guide.step({ on: client, sql: READ, expect: 'primary' });
  await guide.order('SELECT hits FROM stats_mysql_query_rules WHERE rule_id = 10', 'its hits', '1');
  await guide.order('ROLLBACK RUNTIME', 'one of the last twenty versions comes back');
  await guide.step({ on: client, sql: READ, expect: 'replica' });
}

async function lostReplicas(guide: Guide, connect: Connect, { set, log, sluice }: Stage): Promise<void> {
  const [first, second] = set.replicas;
  if (first === undefined || second === undefined) throw new Error('the tour needs two replicas');
  const client = await connect();
  const reads = async (times: number, servers: readonly string[], because: string): Promise<void> => {
    for (let time = 0; time < times; time++) {
      await guide.step({ on: client, sql: READ, expect: 'replica', servers, because, answer: 'The Sea' });
    }
  };
  const shunned = (address: string) => sluice.waitForLog(new RegExp(`"${address}".*"to":"SHUNNED"`));

  guide.heading(`${first.name} is killed: reads go on, without an error`);
  await first.kill();
  await reads(3, [second.name, 'primary'], 'whoever is reached');
  await shunned(first.address);
  await reads(2, [second.name], 'the monitor has shunned the other one');

  guide.heading(`${second.name} is killed too: the primary answers`);
  await second.kill();
  await reads(3, ['primary'], 'no replica is fit');

  guide.heading(`${first.name} returns, then ${second.name}`);
  await first.start();
  await log.enable(first);
  await guide.untilAnsweredBy(READ, client, first.name, 'checked, and back among the readers');
  await second.start();
  await log.enable(second);
  await guide.untilAnsweredBy(READ, client, second.name, 'and the other one');
}
