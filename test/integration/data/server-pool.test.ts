/** The pool of one server, against a real one. */

import t from 'tap';
import { Command } from '../../../protocol/index.ts';
import { SharedCounters, WorkerCounter } from '../../../src/common/shared-counters.ts';
import type { BackendConnection } from '../../../src/data/backend/backend-connection.ts';
import { NOTHING_LEFT } from '../../../src/data/backend/check-in.ts';
import { ownReply, RecordingReply } from '../../../src/data/backend/recording-reply.ts';
import { MariadbServer } from '../../support/mariadb-server.ts';
import { freePort } from '../../support/ports.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { madeServer } from './made-snapshot.ts';
import { firstValue, keyOf, PoolRig, type PoolSettings, run, TestRequest } from './pool-rig.ts';

const server = await new MariadbServer().start();
t.teardown(() => server.dispose());
await server.query('CREATE DATABASE one; CREATE DATABASE two; CREATE TABLE one.t (a INT PRIMARY KEY)');
for (const user of ['ann', 'bob']) {
  await server.query(`CREATE USER ${user}@'%' IDENTIFIED BY '${user}-secret'`);
  await server.query(`GRANT ALL ON *.* TO ${user}@'%'`);
}
const ann = keyOf('ann', 'ann-secret');
const bob = keyOf('bob', 'bob-secret');
const UNTRACKED = { ...NOTHING_LEFT, untracked: true };

const rigs: PoolRig[] = [];

function rig(settings: Partial<PoolSettings> = {}, shared?: SharedCounters, worker?: number): PoolRig {
  const made = new PoolRig(madeServer(server.address), settings, shared, worker);
  rigs.push(made);
  return made;
}

t.afterEach(async () => {
  const all = rigs.splice(0);
  for (const made of all) await made.end();
  for (const made of all) t.equal(made.gauge('inUse'), 0, 'nothing is counted as used');
});

t.test('a connection that is given back is given out again', async (t) => {
  const made = rig();
  const first = await made.get(ann);
  t.equal(await firstValue(first, 'SELECT CURRENT_USER()'), 'ann@%');
  t.equal(String(first.threadId), await firstValue(first, 'SELECT CONNECTION_ID()'));
  t.equal(made.gauge('inUse'), 1);
  made.pool.checkIn(first, NOTHING_LEFT);
  t.equal(made.gauge('inUse'), 0);
  const request = made.ask(new TestRequest(ann));
  t.equal(request.connection, first, 'at once');
  const other = await made.get(ann);
  t.not(other, first);
  t.equal(made.pool.size, 2);
  t.equal(made.gauge('connections'), 2);
});

t.test('users, flags and passwords never share a connection', async (t) => {
  const made = rig();
  const connection = await made.get(ann);
  made.pool.checkIn(connection, NOTHING_LEFT);
  for (const key of [bob, keyOf('ann', 'ann-secret', 2), keyOf('ann', 'wrong')]) {
    const request = made.ask(new TestRequest(key));
    t.equal(request.connection, null);
    await waitUntil('an outcome', () => request.settled);
    t.not(request.connection, connection);
  }
});

t.test('the first who waits is served first', async (t) => {
  const made = rig({ maxConnections: 1 });
  const connection = await made.get(ann);
  const order: number[] = [];
  const requests = [0, 1, 2, 3].map((number) => {
    const request = new TestRequest(ann);
    request.onAvailable = () => order.push(number);
    return made.ask(request);
  });
  made.pool.cancel(requests[1]!);
  for (let round = 0; round < 3; round++) made.pool.checkIn(connection, NOTHING_LEFT);
  t.same(order, [0, 2, 3]);
  t.equal(made.counter(WorkerCounter.poolWaits), 5);
});

t.test('whose connection closes does not lose their place in the queue', async (t) => {
  const made = rig({ maxConnections: 1 });
  const connection = await made.get(ann);
  const order: number[] = [];
  const requests = [0, 1, 2].map((number) => {
    const request = new TestRequest(ann);
    request.onAvailable = () => order.push(number);
    return made.ask(request);
  });
  connection.close('the test wants it');
  const next = await requests[0]!.ready();
  t.same(order, [0]);
  next.close('again');
  await requests[1]!.ready();
  t.same(order, [0, 1]);
});

