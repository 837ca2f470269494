/** What becomes of the binlog follower when connections, binlogs, privileges or the primary are lost, and how it recovers. */

import t, { type Test } from 'tap';
import { FollowState } from '../../../src/common/table-epochs.ts';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import { FollowedEpochs } from '../../support/followed-epochs.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';

const ROWS = { epoch: 2, structure: 0 };
const ANEW = { '*': { epoch: 1, structure: 1 } };
const FOLLOWER = { username: 'follower', password: 'follower-secret' };

interface Subject {
  readonly set: ReplicationSet;
  readonly proxy: FaultProxy;
  readonly followed: FollowedEpochs;
}

function insert(set: ReplicationSet): Promise<unknown> {
  return set.primary.query("INSERT INTO app.t (v) VALUES ('x')");
}

function dumpThreads(set: ReplicationSet): Promise<readonly { id: number }[]> {
  return set.primary.query<{ id: number }>(
    "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'",
  );
}

/** The events since the last call: where to, and why. */
function told({ followed }: Subject): readonly (readonly [string, string])[] {
  return followed.events.splice(0).map(({ to, reason }) => [to, reason.split(':')[0] ?? ''] as const);
}

/** Waits until it is suspended, and again until it is not, with `undo` in between. */
async function suspends(
  { followed }: Subject,
  t: Test,
  cause: string,
  undo: () => Promise<unknown>,
): Promise<void> {
  await waitUntil('it is suspended', () => followed.follower.report.state === 'suspended');
  t.match(followed.follower.report.reason, new RegExp(`^${cause}: `));
  t.equal(followed.epochs.followState, FollowState.suspended, 'and workers know it');
  await undo();
  await followed.isFollowing();
}

async function killed(subject: Subject, t: Test): Promise<void> {
  const { set, followed } = subject;
  const raised = await followed.raisedBy(['t'], async () => {
    const [thread] = await dumpThreads(set);
    await set.primary.query(`KILL ${thread?.id}`);
    await insert(set);
  });
  t.strictSame(raised, { t: ROWS }, 'what was written meanwhile is raised, and nothing else');
  const events = told(subject);
  t.strictSame(
    events.map(([to]) => to),
    ['connecting', 'following'],
  );
  t.equal((await dumpThreads(set)).length, 1, 'the server has one reader');
}

async function cutOff(subject: Subject, t: Test): Promise<void> {
  const { set, proxy, followed } = subject;
  const raised = await followed.raisedBy(['t'], async () => {
    proxy.refuse();
    proxy.cutNow();
    await waitUntil('the loss is seen', () => followed.follower.report.state === 'connecting');
    t.equal(followed.epochs.followState, FollowState.following, 'the last word holds, up to its bound');
    const confirmedAtMs = followed.epochs.confirmedAtMs;
    await insert(set);
    t.equal(followed.epochs.confirmedAtMs, confirmedAtMs, 'and there is none after it');
    proxy.heal();
  });
  t.strictSame(raised, { t: ROWS });
  told(subject);
}

async function heldBack(subject: Subject, t: Test): Promise<void> {
  const { set, proxy, followed } = subject;
  const raised = await followed.raisedBy(['t'], async () => {
    proxy.pause('down');
    const confirmedAtMs = followed.epochs.confirmedAtMs;
    await insert(set);
    t.ok(followed.epochs.confirmedAtMs - confirmedAtMs < 1000);
    proxy.resume('down');
  });
  t.strictSame(raised, { t: ROWS }, 'a moment is confirmed only when its events have come');
  told(subject);
}

async function purged(subject: Subject, t: Test): Promise<void> {
  const { set, proxy, followed } = subject;
  const raised = await followed.raisedBy(['t'], async () => {
    proxy.refuse();
    proxy.cutNow();
    await waitUntil('nobody reads', async () => (await dumpThreads(set)).length === 0);
    await insert(set);
    await set.primary.query('FLUSH BINARY LOGS');
    await set.primary.query('FLUSH BINARY LOGS');
    const [last] = await set.primary.query<{ File: string }>('SHOW MASTER STATUS');
    // MariaDB keeps files that a crash would need until a checkpoint is over, which nobody waits for.
    await waitUntil('the file has gone', async () => {
      await set.primary.query(`PURGE BINARY LOGS TO '${last?.File}'`);
      return (await set.primary.query('SHOW BINARY LOGS')).length === 1;
    });
    proxy.heal();
    await waitUntil('it is said', () => followed.events.some(({ to }) => to === 'suspended'));
    await followed.isFollowing();
  });
  const withVisible = set.flavor === ServerFlavor.mariadb ? { '*': { epoch: 2, structure: 2 } } : ANEW;
  t.strictSame(raised, withVisible, 'it begins anew, with everything raised');
  t.strictSame(
    told(subject).map(([to, reason]) => (to === 'suspended' ? reason : to)),
    ['connecting', 'binlog-purged', 'following'],
  );
}

