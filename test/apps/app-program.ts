/**
 * Runs an application's program and collects what it says.
 *
 * A program, in whatever language, gets the database by APP_HOST, APP_PORT, APP_USER, APP_PASSWORD and APP_SCHEMA, and
 * writes JSON lines on standard output: `{"step": …, "result": …}`. The line `{"sync": true}` asks that the replicas catch
 * up, and the program goes on when it reads a line: what it has written is then there on whatever server it reads.
 */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { disownChild, ownChild } from '../support/owned-resources.ts';

export interface AppTarget {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly schema: string;
  /** Resolves when every replica has what the primary has. */
  readonly sync: () => Promise<void>;
}

export interface AppCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface AppOutcome {
  /** The lines in order, the schema's name replaced by `SCHEMA`. */
  readonly transcript: readonly string[];
  readonly code: number | null;
  readonly stderr: string;
}

const MAX_STDERR_CHARACTERS = 16_000;
const SYNC_LINE = '{"sync":true}';
export const END_LINE = '{"step":"end"}';

export async function runAppProgram(
  command: AppCommand,
  target: AppTarget,
  timeoutMs: number,
): Promise<AppOutcome> {
  const child = spawn(command.program, command.args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...command.env, ...targetEnvironment(target) },
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
  });
  const transcript: string[] = [];
  let stderr = '';
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
  if (child.pid !== undefined) ownChild(child.pid);
  child.stdin.on('error', () => {}); // The program has ended; its exit code tells.
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-MAX_STDERR_CHARACTERS);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.replaceAll(' ', '') !== SYNC_LINE) {
      transcript.push(line.replaceAll(target.schema, 'SCHEMA'));
      if (line === END_LINE) child.stdin.end();
      return;
    }
    target.sync().then(
      () => child.stdin.write('\n'),
      (error: Error) => {
        stderr += error.message;
        child.kill('SIGKILL');
      },
    );
  });
  const timer = setTimeout(() => {
    stderr += `\nstill running after ${timeoutMs} ms`;
    child.kill('SIGKILL');
  }, timeoutMs);
  try {
    const code = await closed;
    return { transcript, code, stderr };
  } finally {
    clearTimeout(timer);
    if (child.pid !== undefined) disownChild(child.pid);
  }
}

function targetEnvironment(target: AppTarget): Record<string, string> {
  return {
    APP_HOST: target.host,
    APP_PORT: String(target.port),
    APP_USER: target.username,
    APP_PASSWORD: target.password,
    APP_SCHEMA: target.schema,
  };
}
