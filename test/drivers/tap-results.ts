import { Parser, type Result } from 'tap-parser';
import { Outcome, type TestResult } from './driver-suite.ts';

export interface TapResults {
  readonly tests: readonly TestResult[];
  /** Of the file as a whole: skipped, failed for another reason than a test (a plan that does not fit), or passed. */
  readonly wholeFile: Outcome;
}

/** The assertions at the top level, by number and description. */
export function tapResults(text: string): TapResults {
  const parser = new Parser();
  const tests: TestResult[] = [];
  let skipped = false;
  parser.on('assert', (result: Result) => {
    const outcome =
      result.skip || result.todo ? Outcome.skipped : result.ok ? Outcome.passed : Outcome.failed;
    tests.push({ name: `${result.id} ${withoutNumbers(result.name)}`.trim(), outcome });
  });
  parser.on('plan', (plan: { start: number; end: number }) => {
    skipped = plan.end === 0;
  });
  parser.end(text);
  const failed = !parser.ok && tests.every(({ outcome }) => outcome !== Outcome.failed);
  return { tests, wholeFile: skipped ? Outcome.skipped : failed ? Outcome.failed : Outcome.passed };
}

/** Names hold connection ids and the like, which differ between runs. */
function withoutNumbers(name: string): string {
  return name.replaceAll(/\d+/g, 'N');
}
