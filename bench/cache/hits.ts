/**
 * Hits of the cache against other ways to the same rows, over TCP and over a Unix socket: queries/s and CPU per query.
 * Targets of a round are measured one right after the other; figures are medians over the rounds, ratios medians of the
 * ratios within a round.
 *
 *   PROXYSQL_BIN=… node bench/cache/hits.ts --rounds 5 --seconds 5 --clients 64 --protocol text --class strong
 */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../test/support/owned-resources.ts';
import { BackendServers, endpointAt } from '../e2e/backend-servers.ts';
import { describeMachine } from '../e2e/machine.ts';
import { median } from '../e2e/measurement.ts';
import { measureSysbench, type StatementProtocol, type SysbenchEndpoint, Workload } from '../e2e/sysbench.ts';
import { startDirect } from '../e2e/targets/direct-target.ts';
import { startHaproxy } from '../e2e/targets/haproxy-target.ts';
import { startProxysql } from '../e2e/targets/proxysql-target.ts';
import { startSluice } from '../e2e/targets/sluice-target.ts';
import type { Target, TargetOptions } from '../e2e/targets/target.ts';
import { formatNumber, renderTable } from '../e2e/text-table.ts';
import { selectsOf } from './selects.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    clients: { type: 'string', default: '64' },
    /** Distinct keys. */
    rows: { type: 'string', default: '1000' },
    protocol: { type: 'string', default: 'text' },
    class: { type: 'string', default: 'strong' },
    replicas: { type: 'string', default: '0' },
  },
});
const PROTOCOL = values.protocol === 'prepared' ? 'prepared' : 'text';
const CLIENTS = Number(values.clients);
const SECONDS = Number(values.seconds);
const WARM_UP_SECONDS = 3;
const HOUR_MS = 3_600_000;
/** A run with more is no run of hits. */
const MOST_MISSES = 0.02;

interface Way {
  readonly name: string;
  readonly endpoint: SysbenchEndpoint;
  readonly pid: number | null;
}

interface Figures {
  readonly queriesPerSecond: number;
  readonly cpuMicroseconds: number;
  readonly p99Ms: number;
  /** Of all queries, how many the servers have seen. */
  readonly missShare: number;
}

/** Nothing is known of the CPU time of a way that has no process of its own. */
function shown(value: number | undefined): string {
  return formatNumber(value === undefined || Number.isNaN(value) ? undefined : value);
}

/** Every way, in the order in which a round measures them. */
async function startWays(servers: BackendServers, directory: string, started: Target[]): Promise<Way[]> {
  const { set } = servers;
  const socket = join(directory, 'clients.sock');
  const rule = { ruleId: 1, class: values.class, ...(values.class === 'weak' ? { ttlMs: HOUR_MS } : {}) };
  const options: TargetOptions = {
    set,
    threads: 1,
    maxBusyClients: CLIENTS,
    sluiceArgs: [],
    base: null,
    sluiceConfig: { listen: { socket }, cache: { rules: [rule] } },
    proxysqlCacheTtlMs: HOUR_MS,
    proxysqlBinary: process.env.PROXYSQL_BIN ?? null,
  };
  const ways: Way[] = [];
  const start = async (starter: (options: TargetOptions) => Promise<Target>): Promise<Target> => {
    const target = await starter(options);
    started.push(target);
    ways.push({ name: target.name, endpoint: endpointAt(target.port), pid: target.pid });
    return target;
  };
  await start(startDirect);
  ways.push({
    name: 'direct, socket',
    endpoint: { ...endpointAt(0), socket: set.primary.socket },
    pid: null,
  });
  await start(startHaproxy);
  if (options.proxysqlBinary !== null) await start(startProxysql);
  const sluice = await start(startSluice);
  ways.push({ name: 'sluice, socket', endpoint: { ...endpointAt(0), socket }, pid: sluice.pid });
  return ways;
}