t.test('waiting ends at the time-out, and the queue has a length', async (t) => {
  const made = rig({ maxConnections: 1, waitTimeoutMs: 500, waitQueueLength: 2 });
  const connection = await made.get(ann);
  const early = made.ask(new TestRequest(ann));
  made.pass(300);
  const late = made.ask(new TestRequest(ann));
  const excess = made.ask(new TestRequest(ann));
  t.equal(excess.failure, null, 'told after the call, not in it');
  t.match(await excess.failed(), { kind: 'queue-full', address: server.address, message: /2 / });
  made.pass(250);
  t.match(early.failure, { kind: 'timeout', message: /500 ms/ });
  t.notOk(late.settled);
  made.pool.checkIn(connection, NOTHING_LEFT);
  t.equal(late.connection, connection);
  t.equal(made.counter(WorkerCounter.poolTimeouts), 1);
});

t.test('a limit over the pools of two workers', async (t) => {
  const shared = new SharedCounters();
  const [one, two] = [rig({ maxConnections: 2 }, shared, 0), rig({ maxConnections: 2 }, shared, 1)];
  const held = [await one.get(ann), await one.get(ann)];
  const waiting = two.ask(new TestRequest(ann));
  two.pass(200);
  t.notOk(waiting.settled);
  t.equal(two.pool.size, 0);
  t.equal(one.gauge('connections'), 2);
  one.pool.checkIn(held[0]!, NOTHING_LEFT);
  await waitUntil('its place passes on', () => {
    two.pass(50);
    return waiting.settled;
  });
  t.ok(waiting.connection);
  t.equal(one.pool.size, 1);
  t.equal(one.gauge('connections'), 2);
  t.equal(one.gauge('starving'), 0);
});

t.test('a worker that is always busy shares with one that has nothing', async (t) => {
  const shared = new SharedCounters();
  const [one, two] = [rig({ maxConnections: 2 }, shared, 0), rig({ maxConnections: 2 }, shared, 1)];
  let running = true;
  const served: boolean[] = [];
  const client = async (): Promise<void> => {
    while (running) {
      const connection = await one.get(ann);
      await run(connection, 'DO 0');
      one.pool.checkIn(connection, NOTHING_LEFT);
      served.push(true);
    }
  };
  const clients = Array.from({ length: 6 }, client);
  await waitUntil('they are busy', () => served.length > 20);
  const poor = two.ask(new TestRequest(ann));
  await waitUntil('it is served too', () => {
    one.pass(50);
    two.pass(50);
    return poor.settled;
  });
  t.ok(poor.connection);
  running = false;
  await Promise.all(clients);
});

t.test('idle connections of one worker do not starve another', async (t) => {
  const shared = new SharedCounters();
  const [one, two] = [rig({ maxConnections: 2 }, shared, 0), rig({ maxConnections: 2 }, shared, 1)];
  const held = [await one.get(ann), await one.get(ann)];
  for (const connection of held) one.pool.checkIn(connection, NOTHING_LEFT);
  const waiting = two.ask(new TestRequest(ann));
  one.pool.closeIdle(Date.now());
  await waitUntil('a place is free', () => {
    two.pass(50);
    return waiting.settled;
  });
  t.ok(waiting.connection);
});

t.test('an idle connection that is of no use makes room', async (t) => {
  const made = rig({ maxConnections: 2 });
  const [older, newer] = [await made.get(ann), await made.get(ann)];
  made.pool.checkIn(older, NOTHING_LEFT);
  older.idleSince -= 1000;
  made.pool.checkIn(newer, NOTHING_LEFT);
  const connection = await made.get(bob);
  t.equal(await firstValue(connection, 'SELECT CURRENT_USER()'), 'bob@%');
  await waitUntil('the older one is closed', () => older.isClosed);
  t.notOk(newer.isClosed);
  t.equal(made.gauge('connections'), 2);
});

