/** TLS towards servers: each mode on both kinds of servers, for statements and checks; servers that cheat. */

import { readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { Capability, decodeHandshakeV10, encodeHandshakeV10, framePacket } from '../../../protocol/index.ts';
import type { BackendTls } from '../../../src/common/snapshot.ts';
import { MonitorConnection } from '../../../src/control/monitor/monitor-connection.ts';
import { BackendConnection } from '../../../src/data/backend/backend-connection.ts';
import { LatencyAverage } from '../../../src/data/backend/balancing/latency-average.ts';
import { FlushScheduler } from '../../../src/data/io/flush-scheduler.ts';
import { type ServerTls, WITHOUT_TLS } from '../../../src/topology/server-description.ts';
import { CertificateAuthority, LOCAL_NAMES } from '../../support/certificates.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { madeServer, NO_BACKEND_TLS } from '../data/made-snapshot.ts';
import { keyOf } from '../data/pool-rig.ts';

const authority = await CertificateAuthority.create();
const stranger = await CertificateAuthority.create('somebody else');
const local = await authority.issue('server', LOCAL_NAMES);
const named = await authority.issue('named', ['DNS:db1.example.org']);
const mine = await authority.issue('sluice');
const certified = { certificate: mine.certificate, key: mine.key };
t.teardown(() => {
  authority.dispose();
  stranger.dispose();
});

function sslArgs(files: { certificate: string; key: string }): string[] {
  return [`--ssl-ca=${authority.file}`, `--ssl-cert=${files.certificate}`, `--ssl-key=${files.key}`];
}

/** Sluice in front; not ready if the server cannot be used. */
async function inFrontOf(set: ReplicationSet, config: object): Promise<SluiceProcess> {
  return SluiceProcess.startFor(set, { config: { workers: 1, monitor: { timeoutMs: 5000 }, ...config } });
}

/** SHOW STATUS tells of the client's connection, the table of the server's. */
async function serverStatus(connection: Connection, name: string): Promise<RowDataPacket[]> {
  const [[variable]] = await connection.query<RowDataPacket[]>(
    "SHOW VARIABLES WHERE Variable_name = 'version' AND Value LIKE '%MariaDB%'",
  );
  const schema = variable === undefined ? 'performance_schema' : 'information_schema';
  const [rows] = await connection.query<RowDataPacket[]>(
    `SELECT VARIABLE_VALUE AS Value FROM ${schema}.session_status WHERE VARIABLE_NAME = '${name}'`,
  );
  return rows;
}

async function cipher(sluice: SluiceProcess): Promise<string> {
  const connection = await sluice.connect();
  try {
    const rows = await serverStatus(connection, 'Ssl_cipher');
    const [large] = await connection.query<RowDataPacket[]>("SELECT REPEAT('x', 2000000) AS x, ? AS y", [
      'y'.repeat(2_000_000),
    ]);
    if (large[0]?.x.length !== 2_000_000 || large[0]?.y.length !== 2_000_000) throw new Error('wrong answer');
    return String(rows[0]?.Value);
  } finally {
    await connection.end();
  }
}

type TlsOptions = Partial<BackendTls>;

/** One connection of the data path; what it says when it is closed, or an empty text when it is ready. */
async function tryConnection(t: Test, port: number, options: TlsOptions): Promise<string> {
  const server = madeServer(`127.0.0.1:${port}`, {
    backendTls: { ...NO_BACKEND_TLS, serverName: '127.0.0.1', ...options },
  });
  const connection = new BackendConnection(
    {
      server,
      key: keyOf('app', 'app-secret'),
      collationId: 45,
      schema: null,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      latency: new LatencyAverage(),
    },
    new FlushScheduler(() => undefined),
    { connectionReady: () => undefined, connectionClosed: () => undefined, countStatements: () => undefined },
  );
  t.teardown(() => connection.close('the test is over'));
  await waitUntil('an outcome', () => connection.ready || connection.isClosed);
  if (connection.ready && options.mode !== 'DISABLED' && options.mode !== 'PREFERRED')
    t.ok(connection.socket.isEncrypted, `${options.mode}: it is encrypted`);
  return connection.closeReason;
}

/** The same by the monitor. */
async function tryCheck(port: number, tls: Partial<ServerTls>, ca: string | null = null): Promise<string> {
  const target = { host: '127.0.0.1', port, tls: { ...WITHOUT_TLS, ...tls } };
  const resolveTls = (host: string, { mode }: ServerTls): BackendTls => ({
    ...NO_BACKEND_TLS,
    mode,
    ca,
    serverName: host,
  });
  const credentials = { username: 'monitor', password: 'monitor-secret', resolveTls };
  try {
    const connection = await MonitorConnection.open(
      target,
      credentials,
      AbortSignal.timeout(CONNECT_TIMEOUT_MS),
    );
    connection.destroy();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

const CONNECT_TIMEOUT_MS = 3000;

t.test('MariaDB', async (t) => {
  const set = new ReplicationSet({
    replicas: 1,
    args: [...sslArgs(local), '--max-allowed-packet=64M'],
    sql: ["CREATE USER picky IDENTIFIED BY 'picky-pw' REQUIRE X509", 'GRANT ALL ON app.* TO picky'],
  });
  await set.start();
  t.teardown(() => set.dispose());
  const verified = { mode: 'VERIFY_IDENTITY', ca: authority.file };
  const sluice = await inFrontOf(set, { backendTls: { mode: 'DISABLED' } });
  t.teardown(() => sluice.dispose());
  t.equal(await cipher(sluice), '', 'DISABLED');
  const base = {
    servers: [set.primary.address],
    users: [
      { username: 'app', password: 'app-secret' },
      { username: 'picky', password: 'picky-pw' },
    ],
    workers: 1,
    monitor: { username: 'monitor', password: 'monitor-secret', timeoutMs: 5000 },
  };
  const users = await sluice.connect();
  await users.query('SELECT 1');
  for (const backendTls of [
    { mode: 'PREFERRED' },
    { mode: 'REQUIRED' },
    { mode: 'VERIFY_CA', ca: authority.file },
    { ...verified, ...certified },
  ]) {
    const from = sluice.log.length;
    sluice.writeConfig({ ...base, backendTls });
    sluice.signal('SIGHUP');
    await waitUntil('the configuration is read', () =>
      sluice.log.slice(from).some(({ msg }) => msg === 'configuration read again'),
    );
    // Connections of before are not used for it any more.
    t.match(await cipher(sluice), /TLS|AES|CHACHA/, backendTls.mode);
  }
  await users.end();
  const picky = await sluice.connect({ user: 'picky', password: 'picky-pw' });
  const rows = await serverStatus(picky, 'Ssl_version');
  t.equal(rows[0]?.Value, 'TLSv1.3', "Sluice's own certificate opens an account that needs one");
  await picky.end();
  const open = await set.primary.query(
    "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE user = 'monitor'",
  );
  t.ok(Number(open[0]?.n) > 0, 'the checks go on as well');
  const replica = set.replicas[0];
  const metric = await sluice.adminConnection();
  const servers = await waitUntil('both are there', async () => {
    const [rows] = await metric.query<RowDataPacket[]>('SHOW SERVERS');
    return rows.filter(({ status }) => status === 'ONLINE').length === 2 ? rows : null;
  });
  t.strictSame(
    servers.map(({ port, use_ssl, status }) => [port, use_ssl, status]).toSorted((a, b) => a[0] - b[0]),
    [set.primary.port, replica!.port].toSorted((a, b) => a - b).map((port) => [port, 1, 'ONLINE']),
    'a discovered server is treated like the one that named it',
  );
  await metric.end();
});

t.test('who is not trusted, and servers that cheat', async (t) => {
  const set = new ReplicationSet({ replicas: 0, args: sslArgs(local) });
  await set.start();
  t.teardown(() => set.dispose());
  const { port } = set.primary;
  const [ca, other] = [authority.file, stranger.file].map((file) => readFileSync(file, 'utf8')) as [
    string,
    string,
  ];
  t.equal(await tryConnection(t, port, { mode: 'REQUIRED' }), '', 'nobody is asked who signed it');
  t.equal(await tryConnection(t, port, { mode: 'VERIFY_IDENTITY', ca }), '');
  t.equal(await tryCheck(port, { mode: 'VERIFY_IDENTITY' }, ca), '');
  const unknown = /TLS handshake failed: .*(verify|self.signed|issuer)/i;
  t.match(await tryConnection(t, port, { mode: 'VERIFY_CA', ca: other }), unknown, 'another authority');
  t.match(await tryConnection(t, port, { mode: 'VERIFY_CA' }), unknown, "the system's authorities");
  t.match(await tryCheck(port, { mode: 'VERIFY_CA' }, other), /verify|self.signed|issuer/i);
  const wrongName = { mode: 'VERIFY_IDENTITY', ca, serverName: 'db9.example.org' } as const;
  t.match(await tryConnection(t, port, wrongName), /does not match certificate/);
  t.equal(await tryConnection(t, port, { ...wrongName, mode: 'VERIFY_CA' }), '', 'the name does not count');
  const cheat = await Cheat.start(port);
  t.teardown(() => cheat.stop());
  const noTls = /wrong version number|packet length|unexpected message/i;
  for (const [trick, modes, reason] of [
    ['downgrade', ['REQUIRED', 'VERIFY_CA'], /TLS is required but the server does not support it/],
    ['clear text', ['PREFERRED', 'REQUIRED'], noTls],
    ['garbage', ['PREFERRED', 'REQUIRED'], noTls],
    ['early', ['PREFERRED', 'REQUIRED'], /nobody expects|out of order/],
  ] as const) {
    cheat.trick = trick;
    for (const mode of modes) {
      t.match(await tryConnection(t, cheat.port, { mode, ca }), reason, `${trick}, ${mode}`);
      t.notOk(/app|mysql_native/.test(cheat.heard), `${trick}, ${mode}: no login in clear`);
      // mysql2 takes an OK that came too early for its own, and finds out at the first statement.
      if (trick === 'early') continue;
      t.not(await tryCheck(cheat.port, { mode }, ca), '', `${trick}, ${mode}: nor a check`);
      t.notMatch(cheat.heard, /monitor/, `${trick}, ${mode}: its login neither`);
    }
  }
  cheat.trick = 'stall';
  const stalled = await tryConnection(t, cheat.port, { mode: 'REQUIRED' });
  t.match(stalled, /no answer within 3000 ms/, 'a handshake that stalls has the deadline of a connect');
  cheat.trick = 'downgrade';
  t.equal(await tryConnection(t, cheat.port, { mode: 'PREFERRED' }), '', 'PREFERRED goes on without');
  t.equal(await tryCheck(cheat.port, { mode: 'PREFERRED' }), '');
});

t.test('a name that is not the host, MySQL 5.7', async (t) => {
  const reason = await Mysql57Server.unavailableReason();
  if (reason !== null) {
    t.pass(reason, { skip: reason });
    return;
  }
  const set = new ReplicationSet({ flavor: 'mysql', replicas: 0, args: sslArgs(named) });
  await set.start();
  t.teardown(() => set.dispose());
  const server = { host: '127.0.0.1', port: set.primary.port, tls: 'VERIFY_IDENTITY', tlsCa: authority.file };
  const sluice = await inFrontOf(set, { servers: [{ ...server, tlsServerName: 'db1.example.org' }] });
  t.match(await cipher(sluice), /AES|CHACHA/, 'the name that the certificate has');
  await sluice.dispose();
  const ca = readFileSync(authority.file, 'utf8');
  const outcome = await tryConnection(t, set.primary.port, { mode: 'VERIFY_IDENTITY', ca });
  t.match(outcome, /does not match certificate/, 'the host, which it has not');
});

type Trick = 'downgrade' | 'clear text' | 'garbage' | 'early' | 'stall';

/** Stands in front of a server and has its own ideas of TLS. */
class Cheat {
  trick: Trick = 'downgrade';
  /** What came from Sluice in clear. */
  heard = '';
  readonly #server: Server;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async start(target: number): Promise<Cheat> {
    const cheat = new Cheat(target);
    await new Promise<void>((resolve) => cheat.#server.listen(0, '127.0.0.1', resolve));
    return cheat;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(client: Socket): void {
    this.heard = '';
    const upstream = connectTo(this.#target);
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    const { trick } = this;
    upstream.once('data', (greeting: Buffer) => {
      const early = trick === 'early' ? framePacket(Buffer.from([0, 0, 0, 2, 0, 0, 0]), 1) : Buffer.alloc(0);
      client.write(Buffer.concat([trick === 'downgrade' ? withoutTls(greeting) : greeting, early]));
      upstream.on('data', (chunk: Buffer) => client.write(chunk));
    });
    client.on('data', (chunk: Buffer) => {
      this.heard += chunk.toString('latin1');
      if (trick === 'stall') return;
      if (trick === 'downgrade') {
        upstream.write(chunk);
        return;
      }
      client.write(
        trick === 'garbage' ? Buffer.alloc(100, 7) : framePacket(Buffer.from([0, 0, 0, 2, 0, 0, 0]), 2),
      );
    });
  }
}

function connectTo(port: number): Socket {
  return connect({ port, host: '127.0.0.1' });
}

function withoutTls(greeting: Buffer): Buffer {
  const decoded = decodeHandshakeV10(greeting.subarray(4));
  const capabilities = (decoded.capabilities & ~Capability.CLIENT_SSL) >>> 0;
  return framePacket(encodeHandshakeV10({ ...decoded, capabilities }), 0);
}
