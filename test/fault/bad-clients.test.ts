/** Clients that send nonsense: each gets a clear error, the log says why, nobody else notices. */

import t, { type Test } from 'tap';
import { readAnswer } from '../integration/differential/wire-answer.ts';
import { Command } from '../integration/differential/wire-constants.ts';
import { decodeErr } from '../integration/differential/wire-record.ts';
import { WireSocket } from '../integration/differential/wire-socket.ts';
import { APP_ACCOUNT, ReplicationSet } from '../support/replication-set.ts';
import { SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';
import { Bystander, undisturbedTest } from './bystander.ts';
import { frame, rawLogin } from './raw-login.ts';

const MAX_CONNECTIONS = 12;
const MAX_USER_CONNECTIONS = 3;
const MAX_PACKET_BYTES = 1_048_576;
/** So long that no login of this file misses it, however busy the machine is. */
const HANDSHAKE_TIMEOUT_MS = 2000;
const FEW = { username: 'few', password: 'few-secret', maxConnections: MAX_USER_CONNECTIONS };

const set = new ReplicationSet({
  replicas: 0,
  sql: [`CREATE USER few IDENTIFIED BY 'few-secret'`, 'GRANT ALL ON *.* TO few'],
});
let sluice: SluiceProcess;
let bystander: Bystander;
const test = undisturbedTest(() => ({ sluice, bystander }));

t.before(async () => {
  await set.start();
  sluice = await SluiceProcess.startFor(set, {
    config: {
      users: [APP_ACCOUNT, FEW],
      limits: {
        maxConnections: MAX_CONNECTIONS,
        maxPacketBytes: MAX_PACKET_BYTES,
        handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      },
    },
  });
  bystander = await Bystander.start(sluice);
});
t.teardown(async () => {
  await bystander?.stop();
  await sluice?.dispose();
  await set.dispose();
});

/** A connection whose greeting has been read and that has not answered it. */
async function greeted(): Promise<WireSocket> {
  const socket = await WireSocket.open(sluice.host, sluice.port);
  await socket.receive();
  return socket;
}

async function expectError(t: Test, socket: WireSocket, codes: readonly number[]): Promise<void> {
  const { payload } = await socket.receive();
  t.equal(payload[0], 0xff, 'an ERR packet');
  const { code } = decodeErr(payload).fields;
  t.ok(codes.includes(Number(code)), `error ${code} is one of ${codes.join(', ')}`);
}

test('garbage instead of a login', async (t) => {
  for (const [what, bytes] of [
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['zeros', Buffer.alloc(64)],
    ['ones', Buffer.alloc(64, 0xff)],
    ['a packet of nothing', frame(1, Buffer.alloc(0))],
    ['a packet that is too short', frame(1, Buffer.from([1, 2, 3]))],
    ['a login without an end', frame(1, Buffer.concat([Buffer.alloc(32, 0x85), Buffer.from('app')]))],
    ['an auth response longer than the packet', frame(1, loginWithAuthLength(250))],
  ] as const) {
    await t.test(what, async (t) => {
      const socket = await greeted();
      socket.sendBytes(bytes);
      await socket.waitForClose();
      t.ok(socket.closed, 'the connection is closed');
      socket.destroy();
    });
  }
  t.ok(await sluice.waitForLog(/client (broke the protocol|is disconnected)/), 'the log says why');
});

test('a login with a wrong sequence id', async (t) => {
  const socket = await greeted();
  socket.sendBytes(frame(7, loginWithAuthLength(0)));
  await expectError(t, socket, [1156]);
  await socket.waitForClose();
});

test('a client that never answers the greeting', async (t) => {
  const socket = await greeted();
  const startedAt = performance.now();
  await socket.waitForClose();
  t.ok(performance.now() - startedAt >= HANDSHAKE_TIMEOUT_MS / 2, 'not at once');
  await sluice.waitForLog(/Login was not finished|login not finished/);
});

test('a client that sends half a login', async (t) => {
  const socket = await greeted();
  socket.sendBytes(frame(1, Buffer.alloc(10), 200));
  await socket.waitForClose();
  t.ok(socket.closed, 'closed at the deadline');
});

test('wrong sequence id of a command', async (t) => {
  const client = await rawLogin(sluice);
  client.socket.sendBytes(frame(5, Buffer.from('\x03SELECT 1')));
  const { payload } = await client.socket.receive();
  t.equal(decodeErr(payload).fields.code, 1156);
  t.equal(decodeErr(payload).fields.sqlState, '08S01');
  await client.socket.waitForClose();
  await sluice.waitForLog(/out of order|sequence id/);
});

test('a statement over the limit', async (t) => {
  const client = await rawLogin(sluice);
  client.command(Command.query, Buffer.alloc(MAX_PACKET_BYTES + 1, 0x20));
  const records = await readAnswer(client);
  t.equal(records[0]?.fields.code, 1153);
  await client.socket.waitForClose();
  await sluice.waitForLog(/max_allowed_packet|1153|PROXY_PACKET_TOO_LARGE/);
});

test('a statement of many frames over the limit is not collected', async (t) => {
  const client = await rawLogin(sluice);
  const before = await sluice.rss();
  const full = Buffer.alloc(0xffffff, 0x20);
  for (let sequenceId = 0; sequenceId < 8 && !client.socket.closed; sequenceId++) {
    client.socket.sendBytes(frame(sequenceId, full));
  }
  await client.socket.waitForClose();
  t.ok((await sluice.rss()) - before < 64 * 1_048_576, 'memory stays bounded');
});

test('a command of no bytes, and one that does not exist', async (t) => {
  const client = await rawLogin(sluice);
  client.socket.sendCommand(Buffer.from([0x5a, 1, 2, 3]));
  t.equal((await readAnswer(client))[0]?.fields.code, 1047);
  client.command(Command.query, Buffer.from('SELECT 1'));
  t.equal((await readAnswer(client)).at(-1)?.kind, 'ok-eof', 'the session goes on');
  client.close();
});

test('a client that goes away in the middle of a packet', async (t) => {
  await onlyBystanderIsThere();
  const client = await rawLogin(sluice);
  client.socket.sendBytes(frame(0, Buffer.from('\x03SELECT'), 500));
  client.socket.destroy();
  await onlyBystanderIsThere();
  t.pass('no session is left');
});

test('a wrong password', async (t) => {
  const { greeting, socket } = await rawLogin(sluice, { password: 'wrong' });
  t.same(greeting.fields, {
    code: 1045,
    sqlState: '28000',
    message: "Access denied for user 'app'@'127.0.0.1' (using password: YES)",
  });
  await socket.waitForClose();
  await sluice.waitForLog(/1045|PROXY_ACCESS_DENIED/);
  t.notOk(sluice.logContains(APP_ACCOUNT.password), 'no password in the log');
});

test('an unknown user, with and without a password', async (t) => {
  for (const [password, using] of [
    ['x', 'YES'],
    ['', 'NO'],
  ] as const) {
    const { greeting, socket } = await rawLogin(sluice, { user: 'nobody', password });
    t.same(greeting.fields, {
      code: 1045,
      sqlState: '28000',
      message: `Access denied for user 'nobody'@'127.0.0.1' (using password: ${using})`,
    });
    await socket.waitForClose();
  }
});

test('an unknown schema', async (t) => {
  const { greeting, socket } = await rawLogin(sluice, {
    user: FEW.username,
    password: FEW.password,
    schema: 'nosuch',
  });
  t.equal(greeting.fields.code, 1049);
  t.equal(greeting.fields.sqlState, '42000');
  t.match(greeting.fields.message, /Unknown database 'nosuch'/);
  await socket.waitForClose();
});

test('too many connections', async (t) => {
  await onlyBystanderIsThere();
  const clients = await Promise.all(Array.from({ length: MAX_CONNECTIONS - 1 }, () => rawLogin(sluice)));
  t.ok(
    clients.every(({ greeting }) => greeting.kind === 'ok'),
    'as many as the limit allows',
  );
  const refused = await rawLogin(sluice);
  t.equal(refused.greeting.fields.code, 1040);
  t.equal(refused.greeting.fields.sqlState, '08004');
  clients.pop()?.close();
  await waitUntil('one is free', async () => (await openSessions()) < MAX_CONNECTIONS);
  const again = await rawLogin(sluice);
  t.equal(again.greeting.kind, 'ok', 'the place that became free is used');
  for (const client of [...clients, again]) client.close();
  await onlyBystanderIsThere();
  await sluice.waitForLog(/1040|Too many connections/);
});

test('too many connections of one user', async (t) => {
  const account = { user: FEW.username, password: FEW.password };
  const clients = await Promise.all(
    Array.from({ length: MAX_USER_CONNECTIONS }, () => rawLogin(sluice, account)),
  );
  t.ok(
    clients.every(({ greeting }) => greeting.kind === 'ok'),
    'as many as the limit allows',
  );
  const refused = await rawLogin(sluice, account);
  t.ok([1203, 1226].includes(Number(refused.greeting.fields.code)), `error ${refused.greeting.fields.code}`);
  const other = await rawLogin(sluice);
  t.equal(other.greeting.kind, 'ok', 'another user is not affected');
  for (const client of [...clients, other]) client.close();
});

/** Client connections that Sluice counts. */
function openSessions(): Promise<number> {
  return sluice.metric('sluice_frontend_connections');
}

/** A client sees its connection closed before Sluice has counted it off. */
async function onlyBystanderIsThere(): Promise<void> {
  await waitUntil('only the bystander is there', async () => (await openSessions()) === 1);
}

function loginWithAuthLength(claimed: number): Buffer {
  const fixed = Buffer.alloc(32);
  fixed.writeUInt32LE(0x000fa285, 0);
  fixed.writeUInt32LE(0x1000000, 4);
  fixed[8] = 45;
  return Buffer.concat([
    fixed,
    Buffer.from('app\0'),
    Buffer.from([claimed]),
    Buffer.alloc(Math.min(claimed, 4)),
  ]);
}
