/** Where clients come from: Unix sockets, IPv6, and load balancers that tell whose connection they bring. */

import { spawn } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { Bystander } from '../../fault/bystander.ts';
import { frame } from '../../fault/raw-login.ts';
import { Haproxy } from '../../support/haproxy.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';
import { freePort } from '../../support/ports.ts';
import { APP_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { stockClient } from '../../support/stock-client.ts';
import { waitUntil } from '../../support/wait-until.ts';

const HANDSHAKE_TIMEOUT_MS = 4000;
const V2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

const directory = makeTemporaryDirectory('sockets');
const socketPath = join(directory, 'sluice.sock');
const otherPath = join(directory, 'other.sock');
const ipv6Port = await freePort();
await leaveDeadSocket(socketPath);
const set = new ReplicationSet({ replicas: 0 });
await set.start();
const sluice = await SluiceProcess.startFor(set, {
  config: {
    listen: { socket: socketPath, socketMode: '0700', addresses: [`[::1]:${ipv6Port}`, otherPath] },
    limits: { handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS },
    // Of loopback one address is believed, which HAProxy uses; 127.0.0.1 is not.
    proxyProtocol: { networks: ['127.0.0.2/32', '2001:db8::/32'] },
  },
});
const bystander = await Bystander.start(sluice);
const haproxy = await Haproxy.start(`127.0.0.1:${sluice.port}`, [
  'source 127.0.0.2 send-proxy',
  'source 127.0.0.2 send-proxy-v2',
  'source 127.0.0.2 send-proxy-v2 proxy-v2-options crc32c,unique-id',
  'source 127.0.0.2',
  'source 127.0.0.1 send-proxy',
  'source 127.0.0.1 send-proxy-v2',
]);
t.teardown(async () => {
  await haproxy.stop();
  await sluice.dispose();
  await set.dispose();
  removeTemporaryDirectory(directory);
});

/** As a process leaves it that was killed. */
async function leaveDeadSocket(path: string): Promise<void> {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  if (!existsSync(path)) throw new Error('no socket was left');
}

t.test('Unix sockets', async (t) => {
  for (const path of [socketPath, otherPath]) {
    const { code, stdout, stderr } = await stockClient(['-S', path], 'SELECT 1');
    t.equal(code, 0, stderr);
    t.equal(stdout, '1\n', path);
    t.equal(statSync(path).mode & 0o777, 0o700, 'its permissions');
  }
  const wrong = await stockClient(['-S', socketPath, '-pwrong'], 'SELECT 1');
  t.match(wrong.stderr, /ERROR 1045 .*'app'@'localhost'/);
  const inFull = await stockClient(['-S', socketPath, '--default-auth=mysql_clear_password'], 'SELECT 2');
  t.equal(inFull.stdout, '2\n', `nobody can listen in: ${inFull.stderr}`);
});

t.test('a name that is taken is left alone', async (t) => {
  const base = { servers: [set.primary.address], users: [APP_ACCOUNT], workers: 1 };
  await t.rejects(
    SluiceProcess.start({ config: { ...base, listen: { socket: socketPath } } }),
    /somebody else listens on/,
  );
  const file = join(directory, 'file');
  writeFileSync(file, 'precious');
  await t.rejects(SluiceProcess.start({ config: { ...base, listen: { socket: file } } }), /is no socket/);
  t.ok(existsSync(file));
  t.equal((await stockClient(['-S', socketPath], 'SELECT 3')).stdout, '3\n');
});

t.test('IPv6', async (t) => {
  const { stdout, stderr } = await stockClient(['-h::1', `-P${ipv6Port}`], 'SELECT 1');
  t.equal(stdout, '1\n', stderr);
  const wrong = await stockClient(['-h::1', `-P${ipv6Port}`, '-pwrong'], 'SELECT 1');
  t.match(wrong.stderr, /'app'@'::1'/);
});

t.test('HAProxy in front', async (t) => {
  for (const [options, port] of haproxy.ports) {
    const args = ['-h127.0.0.1', `-P${port}`];
    const right = await stockClient(args, 'SELECT 1');
    const isBelieved = options.startsWith('source 127.0.0.2');
    if (!isBelieved) {
      t.match(right.stderr, /Proxy header is not accepted from 127\.0\.0\.1|ERROR 2013/, options);
      t.equal(right.stdout, '');
      continue;
    }
    t.equal(right.stdout, '1\n', `${options}: ${right.stderr}`);
    const wrong = await stockClient([...args, '-pwrong'], 'SELECT 1');
    const host = options.includes('send-proxy') ? '127.0.0.1' : '127.0.0.2';
    t.match(wrong.stderr, `'app'@'${host}'`, `${options}: whose connection it is`);
  }
  await sluice.waitForLog('Proxy header is not accepted from 127.0.0.1');
});

/** Connects from 127.0.0.2, which is believed; the greeting has come. */
function balancer(from = '127.0.0.2'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: sluice.host, port: sluice.port, localAddress: from });
    socket.setNoDelay(true);
    socket.once('error', reject);
    socket.once('data', () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** A login whose answer says, as an error, from where it is taken to come. */
function badLogin(sequenceId = 1): Buffer {
  const head = Buffer.alloc(32);
  // PROTOCOL_41, SECURE_CONNECTION
  head.writeUInt32LE(0x1 | 0x200 | 0x8000, 0);
  head[8] = 45;
  return frame(sequenceId, Buffer.concat([head, Buffer.from('app\0'), Buffer.from([0])]));
}

async function answerTo(socket: Socket, bytes: Buffer, byteByByte = false): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!byteByByte) socket.write(bytes);
  else
    for (const byte of bytes) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
  await waitUntil('the connection is closed', () => socket.destroyed || socket.readableEnded);
  socket.destroy();
  return Buffer.concat(chunks).toString('latin1');
}

