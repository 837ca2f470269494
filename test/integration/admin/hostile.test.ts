/** Whoever connects and whatever comes: that client gets an error, and everybody else an answer. */

import t from 'tap';
import {
  Command,
  decodeErr,
  decodeOk,
  encodeBareCommand,
  encodeComFieldList,
  encodeComInitDb,
  encodeComQuery,
  encodeComSetOption,
  framePacket,
  type HandshakeFailure,
} from '../../../protocol/index.ts';
import type { AdminServerOptions } from '../../../src/control/admin/admin-server.ts';
import { freePort } from '../../support/ports.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { WireClient } from '../protocol/wire-client.ts';
import { AdminUnderTest, CREDENTIALS, RawClient } from './admin-under-test.ts';

async function login(admin: AdminUnderTest): Promise<WireClient> {
  const client = await WireClient.login(admin.address, CREDENTIALS);
  if (!(client instanceof WireClient)) throw new Error(JSON.stringify(client));
  return client;
}

function query(text: string | Buffer, client: WireClient): Buffer {
  return encodeComQuery({ query: text }, client.capabilities);
}

async function errorOf(client: WireClient, payload: Uint8Array, sequenceId = 0): Promise<number> {
  client.send(payload, sequenceId);
  return decodeErr(await client.packet()).errno;
}

async function isAlive(admin: AdminUnderTest): Promise<boolean> {
  const client = await login(admin);
  const { rows } = await client.resultset(query('SHOW TOPOLOGY', client));
  client.close();
  return rows.length === 3;
}

async function start(t: Tap, options: Partial<AdminServerOptions> = {}): Promise<AdminUnderTest> {
  const admin = await AdminUnderTest.start(options);
  t.teardown(() => admin.stop());
  return admin;
}
type Tap = Pick<typeof t, 'teardown'>;

t.test('each command of the protocol', async (t) => {
  const admin = await start(t);
  const client = await login(admin);
  await client.ok(encodeBareCommand(Command.COM_PING));
  await client.ok(encodeComInitDb({ schema: 'stats' }));
  const { rows } = await client.resultset(query('SELECT DATABASE()', client));
  t.strictSame(rows.map(String), ['\u0005stats']);
  await client.ok(encodeBareCommand(Command.COM_RESET_CONNECTION));
  client.send(encodeComSetOption({ option: 0 }));
  const end = await client.packet();
  t.equal(end[0], 0xfe);
  decodeOk(end, client.capabilities);
  t.not(await errorOf(client, encodeComFieldList({ table: 'x', wildcard: '' })), 0, 'no such table');
  const unknown = [0x00, 0x05, 0x07, 0x08, 0x0d, 0x12, 0x1d, 0x1e, 0x7f, 0xff];
  for (const command of unknown)
    t.equal(await errorOf(client, Buffer.from([command, 1, 2])), 1047, `0x${command.toString(16)}`);
  t.equal(await errorOf(client, Buffer.alloc(0)), 1047, 'a packet of nothing');
  t.equal(await errorOf(client, Buffer.from([Command.COM_SET_OPTION])), 1835, 'a packet that ends too early');
  t.equal(await errorOf(client, encodeComInitDb({ schema: '' })), 1210);
  t.equal(await errorOf(client, encodeComInitDb({ schema: 'x'.repeat(65) })), 1210);
  t.equal(await errorOf(client, query(Buffer.from([0x53, 0xc3, 0x28]), client)), 1300, 'not UTF-8');
  await client.ok(encodeBareCommand(Command.COM_PING));
  client.send(encodeBareCommand(Command.COM_QUIT));
  await t.rejects(client.packet(), { message: 'The server closed the connection' });
  t.strictSame(admin.errors, []);
});

t.test('a packet over the limit, by its header already', async (t) => {
  const admin = await start(t);
  const client = await login(admin);
  const limit = 1024 * 1024;
  t.equal(await errorOf(client, query(`SELECT ${'x'.repeat(limit - 8)}`, client)), 1054, 'just below it');
  t.equal(await errorOf(client, query(`SELECT ${'x'.repeat(limit)}`, client)), 1153, 'above it');
  await t.rejects(client.packet(), 'the connection is closed');
  const raw = await RawClient.connect(admin.server.port);
  await waitUntil('the greeting is here', () => raw.packets.length === 1);
  raw.socket.write(Buffer.from([0xff, 0xff, 0xff, 0x01]));
  await raw.closed;
  t.equal(raw.lastError?.errno, 1153, 'before the login too');
  t.ok(await isAlive(admin));
});

