/**
 * What each part of the load takes of resident memory: workers, clients, digests, entries of the cache. For the table of
 * `docker/guides/sizing.md`.
 *
 *   npm run tree -- /tmp/tree && node bench/footprint/parts.ts --script /tmp/tree/dist/src/main.js
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Connection } from 'mysql2/promise';
import { CertificateAuthority, LOCAL_NAMES } from '../../test/support/certificates.ts';
import { ReplicationSet } from '../../test/support/replication-set.ts';
import { type ConfigObject, SluiceProcess } from '../../test/support/sluice-process.ts';

const { values } = parseArgs({ options: { script: { type: 'string', default: 'dist/src/main.js' } } });

const MIB = 2 ** 20;
const CLIENTS = 1000;
const AT_ONCE = 20;
const DIGESTS = 5000;
const RESULTS = 1500;
const RESULT_BYTES = 32_768;
const SETTLED_MS = 3000;

const set = await new ReplicationSet({
  replicas: 0,
  sql: ['CREATE TABLE app.kept (id INT PRIMARY KEY)', 'INSERT INTO app.kept VALUES (1)'],
}).start();

async function inTurns(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

async function started<T>(config: ConfigObject, work: (sluice: SluiceProcess) => Promise<T>): Promise<T> {
  const command = { program: process.execPath, args: [values.script] };
  const all = { workers: 1, log: { level: 'warn' }, ...config };
  const sluice = await SluiceProcess.startFor(set, { command, config: all, startTimeoutMs: 120_000 });
  try {
    await sleep(SETTLED_MS);
    return await work(sluice);
  } finally {
    await sluice.dispose();
  }
}

function tell(what: string, bytes: number): void {
  process.stdout.write(`${what}: ${(bytes / MIB).toFixed(2)} MiB\n`);
}

async function clients(sluice: SluiceProcess, name: string, ssl: boolean): Promise<void> {
  const connect = () =>
    sluice.connect({ maxPreparedStatements: 1, ...(ssl ? { ssl: { rejectUnauthorized: false } } : {}) });
  // What the first ones load, and buffers that all share.
  const open: Connection[] = [await connect()];
  await open[0]!.query('SELECT 1');
  await sleep(SETTLED_MS);
  const before = await sluice.rss();
  await inTurns(CLIENTS, async () => {
    const connection = await connect();
    await connection.query('SELECT 1');
    open.push(connection);
  });
  await sleep(SETTLED_MS);
  tell(`1,000 ${name} clients that have asked once`, (await sluice.rss()) - before);
  for (const connection of open) connection.destroy();
}

try {
  for (const workers of [1, 2, 4])
    tell(`idle, ${workers} workers`, await started({ workers }, (sluice) => sluice.rss()));
  await started({}, (sluice) => clients(sluice, 'plain', false));
  const tls = await (await CertificateAuthority.create()).issue('sluice', LOCAL_NAMES);
  await started({ tls: { ...tls } }, (sluice) => clients(sluice, 'TLS', true));
  await started({ cache: { rules: [{ ruleId: 1, class: 'weak', ttlMs: 600_000 }] } }, async (sluice) => {
    const client = await sluice.connect();
    await client.query('SELECT 1');
    const before = await sluice.rss();
    for (let number = 0; number < DIGESTS; number++) await client.query(`SELECT ${number} AS c${number}`);
    await sleep(SETTLED_MS);
    const between = await sluice.rss();
    tell(`${DIGESTS} digests`, between - before);
    await inTurns(RESULTS, (index) =>
      client.query(`SELECT REPEAT('y', ${RESULT_BYTES}) AS v, ${index} AS k FROM kept`),
    );
    await sleep(SETTLED_MS);
    tell(
      `${(await sluice.metric('sluice_cache_bytes')) / MIB} MiB in the cache`,
      (await sluice.rss()) - between,
    );
    client.destroy();
  });
} finally {
  await set.dispose();
}
