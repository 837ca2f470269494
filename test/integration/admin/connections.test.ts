/** All the ways to the admin port: TLS, Unix socket, IPv6, each way to prove a password, compression. */

import { execFile } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createConnection as connectTcp, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import {
  Capability,
  createNonce,
  encodeSslRequest,
  framePacket,
  nativeHashOf,
  sha2HashOf,
} from '../../../protocol/index.ts';
import type { ClientTls } from '../../../src/common/snapshot.ts';
import { CertificateAuthority, type CertificateFiles, LOCAL_NAMES } from '../../support/certificates.ts';
import { findProgram } from '../../support/find-program.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';
import { freePort } from '../../support/ports.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { AdminUnderTest, PASSWORD } from './admin-under-test.ts';

const program = await findProgram(['mariadb', 'mysql']);
const authority = await CertificateAuthority.create();
const other = await CertificateAuthority.create('Somebody else');
const serverFiles = await authority.issue('admin', LOCAL_NAMES);
const directory = makeTemporaryDirectory('admin-connections');
t.teardown(() => {
  authority.dispose();
  other.dispose();
  removeTemporaryDirectory(directory);
});
const caText = readFileSync(authority.file, 'utf8');
const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

function tlsOf(files: CertificateFiles, more: Partial<ClientTls> = {}): ClientTls {
  return {
    certificate: readFileSync(files.certificate, 'utf8'),
    key: readFileSync(files.key, 'utf8'),
    ca: null,
    minVersion: 'TLSv1.2',
    required: false,
    ticketKeys: randomBytes(48),
    ...more,
  };
}

interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/** The stock client, once. */
function run(args: readonly string[], sql: string, password = PASSWORD): Promise<Printed> {
  return new Promise((resolve) => {
    const env = { ...process.env, MYSQL_PWD: password };
    const options = ['--no-defaults', '-N', ...args];
    const child = execFile(
      program,
      options,
      { env, timeout: 60_000, maxBuffer: 1 << 26 },
      (_error, stdout, stderr) => resolve({ stdout, stderr: stderr.trim() }),
    );
    child.stdin?.end(`${sql};\n`);
  });
}

const USERS = [
  { username: 'plain', password: PASSWORD },
  { username: 'native', password: nativeHashOf(PASSWORD) },
  { username: 'sha2', password: sha2HashOf(PASSWORD, createNonce()) },
  { username: 'stats', password: PASSWORD, role: 'stats' as const },
];

t.test('TLS, with every way to prove a password', async (t) => {
  const admin = await AdminUnderTest.start({
    users: USERS,
    tls: tlsOf(serverFiles),
    rsaKey: { privateKey, publicKey },
  });
  t.teardown(() => admin.stop());
  const tcp = ['-h127.0.0.1', `-P${admin.server.port}`];
  const secure = [...tcp, '--ssl', `--ssl-ca=${authority.file}`, '--ssl-verify-server-cert'];
  const plugins = ['mysql_native_password', 'caching_sha2_password', 'mysql_clear_password'];
  for (const user of ['plain', 'native', 'sha2']) {
    for (const plugin of plugins) {
      const args = [`-u${user}`, `--default-auth=${plugin}`];
      const label = `${user}, ${plugin}`;
      t.match(
        await run([...secure, ...args], 'SELECT USER()'),
        { stdout: `${user}@127.0.0.1`, stderr: '' },
        label,
      );
      t.match((await run([...secure, ...args], 'SELECT 1', 'wrong')).stderr, 'ERROR 1045', `${label}, wrong`);
    }
  }
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const connection = await createConnection({
      ...admin.address,
      user: 'native',
      password: PASSWORD,
      ssl: { ca: caText, minVersion: version, maxVersion: version },
    });
    const [rows] = await connection.query<RowDataPacket[]>('SELECT VERSION() AS v');
    t.match(rows, [{ v: /^2\.7\.1-sluice-/ }], version);
    await connection.end();
  }
  t.strictSame(admin.errors, []);
  t.notMatch(JSON.stringify(admin.log), PASSWORD);
});

t.test('TLS that comes, goes and is another one while the port is open', async (t) => {
  const admin = await AdminUnderTest.start();
  t.teardown(() => admin.stop());
  const connect = (ca: string) =>
    createConnection({ ...admin.address, user: 'admin', password: PASSWORD, ssl: { ca } });
  await t.rejects(connect(caText), /does not support secure connection/);
  admin.server.updateTls(tlsOf(serverFiles));
  const kept = await connect(caText);
  admin.server.updateTls(tlsOf(await other.issue('another', LOCAL_NAMES)));
  await t.rejects(connect(caText), 'the old authority is not the right one any more');
  const next = await connect(readFileSync(other.file, 'utf8'));
  await next.end();
  await kept.ping();
  await kept.end();
  t.strictSame(admin.errors, []);
});

