/** What is checked without running the code: each is one test of `npm test`. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface StaticCheck {
  readonly name: string;
  /** A shell command, with node_modules/.bin first in PATH; exit code 0 is good. */
  readonly command: string;
}

export interface StaticCheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly output: string;
  readonly durationMs: number;
}

const TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** From package.json's scripts, so that `npm test` and `npm run …` can never differ. */
export function staticChecks(root: string): StaticCheck[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const script = (name: string): string => {
    const command = scripts[name];
    if (command === undefined) throw new Error(`package.json has no script "${name}"`);
    return command;
  };
  // Every generator takes --check, which fails when what it would write is not what is there.
  const generators = script('generate').split('&&');
  return [
    { name: 'types', command: script('typecheck') },
    { name: 'lint and format', command: script('lint') },
    { name: 'imports', command: script('imports') },
    ...generators.map((generator) => ({
      name: `generated files are fresh: ${generator.trim()}`,
      command: `${generator.trim()} --check`,
    })),
  ];
}

export function runStaticCheck(check: StaticCheck, root: string): Promise<StaticCheckResult> {
  const startedAt = performance.now();
  const path = `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH ?? ''}`;
  return new Promise((resolve) => {
    execFile(
      '/bin/sh',
      ['-c', check.command],
      { cwd: root, env: { ...process.env, PATH: path }, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES },
      (error, stdout, stderr) => {
        const output = `${stdout}${stderr}${error?.killed === true ? `\nstopped after ${TIMEOUT_MS} ms` : ''}`;
        resolve({ name: check.name, ok: error === null, output, durationMs: performance.now() - startedAt });
      },
    );
  });
}
