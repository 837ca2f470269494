/**
 * What a process has cost so far, by the kernel's own accounting: CPU time of all its threads (the living and the
 * ended ones), and its resident memory. Reading it costs the measured process nothing.
 */

import { readdir, readFile, writeFile } from 'node:fs/promises';

/** Linux reports `utime` and `stime` in USER_HZ, which is 100 on every architecture that Node 24 runs on. */
const MICROSECONDS_PER_TICK = 10_000;

export interface CpuTime {
  readonly userMicroseconds: number;
  readonly systemMicroseconds: number;
}

export interface MemoryUse {
  /** VmRSS */
  readonly residentBytes: number;
  /** VmHWM: the highest VmRSS so far, or since `resetPeakMemory`. */
  readonly peakResidentBytes: number;
}

/**
 * @param stat the text of `/proc/<pid>/stat` (proc(5)); the command in parentheses may hold spaces and `)`
 * @throws Error when the line is not one
 */
export function parseProcessStat(stat: string): CpuTime {
  const afterCommand = stat.slice(stat.lastIndexOf(')') + 1).trim();
  // Field 3 (state) comes first here; utime is field 14, stime field 15.
  const fields = afterCommand.split(' ');
  const userTicks = Number(fields[11]);
  const systemTicks = Number(fields[12]);
  if (!stat.includes(')') || !Number.isInteger(userTicks) || !Number.isInteger(systemTicks)) {
    throw new Error(`not a line of /proc/<pid>/stat: ${JSON.stringify(stat.slice(0, 80))}`);
  }
  return {
    userMicroseconds: userTicks * MICROSECONDS_PER_TICK,
    systemMicroseconds: systemTicks * MICROSECONDS_PER_TICK,
  };
}

/**
 * @param status the text of `/proc/<pid>/status`
 * @throws Error when it has no VmRSS or VmHWM (a kernel thread or a zombie has none)
 */
export function parseProcessStatus(status: string): MemoryUse {
  return {
    residentBytes: kilobytesOf(status, 'VmRSS') * 1024,
    peakResidentBytes: kilobytesOf(status, 'VmHWM') * 1024,
  };
}

function kilobytesOf(status: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status);
  if (match === null) throw new Error(`/proc/<pid>/status has no ${name}`);
  return Number(match[1]);
}

export async function readCpuTime(pid: number): Promise<CpuTime> {
  return parseProcessStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
}

/**
 * @param schedstat the text of `/proc/<pid>/task/<tid>/schedstat`
 * @throws Error when it is not one
 */
export function parseRunTime(schedstat: string): number {
  const match = /^(\d+) \d+ \d+\s*$/.exec(schedstat);
  if (match === null) throw new Error(`not a schedstat: ${JSON.stringify(schedstat.slice(0, 80))}`);
  return Number(match[1]) / 1000;
}

/** Microseconds that the threads of a process have run, to the nanosecond where `readCpuTime` has ticks; of those that live now. */
export async function readRunTime(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(threads.map((thread) => readThreadRunTime(pid, Number(thread))));
  return times.reduce((sum, one) => sum + one, 0);
}

/** Of one thread; the main thread's number is that of its process. */
export async function readThreadRunTime(pid: number, thread: number): Promise<number> {
  return parseRunTime(await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'));
}

export async function readMemoryUse(pid: number): Promise<MemoryUse> {
  return parseProcessStatus(await readFile(`/proc/${pid}/status`, 'utf8'));
}

export function cpuTimeBetween(before: CpuTime, after: CpuTime): CpuTime {
  return {
    userMicroseconds: after.userMicroseconds - before.userMicroseconds,
    systemMicroseconds: after.systemMicroseconds - before.systemMicroseconds,
  };
}

/** Sets VmHWM back to VmRSS (proc(5), clear_refs). Allowed for processes of the same user. */
export async function resetPeakMemory(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}