t.test('TLS required, certificates of operators', async (t) => {
  const socket = join(directory, 'required.sock');
  const admin = await AdminUnderTest.start({
    tls: tlsOf(serverFiles, { required: true }),
    sockets: [socket],
  });
  t.teardown(() => admin.stop());
  const tcp = ['-h127.0.0.1', `-P${admin.server.port}`, '-uadmin'];
  t.match((await run([...tcp, '--skip-ssl'], 'SELECT 1')).stderr, 'ERROR 3159 (HY000)');
  t.match(
    (await run([...tcp, '--skip-ssl'], 'SELECT 1', 'wrong')).stderr,
    'ERROR 1045',
    'not told to everybody',
  );
  t.equal((await run([...tcp, '--ssl'], 'SELECT 1')).stdout, '1\n');
  t.equal(
    (await run(['-S', socket, '-uadmin'], 'SELECT 1')).stdout,
    '1\n',
    'nobody listens in on a Unix socket',
  );

  admin.server.updateTls(tlsOf(serverFiles, { ca: caText }));
  const mine = await authority.issue('operator');
  const foreign = await other.issue('intruder');
  const shown = ({ certificate, key }: CertificateFiles) => [
    ...tcp,
    '--ssl',
    `--ssl-cert=${certificate}`,
    `--ssl-key=${key}`,
  ];
  t.equal((await run(shown(mine), 'SELECT 1')).stdout, '1\n');
  t.match((await run([...tcp, '--ssl'], 'SELECT 1')).stderr, 'ERROR 1045', 'none');
  t.equal((await run(shown(foreign), 'SELECT 1')).stdout, '', 'signed by somebody else');
  t.equal((await run(['-S', socket, '-uadmin'], 'SELECT 1')).stdout, '1\n');
  t.strictSame(admin.errors, []);
});

/** The greeting has come, TLS is asked for, and then this. */
async function sslThen(port: number, bytes: Buffer): Promise<{ socket: Socket; heard: () => Buffer }> {
  const socket = connectTcp({ host: '127.0.0.1', port });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => socket.destroy());
  await waitUntil('the greeting', () => chunks.length > 0);
  chunks.length = 0;
  const capabilities =
    Capability.CLIENT_PROTOCOL_41 | Capability.CLIENT_SECURE_CONNECTION | Capability.CLIENT_SSL;
  const request = encodeSslRequest({
    capabilities,
    maxPacketBytes: 1 << 24,
    collationId: 45,
    mariadbCapabilities: 0,
  });
  socket.write(Buffer.concat([framePacket(request, 1), bytes]));
  return { socket, heard: () => Buffer.concat(chunks) };
}