function v2(command: number, family: number, body: Buffer): Buffer {
  return Buffer.concat([V2, Buffer.from([command, family, body.length >> 8, body.length & 0xff]), body]);
}

t.test('headers in every cut, and what they say', async (t) => {
  const inet = Buffer.from([192, 0, 2, 9, 10, 0, 0, 1, 1, 2, 3, 4]);
  const inet6 = Buffer.concat([
    Buffer.from('20010db8000000000000000000000009'.repeat(2), 'hex'),
    Buffer.alloc(4),
  ]);
  const long = Buffer.concat([inet, Buffer.from([0xe0, 0xea, 0x60]), Buffer.alloc(60_000)]);
  for (const [name, header, host] of [
    ['v1', Buffer.from('PROXY TCP4 192.0.2.9 10.0.0.1 1000 2000\r\n'), '192.0.2.9'],
    ['v1, IPv6', Buffer.from('PROXY TCP6 2001:db8::9 ::1 1000 2000\r\n'), '2001:db8::9'],
    ['v1, unknown', Buffer.from('PROXY UNKNOWN\r\n'), '127.0.0.2'],
    ['v2', v2(0x21, 0x11, inet), '192.0.2.9'],
    ['v2, IPv6', v2(0x21, 0x21, inet6), '2001:db8::9'],
    [
      'v2, IPv4 as IPv6',
      v2(
        0x21,
        0x21,
        Buffer.concat([Buffer.from(`${'00'.repeat(10)}ffffc0000209`.repeat(2), 'hex'), Buffer.alloc(4)]),
      ),
      '192.0.2.9',
    ],
    ['v2, LOCAL', v2(0x20, 0, Buffer.alloc(0)), '127.0.0.2'],
    ['v2, long', v2(0x21, 0x11, long), '192.0.2.9'],
  ] as const) {
    const bytes = Buffer.concat([header, badLogin()]);
    t.match(await answerTo(await balancer(), bytes), `'app'@'${host}'`, name);
    if (bytes.length < 1000)
      t.match(await answerTo(await balancer(), bytes, true), `'app'@'${host}'`, `${name}, byte by byte`);
  }
  t.match(await answerTo(await balancer(), badLogin()), "'app'@'127.0.0.2'", 'none');
});

t.test('headers that are none, stall, or are not believed', async (t) => {
  for (const [name, bytes] of [
    ['v1 without an end', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`)],
    ['v1, garbage', Buffer.from('PROXY TCP4 one two three four\r\n')],
    ['v2, a wrong version', v2(0x31, 0x11, Buffer.alloc(12))],
    ['v2, too short', v2(0x21, 0x21, Buffer.alloc(12))],
  ] as const) {
    t.match(await answerTo(await balancer(), bytes), /Bad handshake/, name);
    t.match(
      await answerTo(await balancer('127.0.0.1'), bytes),
      /Proxy header is not accepted/,
      `${name}, not believed`,
    );
  }
  t.match(
    await answerTo(
      await balancer(),
      Buffer.concat([v2(0x20, 0, Buffer.alloc(0)), v2(0x20, 0, Buffer.alloc(0)), badLogin()]),
    ),
    /Got packets out of order|Bad handshake|bigger than/,
    'a second header is no login',
  );
  const startedAt = performance.now();
  t.match(
    await answerTo(await balancer(), Buffer.from('PROXY TCP4 192.')),
    /not finished within/,
    'a stalled one',
  );
  t.ok(performance.now() - startedAt < HANDSHAKE_TIMEOUT_MS * 5);
  t.strictSame(await bystander.errorsAfter(), [], 'nobody else has noticed');
});

t.test('a stop leaves no socket behind', async (t) => {
  await bystander.stop();
  await sluice.stop();
  t.notOk(existsSync(socketPath), 'the names go with the process');
  t.notOk(existsSync(otherPath));
});
