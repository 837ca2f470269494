/** Runs the operator's program at the beginning or the end of an operation. */

import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';

export const HookPhase = { before: 'before', after: 'after' } as const;
export type HookPhase = (typeof HookPhase)[keyof typeof HookPhase];

/** Said to the program: as `SLUICE_…` variables, and as one JSON object on its standard input. */
export interface HookFacts {
  readonly phase: HookPhase;
  readonly operation: string;
  readonly id: string;
  /** Addresses; '' for none. */
  readonly from: string;
  readonly to: string;
  /** Of the operation; '' before. */
  readonly outcome: string;
  readonly reason: string;
}

/** The last of what it writes is told with its failure. */
const MAX_OUTPUT_LENGTH = 500;
const LAST_OUTPUT_MS = 100;

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function variables(facts: HookFacts): Record<string, string> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [`SLUICE_HOOK_${name.toUpperCase()}`, value]),
  );
}

/** Without what Sluice itself was configured by: passwords may be among it. */
function environment(facts: HookFacts): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_'));
  return { ...Object.fromEntries(inherited), ...variables(facts) };
}

/** @returns the last line that it wrote. @throws Error when it cannot be run, fails or takes too long */
export function runHook(path: string, facts: HookFacts, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, [facts.phase], {
      env: environment(facts),
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own: what it has started ends with it.
      detached: true,
    });
    let output = '';
    const gather = (chunk: Buffer): void => {
      output = `${output}${chunk.toString('utf8')}`.slice(-MAX_OUTPUT_LENGTH);
    };
    child.stdout.on('data', gather);
    child.stderr.on('data', gather);
    // It need not read what it is told.
    child.stdin.on('error', () => {});
    child.stdin.end(`${JSON.stringify(facts)}\n`);
    const lastLine = (): string => output.trimEnd().split('\n').at(-1) ?? '';
    const timer = setTimeout(() => {
      endGroup(child.pid);
      reject(new Error(`${path} did not end within ${timeoutMs} ms and was killed`));
    }, timeoutMs);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(new Error(`${path} cannot be run: ${error.message}`, { cause: error }));
    });
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      const end = (): void => {
        clearTimeout(late);
        for (const stream of [child.stdout, child.stderr]) stream.destroy();
        if (code === 0) resolve(lastLine());
        else reject(new Error(`${path} ended with ${signal ?? `exit code ${code}`}: ${lastLine()}`));
      };
      // What it has left running may keep its pipes.
      const late = setTimeout(end, LAST_OUTPUT_MS);
      child.once('close', end);
    });
  });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
