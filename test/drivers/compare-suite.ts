import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerFlavor } from '../../src/topology/server-description.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/owned-resources.ts';
import { type Comparison, compareRuns, withRepetition } from './comparison.ts';
import { type DriverSuite, Outcome, type TestResult } from './driver-suite.ts';
import { SuiteTarget } from './suite-target.ts';

export interface CompareOptions {
  readonly suite: DriverSuite;
  readonly flavor: ServerFlavor;
  readonly source: string;
  readonly files: readonly string[];
  readonly replicas: number;
  /** 1 saves time, and calls what is flaky a difference. */
  readonly straightRuns: 1 | 2;
  readonly log: (line: string) => void;
}

/** Runs straight and through Sluice, each on servers of its own. Throws when no test passes straight. */
export async function compareSuite(options: CompareOptions): Promise<Comparison> {
  const first = await runOnce(options, 'straight');
  const second = options.straightRuns === 1 ? first : await runOnce(options, 'straight, again');
  const throughSluice = await runOnce(options, 'through Sluice');
  let comparison = compareRuns(first, second, throughSluice);
  // A suite that cannot even connect would make no difference.
  if (comparison.passedStraight === 0) {
    const detail = first.find((result) => result.detail !== undefined)?.detail ?? 'it has no tests';
    throw new Error(`nothing of ${options.suite.name} passes straight: ${detail}`);
  }
  for (let times = 0; times < REPETITIONS; times++) {
    const open = comparison.differences.filter(({ passesRepeated }) => !passesRepeated);
    if (open.length === 0) break;
    const { fileOf } = options.suite;
    const files = fileOf === undefined ? options.files : [...new Set(open.map(({ test }) => fileOf(test)))];
    comparison = withRepetition(comparison, await runOnce({ ...options, files }, 'through Sluice, repeated'));
  }
  return comparison;
}

/** A read may come from a replica that has not got another session's write yet: then a repetition passes. */
const REPETITIONS = 2;

type Way = 'straight' | 'straight, again' | 'through Sluice' | 'through Sluice, repeated';

async function runOnce(options: CompareOptions, way: Way): Promise<readonly TestResult[]> {
  const { suite, flavor, source, files } = options;
  const startedAt = performance.now();
  const target = way.startsWith('through')
    ? await SuiteTarget.throughSluice(options)
    : await SuiteTarget.straight(options);
  const directory = makeTemporaryDirectory('driver');
  try {
    const workDirectory = mkdtempSync(join(directory, 'run-'));
    const results = await suite.run({ endpoint: target.endpoint, flavor, source, workDirectory, files });
    const passed = results.filter(({ outcome }) => outcome === Outcome.passed).length;
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    options.log(`${suite.name} ${way}: ${passed} of ${results.length} passed, ${seconds} s`);
    for (const line of target.complaints.slice(0, 20)) options.log(`  Sluice: ${line.slice(0, 500)}`);
    return results;
  } finally {
    removeTemporaryDirectory(directory);
    await target.dispose();
  }
}
