/** What the numbers were measured on; without it they mean nothing. */

import { execFile } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** Of the checkout, with `-dirty` when it has changes; `unknown` outside of git. */
  readonly revision: string;
  readonly startedAt: string;
  /** One-minute load before the run: well above 0 means that others were at work. */
  readonly loadBefore: number;
}

export async function describeMachine(): Promise<Machine> {
  const all = cpus();
  return {
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.versions.node,
    revision: await gitRevision(),
    startedAt: new Date().toISOString(),
    loadBefore: Number(loadavg()[0]!.toFixed(2)),
  };
}

async function gitRevision(): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('git', ['describe', '--always', '--dirty'], {
      cwd: import.meta.dirname,
    });
    return stdout.trim();
  } catch {
    return 'unknown';
  }
}
