/** Reads the TAP that one test file prints, and counts exactly what passed and what failed. */

import { Parser, type Result } from 'tap-parser';

export interface TapFailure {
  /** Names of the subtests around it, outermost first, and its own. */
  readonly path: readonly string[];
  /** What tap says about it: `at`, `diff`, `stack` … */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface TapSummary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly todo: number;
  readonly failures: readonly TapFailure[];
  /** What is wrong with the number of tests at the top level, not counted among the failures; null when it fits. */
  readonly planProblem: string | null;
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  todo: number;
}

/**
 * Counts assertions, not subtests: the line that ends a subtest only repeats what is inside. It counts where the
 * inside does not say it: a subtest that failed by itself (time-out, wrong plan), or one without any assertion.
 */
export class TapCounter {
  readonly #parser = new Parser();
  readonly #counts: Counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  readonly #failures: TapFailure[] = [];
  #bailout: string | null = null;
  #planProblem: string | null = null;

  constructor() {
    this.#watch(this.#parser, []);
    this.#parser.on('bailout', (reason) => {
      this.#bailout = reason || 'no reason given';
    });
    this.#parser.on('complete', (results) => {
      const planned = results.plan.end === null ? null : results.plan.end - (results.plan.start ?? 1) + 1;
      if (planned === null) this.#planProblem = 'the output ends without a plan';
      else if (planned !== results.count)
        this.#planProblem = `planned ${planned} tests, saw ${results.count}`;
    });
  }

  write(chunk: string): void {
    this.#parser.write(chunk);
  }

  end(): TapSummary {
    this.#parser.end();
    if (this.#bailout !== null) this.#fail(['bail out'], { reason: this.#bailout });
    return { ...this.#counts, failures: this.#failures, planProblem: this.#planProblem };
  }

  #watch(parser: Parser, path: readonly string[]): void {
    let before: Counts | null = null;
    let childPath = path;
    parser.on('child', (child) => {
      before = { ...this.#counts };
      childPath = [...path, child.name || '(unnamed)'];
      this.#watch(child, childPath);
    });
    parser.on('assert', (result) => {
      const atChildStart = before;
      before = null;
      if (atChildStart === null || this.#insideSaysNothing(result, atChildStart)) this.#count(result, path);
    });
  }

  #insideSaysNothing(result: Result, before: Counts): boolean {
    const { passed, failed, skipped, todo } = this.#counts;
    if (!result.ok && !result.todo) return failed === before.failed;
    return (
      passed === before.passed &&
      failed === before.failed &&
      skipped === before.skipped &&
      todo === before.todo
    );
  }

  #count(result: Result, path: readonly string[]): void {
    if (result.skip) this.#counts.skipped++;
    else if (result.todo) this.#counts.todo++;
    else if (result.ok) this.#counts.passed++;
    else this.#fail([...path, result.name || '(unnamed)'], (result.diag ?? {}) as Record<string, unknown>);
  }

  #fail(path: readonly string[], detail: Readonly<Record<string, unknown>>): void {
    this.#counts.failed++;
    this.#failures.push({ path, detail });
  }
}
