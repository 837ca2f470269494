/** Measures one point on one target, once. */

import { setTimeout as delay } from 'node:timers/promises';
import { type BackendServers, endpointAt } from './backend-servers.ts';
import type { LoadJob, LoadResult } from './load/load-job.ts';
import { LoadProcess, runLoad } from './load/load-process.ts';
import type { Values } from './measurement.ts';
import { type BenchOptions, ScenarioName } from './options.ts';
import type { Point } from './plan.ts';
import {
  type CpuTime,
  cpuTimeBetween,
  readCpuTime,
  readMemoryUse,
  resetPeakMemory,
} from './process-usage.ts';
import { measureSysbench, Workload } from './sysbench.ts';
import type { Target } from './targets/target.ts';

const MAX_WARM_UP_SECONDS = 2;
const WARM_UP_CLIENTS = 64;
const WARM_UP_CHURN_CLIENTS = 16;
const MAX_LOAD_MS = 120_000;
const MAX_PREPARES_MS = 900_000;
const STALL_MS = 5_000;
const STALL_AFTER_BYTES = 1_000_000;
/** Time in which a proxy may tidy up before the memory of idle clients is read. */
const IDLE_SETTLE_MS = 2_000;
const FLOOD_CLIENTS = 8;
const PREPARING_CLIENTS = 16;
const FLOOD_MAX_SECONDS = 60;
const STEADY_CLIENTS = 16;
const STEADY_THINK_MS = 2;
const MEGABYTE = 1e6;

export async function warmUp(target: Target, servers: BackendServers, options: BenchOptions): Promise<void> {
  const seconds = Math.min(MAX_WARM_UP_SECONDS, options.seconds);
  for (const protocol of options.protocols) {
    await measureSysbench({
      ...servers.tables,
      endpoint: endpointAt(target.port),
      workload: Workload.pointSelect,
      protocol,
      clients: WARM_UP_CLIENTS,
      seconds,
      measuredPid: null,
    });
  }
  // Logging in is code of its own, which those few connections have not made hot.
  if (options.scenarios.includes(ScenarioName.churn)) {
    const endpoint = endpointAt(target.port);
    const job = {
      kind: 'churn',
      endpoint,
      clients: WARM_UP_CHURN_CLIENTS,
      seconds,
    } as const;
    await runLoad(job, MAX_LOAD_MS);
  }
}

export async function runPoint(
  point: Point,
  target: Target,
  servers: BackendServers,
  options: BenchOptions,
): Promise<Values> {
  if (target.pid !== null) await resetPeakMemory(target.pid);
  switch (point.kind) {
    case 'sysbench':
      return sysbench(point, target, servers, options);
    case 'churn':
      return churn(point.clients, target, options);
    case 'idle':
      return idle(point.clients, target);
    case 'bigResult':
      return bigResult(point.stalled, target, options);
    case 'flood':
      return flood(target, servers, options);
    case 'prepares':
      return prepares(target, servers, options);
    case 'tls':
      return tls(point.clients, target, servers, options);
  }
}

async function sysbench(
  point: Extract<Point, { kind: 'sysbench' }>,
  target: Target,
  servers: BackendServers,
  options: BenchOptions,
): Promise<Values> {
  const { report, cpu } = await measureSysbench({
    ...servers.tables,
    endpoint: endpointAt(target.port),
    workload: point.workload,
    protocol: point.protocol,
    clients: point.clients,
    seconds: options.seconds,
    measuredPid: target.pid,
  });
  if (point.workload === Workload.readWrite) await servers.settle();
  return {
    queriesPerSecond: report.queriesPerSecond,
    p50Ms: report.latency.p50Ms,
    p95Ms: report.latency.p95Ms,
    p99Ms: report.latency.p99Ms,
    meanMs: (point.clients * 1000) / report.queriesPerSecond,
    ...cpuValues(cpu, report.queries),
    ...(await memoryValues(target)),
  };
}

async function tls(
  clients: number,
  target: Target,
  servers: BackendServers,
  options: BenchOptions,
): Promise<Values> {
  const { tlsDirectory } = target;
  if (tlsDirectory === null) return {};
  const { report, cpu } = await measureSysbench({
    ...servers.tables,
    endpoint: endpointAt(target.port),
    workload: Workload.pointSelect,
    protocol: 'text',
    clients,
    seconds: options.seconds,
    measuredPid: target.pid,
    tlsDirectory,
  });
  const { queriesPerSecond, latency } = report;
  const { p50Ms, p95Ms, p99Ms } = latency;
  return { queriesPerSecond, p50Ms, p95Ms, p99Ms, ...cpuValues(cpu, report.queries) };
}

async function churn(clients: number, target: Target, options: BenchOptions): Promise<Values> {
  const { result, cpu } = await loadOn(target, {
    kind: 'churn',
    endpoint: endpointAt(target.port),
    clients,
    seconds: options.seconds,
  });
  const { latency } = result;
  return {
    queriesPerSecond: result.operations / result.seconds,
    p50Ms: latency.p50Ms,
    p95Ms: latency.p95Ms,
    p99Ms: latency.p99Ms,
    meanMs: latency.averageMs,
    ...cpuValues(cpu, result.operations),
    ...(await memoryValues(target)),
  };
}

async function idle(clients: number, target: Target): Promise<Values> {
  const before = target.pid === null ? null : await readMemoryUse(target.pid);
  const load = new LoadProcess({ kind: 'idle', endpoint: endpointAt(target.port), clients }, MAX_LOAD_MS);
  try {
    await load.reached;
    await delay(IDLE_SETTLE_MS);
    const memory = await memoryValues(target);
    const growth = before === null ? 0 : (memory.residentBytes ?? 0) - before.residentBytes;
    const result = await load.finish();
    return {
      queriesPerSecond: result.operations / result.seconds,
      ...memory,
      ...(before === null ? {} : { growthBytes: growth, growthPerClientBytes: growth / clients }),
    };
  } finally {
    await load.dispose();
  }
}

