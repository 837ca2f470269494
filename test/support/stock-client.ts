/** The `mariadb` command-line client, as a user runs it. */

import { execFile } from 'node:child_process';
import { findProgram } from './find-program.ts';
import { APP_ACCOUNT, APP_SCHEMA } from './replication-set.ts';

export interface ClientOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS = 20_000;

/** As `app` unless `args` say otherwise; `sql` in batch mode, without column names. */
export async function stockClient(args: readonly string[], sql: string): Promise<ClientOutcome> {
  const program = await findProgram(['mariadb', 'mysql']);
  const account = [`-u${APP_ACCOUNT.username}`, `-p${APP_ACCOUNT.password}`];
  const all = ['--no-defaults', ...account, '-BN', ...args, '-e', sql, APP_SCHEMA];
  return new Promise((resolve) => {
    execFile(program, all, { timeout: TIMEOUT_MS, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}
