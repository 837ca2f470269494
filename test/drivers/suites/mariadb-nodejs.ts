import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DriverSuite, Outcome, type SuiteRun, type TestResult } from '../driver-suite.ts';
import { packageVersion } from '../package-version.ts';
import { outputTail, runProgram } from '../run-program.ts';
import { uniqueNames } from '../unique-names.ts';

const TIMEOUT_MS = 30 * 60_000;

interface Report {
  readonly testResults: ReadonlyArray<{
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: ReadonlyArray<{
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }>;
  }>;
}

/** A checkout of the repository with its npm packages installed: the published package has no tests. */
export const mariadbNodejs: DriverSuite = {
  name: 'mariadb-nodejs',
  title: 'MariaDB Connector/Node.js',
  debianSource: null,
  flavors: ['mariadb', 'mysql'],
  version: packageVersion,
  fileOf: (test) => test.replace(/[: ].*/s, ''),
  run: runVitest,
};

async function runVitest(run: SuiteRun): Promise<readonly TestResult[]> {
  const { endpoint } = run;
  const report = join(run.workDirectory, 'report.json');
  const end = await runProgram({
    program: process.execPath,
    args: [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--no-file-parallelism',
      '--isolate',
      '--reporter=json',
      `--outputFile=${report}`,
      ...run.files,
    ],
    cwd: run.source,
    env: {
      TEST_DB_HOST: endpoint.host,
      TEST_DB_PORT: String(endpoint.port),
      TEST_DB_USER: endpoint.user,
      TEST_DB_PASSWORD: endpoint.password,
      TEST_DB_DATABASE: endpoint.schema,
      DB_TYPE: run.flavor === 'mysql' ? 'mysql' : 'mariadb',
    },
    timeoutMs: TIMEOUT_MS,
  });
  const text = await readFile(report, 'utf8').catch(() => null);
  if (text === null) throw new Error(`vitest wrote no report: ${outputTail(end)}`);
  const { testResults } = JSON.parse(text) as Report;
  return uniqueNames(testResults.flatMap((file) => fileResults(run, file)));
}

function fileResults(run: SuiteRun, file: Report['testResults'][number]): TestResult[] {
  const path = file.name.replace(`${run.source}/`, '');
  const results: TestResult[] = file.assertionResults.map((test) => {
    const name = `${path}: ${test.fullName}`;
    if (test.status === 'passed') return { name, outcome: Outcome.passed };
    if (test.status !== 'failed') return { name, outcome: Outcome.skipped };
    return { name, outcome: Outcome.failed, detail: test.failureMessages.join('\n') };
  });
  // What is around the tests may fail: then none of them has.
  const around = file.status === 'failed' && results.every(({ outcome }) => outcome !== Outcome.failed);
  results.push({
    name: `${path} (the file)`,
    outcome: around ? Outcome.failed : Outcome.passed,
    detail: file.message,
  });
  return results;
}
