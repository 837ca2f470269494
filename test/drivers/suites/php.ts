import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DriverSuite, Outcome, type SuiteRun, type TestResult } from '../driver-suite.ts';
import { outputTail, runProgram } from '../run-program.ts';

const TIMEOUT_MS = 30 * 60_000;
const TEST_TIMEOUT_S = 60;
const TESTED = ['ext/mysqli/tests', 'ext/pdo_mysql/tests'];

/** The tests of Debian's source package, with the extensions that Debian has built. */
export const phpMysql: DriverSuite = {
  name: 'php',
  title: 'mysqli and PDO (PHP, mysqlnd)',
  debianSource: 'php8.2',
  check: { program: 'php', args: ['-r', 'exit(extension_loaded("mysqli") ? 0 : 1);'] },
  debianPaths: ['run-tests.php', 'ext/mysqli/tests/*', 'ext/pdo_mysql/tests/*', 'ext/pdo/tests/*', 'NEWS'],
  flavors: ['mariadb', 'mysql'],
  version: async (source) =>
    /PHP (8\.\d+\.\d+)/.exec(await readFile(join(source, 'NEWS'), 'utf8'))?.[1] ?? 'unknown',
  fileOf: (test) => test.replace(/^# /, '').replace(/: .*/, ''),
  run: runPhp,
};

/** php's run-tests, one test after the other: they share a table. */
async function runPhp(run: SuiteRun): Promise<readonly TestResult[]> {
  for (const path of ['run-tests.php', 'ext/mysqli/tests', 'ext/pdo_mysql/tests', 'ext/pdo/tests']) {
    await cp(join(run.source, path), join(run.workDirectory, path), { recursive: true });
  }
  const report = join(run.workDirectory, 'results.txt');
  const options = ['-q', '--set-timeout', String(TEST_TIMEOUT_S), '-g', 'FAIL', '--show-diff', '-W', report];
  const end = await runProgram({
    program: 'php',
    args: ['run-tests.php', '-P', ...options, ...(run.files.length === 0 ? TESTED : run.files)],
    cwd: run.workDirectory,
    env: environment(run),
    timeoutMs: TIMEOUT_MS,
  });
  const text = await readFile(report, 'utf8').catch(() => null);
  if (text === null) throw new Error(`run-tests.php wrote no list: ${outputTail(end)}`);
  const results: TestResult[] = [];
  for (const line of text.trim().split('\n')) {
    const [, word, path] = /^(\S+)\s+(.+)$/.exec(line.trim()) ?? [];
    if (word === undefined || path === undefined) throw new Error(`run-tests.php wrote "${line}"`);
    results.push(await asResult(run, word, path));
  }
  return results;
}

async function asResult(run: SuiteRun, word: string, path: string): Promise<TestResult> {
  // A test that is redirected to another folder's is named by both.
  const file = path.replaceAll(`${run.workDirectory}/`, '');
  if (word === 'PASSED') return { name: file, outcome: Outcome.passed };
  if (word !== 'FAILED') return { name: file, outcome: Outcome.skipped };
  const difference = join(run.workDirectory, file.replace(/^.* /, '').replace(/\.phpt$/, '.diff'));
  return { name: file, outcome: Outcome.failed, detail: await readFile(difference, 'utf8').catch(() => '') };
}

function environment({ endpoint }: SuiteRun): Record<string, string> {
  const { host, port, socket, user, password, schema } = endpoint;
  return {
    NO_INTERACTION: '1',
    MYSQL_TEST_HOST: host,
    MYSQL_TEST_PORT: String(port),
    MYSQL_TEST_SOCKET: socket,
    MYSQL_TEST_USER: user,
    MYSQL_TEST_PASSWD: password,
    MYSQL_TEST_DB: schema,
    PDO_MYSQL_TEST_DSN: `mysql:host=${host};port=${port};dbname=${schema}`,
    PDO_MYSQL_TEST_HOST: host,
    PDO_MYSQL_TEST_PORT: String(port),
    PDO_MYSQL_TEST_SOCKET: socket,
    PDO_MYSQL_TEST_USER: user,
    PDO_MYSQL_TEST_PASS: password,
    PDO_MYSQL_TEST_DB: schema,
  };
}
