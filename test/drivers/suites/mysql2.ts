import { globSync } from 'node:fs';
import { type DriverSuite, Outcome, type SuiteRun, type TestResult } from '../driver-suite.ts';
import { inParallel } from '../in-parallel.ts';
import { packageVersion } from '../package-version.ts';
import { outputTail, runProgram } from '../run-program.ts';
import { uniqueNames } from '../unique-names.ts';

const FILE_TIMEOUT_MS = 60_000;
const FILES_AT_ONCE = 2;
/** The end of a test: how deep it is nested, red or green, its name. */
const POKU_END = /^( *)(?:␛\[1m)?␛\[(32|91)m(?:␛\[1m)?● (.*?)␛\[0m/u;
const ESCAPE = String.fromCharCode(27);

/** A checkout of the repository with its npm packages installed: the published package has no tests. */
export const mysql2: DriverSuite = {
  name: 'mysql2',
  title: 'mysql2 (Node.js)',
  debianSource: null,
  flavors: ['mariadb', 'mysql'],
  version: packageVersion,
  fileOf: (test) => test.replace(/[: ].*/s, ''),
  run: runMysql2,
};

async function runMysql2(run: SuiteRun): Promise<readonly TestResult[]> {
  const shared = globSync('test/{unit,integration}/**/*.test.mts', { cwd: run.source }).toSorted();
  const changesTheServer = globSync('test/global/**/*.test.mts', { cwd: run.source }).toSorted();
  const wanted = (file: string) =>
    run.files.length === 0 || run.files.some((prefix) => file.startsWith(prefix));
  const results = await inParallel(shared.filter(wanted), FILES_AT_ONCE, (file) => runFile(run, file));
  results.push(...(await inParallel(changesTheServer.filter(wanted), 1, (file) => runFile(run, file))));
  return results.flat();
}

/** One result for each test in the file, and one for its process, unless that failed because of a test. */
async function runFile(run: SuiteRun, file: string): Promise<readonly TestResult[]> {
  const { endpoint } = run;
  const end = await runProgram({
    program: process.execPath,
    args: ['--import', 'tsx', file],
    cwd: run.source,
    timeoutMs: FILE_TIMEOUT_MS,
    env: {
      CI: '1',
      MYSQL_HOST: endpoint.host,
      MYSQL_PORT: String(endpoint.port),
      MYSQL_USER: endpoint.user,
      MYSQL_PASSWORD: endpoint.password,
      MYSQL_DATABASE: endpoint.schema,
    },
  });
  const results: TestResult[] = pokuResults(end.stdout).map(({ name, outcome }) => ({
    name: `${file}: ${name}`,
    outcome,
  }));
  const explained = results.some(({ outcome }) => outcome === Outcome.failed);
  const fileOutcome = end.code === 0 || explained ? Outcome.passed : Outcome.failed;
  results.push({ name: `${file} (the process)`, outcome: fileOutcome });
  if (end.code === 0) return uniqueNames(results);
  const detail = outputTail(end);
  return uniqueNames(results.map((one) => (one.outcome === Outcome.failed ? { ...one, detail } : one)));
}

/** The tests in what poku printed, without the groups around them. */
function pokuResults(stdout: string): TestResult[] {
  const results: TestResult[] = [];
  let depth = 0;
  for (const line of stdout.split('\n')) {
    const [, indent, colour, name] = POKU_END.exec(line.replaceAll(ESCAPE, '␛')) ?? [];
    if (indent === undefined || name === undefined) continue;
    const isGroup = indent.length < depth;
    depth = indent.length;
    if (!isGroup) results.push({ name, outcome: colour === '91' ? Outcome.failed : Outcome.passed });
  }
  return results;
}
