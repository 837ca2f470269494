import { globSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DriverSuite, Outcome, type SuiteRun, type TestResult } from '../driver-suite.ts';
import { outputTail, runProgram } from '../run-program.ts';
import { tapResults } from '../tap-results.ts';
import { uniqueNames } from '../unique-names.ts';

const FILE_TIMEOUT_MS = 120_000;

/** The tests of Debian's source package, with the module that Debian has built. */
export const dbdMysql: DriverSuite = {
  name: 'dbd-mysql',
  title: 'DBD::mysql (Perl, libmariadb)',
  debianSource: 'libdbd-mysql-perl',
  check: { program: 'perl', args: ['-MDBD::mysql', '-e', '1'] },
  debianPaths: ['t/*', 'META.json'],
  flavors: ['mariadb', 'mysql'],
  version: metaVersion,
  fileOf: (test) => test.replace(/ .*/s, ''),
  run: (run) => runPerlTests(run, 'mysql'),
};

export const dbdMariadb: DriverSuite = {
  name: 'dbd-mariadb',
  title: 'DBD::MariaDB (Perl, libmariadb)',
  debianSource: 'libdbd-mariadb-perl',
  debianPaths: ['t/*', 'META.json'],
  flavors: ['mariadb', 'mysql'],
  // The suite wants this of its schema.
  setupSql: () => ['ALTER DATABASE test CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci'],
  version: metaVersion,
  fileOf: (test) => test.replace(/ .*/s, ''),
  run: (run) => runPerlTests(run, 'MariaDB'),
};

async function metaVersion(source: string): Promise<string> {
  const meta: unknown = JSON.parse(await readFile(join(source, 'META.json'), 'utf8'));
  return String((meta as { version?: unknown }).version).replace(/^v/, '');
}

async function runPerlTests(run: SuiteRun, driver: string): Promise<readonly TestResult[]> {
  const tests = join(run.workDirectory, 't');
  await cp(join(run.source, 't'), tests, { recursive: true });
  await writeFile(join(tests, `${driver}.mtest`), accessFile(run, driver));
  const results: TestResult[] = [];
  for (const file of globSync('t/*.t', { cwd: run.workDirectory }).toSorted()) {
    if (run.files.length > 0 && !run.files.some((prefix) => file.startsWith(prefix))) continue;
    results.push(...(await runFile(run, file)));
  }
  return results;
}

async function runFile(run: SuiteRun, file: string): Promise<readonly TestResult[]> {
  const end = await runProgram({
    program: 'perl',
    args: [file],
    cwd: run.workDirectory,
    env: { PERL_USE_UNSAFE_INC: '1', LC_ALL: 'C.UTF-8' },
    timeoutMs: FILE_TIMEOUT_MS,
  });
  const { tests, wholeFile } = tapResults(end.stdout);
  const results = tests.map((test) => ({ ...test, name: `${file} ${test.name}` }));
  const ended = end.code === 0 || tests.some(({ outcome }) => outcome === Outcome.failed);
  results.push({ name: `${file} (the process)`, outcome: ended ? wholeFile : Outcome.failed });
  const detail = outputTail(end);
  return uniqueNames(results.map((one) => (one.outcome === Outcome.failed ? { ...one, detail } : one)));
}

/** What the driver's Makefile.PL would write for its tests. */
function accessFile({ endpoint }: SuiteRun, driver: string): string {
  const { host, port, user, password, schema } = endpoint;
  return [
    `$::test_host = '${host}';`,
    `$::test_port = '${port}';`,
    `$::test_user = '${user}';`,
    `$::test_password = '${password}';`,
    `$::test_db = '${schema}';`,
    `$::test_dsn = 'DBI:${driver}:${schema}:${host}:${port}';`,
    '1;',
    '',
  ].join('\n');
}