async function statementFormat(subject: Subject, t: Test): Promise<void> {
  const { set } = subject;
  await set.primary.query("SET GLOBAL binlog_format = 'STATEMENT'");
  await suspends(subject, t, 'statement-format', () => set.primary.query("SET GLOBAL binlog_format = 'ROW'"));
  t.match(told(subject), [
    ['suspended', 'statement-format'],
    ['following', ''],
  ]);
}

async function withoutPrivilege(subject: Subject, t: Test): Promise<void> {
  const { set, followed } = subject;
  const { username } = FOLLOWER;
  await set.primary.query(`REVOKE REPLICATION SLAVE ON *.* FROM ${username}@'%'`);
  await suspends(subject, t, 'missing-privilege', async () => {
    const { remedy } = followed.follower.report;
    t.equal(remedy, `GRANT REPLICATION SLAVE ON *.* TO '${username}'@'%'`);
    // What it says is what helps.
    await set.primary.query(remedy);
  });
  t.match(told(subject), [
    ['suspended', 'missing-privilege'],
    ['following', ''],
  ]);
}

async function nonsense(subject: Subject, t: Test): Promise<void> {
  const { proxy, set } = subject;
  // The next heartbeat, or what comes next, is no packet of the stream.
  proxy.inject('down', Buffer.from([1, 0, 0, 0x77, 0x55]));
  await waitUntil(
    'it has noticed, and follows again',
    () => subject.followed.events.at(-1)?.to === 'following',
    {
      timeoutMs: 20_000,
    },
  );
  await insert(set);
  t.match(told(subject).at(-1), ['following', '']);
}

async function anotherPrimary(subject: Subject, t: Test): Promise<void> {
  const { set, followed } = subject;
  const [second] = set.replicas;
  if (second === undefined) throw new Error('there is no replica');
  await second.query('SET GLOBAL read_only = 0');
  const before = followed.epochs.structure(65_536);
  await followed.follow(second);
  t.ok(followed.epochs.structure(65_536) > before, 'everything is raised');
  const raised = await followed.raisedBy(['t'], () => second.query("INSERT INTO app.t (v) VALUES ('x')"));
  t.strictSame(raised, { t: ROWS }, 'its writes are seen');
  const others = await followed.raisedBy(['t'], () => insert(set));
  t.strictSame(others, {}, 'those of the old one are not any more');
}

async function runFlavor(t: Test, flavor: ServerFlavor): Promise<void> {
  const { username, password } = FOLLOWER;
  const others = flavor === ServerFlavor.mariadb ? 'BINLOG MONITOR' : 'REPLICATION CLIENT, PROCESS';
  const set = new ReplicationSet({
    flavor,
    replicas: 1,
    sql: [
      'CREATE TABLE app.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(100))',
      `CREATE USER ${username} IDENTIFIED BY '${password}'`,
      `GRANT REPLICATION SLAVE, ${others} ON *.* TO ${username}`,
    ],
  });
  t.teardown(() => set.dispose());
  await set.start();
  await set.waitForSync();
  for (const replica of set.replicas) await replica.query('STOP SLAVE');
  await waitUntil('nobody reads', async () => {
    await insert(set);
    return (await dumpThreads(set)).length === 0;
  });
  const proxy = await FaultProxy.start(set.primary);
  t.teardown(() => proxy.close());
  const followed = new FollowedEpochs({ account: FOLLOWER });
  t.teardown(() => followed.stop());
  await followed.follow(proxy);
  followed.events.length = 0;
  const subject = { set, proxy, followed };
  await t.test('its connection is killed', (t) => killed(subject, t));
  await t.test('it is cut off', (t) => cutOff(subject, t));
  await t.test('its server is slow', (t) => heldBack(subject, t));
  await t.test('its server goes over to statements', (t) => statementFormat(subject, t));
  await t.test('its account loses a privilege', (t) => withoutPrivilege(subject, t));
  await t.test('its server sends nonsense', (t) => nonsense(subject, t));
  for (const replica of set.replicas) await replica.query('START SLAVE');
  await set.waitForSync();
  for (const replica of set.replicas) await replica.query('STOP SLAVE');
  await t.test('its binlog is purged', (t) => purged(subject, t));
  await t.test('another server becomes primary', (t) => anotherPrimary(subject, t));
  // Before the servers end: links of the proxy whose client has gone would keep them waiting.
  await followed.stop();
  proxy.cutNow();
}

t.test('MariaDB', (t) => runFlavor(t, ServerFlavor.mariadb));

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, (t) => runFlavor(t, ServerFlavor.mysql));
