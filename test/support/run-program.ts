/** Programs that run to their end, whatever that is, and what they have said. */

import { type ExecFileOptions, execFile } from 'node:child_process';
import { SLUICE_SCRIPT } from './sluice-script.ts';

export interface ProgramResult {
  /** -1 for one that could not be run, or was ended by a signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS = 60_000;

export function runProgram(
  program: string,
  args: readonly string[],
  options: ExecFileOptions = {},
): Promise<ProgramResult> {
  const all = { timeout: TIMEOUT_MS, ...options, encoding: 'utf8' } as const;
  return new Promise((resolve) => {
    execFile(program, args, all, (error, stdout, stderr) => {
      resolve({
        code: error === null ? 0 : Number.isInteger(error.code) ? Number(error.code) : -1,
        stdout,
        stderr,
      });
    });
  });
}

/** The command of this checkout, with nothing of the environment but `env`: a SLUICE_ variable of the machine would count. */
export function runSluice(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ProgramResult> {
  const { NODE_COMPILE_CACHE } = process.env;
  const cache = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
  return runProgram(process.execPath, [SLUICE_SCRIPT, ...args], { env: { ...cache, ...env } });
}