t.test('a session without a schema never gets a connection that has one', async (t) => {
  const made = rig({ maxConnections: 1 });
  const inSchema = await made.get(ann, { schema: 'one' });
  t.equal(inSchema.schema, 'one');
  made.pool.checkIn(inSchema, NOTHING_LEFT);
  const connection = await made.get(ann, { schema: null });
  t.not(connection, inSchema);
  t.equal(await firstValue(connection, 'SELECT DATABASE()'), null);
  made.pool.checkIn(connection, NOTHING_LEFT);
  t.equal(
    (await made.get(ann, { schema: 'two' })).threadId,
    connection.threadId,
    'the other way round it may',
  );
});

t.test('of several idle ones the one that fits is taken', async (t) => {
  const made = rig();
  const connections = [];
  for (const schema of ['one', 'two', 'one']) connections.push(await made.get(ann, { schema }));
  for (const connection of connections) made.pool.checkIn(connection, NOTHING_LEFT);
  const { variables } = connections[1]!;
  const request = made.ask(new TestRequest(ann, { schema: 'two', variables }));
  t.equal(request.connection, connections[1]);
});

t.test('idle and old ones close, as many stay as are to be kept warm', async (t) => {
  const made = rig({ minIdle: 1, idleTimeoutMs: 1000, maxLifetimeMs: 50_000 });
  const connections = [await made.get(ann), await made.get(ann), await made.get(ann)];
  const [held, ...others] = connections;
  for (const connection of others) made.pool.checkIn(connection, NOTHING_LEFT);
  made.pool.closeIdle(Date.now() + 500);
  t.equal(made.pool.size, 3);
  made.pool.closeIdle(Date.now() + 2000);
  await waitUntil('one is closed', () => made.pool.size === 2);
  made.pool.closeIdle(Date.now() + 60_000);
  await waitUntil('the old one is closed too', () => made.pool.size === 1);
  t.notOk(held!.isClosed, 'nobody takes one that is held');
});

t.test('a connection that its server is about to end is given to nobody', async (t) => {
  const made = rig();
  const connection = await made.get(ann);
  const { variables } = connection;
  t.ok(Number(variables?.values.get('wait_timeout')) > 0, 'the server has told when that is');
  // As a session leaves it that has set its own.
  connection.variables = variables!.with([['wait_timeout', '10']]);
  made.pool.checkIn(connection, NOTHING_LEFT);
  t.equal(await made.get(ann), connection, 'at first it is as good as any');
  made.pool.checkIn(connection, NOTHING_LEFT);
  connection.idleSince = Date.now() - 5100;
  t.not(await made.get(ann), connection, 'then another one is opened');
  await waitUntil('and it is closed', () => connection.isClosed);
  t.equal(connection.closeReason, 'wait_timeout');
});

t.test('a connection past its lifetime is not kept when it comes back', async (t) => {
  const made = rig({ maxLifetimeMs: 1 });
  const connection = await made.get(ann);
  await waitUntil('it is old', () => Date.now() - connection.createdAt > 1);
  made.pool.checkIn(connection, NOTHING_LEFT);
  await waitUntil('it is closed', () => connection.isClosed);
  t.equal(connection.closeReason, 'too-old');
});

t.test('a burst opens as many as it needs, so many at a time', async (t) => {
  // With one opening at a time, nobody opened the next one before a new check-out came.
  const made = rig({ maxConnecting: 1 });
  const requests = Array.from({ length: 5 }, () => made.ask(new TestRequest(ann)));
  const connections = await Promise.all(requests.map((request) => request.ready()));
  t.equal(new Set(connections).size, 5);
  t.equal(made.pool.size, 5);
});

