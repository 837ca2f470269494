/**
 * Everything at once that operators' side can be asked: many statements on the admin port, clients that do not read
 * their answers, a join whose result nobody could hold, and many requests on the http port.
 */

import { once } from 'node:events';
import { createConnection as connectTcp, type Socket } from 'node:net';
import { createConnection } from 'mysql2/promise';
import {
  Capability,
  ClientHandshake,
  encodeComQuery,
  framePacket,
  PacketReader,
} from '../../protocol/index.ts';

export interface HammeredPorts {
  readonly host: string;
  readonly adminPort: number;
  readonly httpPort: number;
}

export interface HammerPlan {
  readonly adminRequests: number;
  readonly httpRequests: number;
  readonly slowReaders: number;
  /** At the same time, of each kind. */
  readonly clients: number;
}

export interface HammerReport {
  /** By what came: `ok`, or the number of the error. */
  readonly admin: ReadonlyMap<string, number>;
  /** By status. */
  readonly http: ReadonlyMap<string, number>;
  /** Number and text of the error that ended the join. */
  readonly join: string;
  readonly seconds: number;
}

const STATEMENTS = [
  'SELECT * FROM stats_mysql_global',
  'SELECT hostgroup, srv_host, srv_port, * FROM stats_mysql_connection_pool',
  'SELECT * FROM stats_mysql_query_digest ORDER BY sum_time DESC LIMIT 20',
  'SELECT user, COUNT(*) FROM stats_mysql_processlist GROUP BY user',
  'SELECT * FROM runtime_mysql_servers',
  "SELECT variable_value FROM global_variables WHERE variable_name = 'admin-version'",
  'SHOW TOPOLOGY',
  'SHOW SESSIONS LIMIT 10',
  'SHOW NONSENSE',
  'SELECT 1',
];
const PATHS = ['/healthz', '/readyz', '/metrics', '/', '/nowhere'];
/** A few hundred rows to the fourth power: thousands of millions. */
const JOIN =
  'SELECT * FROM stats_mysql_global a, stats_mysql_global b, stats_mysql_global c, stats_mysql_global d';
const BIG_ANSWER = 'SELECT a.*, b.* FROM stats_mysql_global a, stats_mysql_global b';

export async function hammer(ports: HammeredPorts, plan: HammerPlan): Promise<HammerReport> {
  const startedAt = performance.now();
  const admin = new Map<string, number>();
  const http = new Map<string, number>();
  const slow = await Promise.all(Array.from({ length: plan.slowReaders }, () => slowReader(ports)));
  const join = joinTooLarge(ports);
  const share = (total: number): number => Math.ceil(total / plan.clients);
  await Promise.all(
    Array.from({ length: plan.clients }, (_, client) => [
      adminClient(ports, client, share(plan.adminRequests), admin),
      httpClient(ports, share(plan.httpRequests), http),
    ]).flat(),
  );
  const ended = await join;
  for (const socket of slow) socket.destroy();
  return { admin, http, join: ended, seconds: (performance.now() - startedAt) / 1000 };
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

async function adminClient(
  { host, adminPort: port }: HammeredPorts,
  first: number,
  requests: number,
  counts: Map<string, number>,
): Promise<void> {
  const connection = await createConnection({ host, port, user: 'admin', password: 'admin' });
  for (let request = 0; request < requests; request++) {
    const sql = STATEMENTS[(first + request) % STATEMENTS.length]!;
    const outcome = await connection.query(sql).then(
      () => 'ok',
      (error: { errno?: number }) => String(error.errno ?? error),
    );
    count(counts, outcome);
  }
  await connection.end();
}

async function httpClient(
  { host, httpPort }: HammeredPorts,
  requests: number,
  counts: Map<string, number>,
): Promise<void> {
  for (let request = 0; request < requests; request++) {
    const path = PATHS[request % PATHS.length]!;
    const outcome = await fetch(`http://${host}:${httpPort}${path}`, { redirect: 'manual' }).then(
      async (response) => {
        await response.arrayBuffer();
        return String(response.status);
      },
      (error: Error) => error.message,
    );
    count(counts, outcome);
  }
}

async function joinTooLarge({ host, adminPort: port }: HammeredPorts): Promise<string> {
  const connection = await createConnection({ host, port, user: 'admin', password: 'admin' });
  try {
    const [rows] = await connection.query(JOIN);
    return `${(rows as unknown[]).length} rows`;
  } catch (error) {
    const { errno, message } = error as { errno?: number; message: string };
    return `${errno} ${message}`;
  } finally {
    connection.destroy();
  }
}

/** Logs in, asks for a few megabytes again and again, and reads nothing of it. */
async function slowReader({ host, adminPort: port }: HammeredPorts): Promise<Socket> {
  const socket = connectTcp({ host, port });
  const handshake = new ClientHandshake({
    username: 'admin',
    password: { kind: 'plain', value: 'admin' },
    database: null,
    capabilities:
      Capability.CLIENT_PROTOCOL_41 | Capability.CLIENT_SECURE_CONNECTION | Capability.CLIENT_PLUGIN_AUTH,
    collationId: 45,
    connectAttributes: {},
    maxPacketBytes: 1 << 24,
    allowRsa: false,
    secureTransport: false,
  });
  const isIn = Promise.withResolvers<void>();
  const reader = new PacketReader((payload, sequenceId) => {
    const step = handshake.receive(payload, sequenceId);
    if (step.kind === 'send') socket.write(step.packets);
    if (step.kind === 'done') isIn.resolve();
    if (step.kind === 'failed') isIn.reject(new Error(step.message));
  }, 1 << 20);
  const receive = (chunk: Buffer): void => reader.push(chunk);
  socket.on('data', receive);
  socket.on('error', (error) => isIn.reject(error));
  await once(socket, 'connect');
  await isIn.promise;
  socket.off('data', receive);
  socket.pause();
  const query = framePacket(encodeComQuery({ query: BIG_ANSWER }, 0), 0);
  socket.write(Buffer.concat(Array.from({ length: 20 }, () => query)));
  return socket;
}
