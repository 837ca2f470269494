/** Runs sysbench as a child and measures, meanwhile, what another process (a proxy) costs. */

import { spawn } from 'node:child_process';
import { disownChild, ownChild } from '../../test/support/owned-resources.ts';
import {
  type CpuTime,
  cpuTimeBetween,
  readCpuTime,
  readRunTime,
  readThreadRunTime,
} from './process-usage.ts';
import { parseSysbenchReport, type SysbenchReport } from './sysbench-report.ts';

export const Workload = {
  pointSelect: 'oltp_point_select',
  readOnly: 'oltp_read_only',
  readWrite: 'oltp_read_write',
  writeOnly: 'oltp_write_only',
  update: 'oltp_update_non_index',
} as const;
export type Workload = (typeof Workload)[keyof typeof Workload];

export const StatementProtocol = { text: 'text', prepared: 'prepared' } as const;
export type StatementProtocol = (typeof StatementProtocol)[keyof typeof StatementProtocol];

export interface SysbenchEndpoint {
  readonly host: string;
  readonly port: number;
  /** Instead of host and port. */
  readonly socket?: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
}

export interface SysbenchTables {
  readonly tables: number;
  readonly rowsPerTable: number;
}

export interface SysbenchRun extends SysbenchTables {
  readonly endpoint: SysbenchEndpoint;
  readonly workload: Workload;
  readonly protocol: StatementProtocol;
  readonly clients: number;
  readonly seconds: number;
  /** The process whose CPU time is taken over the run, or null. */
  readonly measuredPid: number | null;
  /** Clients use TLS, with the files that sysbench looks for in this folder: client-key.pem, client-cert.pem, cacert.pem. */
  readonly tlsDirectory?: string;
  /** What the workload is told beside its own defaults, e.g. `--point-selects=4`. */
  readonly mix?: readonly string[];
}

export interface SysbenchResult {
  readonly report: SysbenchReport;
  /** From the moment when every client is connected until sysbench has ended; null without `measuredPid`. */
  readonly cpu: CpuTime | null;
  /** The same by another account, which is exact and does not tell user from system. */
  readonly runMicroseconds: number;
  /** Of that, the process's first thread; Sluice's control plane. */
  readonly mainRunMicroseconds: number;
}

interface Usage {
  readonly cpu: CpuTime;
  readonly runMicroseconds: number;
  readonly mainRunMicroseconds: number;
}

async function readUsage(pid: number): Promise<Usage> {
  const [cpu, runMicroseconds, mainRunMicroseconds] = await Promise.all([
    readCpuTime(pid),
    readRunTime(pid),
    readThreadRunTime(pid, pid),
  ]);
  return { cpu, runMicroseconds, mainRunMicroseconds };
}

/** What a run may take beyond its own seconds: connecting 256 clients, and the statements under way at the end. */
const GRACE_MS = 30_000;

export async function prepareSysbenchTables(endpoint: SysbenchEndpoint, size: SysbenchTables): Promise<void> {
  const args = endpointArguments(endpoint, size);
  const workload = Workload.pointSelect;
  await runSysbench(
    { args, workload, command: 'prepare', timeoutMs: 300_000, directory: undefined },
    () => {},
  );
}

/** @throws Error with sysbench's own words when it fails, or does not end in time */
export async function measureSysbench(run: SysbenchRun): Promise<SysbenchResult> {
  const args = [
    ...endpointArguments(run.endpoint, run),
    `--mysql-ssl=${run.tlsDirectory === undefined ? 'off' : 'on'}`,
    `--threads=${run.clients}`,
    `--time=${run.seconds}`,
    '--events=0',
    '--histogram',
    `--db-ps-mode=${run.protocol === StatementProtocol.text ? 'disable' : 'auto'}`,
    ...(run.mix ?? []),
  ];
  const { measuredPid } = run;
  let atStart = null as Promise<Usage> | null;
  const timeoutMs = run.seconds * 1000 + GRACE_MS;
  const { tlsDirectory } = run;
  const output = await runSysbench(
    { args, workload: run.workload, command: 'run', timeoutMs, directory: tlsDirectory },
    (text) => {
      // sysbench prints this when every client has logged in: connecting is measured by the churn scenario instead.
      if (measuredPid !== null && atStart === null && text.includes('Threads started!')) {
        atStart = readUsage(measuredPid);
      }
    },
  );
  const report = parseSysbenchReport(output);
  if (measuredPid === null)
    return { report, cpu: null, runMicroseconds: Number.NaN, mainRunMicroseconds: Number.NaN };
  const after = await readUsage(measuredPid);
  if (atStart === null) throw new Error('sysbench never said that its threads have started');
  const before = await atStart;
  return {
    report,
    cpu: cpuTimeBetween(before.cpu, after.cpu),
    runMicroseconds: after.runMicroseconds - before.runMicroseconds,
    mainRunMicroseconds: after.mainRunMicroseconds - before.mainRunMicroseconds,
  };
}

function endpointArguments(endpoint: SysbenchEndpoint, size: SysbenchTables): string[] {
  return [
    '--db-driver=mysql',
    ...placeArguments(endpoint),
    `--mysql-user=${endpoint.username}`,
    `--mysql-password=${endpoint.password}`,
    `--mysql-db=${endpoint.database}`,
    `--tables=${size.tables}`,
    `--table-size=${size.rowsPerTable}`,
  ];
}

function placeArguments({ host, port, socket }: SysbenchEndpoint): string[] {
  if (socket === undefined) return [`--mysql-host=${host}`, `--mysql-port=${port}`];
  // The client library takes the socket only for this name.
  return ['--mysql-host=localhost', `--mysql-socket=${socket}`];
}

interface SysbenchCommand {
  readonly args: readonly string[];
  readonly workload: Workload;
  readonly command: 'prepare' | 'run';
  readonly timeoutMs: number;
  /** Where it runs; undefined: where we do. */
  readonly directory: string | undefined;
}

function runSysbench(
  { args, workload, command, timeoutMs, directory }: SysbenchCommand,
  onOutput: (soFar: string) => void,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('sysbench', [workload, ...args, command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      cwd: directory,
      killSignal: 'SIGKILL',
    });
    const { pid } = child;
    if (pid !== undefined) {
      ownChild(pid);
      child.once('exit', () => disownChild(pid));
    }
    let output = '';
    const collect = (chunk: string) => {
      output += chunk;
      onOutput(output);
    };
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else
        reject(
          new Error(`sysbench ${workload} ${command} ended with ${signal ?? code}: ${output.slice(-600)}`),
        );
    });
  });
}
