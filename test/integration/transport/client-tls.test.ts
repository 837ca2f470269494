/** TLS from clients: stock ones, what accounts may demand, renewed certificates, handshakes that go wrong. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Connection as CallbackConnection } from 'mysql2';
import type { Connection, ConnectionOptions, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { Bystander } from '../../fault/bystander.ts';
import { frame } from '../../fault/raw-login.ts';
import { CertificateAuthority, LOCAL_NAMES } from '../../support/certificates.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { stockClient } from '../../support/stock-client.ts';
import { waitUntil } from '../../support/wait-until.ts';

const HANDSHAKE_TIMEOUT_MS = 4000;
const CLIENT_SSL_REQUEST = frame(1, sslRequest());

const authority = await CertificateAuthority.create();
const stranger = await CertificateAuthority.create('somebody else');
const issued = await authority.issue('first', LOCAL_NAMES);
const renewed = await authority.issue('second', LOCAL_NAMES);
const mine = await authority.issue('client');
const foreign = await stranger.issue('stranger');
const inUse = authority.copy(issued, 'in-use');

const accounts = ['secured', 'certified', 'hashed'].map((username) => ({
  username,
  password: `${username}-pw`,
}));
const set = new ReplicationSet({
  replicas: 0,
  args: ['--max-allowed-packet=64M'],
  sql: accounts.flatMap(({ username, password }) => [
    `CREATE USER ${username} IDENTIFIED BY '${password}'`,
    `GRANT ALL ON app.* TO ${username}`,
  ]),
});
await set.start();
const config = {
  servers: [set.primary.address],
  users: [
    { username: 'app', password: 'app-secret' },
    { username: 'secured', password: 'secured-pw', requireTls: true },
    { username: 'certified', password: 'certified-pw', requireTls: 'X509' },
    // The hash of "hashed-pw": what the client sends in full has to be checked against it.
    { username: 'hashed', password: nativeHash('hashed-pw') },
  ],
  limits: { handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS },
  tls: { ...inUse, ca: authority.file, reloadIntervalMs: 100 },
};
const sluice = await SluiceProcess.start({ config });
const bystander = await Bystander.start(sluice);
t.teardown(async () => {
  await bystander.stop();
  await sluice.dispose();
  await set.dispose();
  authority.dispose();
  stranger.dispose();
});

const ca = readFileSync(authority.file, 'utf8');
const tcp = ['-h127.0.0.1', `-P${sluice.port}`];

function nativeHash(password: string): string {
  const sha1 = (data: Buffer | string) => createHash('sha1').update(data).digest();
  return `*${sha1(sha1(password)).toString('hex').toUpperCase()}`;
}

function sslRequest(): Buffer {
  const request = Buffer.alloc(32);
  // LONG_PASSWORD, PROTOCOL_41, SSL, SECURE_CONNECTION, PLUGIN_AUTH
  request.writeUInt32LE(0x1 | 0x200 | 0x800 | 0x8000 | 0x80000, 0);
  request.writeUInt32LE(1 << 24, 4);
  request[8] = 45;
  return request;
}

async function value(connection: Connection, sql: string): Promise<unknown> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return Object.values(rows[0] ?? {})[0];
}

/** mysql2 with TLS that checks the certificate. */
function secured(options: ConnectionOptions = {}): Promise<Connection> {
  return sluice.connect({ ssl: { ca, verifyIdentity: true }, ...options });
}

t.test('the stock client, with and without', async (t) => {
  const status = ['status', 'SELECT 1'].join('; ');
  const plain = await stockClient([...tcp, '--skip-ssl'], status);
  t.match(plain.stdout, /SSL:\s+Not in use/);
  for (const more of [[], ['--tls-version=TLSv1.2'], ['--tls-version=TLSv1.3']]) {
    const args = [...tcp, '--ssl', `--ssl-ca=${authority.file}`, '--ssl-verify-server-cert', ...more];
    const { code, stdout, stderr } = await stockClient(args, status);
    t.equal(code, 0, stderr);
    t.match(stdout, /SSL:\s+Cipher in use/, `TLS ${more.join(' ')}`);
  }
  const other = await stockClient(
    [...tcp, '--ssl', `--ssl-ca=${stranger.file}`, '--ssl-verify-server-cert'],
    'SELECT 1',
  );
  t.not(other.code, 0, 'another authority');
  t.match(other.stderr, /2026/);
});

t.test('what accounts demand', async (t) => {
  const denied = { errno: 1045, code: 'ER_ACCESS_DENIED_ERROR' };
  const [one, certified] = accounts.map(({ username, password }) => ({ user: username, password }));
  await t.rejects(sluice.connect(one), denied, 'TLS is demanded, and not used');
  const connection = await secured(one);
  t.equal(await value(connection, 'SELECT 1'), 1);
  await connection.end();
  const key = readFileSync(mine.key);
  const cert = readFileSync(mine.certificate);
  await t.rejects(secured(certified), denied, 'a certificate is demanded, and not shown');
  const shown = await secured({ ...certified, ssl: { ca, key, cert, verifyIdentity: true } });
  t.equal(await value(shown, 'SELECT 1'), 1);
  await shown.end();
  const foreignPair = { key: readFileSync(foreign.key), cert: readFileSync(foreign.certificate) };
  await t.rejects(secured({ ...certified, ssl: { ca, ...foreignPair } }), 'signed by somebody else');
  await t.rejects(secured({ ssl: { ca, ...foreignPair } }), 'also where none is demanded');
  await sluice.waitForLog('certificate is not valid');
});

