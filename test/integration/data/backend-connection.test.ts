/** One connection to a server that keeps, or breaks, the protocol as the test says. */

import t, { type Test } from 'tap';
import { AnswerShape, Command, frameErr, type ResponseTracker } from '../../../protocol/index.ts';
import { BackendConnection } from '../../../src/data/backend/backend-connection.ts';
import type { ConnectionFailure } from '../../../src/data/backend/backend-login.ts';
import { LatencyAverage } from '../../../src/data/backend/balancing/latency-average.ts';
import { discardSink, type ReplyOwner } from '../../../src/data/backend/expected-reply.ts';
import { FlushScheduler } from '../../../src/data/io/flush-scheduler.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { madeServer } from './made-snapshot.ts';
import { firstValue, keyOf, run } from './pool-rig.ts';
import { ScriptedServer } from './scripted-server.ts';

interface Rig {
  readonly server: ScriptedServer;
  readonly connection: BackendConnection;
  /** How often the connection has told that it is ready. */
  readonly told: { ready: number; closed: number; failure: ConnectionFailure | null };
  /** All the server has got so far. */
  received(count: number): Promise<void>;
  closed(): Promise<string>;
}

async function connect(
  t: Test,
  prepare: (server: ScriptedServer) => void = () => undefined,
  password = 'secret',
): Promise<Rig> {
  const server = await new ScriptedServer().start();
  prepare(server);
  const told: Rig['told'] = { ready: 0, closed: 0, failure: null };
  const connection = new BackendConnection(
    {
      server: madeServer(server.address),
      key: keyOf('ann', password),
      collationId: 45,
      schema: null,
      connectTimeoutMs: 2000,
      latency: new LatencyAverage(),
    },
    new FlushScheduler(() => undefined),
    {
      connectionReady: () => {
        told.ready++;
      },
      connectionClosed: (_, failure) => {
        told.closed++;
        told.failure = failure;
      },
      countStatements: () => undefined,
    },
  );
  t.teardown(async () => {
    connection.close('the test is over');
    await server.stop();
  });
  const closed = async (): Promise<string> => {
    await waitUntil('the connection is closed', () => connection.isClosed);
    return connection.closeReason;
  };
  await waitUntil('an outcome', () => connection.ready || connection.isClosed);
  return {
    server,
    connection,
    told,
    closed,
    received: async (count) => {
      await waitUntil('the server has them', () => server.statements.length >= count);
    },
  };
}

/** Writes down what becomes of its reply. */
class Owner implements ReplyOwner {
  readonly events: string[] = [];
  forwarded = 0;

  replyComplete(_connection: BackendConnection, tracker: ResponseTracker): void {
    this.events.push(`complete ${tracker.errno} ${tracker.rowCount}`);
  }

  replyLost(_connection: BackendConnection, reason: string, started: boolean): void {
    this.events.push(`lost ${started ? 'in the middle' : 'before it came'}: ${reason}`);
  }

  send(connection: BackendConnection, sql: string, repeatable = false): this {
    connection.sendCommand(Command.COM_QUERY, sql, {
      shape: AnswerShape.query,
      owner: this,
      sink: {
        ...discardSink,
        forward: (_buffer, start, end) => {
          this.forwarded += end - start;
          return false;
        },
      },
      clientCapabilities: connection.capabilities,
      statusBefore: 0,
      repeatable,
    });
    return this;
  }
}

t.test('set up, and answered in order', async (t) => {
  const { server, connection, told, received } = await connect(t);
  t.equal(told.ready, 1);
  t.match(connection, { threadId: 7, tracksState: true, schema: null });
  t.equal(connection.variables?.characterSetClient, 'utf8mb4');
  const answers = ['one', 'two', 'three'].map((sql) => firstValue(connection, sql));
  t.equal(connection.owed, 3);
  await received(3);
  t.same(server.statements, ['one', 'two', 'three']);
  const bytes = Buffer.concat(['1', '2', '3'].map((value) => server.row(value)));
  // Cut where it hurts: in a header, in a row.
  server.socket.write(bytes.subarray(0, 2));
  server.socket.write(bytes.subarray(2, bytes.length - 20));
  server.socket.write(bytes.subarray(bytes.length - 20));
  t.same(await Promise.all(answers), ['1', '2', '3']);
  t.equal(connection.owed, 0);
  t.equal(told.closed, 0);
});

t.test('a byte that nobody expects', async (t) => {
  const { server, closed, told } = await connect(t);
  server.socket.write(Buffer.from([0]));
  t.equal(await closed(), 'sent bytes that nobody expects');
  t.equal(told.closed, 1);
});

t.test('bytes behind the OK of the login', async (t) => {
  for (const bytes of [Buffer.from([1]), Buffer.from('0100000300', 'hex')]) {
    const { closed, told } = await connect(t, (server) => {
      server.behindLogin = bytes;
    });
    t.equal(await closed(), 'sent bytes that nobody expects');
    t.equal(told.ready, 0);
  }
});

t.test('bytes behind an answer that was asked for', async (t) => {
  const { server, connection, closed, received } = await connect(t);
  const owner = new Owner().send(connection, 'x');
  await received(1);
  server.socket.write(Buffer.concat([server.row('1'), Buffer.from([7])]));
  t.equal(await closed(), 'sent bytes that nobody expects');
  t.same(owner.events, ['complete 0 1'], 'the answer itself was whole');
});

