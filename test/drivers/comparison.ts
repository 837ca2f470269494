/** Compares the runs of one suite: two straight at the server, one through Sluice. */

import { Outcome, type TestResult } from './driver-suite.ts';

export interface Difference {
  readonly test: string;
  /** `missing`: the run through Sluice has no such test, e.g. because its file ended before. */
  readonly throughSluice: Outcome | 'missing';
  readonly detail: string;
  /** It has passed when it was run again, so it is a matter of time. */
  readonly passesRepeated: boolean;
}

export interface Comparison {
  /** Passed in both straight runs. */
  readonly passedStraight: number;
  /** Passed in both straight runs and through Sluice. */
  readonly passed: readonly string[];
  /** Neither passed nor skipped in at least one straight run, flaky ones not counted. */
  readonly failedStraight: readonly string[];
  readonly skippedStraight: number;
  /** Passed in one straight run and not in the other. */
  readonly flaky: readonly string[];
  /** Passed straight, not through Sluice. */
  readonly differences: readonly Difference[];
  /** Failed straight, passed through Sluice. */
  readonly onlyThroughSluice: readonly string[];
}

export function compareRuns(
  first: readonly TestResult[],
  second: readonly TestResult[],
  throughSluice: readonly TestResult[],
): Comparison {
  const before = byName(first);
  const again = byName(second);
  const sluice = byName(throughSluice);
  const flaky: string[] = [];
  const passed: string[] = [];
  const differences: Difference[] = [];
  const onlyThroughSluice: string[] = [];
  const failedStraight: string[] = [];
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const name of new Set([...first, ...second].map((result) => result.name))) {
    const one = before.get(name)?.outcome;
    const two = again.get(name)?.outcome;
    if ((one === Outcome.passed) !== (two === Outcome.passed)) {
      flaky.push(name);
      continue;
    }
    counts[one ?? two ?? Outcome.failed]++;
    if (one === Outcome.failed) failedStraight.push(name);
    const result = sluice.get(name);
    if (one === Outcome.passed && result?.outcome === Outcome.passed) passed.push(name);
    if (one === Outcome.passed && result?.outcome !== Outcome.passed) {
      differences.push({
        test: name,
        throughSluice: result?.outcome ?? 'missing',
        detail: result?.detail ?? '',
        passesRepeated: false,
      });
    }
    if (one === Outcome.failed && result?.outcome === Outcome.passed) onlyThroughSluice.push(name);
  }
  return {
    passedStraight: counts.passed,
    passed,
    failedStraight,
    skippedStraight: counts.skipped,
    flaky,
    differences,
    onlyThroughSluice,
  };
}

/** Marks the differences that have passed in another run through Sluice. */
export function withRepetition(comparison: Comparison, repeated: readonly TestResult[]): Comparison {
  const results = byName(repeated);
  const differences = comparison.differences.map((difference) => {
    const passes = results.get(difference.test)?.outcome === Outcome.passed;
    return passes ? { ...difference, passesRepeated: true } : difference;
  });
  return { ...comparison, differences };
}

function byName(results: readonly TestResult[]): ReadonlyMap<string, TestResult> {
  const map = new Map<string, TestResult>();
  for (const result of results) {
    if (map.has(result.name)) throw new Error(`two tests are called ${result.name}`);
    map.set(result.name, result);
  }
  return map;
}