t.test('short reads of one turn share a connection until it is sent', async (t) => {
  const made = rig();
  const first = await made.get(ann, { schema: 'one' });
  const { variables } = first;
  made.pool.checkIn(first, NOTHING_LEFT);
  const read = { schema: 'one', variables, batchDepth: 3 };
  const answers: Promise<string | null>[] = [];
  const join = (options: object) => {
    const request = made.ask(new TestRequest(ann, { ...read, ...options }));
    if (request.connection !== null) answers.push(firstValue(request.connection, 'SELECT 1'));
    return request.connection;
  };
  t.equal(join({}), first);
  t.equal(join({ schema: 'two' }), null, 'another schema does not join');
  t.equal(join({ batchDepth: 0 }), null, 'nor who wants to be alone');
  t.equal(join({}), first);
  t.equal(join({}), first);
  t.equal(join({}), null, 'no more than three');
  // Before those who wait have connections of their own.
  t.equal(made.gauge('inUse'), 1, 'counted once');
  await new Promise((resolve) => setImmediate(resolve));
  t.not(join({}), first, 'nor behind what is sent');
  t.same(await Promise.all(answers), ['1', '1', '1']);
  made.pool.batchDone(first);
  await waitUntil('the others have connections of their own', () => made.pool.size === 5);
});

t.test('a batch waits for its last reply', async (t) => {
  const made = rig();
  const connection = await made.get(ann);
  made.pool.checkIn(connection, NOTHING_LEFT);
  const { variables } = connection;
  const request = made.ask(new TestRequest(ann, { variables, batchDepth: 2 }));
  const answers = [run(request.connection!, 'SELECT 1'), run(request.connection!, 'SELECT 2')];
  made.pool.batchDone(connection);
  t.notOk(made.pool.hasIdle(connection));
  await Promise.all(answers);
  made.pool.batchDone(connection);
  t.ok(made.pool.hasIdle(connection));
});

t.test('an open transaction is rolled back before anybody else gets the connection', async (t) => {
  const made = rig({ maxConnections: 1 });
  const connection = await made.get(ann);
  await run(connection, 'BEGIN');
  await run(connection, 'INSERT INTO one.t VALUES (1)');
  const next = made.ask(new TestRequest(ann));
  made.pool.checkIn(connection, NOTHING_LEFT);
  t.notOk(next.settled);
  t.equal(await next.ready(), connection);
  t.equal(await firstValue(connection, 'SELECT COUNT(*) FROM one.t'), '0');
  t.equal(await firstValue(connection, 'SELECT @@in_transaction'), '0');
});

t.test('a transaction that a statement began before another one failed is rolled back too', async (t) => {
  // BEGIN; SELECT broken: the ERR said nothing of the transaction, and the connection passed for clean.
  const made = rig({ maxConnections: 1 });
  const multi = keyOf('ann', 'ann-secret', 0x10000);
  const connection = await made.get(multi);
  const { errno } = await run(connection, 'BEGIN; INSERT INTO one.t VALUES (2); SELECT nosuch');
  t.equal(errno, 1054);
  made.pool.checkIn(connection, NOTHING_LEFT);
  const next = await made.get(multi);
  t.equal(next, connection);
  t.equal(await firstValue(next, 'SELECT @@in_transaction'), '0');
  t.equal(await firstValue(next, 'SELECT COUNT(*) FROM one.t'), '0');
});

t.test('a first statement that fails with autocommit off leaves a transaction', async (t) => {
  const made = rig({ maxConnections: 1 });
  await server.query('INSERT INTO one.t VALUES (3)');
  const connection = await made.get(ann);
  await run(connection, 'SET autocommit = 0');
  t.equal((await run(connection, 'INSERT INTO one.t VALUES (3)')).errno, 1062);
  made.pool.checkIn(connection, NOTHING_LEFT);
  const next = await made.get(ann);
  t.equal(await firstValue(next, 'SELECT @@in_transaction'), '0');
  await server.query('DELETE FROM one.t');
});

t.test('what no report describes is reset', async (t) => {
  const made = rig({ maxConnections: 1 });
  const connection = await made.get(ann, { schema: 'one' });
  const { variables } = connection;
  await run(connection, "SET @secret = 'mine', SESSION sql_mode = 'ANSI'");
  await run(connection, 'CREATE TEMPORARY TABLE hidden (a INT)');
  await run(connection, "SELECT GET_LOCK('mine', 0)");
  made.pool.checkIn(connection, UNTRACKED);
  t.equal(made.pool.hasIdle(connection), false, 'not before it is done');
  const next = await made.get(ann, { schema: 'one' });
  t.equal(next, connection);
  t.equal(await firstValue(next, 'SELECT @secret'), null);
  t.equal((await run(next, 'SELECT * FROM hidden')).errno, 1146);
  t.equal(await server.queryValue("SELECT IS_FREE_LOCK('mine')"), '1');
  t.equal(next.variables?.values.get('sql_mode'), variables?.values.get('sql_mode'));
  t.equal(next.schema, await firstValue(next, 'SELECT DATABASE()'));
});