t.test('packets out of order', async (t) => {
  const admin = await start(t);
  const client = await login(admin);
  t.equal(await errorOf(client, encodeBareCommand(Command.COM_PING), 3), 1156);
  await t.rejects(client.packet());
  t.ok(await isAlive(admin));
});

const UNANSWERED: ReadonlySet<number> = new Set([
  Command.COM_QUIT,
  Command.COM_STMT_CLOSE,
  Command.COM_STMT_SEND_LONG_DATA,
  Command.COM_CHANGE_USER,
]);

t.test('seeded garbage, before and after the login', async (t) => {
  const admin = await start(t);
  const random = new SeededRandom(20_261_121);
  const bytes = (count: number) => Buffer.from(Array.from({ length: count }, () => random.below(256)));
  for (let round = 0; round < 60; round++) {
    const raw = await RawClient.connect(admin.server.port);
    raw.socket.write(
      round % 2 === 0 ? bytes(1 + random.below(2000)) : framePacket(bytes(1 + random.below(300)), 1),
    );
    raw.socket.end();
    await raw.closed;
  }
  for (let round = 0; round < 40; round++) {
    const client = await login(admin);
    for (let count = 0; count < 5; count++) {
      const payload = bytes(1 + random.below(200));
      // Without an answer, or the end of the connection.
      if (UNANSWERED.has(payload[0]!)) payload[0] = Command.COM_QUERY;
      client.send(payload);
      await client.packet();
    }
    client.close();
  }
  t.ok(await isAlive(admin));
  t.strictSame(admin.errors, [], `seed ${20_261_121}`);
});

t.test('who never logs in, or stops in the middle of a packet', async (t) => {
  const admin = await start(t, { limits: { loginTimeoutMs: 100 } });
  const silent = await RawClient.connect(admin.server.port);
  await silent.closed;
  t.equal(silent.lastError?.errno, 9007);
  const slow = await RawClient.connect(admin.server.port);
  slow.socket.write(Buffer.from([0x20, 0x00, 0x00, 0x01, 0x8d]));
  await slow.closed;
  t.equal(slow.lastError?.errno, 9007);
});

t.test('who sends no command for too long, or only half of one', async (t) => {
  const admin = await start(t, { limits: { idleTimeoutMs: 100 } });
  const idle = await RawClient.login(admin);
  await idle.closed;
  t.equal(idle.lastError?.errno, 1159);
  const half = await RawClient.login(admin);
  half.socket.write(Buffer.from([0x20, 0x00, 0x00, 0x00, Command.COM_QUERY]));
  await half.closed;
  t.equal(half.lastError?.errno, 1159);
});

