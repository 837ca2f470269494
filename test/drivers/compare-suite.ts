import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerFlavor } from '../../src/topology/server-description.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/owned-resources.ts';
import { type Comparison, compareRuns } from './comparison.ts';
import { type DriverSuite, Outcome, type TestResult } from './driver-suite.ts';
import { SuiteTarget } from './suite-target.ts';

export interface CompareOptions {
  readonly suite: DriverSuite;
  readonly flavor: ServerFlavor;
  readonly source: string;
  readonly files: readonly string[];
  readonly replicas: number;
  readonly log: (line: string) => void;
}

/** Two runs straight, one through Sluice, each on servers of its own. Throws when no test passes straight. */
export async function compareSuite(options: CompareOptions): Promise<Comparison> {
  const first = await runOnce(options, 'straight');
  const second = await runOnce(options, 'straight, again');
  const throughSluice = await runOnce(options, 'through Sluice');
  const comparison = compareRuns(first, second, throughSluice);
  // A suite that cannot even connect would make no difference.
  if (comparison.passedStraight === 0) {
    const detail = first.find((result) => result.detail !== undefined)?.detail ?? 'it has no tests';
    throw new Error(`nothing of ${options.suite.name} passes straight: ${detail}`);
  }
  return comparison;
}

type Way = 'straight' | 'straight, again' | 'through Sluice';

async function runOnce(options: CompareOptions, way: Way): Promise<readonly TestResult[]> {
  const { suite, flavor, source, files } = options;
  const startedAt = performance.now();
  const target =
    way === 'through Sluice' ? await SuiteTarget.throughSluice(options) : await SuiteTarget.straight(options);
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