async function bigResult(stalled: boolean, target: Target, options: BenchOptions): Promise<Values> {
  const before = target.pid === null ? null : await readMemoryUse(target.pid);
  const { result, cpu } = await loadOn(target, {
    kind: 'bigResult',
    endpoint: endpointAt(target.port),
    // Rows of 1,000 bytes: a row is a packet, and it is packets that a proxy has to look at.
    sql: `SELECT REPEAT('x', 1000) FROM seq_1_to_${options.bigResultMegabytes * 1000}`,
    stallAfterBytes: STALL_AFTER_BYTES,
    stallMs: stalled ? STALL_MS : 0,
  });
  const wanted = options.bigResultMegabytes * MEGABYTE;
  if (result.bytes < wanted) throw new Error(`the result has ${result.bytes} bytes, fewer than ${wanted}`);
  const memory = await memoryValues(target);
  return {
    // A stalled reader's throughput says nothing.
    ...(stalled ? {} : { megabytesPerSecond: result.bytes / MEGABYTE / result.seconds }),
    ...memory,
    ...growthValues(before?.residentBytes, memory),
    ...(cpu === null ? {} : { cpuSeconds: secondsOf(cpu) }),
  };
}

async function flood(target: Target, servers: BackendServers, options: BenchOptions): Promise<Values> {
  const before = target.pid === null ? null : await readMemoryUse(target.pid);
  const endpoint = endpointAt(target.port);
  const rows = servers.tables.rowsPerTable;
  const steady = new LoadProcess(
    { kind: 'steady', endpoint, clients: STEADY_CLIENTS, thinkMs: STEADY_THINK_MS, rows },
    MAX_LOAD_MS,
  );
  try {
    await steady.reached;
    const { result, cpu } = await loadOn(target, {
      kind: 'flood',
      endpoint,
      clients: FLOOD_CLIENTS,
      statements: options.floodStatements,
      maxSeconds: FLOOD_MAX_SECONDS,
      rows,
    });
    const others = await steady.finish();
    const memory = await memoryValues(target);
    return {
      p50Ms: others.latency.p50Ms,
      p95Ms: others.latency.p95Ms,
      p99Ms: others.latency.p99Ms,
      queriesPerSecond: others.operations / others.seconds,
      floodStatements: result.operations,
      floodStatementsPerSecond: result.operations / result.seconds,
      ...cpuValues(cpu, result.operations + others.operations),
      ...memory,
      ...growthValues(before?.residentBytes, memory),
    };
  } finally {
    await steady.dispose();
  }
}

/** The first tenth fills the caches, which have their limits; what grows after that would go on growing. */
async function prepares(target: Target, servers: BackendServers, options: BenchOptions): Promise<Values> {
  const endpoint = endpointAt(target.port);
  const job = { kind: 'prepares', endpoint, clients: PREPARING_CLIENTS, firstNumber: 0 } as const;
  const first = Math.ceil(options.preparedStatements / 10);
  const filling = new LoadProcess({ ...job, statements: first }, MAX_PREPARES_MS);
  await filling.reached.then(() => filling.finish()).finally(() => filling.dispose());
  if (target.pid !== null) await resetPeakMemory(target.pid);
  const before = target.pid === null ? null : await readMemoryUse(target.pid);
  const cpuBefore = target.pid === null ? null : await readCpuTime(target.pid);
  const load = new LoadProcess(
    { ...job, firstNumber: first, statements: options.preparedStatements - first },
    MAX_PREPARES_MS,
  );
  try {
    await load.reached;
    const cpuAfter = target.pid === null ? null : await readCpuTime(target.pid);
    const memory = await memoryValues(target);
    const statementsLeft = await servers.preparedStatements();
    const result = await load.finish();
    const cpu = cpuBefore === null || cpuAfter === null ? null : cpuTimeBetween(cpuBefore, cpuAfter);
    return {
      queriesPerSecond: result.operations / result.seconds,
      statementsLeft,
      ...cpuValues(cpu, result.operations),
      ...memory,
      ...growthValues(before?.residentBytes, memory),
    };
  } finally {
    await load.dispose();
  }
}

async function loadOn(target: Target, job: LoadJob): Promise<{ result: LoadResult; cpu: CpuTime | null }> {
  const before = target.pid === null ? null : await readCpuTime(target.pid);
  const result = await runLoad(job, MAX_LOAD_MS);
  const after = target.pid === null ? null : await readCpuTime(target.pid);
  return { result, cpu: before === null || after === null ? null : cpuTimeBetween(before, after) };
}

function cpuValues(cpu: CpuTime | null, operations: number): Values {
  if (cpu === null || operations === 0) return {};
  return {
    cpuUserMicroseconds: cpu.userMicroseconds / operations,
    cpuSystemMicroseconds: cpu.systemMicroseconds / operations,
    cpuMicroseconds: (cpu.userMicroseconds + cpu.systemMicroseconds) / operations,
  };
}

async function memoryValues(target: Target): Promise<Values> {
  return target.pid === null ? {} : await readMemoryUse(target.pid);
}

function growthValues(residentBefore: number | undefined, memory: Values): Values {
  if (residentBefore === undefined || memory.peakResidentBytes === undefined) return {};
  return { growthBytes: memory.peakResidentBytes - residentBefore };
}

function secondsOf(cpu: CpuTime): number {
  return (cpu.userMicroseconds + cpu.systemMicroseconds) / 1e6;
}
