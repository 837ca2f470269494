/** Runs a foreign program to its end, in a process group of its own, so that nothing of it stays. */

import { spawn } from 'node:child_process';
import { disownChild, ownChild } from '../support/owned-resources.ts';

export interface ProgramOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Over the environment of this process, of which MySQL's own variables are dropped. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface ProgramEnd {
  /** null when it was ended by a signal. */
  readonly code: number | null;
  readonly timedOut: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

const MAX_OUTPUT_CHARACTERS = 64 * 1024 * 1024;

export async function runProgram(options: ProgramOptions): Promise<ProgramEnd> {
  const child = spawn(options.program, options.args, {
    cwd: options.cwd,
    env: { ...inheritedEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      if (output[name].length < MAX_OUTPUT_CHARACTERS) output[name] += chunk;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    const pid = child.pid;
    if (pid === undefined) return;
    ownChild(-pid);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(pid);
    }, options.timeoutMs);
    // A grandchild that goes on would keep the pipes open, and `close` from coming.
    child.once('exit', () => killGroup(pid));
    child.once('close', (code) => {
      clearTimeout(timer);
      disownChild(-pid);
      resolve({ code, timedOut, ...output });
    });
  });
}

function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:MYSQL|MARIADB|DBI|SLUICE|TAP)_/.test(name)),
  );
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group has ended.
  }
}

/** The end of what a program printed, for the detail of a failure. */
export function outputTail(end: ProgramEnd, maxCharacters = 4000): string {
  const text = `${end.stdout}\n${end.stderr}`.trim().slice(-maxCharacters);
  return end.timedOut ? `${text}\n(timed out)` : text;
}