t.test('passwords in full, but inside TLS only', async (t) => {
  const hashed = accounts[2]!;
  const args = (plugin: string, tls: string) => [
    ...tcp,
    tls,
    `-u${hashed.username}`,
    `-p${hashed.password}`,
    `--default-auth=${plugin}`,
  ];
  for (const plugin of ['mysql_clear_password', 'caching_sha2_password']) {
    const { code, stdout, stderr } = await stockClient(args(plugin, '--ssl'), 'SELECT 7');
    t.equal(code, 0, `${plugin}: ${stderr} ${sluice.logTail().slice(-600)}`);
    t.equal(stdout.trim(), '7');
  }
  const wrong = [...tcp, '--ssl', `-u${hashed.username}`, '-pwrong', '--default-auth=mysql_clear_password'];
  t.match((await stockClient(wrong, 'SELECT 7')).stderr, /ERROR 1045/);
});

t.test('large answers and large statements, and a client that reads slowly', async (t) => {
  const connection = await secured();
  t.equal(await value(connection, "SELECT LENGTH(REPEAT('x', 1))"), 1);
  const text = 'ab'.repeat(9_000_000);
  const [rows] = await connection.query<RowDataPacket[]>('SELECT ? AS text', [text]);
  t.equal(rows[0]?.text === text, true, '18 MB there and back');
  await connection.end();
  const slow = await secured();
  const { connection: inner } = slow as unknown as { connection: CallbackConnection & { stream: Socket } };
  const pauses = 'sluice_slow_reader_pauses_total';
  const before = await sluice.metric(pauses);
  const rows60k = inner.query("SELECT REPEAT('y', 1000) AS y FROM seq_1_to_60000").stream();
  inner.stream.pause();
  await waitUntil('the server is not read from', async () => (await sluice.metric(pauses)) > before);
  inner.stream.resume();
  let count = 0;
  for await (const row of rows60k) if ((row as RowDataPacket).y.length === 1000) count++;
  t.equal(count, 60_000);
  await slow.end();
});

function serverName(connection: Connection): string {
  const socket = (connection as unknown as { connection: { stream: TLSSocket } }).connection.stream;
  return String(socket.getPeerCertificate().subject.CN);
}

t.test('a renewed certificate', async (t) => {
  const before = await secured();
  t.equal(serverName(before), 'first');
  authority.replace(renewed, inUse);
  const after = await waitUntil('new connections see the new one', async () => {
    const connection = await secured();
    if (serverName(connection) === 'second') return connection;
    await connection.end();
    return undefined;
  });
  t.equal(await value(before, 'SELECT 2'), 2, 'an established connection goes on');
  t.equal(await value(after, 'SELECT 3'), 3);
  await Promise.all([before.end(), after.end()]);
  // The half of a renewal: the key is another certificate's.
  authority.replace({ certificate: issued.certificate, key: renewed.key }, inUse);
  await sluice.waitForLog('certificates not changed');
  const still = await secured();
  t.equal(serverName(still), 'second', 'what cannot be used changes nothing');
  await still.end();
  sluice.writeConfig({ ...config, tls: { ...config.tls, ...issued } });
  sluice.signal('SIGHUP');
  await sluice.waitForLog('configuration read again');
  const reloaded = await waitUntil('and by SIGHUP', async () => {
    const connection = await secured();
    if (serverName(connection) === 'first') return connection;
    await connection.end();
    return undefined;
  });
  await reloaded.end();
  sluice.writeConfig({ ...config, tls: { ...config.tls, certificate: '/nowhere.pem' } });
  sluice.signal('SIGHUP');
  await sluice.waitForLog(/nowhere.*configuration not changed/);
});

function rawConnection(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp(sluice.port, sluice.host);
    socket.once('error', reject);
    socket.once('data', () => {
      socket.off('error', reject);
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

async function closes(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await waitUntil('the connection is closed', () => socket.destroyed || socket.readableEnded);
  socket.destroy();
  return Buffer.concat(chunks);
}

t.test('handshakes that stall, or are none', async (t) => {
  const startedAt = performance.now();
  const stalled = await rawConnection();
  stalled.write(CLIENT_SSL_REQUEST);
  const halfway = await rawConnection();
  halfway.write(CLIENT_SSL_REQUEST);
  // The header of a TLS record whose content never comes.
  halfway.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
  const garbage = await rawConnection();
  garbage.write(CLIENT_SSL_REQUEST);
  garbage.write('GET / HTTP/1.1\r\nHost: sluice\r\n\r\n');
  t.notMatch((await closes(garbage)).toString('latin1'), /#08S01/, 'nothing is said in clear any more');
  t.ok(performance.now() - startedAt < HANDSHAKE_TIMEOUT_MS, 'garbage ends at once');
  for (const socket of [stalled, halfway]) t.equal((await closes(socket)).length, 0);
  t.ok(performance.now() - startedAt >= HANDSHAKE_TIMEOUT_MS - 100, 'a stalled one at the deadline');
  await sluice.waitForLog('login not finished in time');
  await sluice.waitForLog('TLS handshake with a client failed');
  const downgrade = await rawConnection();
  downgrade.write(CLIENT_SSL_REQUEST);
  // A login in clear behind the request for TLS is no login.
  downgrade.write(frame(2, Buffer.concat([sslRequest(), Buffer.from('app\0\0')])));
  t.notMatch((await closes(downgrade)).toString('latin1'), /Access denied/);
  const tooOld = await rawConnection();
  tooOld.write(CLIENT_SSL_REQUEST);
  const old = connectTls({
    socket: tooOld,
    rejectUnauthorized: false,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  const failure = await new Promise<Error>((resolve) => old.once('error', resolve));
  t.match(failure.message, /version|handshake|disconnected|unsupported/i, 'versions before tls.minVersion');
  t.strictSame(await bystander.errorsAfter(), [], 'nobody else has noticed');
});
