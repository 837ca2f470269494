/**
 * Does the data plane notice when the admin and http ports are hammered? Point selects at a steady pace through Sluice,
 * alternately alone and under `test/support/admin-hammer.ts`; what is compared is their p99.
 *
 *   node bench/e2e/admin-hammer.ts [--rounds 5] [--seconds 10] [--requests 10000] [--clients 16] [--think-ms 2]
 *
 * Exits with 1 when the median of the ratios is over 1.10.
 */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type HammerReport, hammer } from '../../test/support/admin-hammer.ts';
import { APP_ACCOUNT, APP_SCHEMA } from '../../test/support/replication-set.ts';
import { SluiceProcess } from '../../test/support/sluice-process.ts';
import { BackendServers } from './backend-servers.ts';
import type { LoadResult } from './load/load-job.ts';
import { LoadProcess } from './load/load-process.ts';

const MOST_RATIO = 1.1;
const ROWS = 50_000;
const JOB_TIMEOUT_MS = 600_000;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
    requests: { type: 'string', default: '10000' },
    clients: { type: 'string', default: '16' },
    'think-ms': { type: 'string', default: '2' },
  },
});
const rounds = Number(values.rounds);
const requests = Number(values.requests);

function steady(port: number): LoadProcess {
  const endpoint = {
    host: '127.0.0.1',
    port,
    username: APP_ACCOUNT.username,
    password: APP_ACCOUNT.password,
    database: APP_SCHEMA,
  };
  const clients = Number(values.clients);
  return new LoadProcess(
    { kind: 'steady', endpoint, clients, thinkMs: Number(values['think-ms']), rows: ROWS },
    JOB_TIMEOUT_MS,
  );
}

/** The load's result while `work` goes on. */
async function during(port: number, work: () => Promise<unknown>): Promise<LoadResult> {
  const load = steady(port);
  try {
    await load.reached;
    await work();
    return await load.finish();
  } finally {
    await load.dispose();
  }
}

const pause = (): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Number(values.seconds) * 1000));

function line(name: string, { operations, seconds, latency }: LoadResult): string {
  const { p50Ms, p99Ms, maxMs } = latency;
  const rate = Math.round(operations / seconds);
  return `${name}: ${rate}/s, p50 ${p50Ms.toFixed(2)}, p99 ${p99Ms.toFixed(2)}, most ${maxMs.toFixed(1)} ms`;
}

const servers = await BackendServers.start(2, { tables: 1, rowsPerTable: ROWS });
const sluice = await SluiceProcess.startFor(servers.set, {
  config: {
    workers: Math.max(1, availableParallelism() - 1),
    log: { level: 'warn' },
    monitor: { intervalMs: 1000 },
  },
});
const ports = { host: sluice.host, adminPort: sluice.adminPort, httpPort: sluice.httpPort };
const ratios: number[] = [];
try {
  await during(sluice.port, pause);
  for (let round = 1; round <= rounds; round++) {
    const alone = await during(sluice.port, pause);
    let report: HammerReport | null = null;
    const hammered = await during(sluice.port, async () => {
      report = await hammer(ports, {
        adminRequests: requests,
        httpRequests: requests,
        slowReaders: 8,
        clients: 4,
      });
    });
    ratios.push(hammered.latency.p99Ms / alone.latency.p99Ms);
    console.log(line(`round ${round}, alone`, alone));
    console.log(line(`round ${round}, hammered`, hammered));
    console.log(`  ${describe(report)}; p99 ratio ${ratios.at(-1)?.toFixed(3)}`);
  }
} finally {
  await sluice.kill();
  await sluice.dispose();
  await servers.dispose();
}
const median = ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? Number.NaN;
console.log(`median of the ratios of p99: ${median.toFixed(3)} (at most ${MOST_RATIO})`);
process.exitCode = median <= MOST_RATIO ? 0 : 1;

function describe(report: HammerReport | null): string {
  if (report === null) return 'nothing was asked';
  const { admin, http, join, seconds } = report;
  const counts = (of: ReadonlyMap<string, number>): string =>
    [...of].map(([what, times]) => `${what} ${times}`).join(', ');
  return `admin ${counts(admin)}; http ${counts(http)}; join: ${join.slice(0, 60)}; ${seconds.toFixed(1)} s`;
}