t.test('a command that comes together with the login, and one that comes byte by byte', async (t) => {
  const admin = await start(t);
  const ping = framePacket(encodeBareCommand(Command.COM_PING), 0);
  const hasty = await RawClient.login(admin, ping);
  await waitUntil('the command is answered', () => hasty.packets.length === 1);
  t.equal(hasty.packets[0]?.payload[0], 0);
  for (const byte of framePacket(encodeComQuery({ query: 'SELECT 42' }, 0), 0)) {
    hasty.socket.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  await waitUntil('the answer is here', () => hasty.packets.length === 6);
  t.equal(String(hasty.packets[4]?.payload.subarray(1)), '42');
  hasty.socket.destroy();
});

t.test('too many logins at once: the oldest makes room', async (t) => {
  const admin = await start(t, { limits: { maxLogins: 3 } });
  const silent: RawClient[] = [];
  for (let count = 0; count < 3; count++) {
    silent.push(await RawClient.connect(admin.server.port));
    await waitUntil('it has the greeting', () => silent.at(-1)?.packets.length === 1);
  }
  t.ok(await isAlive(admin));
  await silent[0]?.closed;
  t.equal(silent[1]?.socket.destroyed, false);
  for (const client of silent) client.socket.destroy();
});

t.test('too many sessions', async (t) => {
  const admin = await start(t, { limits: { maxSessions: 2 } });
  const [first] = [await login(admin), await login(admin)];
  const refused = await WireClient.login(admin.address, CREDENTIALS);
  t.match(refused as HandshakeFailure, { kind: 'failed' });
  t.match(JSON.stringify(refused), /1040|Too many connections/);
  first?.close();
  await waitUntil('the place is free again', async () => {
    const next = await WireClient.login(admin.address, CREDENTIALS);
    return next instanceof WireClient;
  });
});

t.test('commands sent in a heap are answered in order, and others in between', async (t) => {
  const admin = await start(t);
  const greedy = await RawClient.login(admin);
  const heap = Array.from({ length: 5000 }, (_, n) =>
    framePacket(encodeComQuery({ query: `SELECT ${n} n` }, 0), 0),
  );
  greedy.socket.write(Buffer.concat(heap));
  t.ok(await isAlive(admin), 'somebody else has an answer');
  t.ok(greedy.packets.length < 25_000, 'before all of the heap is done');
  await waitUntil('all is answered', () => greedy.packets.length === 25_000, { timeoutMs: 60_000 });
  const values = greedy.packets
    .filter((_, index) => index % 5 === 3)
    .map(({ payload }) => Number(payload.subarray(1)));
  t.strictSame(
    values,
    values.map((_, n) => n),
  );
  greedy.socket.destroy();
});

t.test('a client that never reads its answers', async (t) => {
  const admin = await start(t, { limits: { writeTimeoutMs: 300 } });
  admin.state.explain = async () => [{ step: 'x', value: 'y'.repeat(4_000_000) }];
  const client = await RawClient.login(admin);
  client.socket.pause();
  const command = framePacket(encodeComQuery({ query: 'EXPLAIN ROUTE x' }, 0), 0);
  client.socket.write(Buffer.concat(Array.from({ length: 50 }, () => command)));
  await waitUntil('it is closed', () => admin.log.some(({ message }) => message.includes('does not read')));
  t.ok(admin.state.explained.length < 10, 'what it asked for was not all made and kept');
  client.socket.destroy();
  admin.state.explain = async () => [];
  t.ok(await isAlive(admin));
});

t.test('a worker that never answers, and a fault in a command', async (t) => {
  const admin = await start(t, { limits: { commandTimeoutMs: 100 } });
  admin.state.explain = () => new Promise(() => undefined);
  const client = await login(admin);
  t.equal(await errorOf(client, query('EXPLAIN ROUTE SELECT 1', client)), 3024);
  admin.state.explain = () => Promise.reject(new TypeError('broken'));
  t.equal(await errorOf(client, query('EXPLAIN ROUTE SELECT 1', client)), 9013);
  await client.ok(encodeBareCommand(Command.COM_PING));
  t.match(admin.errors, [{ message: 'admin command failed' }]);
});

t.test('close', async (t) => {
  const admin = await AdminUnderTest.start();
  const client = await login(admin);
  const pending = await RawClient.connect(admin.server.port);
  await waitUntil('the greeting is here', () => pending.packets.length === 1);
  await admin.stop();
  t.equal(decodeErr(await client.packet()).errno, 1053);
  await pending.closed;
  await t.rejects(RawClient.connect(admin.server.port), 'nobody listens any more');
});

t.test('what cannot start', async (t) => {
  const users = [{ username: 'admin', password: 'admin' }];
  await t.rejects(AdminUnderTest.start({ host: '0.0.0.0', users }), {
    message: /default password for: admin/,
  });
  const hashed = [{ username: 'ops', password: '*4ACFE3202A5FF5CF467898FC58AAB1D615029441' }];
  await t.rejects(AdminUnderTest.start({ host: '0.0.0.0', users: hashed }), {
    message: /default password for: ops/,
  });
  const onLoopback = await start(t, { users });
  t.equal(onLoopback.server.host, '127.0.0.1');
  const port = await freePort();
  await start(t, { port });
  await t.rejects(AdminUnderTest.start({ port }), { code: 'EADDRINUSE' });
});
