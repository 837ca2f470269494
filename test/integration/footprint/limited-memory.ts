/**
 * What Sluice has to serve within a limit of memory without being killed: many clients, a result far larger than the limit,
 * as text and prepared, somebody who does not read his, a cache that is full, and digests without end.
 */

import type { Connection } from 'mysql2/promise';
import { Command } from '../../../protocol/index.ts';
import type { MemoryCgroup, MemoryReport } from '../../support/memory-cgroup.ts';
import { RawClient } from '../../support/raw-client.ts';
import { APP_ACCOUNT, APP_SCHEMA, ReplicationSet } from '../../support/replication-set.ts';
import { type ConfigObject, SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

export interface LimitedLoad {
  readonly clients: number;
  readonly resultMib: number;
  /** Of the prepared one. */
  readonly preparedMib: number;
  readonly digests: number;
  /** Results of 64 KiB each. */
  readonly cachedResults: number;
  /** What runs, unless the sources of this checkout. */
  readonly command?: { readonly program: string; readonly args: readonly string[] };
  readonly config?: ConfigObject;
}

export interface LimitedOutcome extends MemoryReport {
  readonly workerRestarts: number;
  readonly clientsServed: number;
  readonly textBytes: number;
  readonly preparedBytes: number;
  readonly residentBytes: number;
  readonly idleResidentBytes: number;
  readonly cachedBytes: number;
  readonly sluiceExited: boolean;
}

const ROW_BYTES = 65_536;
const ROWS_PER_MIB = 16;
const RESULT_TIMEOUT_MS = 600_000;
const AT_ONCE = 25;

function resultStatement(mib: number): string {
  return `SELECT REPEAT('x', ${ROW_BYTES}) FROM seq_1_to_${mib * ROWS_PER_MIB}`;
}

async function login(sluice: SluiceProcess): Promise<RawClient> {
  return RawClient.login({ host: sluice.host, port: sluice.port }, { ...APP_ACCOUNT, database: APP_SCHEMA });
}

/** Reads on without keeping anything. */
async function countBytes(client: RawClient, expected: number): Promise<number> {
  const before = client.receivedBytes;
  await waitUntil(
    `${expected} bytes of a result`,
    () => client.receivedBytes - before >= expected || client.closed,
    { timeoutMs: RESULT_TIMEOUT_MS },
  );
  const bytes = client.receivedBytes - before;
  client.destroy();
  return bytes;
}

async function textResult(sluice: SluiceProcess, mib: number): Promise<number> {
  const client = await login(sluice);
  client.keepNothing();
  client.sendCommand(Command.COM_QUERY, resultStatement(mib));
  return countBytes(client, mib * 2 ** 20);
}

async function preparedResult(sluice: SluiceProcess, mib: number): Promise<number> {
  const client = await login(sluice);
  client.sendCommand(Command.COM_STMT_PREPARE, resultStatement(mib));
  const { payload } = await client.readPacket();
  const execute = Buffer.alloc(9);
  execute.writeUInt32LE(payload.readUInt32LE(1), 0);
  execute.writeUInt32LE(1, 5);
  client.keepNothing();
  client.sendCommand(Command.COM_STMT_EXECUTE, execute);
  return countBytes(client, mib * 2 ** 20);
}

/** Asks for a result and reads none of it. */
async function stalledReader(sluice: SluiceProcess, mib: number): Promise<RawClient> {
  const client = await login(sluice);
  client.keepNothing();
  client.socket.pause();
  client.sendCommand(Command.COM_QUERY, resultStatement(mib));
  return client;
}

async function inTurns(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, one));
}

async function askAll(clients: readonly Connection[]): Promise<number> {
  let served = 0;
  await inTurns(clients.length, async (index) => {
    const [rows] = await clients[index]!.query('SELECT ? AS n', [index]);
    if ((rows as { n: number }[])[0]?.n === index) served++;
  });
  return served;
}

async function load(
  sluice: SluiceProcess,
  wanted: LimitedLoad,
): Promise<Omit<LimitedOutcome, keyof MemoryReport>> {
  const idleResidentBytes = await sluice.rss();
  const clients: Connection[] = [];
  await inTurns(wanted.clients, async () => {
    clients.push(await sluice.connect({ maxPreparedStatements: 1 }));
  });
  const stalled = await stalledReader(sluice, wanted.resultMib);
  let clientsServed = await askAll(clients);
  const [first] = clients;
  for (let number = 0; number < wanted.digests; number++)
    await first!.query(`SELECT ${number} AS c${number}`);
  await inTurns(wanted.cachedResults, async (index) => {
    await clients[index % clients.length]!.query(
      `SELECT REPEAT('y', ${ROW_BYTES}) AS v, ${index} AS k FROM kept`,
    );
  });
  const textBytes = await textResult(sluice, wanted.resultMib);
  const preparedBytes = await preparedResult(sluice, wanted.preparedMib);
  clientsServed = Math.min(clientsServed, await askAll(clients));
  const outcome = {
    idleResidentBytes,
    clientsServed,
    textBytes,
    preparedBytes,
    residentBytes: await sluice.rss(),
    cachedBytes: await sluice.metric('sluice_cache_bytes'),
    workerRestarts: await sluice.metric('sluice_worker_restarts_total'),
    sluiceExited: sluice.exit !== null,
  };
  stalled.destroy();
  for (const client of clients) client.destroy();
  return outcome;
}

export async function runLimited(group: MemoryCgroup, wanted: LimitedLoad): Promise<LimitedOutcome> {
  const set = new ReplicationSet({
    replicas: 0,
    args: [`--max-connections=${wanted.clients + 100}`],
    sql: ['CREATE TABLE app.kept (id INT PRIMARY KEY)', 'INSERT INTO app.kept VALUES (1)'],
  });
  let sluice: SluiceProcess | null = null;
  try {
    await set.start();
    sluice = await SluiceProcess.startFor(set, {
      runBy: group.runBy,
      startTimeoutMs: 120_000,
      config: {
        workers: null,
        log: { level: 'warn' },
        cache: { rules: [{ ruleId: 1, class: 'weak', ttlMs: 600_000 }] },
        ...wanted.config,
      },
      ...(wanted.command === undefined ? {} : { command: wanted.command }),
    });
    const outcome = await load(sluice, wanted);
    return { ...outcome, ...group.report() };
  } finally {
    await sluice?.dispose();
    await set.dispose();
  }
}