async function measure({ endpoint, pid }: Way, servers: BackendServers, seconds: number): Promise<Figures> {
  const selects = await selectsOf(servers);
  const { report, cpu } = await measureSysbench({
    ...servers.tables,
    endpoint,
    workload: Workload.pointSelect,
    protocol: PROTOCOL as StatementProtocol,
    clients: CLIENTS,
    seconds,
    measuredPid: pid,
  });
  const spent = cpu === null ? Number.NaN : cpu.userMicroseconds + cpu.systemMicroseconds;
  return {
    queriesPerSecond: report.queriesPerSecond,
    cpuMicroseconds: spent / report.queries,
    p99Ms: report.latency.p99Ms,
    missShare: ((await selectsOf(servers)) - selects) / report.queries,
  };
}

function ratioOf(
  all: Map<string, Figures[]>,
  of: string,
  to: string,
  figure: keyof Figures,
): number | undefined {
  const [above, below] = [all.get(of), all.get(to)];
  if (above === undefined || below === undefined) return undefined;
  return median(above.map((one, round) => one[figure] / below[round]![figure]));
}

function report(all: Map<string, Figures[]>): void {
  const rows = [...all].map(([name, figures]) => [
    name,
    formatNumber(median(figures.map(({ queriesPerSecond }) => queriesPerSecond))),
    shown(median(figures.map(({ cpuMicroseconds }) => cpuMicroseconds))),
    formatNumber(median(figures.map(({ p99Ms }) => p99Ms))),
    median(figures.map(({ missShare }) => missShare)).toFixed(3),
    shown(ratioOf(all, name, 'direct', 'queriesPerSecond')),
    shown(ratioOf(all, name, 'haproxy', 'cpuMicroseconds')),
    shown(ratioOf(all, name, 'proxysql', 'queriesPerSecond')),
    shown(ratioOf(all, name, 'proxysql', 'cpuMicroseconds')),
  ]);
  const header = [
    'way',
    'q/s',
    'CPU µs',
    'p99 ms',
    'by servers',
    'q/s ÷ direct',
    'CPU ÷ HAProxy',
    'q/s ÷ ProxySQL',
    'CPU ÷ ProxySQL',
  ];
  process.stdout.write(`${renderTable(header, rows, 1)}\n\n`);
  const promises: readonly (readonly [string, number | undefined, 'least' | 'most', number])[] = [
    ['q/s ÷ direct', ratioOf(all, 'sluice', 'direct', 'queriesPerSecond'), 'least', 1.5],
    ['q/s ÷ ProxySQL', ratioOf(all, 'sluice', 'proxysql', 'queriesPerSecond'), 'least', 0.9],
    ['CPU ÷ ProxySQL', ratioOf(all, 'sluice', 'proxysql', 'cpuMicroseconds'), 'most', 1.2],
    ['CPU ÷ HAProxy', ratioOf(all, 'sluice', 'haproxy', 'cpuMicroseconds'), 'most', 0.85],
  ];
  if (all.get('sluice')!.some(({ missShare }) => missShare > MOST_MISSES)) {
    process.stdout.write('MISSED   these were no hits\n');
    process.exitCode = 1;
  }
  for (const [name, ratio, bound, limit] of promises) {
    if (ratio === undefined) continue;
    const reached = bound === 'least' ? ratio >= limit : ratio <= limit;
    process.stdout.write(
      `${reached ? 'reached' : 'MISSED '}  ${name}: ${ratio.toFixed(2)}, at ${bound} ${limit}\n`,
    );
    if (!reached) process.exitCode = 1;
  }
}

const machine = await describeMachine();
process.stdout.write(`${JSON.stringify({ ...values, machine })}\n`);
const servers = await BackendServers.start(Number(values.replicas), {
  tables: 1,
  rowsPerTable: Number(values.rows),
});
const directory = makeTemporaryDirectory('hits');
const started: Target[] = [];
try {
  const ways = await startWays(servers, directory, started);
  const all = new Map<string, Figures[]>(ways.map(({ name }) => [name, []]));
  for (const way of ways) await measure(way, servers, WARM_UP_SECONDS);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const way of ways) all.get(way.name)!.push(await measure(way, servers, SECONDS));
  }
  report(all);
} finally {
  for (const target of started) await target.stop();
  await servers.dispose();
  removeTemporaryDirectory(directory);
}
