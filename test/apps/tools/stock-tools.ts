/** The command-line tools that come with the server, as operators run them. */

import { execFile } from 'node:child_process';
import type { AppTarget } from '../app-program.ts';

export interface ToolRun {
  readonly tool: string;
  readonly args: readonly string[];
  /** Behind the options; the schema unless told. */
  readonly operands?: readonly string[];
}

export interface ToolOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const MAX_OUTPUT_BYTES = 256 * 1_048_576;
const TIMEOUT_MS = 60_000;

export function runTool(run: ToolRun, target: AppTarget, input = ''): Promise<ToolOutcome> {
  const { host, port, username, password, schema } = target;
  const login = ['--no-defaults', `--host=${host}`, `--port=${port}`, `--user=${username}`, '--skip-ssl'];
  const args = [...login, ...run.args, ...(run.operands ?? [schema])];
  const env = { ...process.env, MYSQL_PWD: password };
  return new Promise((resolve) => {
    const child = execFile(
      run.tool,
      args,
      { env, maxBuffer: MAX_OUTPUT_BYTES, timeout: TIMEOUT_MS, encoding: 'latin1' },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : Number(error.code ?? -1);
        const plain = (text: string): string => plainOutput(text, target);
        resolve({ code, stdout: plain(stdout), stderr: plain(stderr) });
      },
    );
    child.stdin?.on('error', () => {}); // Its exit code tells.
    child.stdin?.end(input);
  });
}

/** Without what names the server, the schema or the moment. */
function plainOutput(text: string, { schema, port, host }: AppTarget): string {
  return text
    .replaceAll(schema, 'SCHEMA')
    .replaceAll(new RegExp(`\\b${port}\\b`, 'g'), 'PORT')
    .replace(/^-- Host: \S+ .*$/m, `-- Host: ${host}`)
    .replace(/^-- Dump completed on .*$/m, '-- Dump completed')
    .replace(/^-- Started on .*$|^-- Finished on .*$/gm, '')
    .replace(/MASTER_LOG_POS=\d+/g, 'MASTER_LOG_POS=N')
    .replace(/gtid_slave_pos='[^']*'/g, "gtid_slave_pos='G'")
    .replace(/(GTID_PURGED=).*(?:\n.*)*?;/g, '$1G;');
}