t.test('a killed one, a role, a busy one: closed', async (t) => {
  const made = rig();
  const killed = await made.get(ann);
  killed.tainted = true;
  made.pool.checkIn(killed, NOTHING_LEFT);
  const withRole = await made.get(ann);
  made.pool.checkIn(withRole, { ...UNTRACKED, survivesReset: true });
  const busy = await made.get(ann);
  run(busy, 'SELECT SLEEP(5)').catch(() => undefined);
  made.pool.checkIn(busy, NOTHING_LEFT);
  await waitUntil('all closed', () => killed.isClosed && withRole.isClosed && busy.isClosed);
  t.same(
    [killed, withRole, busy].map(({ closeReason }) => closeReason),
    ['killed', 'survives-reset', 'replies-owed'],
  );
});

t.test(
  'another server is the primary: what runs alone gets its answer, what is bound ends at once',
  async (t) => {
    const made = rig();
    const taken = async (isOneStatement: boolean): Promise<[BackendConnection, TestRequest]> => {
      const request = new TestRequest(ann);
      request.isOneStatement = isOneStatement;
      const connection = await made.ask(request).ready();
      connection.holder = request;
      return [connection, request];
    };
    const [[open, its], [quiet, waiting], [alone], [keeping, keeper], [stuck]] = [
      await taken(false),
      await taken(true),
      await taken(true),
      await taken(true),
      await taken(true),
    ];
    const idle = await made.get(ann);
    made.pool.checkIn(idle, NOTHING_LEFT);
    // As a session does that keeps nothing there.
    const givenBack = new Promise<string>((resolve) => {
      const recorder = new RecordingReply((_, { rows }) => {
        made.pool.checkIn(alone, NOTHING_LEFT);
        resolve(String(rows[0]?.[0]));
      }, resolve);
      alone.sendCommand(Command.COM_QUERY, 'SELECT 1', ownReply(recorder));
    });
    const answers = [
      firstValue(open, 'SELECT 1').catch(String),
      givenBack,
      firstValue(keeping, 'SELECT 1').catch(String),
    ];
    const never = run(stuck, 'SELECT SLEEP(30)').then(() => 'answered', String);
    made.pool.endTerm(true, 'the term is over');
    t.strictSame(await Promise.all(answers), ['Error: the term is over', '1', '1']);
    await waitUntil('what was kept is closed', () => keeper.lostHeld === 1);
    t.equal(keeping.closeReason, 'the term is over');
    t.equal(waiting.lostHeld, 1, 'what owed nothing');
    t.equal(quiet.isClosed, true);
    t.equal(its.lostHeld, 0, 'it was told by its answer');
    t.notOk(alone.isLeaving || idle.isLeaving, 'what is free is read from, as any replica');
    t.notOk(stuck.isLeaving);
    made.pass(6000);
    t.equal(await never, 'Error: the term is over', 'nobody waits for ever');
    t.equal(made.pool.size, 2);
  },
);

t.test('closing: who waits is told, idle ones go, held ones when they come back', async (t) => {
  const made = rig({ maxConnections: 2 });
  const [held, idle] = [await made.get(ann), await made.get(ann)];
  made.pool.checkIn(idle, NOTHING_LEFT);
  made.ask(new TestRequest(ann));
  const waiting = made.ask(new TestRequest(ann));
  made.pool.close();
  t.match(waiting.failure, { kind: 'closed' });
  t.match(await made.ask(new TestRequest(ann)).failed(), { kind: 'closed' });
  t.notOk(held.isClosed);
  t.equal(await firstValue(held, 'SELECT 1'), '1', 'still of use');
  made.pool.checkIn(held, NOTHING_LEFT);
  await waitUntil('it is closed', () => held.isClosed);
  t.equal(held.closeReason, 'pool-closing');
});

