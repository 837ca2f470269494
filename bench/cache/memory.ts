/**
 * Memory of the cache under more distinct keys than it can hold: nothing may grow past `cache.maxBytes` and 20 %.
 *
 *   node bench/cache/memory.ts --keys 10000000 --maxMiB 64 --workers 2
 */

import { parseArgs } from 'node:util';
import { SluiceProcess } from '../../test/support/sluice-process.ts';
import { BackendServers, endpointAt } from '../e2e/backend-servers.ts';
import { LoadConnection, queryPacket } from '../e2e/load/load-connection.ts';
import { describeMachine } from '../e2e/machine.ts';
import { readMemoryUse, resetPeakMemory } from '../e2e/process-usage.ts';

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '10000000' },
    maxMiB: { type: 'string', default: '64' },
    workers: { type: 'string', default: '2' },
    clients: { type: 'string', default: '32' },
    rows: { type: 'string', default: '1000' },
    class: { type: 'string', default: 'strong' },
    /**
     * The first keys only warm everything else up: buffers, code, the heap's own slack. Without a cache, resident memory went
     * from 260 MiB to 380 within 1.2 million different statements and stayed there until four million.
     */
    warmUpKeys: { type: 'string', default: '1500000' },
  },
});
const KEYS = Number(values.keys);
const WARM_UP_KEYS = Number(values.warmUpKeys);
const LIMIT_BYTES = Number(values.maxMiB) * 2 ** 20;
const ROWS = Number(values.rows);
const MOST = 1.2;
const TOLD_EVERY = 250_000;
const MIB = 2 ** 20;

function execute(connection: LoadConnection, packet: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.execute(packet, (error) => (error === null ? resolve() : reject(error)));
  });
}

async function tell(key: number): Promise<void> {
  const { residentBytes } = await readMemoryUse(sluice.pid);
  const [bytes, entries] = [
    await sluice.metric('sluice_cache_bytes'),
    await sluice.metric('sluice_cache_entries'),
  ];
  process.stderr.write(
    `${key} keys: ${Math.round(residentBytes / MIB)} MiB resident, ${(bytes / MIB).toFixed(1)} MiB in ${entries} entries by its own account\n`,
  );
}

/** Each statement is another key: its literal is nowhere else. */
async function ask(
  connections: readonly LoadConnection[],
  from: number,
  to: number,
  hint: string,
): Promise<void> {
  let next = from;
  await Promise.all(
    connections.map(async (connection) => {
      while (next < to) {
        const key = next++;
        const sql = `SELECT ${hint}c, ${key} AS k FROM sbtest1 WHERE id = ${1 + (key % ROWS)}`;
        await execute(connection, queryPacket(sql));
        if (key % TOLD_EVERY === 0) await tell(key);
      }
    }),
  );
}

process.stdout.write(`${JSON.stringify({ ...values, machine: await describeMachine() })}\n`);
const servers = await BackendServers.start(0, { tables: 1, rowsPerTable: ROWS });
const rule = { ruleId: 1, class: values.class, ...(values.class === 'weak' ? { ttlMs: 3_600_000 } : {}) };
const config = {
  workers: Number(values.workers),
  log: { level: 'warn' },
  cache: { maxBytes: LIMIT_BYTES, rules: [rule] },
};
const sluice = await SluiceProcess.startFor(servers.set, { config });
try {
  const { port } = sluice;
  const connections: LoadConnection[] = [];
  for (let n = 0; n < Number(values.clients); n++)
    connections.push(await LoadConnection.open(endpointAt(port)));
  // The same statements, not cached: what they cost anyway is not the cache's.
  await ask(connections, 0, WARM_UP_KEYS, '/* sluice:cache=off */ ');
  const before = (await readMemoryUse(sluice.pid)).residentBytes;
  await resetPeakMemory(sluice.pid);
  const began = performance.now();
  await ask(connections, 0, KEYS, '');
  const seconds = (performance.now() - began) / 1000;
  const { residentBytes, peakResidentBytes } = await readMemoryUse(sluice.pid);
  const growth = peakResidentBytes - before;
  const ratio = growth / LIMIT_BYTES;
  const figures = {
    keysPerSecond: Math.round(KEYS / seconds),
    beforeMiB: Math.round(before / MIB),
    afterMiB: Math.round(residentBytes / MIB),
    peakMiB: Math.round(peakResidentBytes / MIB),
    growthMiB: Math.round(growth / MIB),
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  const reached = ratio <= MOST;
  process.stdout.write(
    `${reached ? 'reached' : 'MISSED '}  growth ÷ cache.maxBytes: ${ratio.toFixed(2)}, at most ${MOST}\n`,
  );
  if (!reached) process.exitCode = 1;
  for (const connection of connections) connection.destroy();
} finally {
  await sluice.dispose();
  await servers.dispose();
}
