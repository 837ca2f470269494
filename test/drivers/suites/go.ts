import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DriverSuite, Outcome, type SuiteRun, type TestResult } from '../driver-suite.ts';
import { outputTail, runProgram } from '../run-program.ts';

const TIMEOUT_MS = 15 * 60_000;
const IMPORT_PATH = 'github.com/go-sql-driver/mysql';
const END = /^\s*--- (PASS|FAIL|SKIP): (\S+) \(/;

/** Debian's source package, with its tests. */
export const goSqlDriver: DriverSuite = {
  name: 'go-sql-driver',
  title: 'go-sql-driver (Go)',
  debianSource: 'golang-github-go-sql-driver-mysql',
  flavors: ['mariadb', 'mysql'],
  version: async (source) =>
    /^## Version (\S+)/m.exec(await readFile(join(source, 'CHANGELOG.md'), 'utf8'))?.[1] ?? 'unknown',
  fileOf: (test) => `^${test.replace(/\/.*/s, '')}$`,
  run: runGo,
};

async function runGo(run: SuiteRun): Promise<readonly TestResult[]> {
  const { host, port, user, password, schema } = run.endpoint;
  const cwd = join(run.workDirectory, 'src', IMPORT_PATH);
  await cp(run.source, cwd, { recursive: true });
  const only = run.files.length === 0 ? [] : ['-run', run.files.join('|')];
  const end = await runProgram({
    program: 'go',
    args: ['test', '-v', '-count=1', '-vet=off', ...only, '.'],
    cwd,
    env: {
      GO111MODULE: 'off',
      GOPATH: run.workDirectory,
      MYSQL_TEST_USER: user,
      MYSQL_TEST_PASS: password,
      MYSQL_TEST_PROT: 'tcp',
      MYSQL_TEST_ADDR: `${host}:${port}`,
      MYSQL_TEST_DBNAME: schema,
      MYSQL_TEST_CONCURRENT: '1',
    },
    timeoutMs: TIMEOUT_MS,
  });
  const lines = end.stdout.split('\n');
  const results = lines.flatMap((line) => asResult(line, end.stdout));
  // A panic ends the process in the middle of a test, which then has no line.
  results.push({
    name: '(the process)',
    outcome: end.code === 0 || /^FAIL$/m.test(end.stdout) ? Outcome.passed : Outcome.failed,
    detail: outputTail(end),
  });
  return results;
}

function asResult(line: string, output: string): TestResult[] {
  const [, word, name] = END.exec(line) ?? [];
  if (word === undefined || name === undefined) return [];
  if (word === 'PASS') return [{ name, outcome: Outcome.passed }];
  if (word === 'SKIP') return [{ name, outcome: Outcome.skipped }];
  const start = output.indexOf(line);
  return [{ name, outcome: Outcome.failed, detail: output.slice(start, start + 2000) }];
}
