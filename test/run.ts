/**
 * Runs the tests: static checks first, then every test file in a process of its own.
 *
 *   node test/run.ts [--nightly] [path prefix below test/ …]
 *
 * The last line is `N passed, N failed`, which counts assertions; the exit code is 1 when anything failed.
 */

import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runStaticCheck, staticChecks } from './support/static-checks.ts';
import { runTestFile } from './support/test-file-run.ts';
import { type PlannedFile, planTests } from './support/test-plan.ts';
import { TestReport } from './support/test-report.ts';

/** Meant to take less than 15 minutes; a machine that does other things too gets more, and then a report. */
const TOTAL_MS = 40 * 60_000;
const NIGHTLY_TOTAL_MS = 6 * 60 * 60_000;
const MAX_HEAVY_AT_ONCE = 2;

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  options: { nightly: { type: 'boolean', default: false } },
  allowPositionals: true,
});

const report = new TestReport(process.stdout);
const abort = new AbortController();
const deadline = setTimeout(
  () => {
    report.note('the time for the whole run is up');
    abort.abort();
  },
  values.nightly ? NIGHTLY_TOTAL_MS : TOTAL_MS,
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => abort.abort());

const env = {
  ...process.env,
  SLUICE_TEST_TEMPLATES: `${process.env.TMPDIR ?? '/tmp'}/sluice-test-templates`,
};
if (values.nightly) Object.assign(env, { SLUICE_TEST_NIGHTLY: '1' });

try {
  const plan = planTests(root, positionals).filter((file) => values.nightly || !file.nightly);
  if (positionals.length === 0) await runStaticChecks();
  const light = plan.filter(({ alone, heavy }) => !alone && !heavy);
  const heavy = plan.filter((file) => !file.alone && file.heavy);
  const alone = plan.filter((file) => file.alone);
  await runFiles(light, availableParallelism());
  await runFiles(heavy, Math.min(MAX_HEAVY_AT_ONCE, availableParallelism()));
  await runFiles(alone, 1);
} catch (error) {
  report.broken(error instanceof Error ? error.message : String(error));
}
clearTimeout(deadline);
process.exitCode = report.end() ? 0 : 1;

async function runStaticChecks(): Promise<void> {
  await forEachLimited(staticChecks(root), availableParallelism(), async (check) => {
    report.staticCheck(await runStaticCheck(check, root));
  });
}

async function runFiles(files: readonly PlannedFile[], atOnce: number): Promise<void> {
  await forEachLimited(files, atOnce, async ({ file, timeoutMs }) => {
    if (abort.signal.aborted) report.notRun(file);
    else report.file(await runTestFile({ file, timeoutMs, cwd: root, env, signal: abort.signal }));
  });
}

async function forEachLimited<T>(
  items: readonly T[],
  atOnce: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const lane = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await run(item);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