t.test('a connection of a pool that was closed is not taken in by its successor', async (t) => {
  const shared = new SharedCounters();
  const [before, after] = [rig({}, shared), rig({}, shared)];
  const connection = await before.get(ann);
  before.pool.close();
  after.pool.checkIn(connection, NOTHING_LEFT);
  await waitUntil('it is closed', () => connection.isClosed);
  t.equal(after.ask(new TestRequest(ann)).connection, null);
});

t.test('nobody listens: all who wait are told, and the monitor', async (t) => {
  const port = await freePort();
  const made = new PoolRig(madeServer(`127.0.0.1:${port}`));
  const requests = [ann, bob, ann].map((key) => made.ask(new TestRequest(key)));
  for (const request of requests)
    t.match(await request.failed(), { kind: 'unreachable', message: /ECONNREFUSED/ });
  t.ok(made.failures.length >= 1);
  await made.end();
  t.equal(made.gauge('connections'), 0);
});

t.test('a server that accepts and says nothing', async (t) => {
  server.freeze();
  const made = rig({ connectTimeoutMs: 100 });
  try {
    const request = made.ask(new TestRequest(ann));
    t.match(await request.failed(), { kind: 'unreachable', message: /100 ms/ });
  } finally {
    server.resume();
  }
});

t.test('a server that hangs in a reset does not keep the place', async (t) => {
  // The logins in front of it and behind it have no more time either.
  const made = rig({ maxConnections: 1, connectTimeoutMs: 1000 });
  const connection = await made.get(ann);
  server.freeze();
  try {
    made.pool.checkIn(connection, UNTRACKED);
    await waitUntil('it is given up', () => connection.isClosed);
  } finally {
    server.resume();
  }
  t.ok(await made.get(ann));
});

t.test('a wrong password is the trouble of that key only', async (t) => {
  const made = rig();
  const wrong = keyOf('ann', 'no');
  const requests = [wrong, ann, wrong].map((key) => made.ask(new TestRequest(key)));
  t.match(await requests[0]!.failed(), { kind: 'refused', refusal: { errno: 1045, sqlState: '28000' } });
  t.match(await requests[2]!.failed(), { kind: 'refused', refusal: { errno: 1045 } });
  t.ok(await requests[1]!.ready());
  t.same(made.failures, [], 'the server itself is well');
});

t.test('an unknown schema is the trouble of who asked for it only', async (t) => {
  // Others of the same user were told of a schema that they had never named.
  const made = rig({ maxConnecting: 1 });
  const lost = made.ask(new TestRequest(ann, { schema: 'nosuch' }));
  const others = [made.ask(new TestRequest(ann, { schema: 'one' })), made.ask(new TestRequest(bob))];
  t.match(await lost.failed(), { kind: 'refused', refusal: { errno: 1049 } });
  for (const other of others) t.ok(await other.ready());
});

t.test('a server that is full: waiting goes on, and it is not stormed', async (t) => {
  const limit = (await server.queryValue('SELECT @@max_connections')) ?? '';
  const made = rig({ waitTimeoutMs: 1000 });
  const connection = await made.get(ann);
  // Root's spare place is taken by the test's own connection.
  const inUse = Number(
    await server.queryValue(
      "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'THREADS_CONNECTED'",
    ),
  );
  await server.query(`SET GLOBAL max_connections = ${Math.max(10, inUse)}`);
  const fillers = [];
  try {
    for (;;) {
      const filler = made.ask(new TestRequest(bob));
      await waitUntil('an outcome', () => filler.settled || made.log.some((line) => line.includes('1040')));
      if (filler.connection === null) {
        made.pool.cancel(filler);
        break;
      }
      fillers.push(filler.connection);
    }
    const attempts = made.log.length;
    const request = made.ask(new TestRequest(ann));
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    await firstValue(connection, 'SELECT SLEEP(0.3)');
    t.ok(made.log.length - attempts < 30, `${made.log.length - attempts} log lines in 0.3 s`);
    made.pool.checkIn(connection, NOTHING_LEFT);
    t.equal(await request.ready(), connection);
  } finally {
    await server.query(`SET GLOBAL max_connections = ${limit}`);
  }
});
