/**
 * Runs the tests: static checks first, then every test file in a process of its own.
 *
 *   node test/run.ts [--nightly] [path prefix below test/ …]
 *
 * The last line is `N passed, N failed`, which counts assertions; the exit code is 1 when anything failed.
 */

import { rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeCompileCache } from './support/compile-cache.ts';
import { runSideBySide, SpareCapacity } from './support/side-by-side.ts';
import { runStaticCheck, staticChecks } from './support/static-checks.ts';
import { runTestFile } from './support/test-file-run.ts';
import { type PlannedFile, planTests } from './support/test-plan.ts';
import { TestReport } from './support/test-report.ts';

/** Meant to take less than 15 minutes; a machine that does other things too gets more, and then a report. */
const TOTAL_MS = 40 * 60_000;
const NIGHTLY_TOTAL_MS = 6 * 60 * 60_000;
/** Many tests wait for servers most of the time: so more files run than there are processors, while these are idle. */
const MORE_AT_ONCE = 3;
const LOOK_MS = 500;
const MIN_IDLE_SHARE = 0.15;
const MIN_FREE_BYTES = 3 * 1024 ** 3;

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

const env: NodeJS.ProcessEnv = {
  ...process.env,
  SLUICE_TEST_TEMPLATES: join(tmpdir(), 'sluice-test-templates'),
};
if (values.nightly) Object.assign(env, { SLUICE_TEST_NIGHTLY: '1' });
const temporary: string[] = [];

try {
  const plan = planTests(root, positionals).filter((file) => values.nightly || !file.nightly);
  const cores = availableParallelism();
  const isWhole = positionals.length === 0;
  await Promise.all([isWhole ? runStaticChecks() : null, prepare(plan, isWhole)]);
  const together = plan.filter(({ alone }) => !alone);
  await runFiles(together, cores, cores + MORE_AT_ONCE);
  await runFiles(
    plan.filter(({ alone }) => alone),
    1,
    1,
  );
} catch (error) {
  report.broken(error instanceof Error ? error.message : String(error));
}
clearTimeout(deadline);
for (const folder of temporary) rmSync(folder, { recursive: true, force: true });
process.exitCode = report.end() ? 0 : 1;

/** What all test files share. */
async function prepare(plan: readonly PlannedFile[], isWhole: boolean): Promise<void> {
  if (plan.some(({ heavy }) => heavy)) {
    const { bundleProgram } = await import('./support/bundled-program.ts');
    const { folder, script } = await bundleProgram();
    temporary.push(folder);
    env.SLUICE_TEST_SCRIPT = script;
  }
  if (!isWhole) return;
  env.NODE_COMPILE_CACHE = await makeCompileCache(env);
  temporary.push(env.NODE_COMPILE_CACHE);
}

async function runStaticChecks(): Promise<void> {
  await sideBySide(staticChecks(root), availableParallelism(), availableParallelism(), async (check) => {
    report.staticCheck(await runStaticCheck(check, root));
  });
}

function runFiles(files: readonly PlannedFile[], atLeast: number, atMost: number): Promise<void> {
  return sideBySide(files, atLeast, atMost, async ({ file, timeoutMs }) => {
    if (abort.signal.aborted) report.notRun(file);
    else report.file(await runTestFile({ file, timeoutMs, cwd: root, env, signal: abort.signal }));
  });
}

function sideBySide<T>(
  items: readonly T[],
  atLeast: number,
  atMost: number,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const hasRoom = new SpareCapacity(MIN_IDLE_SHARE, MIN_FREE_BYTES).isThere;
  return runSideBySide(items, run, { atLeast, atMost, hasRoom, lookMs: LOOK_MS });
}
