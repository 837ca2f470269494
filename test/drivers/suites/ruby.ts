import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type DriverSuite, Outcome, type SuiteRun, type TestResult } from '../driver-suite.ts';
import { outputTail, runProgram } from '../run-program.ts';
import { uniqueNames } from '../unique-names.ts';

const TIMEOUT_MS = 15 * 60_000;

interface Example {
  readonly full_description: string;
  readonly status: string;
  readonly file_path: string;
  readonly exception?: {
    readonly class: string;
    readonly message: string;
    readonly backtrace: string[] | null;
  };
}

/** The specs of a checkout (of the same version), with the extension that Debian has built. */
export const rubyMysql2: DriverSuite = {
  name: 'ruby-mysql2',
  title: 'mysql2 (Ruby, libmariadb)',
  debianSource: 'ruby-mysql2',
  debianPaths: ['spec/*', 'lib/mysql2/version.rb'],
  flavors: ['mariadb', 'mysql'],
  version: async (source) =>
    /VERSION = "([^"]+)"/.exec(await readFile(join(source, 'lib/mysql2/version.rb'), 'utf8'))?.[1] ??
    'unknown',
  run: runSpecs,
};

async function runSpecs(run: SuiteRun): Promise<readonly TestResult[]> {
  const { host, port, user, password, schema } = run.endpoint;
  await cp(join(run.source, 'spec'), join(run.workDirectory, 'spec'), { recursive: true });
  const access = { host, port, username: user, password, database: schema };
  await writeFile(
    join(run.workDirectory, 'spec/configuration.yml'),
    stringify({ root: access, user: { ...access, database: schema } }),
  );
  const report = join(run.workDirectory, 'report.json');
  const end = await runProgram({
    program: 'rspec',
    args: ['--format', 'json', '--out', report, ...(run.files.length === 0 ? ['spec'] : run.files)],
    cwd: run.workDirectory,
    timeoutMs: TIMEOUT_MS,
  });
  const text = await readFile(report, 'utf8').catch(() => null);
  if (text === null) throw new Error(`rspec wrote no report: ${outputTail(end)}`);
  const { examples } = JSON.parse(text) as { examples: Example[] };
  return uniqueNames(examples.map(asResult));
}

function asResult(example: Example): TestResult {
  const name = example.full_description;
  if (example.status === 'passed') return { name, outcome: Outcome.passed };
  if (example.status === 'pending') return { name, outcome: Outcome.skipped };
  const { exception } = example;
  const backtrace = exception?.backtrace?.slice(0, 5).join('\n') ?? '';
  return {
    name,
    outcome: Outcome.failed,
    detail: `${exception?.class}: ${exception?.message}\n${backtrace}`,
  };
}
