/** What a process and all that it has started take, as the kernel tells. */

import { readdir, readFile } from 'node:fs/promises';

const KIB = 1024;
/** `getconf CLK_TCK` on every Linux. */
const TICK_MS = 10;

export interface ProcessMemory {
  readonly pid: number;
  readonly residentBytes: number;
}

export interface TreeMemory {
  readonly processes: readonly ProcessMemory[];
  readonly residentBytes: number;
  /** With pages that others map too divided among them. */
  readonly proportionalBytes: number;
  /** Mapped by nobody else. */
  readonly uniqueBytes: number;
  readonly anonymousBytes: number;
  /** Of those that run. */
  readonly cpuMs: number;
}

interface Stat {
  readonly parent: number;
  readonly cpuMs: number;
}

async function statOf(pid: number): Promise<Stat | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (text === null) return null;
  // The name may hold anything, spaces and brackets too.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(fields[1]), cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS };
}

async function treeOf(root: number): Promise<Map<number, Stat>> {
  const all = new Map<number, Stat>();
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? await statOf(pid) : null;
    if (stat !== null) all.set(pid, stat);
  }
  const isInTree = (pid: number): boolean => {
    if (pid === root) return true;
    const parent = all.get(pid)?.parent ?? 0;
    return parent > 1 && isInTree(parent);
  };
  return new Map([...all].filter(([pid]) => isInTree(pid)));
}

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) * KIB;
}

export async function memoryOfTree(root: number): Promise<TreeMemory> {
  const processes: ProcessMemory[] = [];
  let proportionalBytes = 0;
  let uniqueBytes = 0;
  let anonymousBytes = 0;
  let cpuMs = 0;
  for (const [pid, stat] of await treeOf(root)) {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    processes.push({ pid, residentBytes: kilobytes(rollup, 'Rss') });
    proportionalBytes += kilobytes(rollup, 'Pss');
    uniqueBytes += kilobytes(rollup, 'Private_Clean') + kilobytes(rollup, 'Private_Dirty');
    anonymousBytes += kilobytes(rollup, 'Anonymous');
    cpuMs += stat.cpuMs;
  }
  const residentBytes = processes.reduce((sum, process) => sum + process.residentBytes, 0);
  return { processes, residentBytes, proportionalBytes, uniqueBytes, anonymousBytes, cpuMs };
}
