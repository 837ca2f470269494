import type { TestResult } from './driver-suite.ts';

/** Numbers the tests that have the same name, in their order. */
export function uniqueNames(results: readonly TestResult[]): TestResult[] {
  const counts = new Map<string, number>();
  return results.map((result) => {
    const count = (counts.get(result.name) ?? 0) + 1;
    counts.set(result.name, count);
    return count === 1 ? result : { ...result, name: `${result.name} #${count}` };
  });
}
