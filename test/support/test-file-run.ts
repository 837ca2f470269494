/** Runs one test file in a process group and with a temporary folder of its own, so that it can leave nothing behind. */

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { TapCounter, type TapFailure } from './tap-summary.ts';

export interface FileResult {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly todo: number;
  readonly failures: readonly TapFailure[];
  readonly durationMs: number;
  /** Of the processor; 0 of a file that did not end by itself. */
  readonly cpuMs: number;
  /** Everything on stderr, the end of it when it is long. */
  readonly stderr: string;
}

export interface FileRunOptions {
  readonly file: string;
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

const KILL_AFTER_MS = 3000;
const DYING_MS = 2000;
const MAX_STDERR_CHARACTERS = 64_000;
const CPU_REPORT = new URL('cpu-report.ts', import.meta.url).href;

export async function runTestFile(options: FileRunOptions): Promise<FileResult> {
  const startedAt = performance.now();
  const temporary = mkdtempSync(join(tmpdir(), 'sluice-t-'));
  try {
    const outcome = await runInGroup(options, temporary);
    const failures = [...outcome.tap.failures];
    const problem = processProblem(outcome, options.timeoutMs);
    if (problem !== null) failures.push({ path: [problem.name], detail: { reason: problem.reason } });
    return {
      file: options.file,
      passed: outcome.tap.passed,
      failed: outcome.tap.failed + (problem === null ? 0 : 1),
      skipped: outcome.tap.skipped,
      todo: outcome.tap.todo,
      failures,
      durationMs: performance.now() - startedAt,
      cpuMs: outcome.cpuMs,
      stderr: outcome.stderr,
    };
  } finally {
    rmSync(temporary, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

interface Outcome {
  readonly tap: ReturnType<TapCounter['end']>;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  readonly leftProcesses: readonly string[];
  readonly cpuMs: number;
  readonly stderr: string;
}

/** What the process did wrong beyond its assertions; it counts as one more failed test. */
function processProblem(outcome: Outcome, timeoutMs: number): { name: string; reason: string } | null {
  const { tap, code, signal } = outcome;
  if (outcome.aborted) return { name: 'stopped', reason: 'the run was interrupted, or its time was up' };
  if (outcome.timedOut) return { name: 'time-out', reason: `still running after ${timeoutMs} ms` };
  if (signal !== null) return { name: 'crash', reason: `ended by ${signal}` };
  if (code !== 0 && tap.failed === 0)
    return { name: 'crash', reason: `exit code ${code} without a failed test` };
  // Where something failed already, a plan that does not fit is a consequence.
  if (tap.planProblem !== null && tap.failed === 0) return { name: 'plan', reason: tap.planProblem };
  if (outcome.leftProcesses.length > 0) {
    return { name: 'processes left behind', reason: outcome.leftProcesses.join('\n') };
  }
  if (tap.passed + tap.failed + tap.skipped + tap.todo === 0) {
    return { name: 'no test', reason: 'the file ran no test' };
  }
  return null;
}

function runInGroup(options: FileRunOptions, temporary: string): Promise<Outcome> {
  const child = spawn(process.execPath, ['--import', CPU_REPORT, options.file], {
    cwd: options.cwd,
    env: {
      ...options.env,
      TMPDIR: temporary,
      TAP_TIMEOUT: String(Math.ceil(options.timeoutMs / 1000)),
      PATH: `${dirname(process.execPath)}${delimiter}${options.env.PATH ?? ''}`,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const counter = new TapCounter();
  let stderr = '';
  let cpu = '';
  const [, stdout, errors, cpuReport] = child.stdio as unknown as [null, Readable, Readable, Readable];
  stdout.setEncoding('utf8').on('data', (chunk: string) => counter.write(chunk));
  errors.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-MAX_STDERR_CHARACTERS);
  });
  cpuReport.setEncoding('utf8').on('data', (chunk: string) => {
    cpu += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    const group = child.pid;
    if (group === undefined) return;
    let timedOut = false;
    const end = () => {
      signalGroup(group, 'SIGTERM');
      setTimeout(() => signalGroup(group, 'SIGKILL'), KILL_AFTER_MS).unref();
    };
    const timer = setTimeout(() => {
      timedOut = true;
      end();
    }, options.timeoutMs);
    options.signal.addEventListener('abort', end);
    let leftProcesses = Promise.resolve<string[]>([]);
    child.once('exit', () => {
      leftProcesses = endGroup(group);
    });
    child.once('close', async (code, signal) => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', end);
      const aborted = options.signal.aborted;
      const left = await leftProcesses;
      resolve({
        tap: counter.end(),
        code,
        signal,
        timedOut,
        aborted,
        leftProcesses: left,
        cpuMs: Number(cpu),
        stderr,
      });
    });
  });
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // The group has ended.
  }
}

/** Gives what the file's process left in its group, and kills that. What it has killed itself may take a moment. */
async function endGroup(group: number): Promise<string[]> {
  await groupHasEnded(group);
  const left = processesOfGroup(group);
  if (left.length > 0) {
    signalGroup(group, 'SIGKILL');
    await groupHasEnded(group);
  }
  return left;
}

async function groupHasEnded(group: number): Promise<void> {
  const deadline = performance.now() + DYING_MS;
  while (processesOfGroup(group).length > 0 && performance.now() < deadline) await delay(20);
}

/** Command lines of the processes that are still in this process group; zombies do not count. */
function processesOfGroup(group: number): string[] {
  const found: string[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const [state, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(processGroup) !== group || state === 'Z' || state === 'X') continue;
      found.push(`${entry} ${readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`);
    } catch {
      // Ended while we looked.
    }
  }
  return found;
}
