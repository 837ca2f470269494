/** Runs tests with pytest, of the Python that Debian's modules are for. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Outcome, type TestResult } from '../driver-suite.ts';
import { outputTail, runProgram } from '../run-program.ts';
import { uniqueNames } from '../unique-names.ts';

export const DEBIAN_PYTHON = '/usr/bin/python3';
const TIMEOUT_MS = 15 * 60_000;
const CASE = /<testcase classname="([^"]*)" name="([^"]*)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs;

export interface PytestOptions {
  readonly cwd: string;
  readonly paths: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Throws when pytest did not come to its end. */
export async function runPytest({ cwd, paths, env }: PytestOptions): Promise<readonly TestResult[]> {
  const report = join(cwd, 'junit.xml');
  const end = await runProgram({
    program: DEBIAN_PYTHON,
    args: [
      '-m',
      'pytest',
      '-q',
      '-p',
      'no:cacheprovider',
      '--continue-on-collection-errors',
      `--junitxml=${report}`,
      ...paths,
    ],
    cwd,
    env: { PYTHONDONTWRITEBYTECODE: '1', ...env },
    timeoutMs: TIMEOUT_MS,
  });
  const xml = await readFile(report, 'utf8').catch(() => null);
  if (xml === null) throw new Error(`pytest wrote no report: ${outputTail(end)}`);
  return uniqueNames([...xml.matchAll(CASE)].map(asResult));
}

function asResult([, group, name, body]: RegExpMatchArray): TestResult {
  const fullName = unescapeXml(`${group}.${name}`);
  if (body === undefined) return { name: fullName, outcome: Outcome.passed };
  if (body.includes('<failure') || body.includes('<error')) {
    return { name: fullName, outcome: Outcome.failed, detail: unescapeXml(body) };
  }
  return { name: fullName, outcome: body.includes('<skipped') ? Outcome.skipped : Outcome.passed };
}

function unescapeXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#10;', '\n')
    .replaceAll('&amp;', '&');
}
