import { globSync } from 'node:fs';
import { type DriverSuite, Outcome, type SuiteRun, type TestResult } from '../driver-suite.ts';
import { inParallel } from '../in-parallel.ts';
import { packageVersion } from '../package-version.ts';
import { outputTail, runProgram } from '../run-program.ts';

const FILE_TIMEOUT_MS = 60_000;
const FILES_AT_ONCE = 2;

/** A checkout of the repository with its npm packages installed: the published package has no tests. */
export const mysqljs: DriverSuite = {
  name: 'mysqljs',
  title: 'mysql (Node.js)',
  debianSource: null,
  flavors: ['mariadb', 'mysql'],
  version: packageVersion,
  fileOf: (test) => test,
  run: runMysqljs,
};

/** A test is a file; those under `unit` need no server, but some a port that only one can have. */
async function runMysqljs(run: SuiteRun): Promise<readonly TestResult[]> {
  const files = globSync('test/{unit,integration}/**/test-*.js', { cwd: run.source }).toSorted();
  const wanted = files.filter(
    (file) => run.files.length === 0 || run.files.some((prefix) => file.startsWith(prefix)),
  );
  return inParallel(wanted, FILES_AT_ONCE, (file) => runFile(run, file));
}

async function runFile({ endpoint, source }: SuiteRun, file: string): Promise<TestResult> {
  const end = await runProgram({
    program: process.execPath,
    args: [file],
    cwd: source,
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
  if (end.code !== 0) return { name: file, outcome: Outcome.failed, detail: outputTail(end) };
  return { name: file, outcome: end.stdout.startsWith('skipping - ') ? Outcome.skipped : Outcome.passed };
}