t.test('handshakes of TLS that do not come to an end', async (t) => {
  const admin = await AdminUnderTest.start({ tls: tlsOf(serverFiles), limits: { loginTimeoutMs: 1500 } });
  t.teardown(() => admin.stop());
  for (const bytes of [randomBytes(300), Buffer.from('GET / HTTP/1.0\r\n\r\n'), Buffer.alloc(100)]) {
    const { socket, heard } = await sslThen(admin.server.port, bytes);
    await once(socket, 'close');
    t.notMatch(heard().toString('latin1'), /#08S01|#HY000/, 'nothing is said in the clear any more');
  }
  const refused = admin.log.filter(({ message }) => message === 'admin client did not get TLS up');
  t.equal(refused.length, 3, 'each is in the log');
  const stalled = await sslThen(admin.server.port, Buffer.from([0x16, 0x03]));
  await once(stalled.socket, 'close');
  const gone = await sslThen(admin.server.port, Buffer.alloc(0));
  gone.socket.destroy();
  // TLS is up, and nothing follows; or nonsense does.
  for (const bytes of [null, randomBytes(500)]) {
    const { socket } = await sslThen(admin.server.port, Buffer.alloc(0));
    socket.removeAllListeners('data');
    const secured = connectTls({ socket, ca: caText, servername: 'localhost' });
    secured.on('error', () => undefined);
    secured.resume();
    await once(secured, 'secureConnect');
    if (bytes !== null) secured.write(bytes);
    await once(secured, 'close');
  }
  const well = await createConnection({
    ...admin.address,
    user: 'admin',
    password: PASSWORD,
    ssl: { ca: caText },
  });
  await well.ping();
  await well.end();
  t.strictSame(admin.errors, []);
});

t.test('Unix sockets, IPv6 and several addresses', async (t) => {
  const sockets = [join(directory, 'one.sock'), join(directory, 'two.sock')];
  const second = await freePort();
  const admin = await AdminUnderTest.start({
    users: USERS,
    sockets,
    socketMode: 0o700,
    more: [
      { host: '::1', port: second },
      { host: '127.0.0.1', port: second },
    ],
  });
  for (const socket of sockets) {
    t.equal(statSync(socket).mode & 0o777, 0o700);
    const args = ['-S', socket, '-usha2', '--default-auth=caching_sha2_password'];
    t.match(
      await run(args, 'SELECT USER()'),
      { stdout: 'sha2@localhost', stderr: '' },
      'in full, without TLS or RSA',
    );
    t.match(
      (await run(args, 'SELECT 1', 'wrong')).stderr,
      "ERROR 1045 (28000): Access denied for user 'sha2'@'localhost'",
    );
  }
  const connection = await createConnection({ socketPath: sockets[0]!, user: 'plain', password: PASSWORD });
  await connection.ping();
  t.match(await run(['-h::1', `-P${second}`, '-uplain'], 'SELECT USER()'), {
    stdout: 'plain@::1',
    stderr: '',
  });
  t.match(await run(['-h127.0.0.1', `-P${second}`, '-uplain'], 'SELECT 1'), { stdout: '1\n' });
  const busy = AdminUnderTest.start({ sockets: [sockets[1]!] });
  await t.rejects(busy, /somebody else listens/);
  await connection.end();
  await admin.stop();
  const again = await AdminUnderTest.start({ sockets });
  await again.stop();
  await t.rejects(
    AdminUnderTest.start({ users: [{ username: 'ops', password: 'ops' }], more: [{ host: '::', port: 0 }] }),
    /listen on ::, which is not loopback, with a default password for: ops/,
  );
});

t.test('compression, on plain connections and in TLS', async (t) => {
  const admin = await AdminUnderTest.start({ tls: tlsOf(serverFiles) });
  t.teardown(() => admin.stop());
  const steps = Array.from({ length: 20_000 }, (_, step) => ({
    step: `step ${step}`,
    value: 'v'.repeat(60),
  }));
  admin.state.explain = async () => steps;
  const expected = steps.map(({ step, value }) => `${step}\t${value}\n`).join('');
  for (const tls of [['--skip-ssl'], ['--ssl']]) {
    const args = ['-h127.0.0.1', `-P${admin.server.port}`, '-uadmin', '--compress', ...tls];
    const { stdout, stderr } = await run(args, `SELECT '${'x'.repeat(200_000)}' AS c`);
    t.equal(stderr, '');
    t.equal(stdout.length, 200_001, 'a large statement');
    t.ok((await run(args, 'EXPLAIN ROUTE SELECT 1')).stdout === expected, `a large answer, ${tls[0]}`);
  }
  const connection = await createConnection({
    ...admin.address,
    user: 'admin',
    password: PASSWORD,
    compress: true,
  });
  const answers = await Promise.all(
    ['SELECT 1 AS n', 'EXPLAIN ROUTE SELECT 1', 'SELECT 3 AS n'].map((sql) =>
      connection.query<RowDataPacket[]>(sql),
    ),
  );
  t.strictSame(
    answers.map(([rows]) => rows.length),
    [1, steps.length, 1],
  );
  await connection.end();
  t.strictSame(admin.errors, []);
});

t.test('COM_CHANGE_USER', async (t) => {
  const admin = await AdminUnderTest.start({
    users: USERS,
    rsaKey: { privateKey, publicKey },
    tls: tlsOf(serverFiles),
  });
  t.teardown(() => admin.stop());
  for (const ssl of [undefined, { ca: caText }]) {
    const connection = await createConnection({
      ...admin.address,
      user: 'stats',
      password: PASSWORD,
      ...(ssl === undefined ? {} : { ssl }),
    });
    connection.on('error', () => undefined);
    await t.rejects(connection.query("DRAIN '10.0.0.2:3306'"), { code: 'ER_ACCESS_DENIED_ERROR' });
    await connection.changeUser({ user: 'plain', password: PASSWORD, database: 'disk' });
    const [rows] = await connection.query<RowDataPacket[]>('SELECT USER() AS u, DATABASE() AS d');
    t.strictSame(rows, [{ u: 'plain@127.0.0.1', d: 'disk' }]);
    await connection.query("DRAIN '10.0.0.2:3306'");
    await connection.changeUser({ user: 'sha2', password: PASSWORD });
    await connection.changeUser({ user: 'stats', password: PASSWORD });
    await t.rejects(
      connection.query("DRAIN '10.0.0.2:3306'"),
      { code: 'ER_ACCESS_DENIED_ERROR' },
      'the rights are the new ones',
    );
    await t.rejects(connection.changeUser({ user: 'plain', password: 'wrong' }), {
      code: 'ER_ACCESS_DENIED_ERROR',
    });
    await t.rejects(connection.query('SELECT 1'), 'who is refused is out');
    connection.destroy();
  }
  t.equal(admin.state.orders.length, 2);
  t.strictSame(admin.errors, []);
});
