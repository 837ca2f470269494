/** What a person reads of a test run: a line per file, failures in full at once and again as a list, the count last. */

import { availableParallelism } from 'node:os';
import { stringify } from 'yaml';
import type { StaticCheckResult } from './static-checks.ts';
import type { TapFailure } from './tap-summary.ts';
import type { FileResult } from './test-file-run.ts';

const MAX_NAME_CHARACTERS = 160;
/** Of the files that have taken most of the processor. */
const DEAREST = 10;

export class TestReport {
  readonly #output: NodeJS.WritableStream;
  readonly #failedNames: string[] = [];
  readonly #startedAt = performance.now();
  readonly #cpuMs = new Map<string, number>();
  #passed = 0;
  #failed = 0;
  #skipped = 0;
  #todo = 0;

  constructor(output: NodeJS.WritableStream) {
    this.#output = output;
  }

  note(text: string): void {
    this.#line(text);
  }

  staticCheck(result: StaticCheckResult): void {
    this.#count(result.ok ? 1 : 0, result.ok ? 0 : 1);
    this.#line(`${result.ok ? 'ok  ' : 'FAIL'} ${result.name} (${seconds(result.durationMs)})`);
    if (result.ok) return;
    this.#failedNames.push(result.name);
    this.#line(indent(result.output.trimEnd()));
  }

  file(result: FileResult): void {
    this.#count(result.passed, result.failed);
    this.#skipped += result.skipped;
    this.#todo += result.todo;
    this.#cpuMs.set(result.file, result.cpuMs);
    const extra =
      result.skipped + result.todo === 0 ? '' : `, ${result.skipped + result.todo} skipped or to do`;
    const counts = `${result.passed} passed, ${result.failed} failed${extra}, ${seconds(result.durationMs)}, CPU ${seconds(result.cpuMs)}`;
    this.#line(`${result.failed === 0 ? 'ok  ' : 'FAIL'} ${result.file} (${counts})`);
    for (const failure of result.failures) this.#failure(result.file, failure);
    if (result.failed > 0 && result.stderr.trim() !== '') {
      this.#line(indent(`stderr:\n${indent(result.stderr.trimEnd())}`));
    }
  }

  notRun(file: string): void {
    this.#count(0, 1);
    this.#failedNames.push(`${file} > not run`);
    this.#line(`FAIL ${file} (not run)`);
  }

  /** The run itself cannot go on. */
  broken(message: string): void {
    this.#count(0, 1);
    this.#failedNames.push(message);
    this.#line(`FAIL ${message}`);
  }

  /** Prints the summary; true when nothing failed. */
  end(): boolean {
    if (this.#passed + this.#failed === 0) {
      this.#count(0, 1);
      this.#failedNames.push('no test was run');
    }
    if (this.#failedNames.length > 0) {
      this.#line('\nFailed:');
      for (const name of this.#failedNames) this.#line(`  ${name}`);
    }
    this.#dearest();
    this.#line(
      `\n${seconds(performance.now() - this.#startedAt)}, ${this.#skipped} skipped, ${this.#todo} to do`,
    );
    this.#line(`${this.#passed} passed, ${this.#failed} failed`);
    return this.#failed === 0;
  }

  #dearest(): void {
    const files = [...this.#cpuMs].sort(([, one], [, other]) => other - one);
    const sum = files.reduce((ms, [, cpuMs]) => ms + cpuMs, 0);
    if (files.length <= DEAREST) return;
    const share = sum / ((performance.now() - this.#startedAt) * availableParallelism());
    this.#line(`\nCPU ${seconds(sum)}, ${Math.round(100 * share)} % of what there was, most of it in`);
    for (const [file, cpuMs] of files.slice(0, DEAREST)) this.#line(`  ${seconds(cpuMs)} ${file}`);
  }

  #failure(file: string, failure: TapFailure): void {
    const name = `${file} > ${failure.path.join(' > ')}`;
    // An error's message may be long; here it stands for a name.
    this.#failedNames.push(name.split('\n')[0]?.slice(0, MAX_NAME_CHARACTERS) ?? name);
    this.#line(`  not ok ${failure.path.join(' > ')}`);
    if (Object.keys(failure.detail).length > 0)
      this.#line(indent(stringify(failure.detail).trimEnd(), '      '));
  }

  #count(passed: number, failed: number): void {
    this.#passed += passed;
    this.#failed += failed;
  }

  #line(text: string): void {
    this.#output.write(`${text}\n`);
  }
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

function indent(text: string, by = '    '): string {
  return text.replace(/^(?=.)/gm, by);
}