t.test('a wrong sequence id', async (t) => {
  const { server, connection, closed, received } = await connect(t);
  const [first, second] = [new Owner().send(connection, 'x'), new Owner().send(connection, 'y')];
  await received(2);
  const answer = Buffer.from(server.row('1'));
  answer[3] = 9;
  server.socket.write(answer);
  t.match(await closed(), /^broke the protocol: .*sequence id 9, expected 1/);
  t.match(first.events, [/^lost before it came/]);
  t.match(second.events, [/^lost before it came/]);
});

t.test('a server that dies in the middle of an answer', async (t) => {
  const { server, connection, closed, received } = await connect(t);
  const [first, second] = [new Owner().send(connection, 'x'), new Owner().send(connection, 'y')];
  await received(2);
  server.socket.end(server.row('1').subarray(0, 40));
  t.equal(await closed(), 'closed by the server');
  t.same(first.events, ['lost in the middle: closed by the server']);
  t.same(second.events, ['lost before it came: closed by the server']);
});

t.test('who holds a connection on which nothing runs is told that it has gone', async (t) => {
  // Nobody was: the holder's next statement waited for ever.
  for (const waits of [false, true]) {
    const { server, connection, closed, received } = await connect(t);
    let told = 0;
    connection.holder = {
      isBound: true,
      isOneStatement: false,
      heldConnectionClosed: () => {
        told++;
      },
    };
    const owner = new Owner();
    if (waits) {
      owner.send(connection, 'x');
      await received(1);
    }
    server.socket.destroy();
    t.equal(await closed(), 'closed by the server');
    t.equal(told, waits ? 0 : 1);
    t.equal(owner.events.length, waits ? 1 : 0, 'once, by one way');
  }
});

t.test('who has gone gets nothing, who comes after gets their own', async (t) => {
  const { server, connection, received } = await connect(t);
  const [gone, successor, other] = [new Owner(), new Owner(), new Owner()];
  gone.send(connection, 'a');
  other.send(connection, 'b');
  gone.send(connection, 'c');
  await received(3);
  t.equal(connection.replies.abandon(gone, successor), 2);
  server.socket.write(Buffer.concat([server.row('1'), server.ok, server.row('2')]));
  await waitUntil('all answered', () => connection.owed === 0);
  t.same(gone.events, []);
  t.equal(gone.forwarded, 0);
  t.same(successor.events, ['complete 0 1', 'complete 0 1']);
  t.same(other.events, ['complete 0 0']);
});

t.test('reads behind a slow one are handed back, what is no read is not', async (t) => {
  const { server, connection, received } = await connect(t);
  const [slow, read, write, successor] = [new Owner(), new Owner(), new Owner(), new Owner()];
  slow.send(connection, 'slow', true);
  await received(1);
  server.socket.write(server.row('1').subarray(0, 30));
  await waitUntil('its answer has begun', () => slow.forwarded > 0);
  read.send(connection, 'read', true);
  write.send(connection, 'write');
  t.same(connection.replies.displaceFollowers(successor), [read]);
  server.socket.write(Buffer.concat([server.row('1').subarray(30), server.row('2'), server.ok]));
  await waitUntil('all answered', () => connection.owed === 0);
  t.same(slow.events, ['complete 0 1']);
  t.same(read.events, []);
  t.equal(read.forwarded, 0);
  t.same(successor.events, ['complete 0 1']);
  t.same(write.events, ['complete 0 0']);
});

t.test('a refusal at login is told in the words of the server', async (t) => {
  const { told, closed } = await connect(t, undefined, 'wrong');
  t.match(await closed(), /^refused by the server: 1045 /);
  t.match(told, { ready: 0, closed: 1, failure: { errno: 1045, sqlState: '28000' } });
});

t.test('a reset: everything is asked again; if it fails the connection goes', async (t) => {
  const { server, connection, told, closed } = await connect(t);
  const { variables } = connection;
  connection.variables = variables!.with([['sql_mode', 'ANSI']]);
  connection.reset();
  t.notOk(connection.ready);
  await waitUntil('it is ready again', () => connection.ready);
  t.equal(told.ready, 2);
  t.equal(connection.variables, variables);
  server.resetAnswer = frameErr(
    { errno: 1047, sqlState: '08S01', message: 'Unknown command' },
    server.capabilities,
    1,
  );
  connection.reset();
  t.match(await closed(), /COM_RESET_CONNECTION failed with 1047/);
  t.equal(told.ready, 2);
});

t.test('a rollback that fails closes the connection', async (t) => {
  const { server, connection, closed, received } = await connect(t);
  let done = 0;
  connection.upkeep.rollback(() => {
    done++;
  });
  await received(1);
  t.same(server.statements, ['ROLLBACK']);
  server.socket.write(server.ok);
  await waitUntil('it is done', () => done === 1);
  connection.upkeep.rollback(() => {
    done++;
  });
  await received(2);
  server.socket.write(frameErr({ errno: 1317, sqlState: '70100', message: 'no' }, server.capabilities, 1));
  t.match(await closed(), /ROLLBACK failed: 1317/);
  t.equal(done, 1);
});

t.test('a goodbye', async (t) => {
  const { server, connection, closed } = await connect(t);
  connection.quit('idle-timeout');
  t.equal(await closed(), 'idle-timeout');
  await waitUntil('the server saw it', () => server.socket.destroyed);
  connection.close('again');
  connection.quit('again');
  t.equal(connection.closeReason, 'idle-timeout');
});

t.test('an answer larger than the read buffer, to a statement larger than the write buffer', async (t) => {
  const { server, connection, received } = await connect(t);
  const long = 'x'.repeat(300_000);
  const answer = run(connection, long);
  await received(1);
  t.equal(server.statements[0]?.length, 300_000);
  server.socket.write(server.row('y'.repeat(200_000)));
  t.equal((await answer).rows[0]?.[0]?.length, 200_000);
});
