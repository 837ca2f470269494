/**
 * Measures small pure functions. A file of this folder exports `benchmarks`; `run.ts` finds it, measures each and
 * prints one table. A file may be run through `run.ts` alone: `node bench/micro/run.ts <part of a name>`.
 */

export interface Microbenchmark {
  /** `<subject>: <case>`, e.g. `lexer: point select, 41 bytes`. */
  readonly name: string;
  /**
   * Does the work `operations` times, in a loop of its own, and returns a number made of all the results: what
   * nobody uses, the compiler may leave out.
   */
  run(operations: number): number;
  /** For MB/s; leave out where it means nothing. */
  readonly bytesPerOperation?: number;
  /** What the project asks for, in nanoseconds; printed beside the result. */
  readonly maxNanoseconds?: number;
}

export interface MicroOptions {
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
}

export interface MicroResult {
  readonly name: string;
  /** CPU time of this thread for one operation, median of the rounds: garbage collection in it, waiting not. */
  readonly nanoseconds: number;
  readonly fastestNanoseconds: number;
  readonly slowestNanoseconds: number;
  readonly operationsPerRound: number;
  readonly bytesPerOperation: number | null;
  readonly maxNanoseconds: number | null;
}

export const DEFAULT_OPTIONS: MicroOptions = { rounds: 15, roundMs: 40, warmUpMs: 300 };

/** Results end here; `consumed` prints it, so that none can be dropped. */
let sink = 0;

export function consumed(): number {
  return sink;
}

export function measure(benchmark: Microbenchmark, options: MicroOptions = DEFAULT_OPTIONS): MicroResult {
  const operations = calibrate(benchmark, options);
  const rounds: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    rounds.push((timed(benchmark, operations) * 1000) / operations);
  }
  rounds.sort((a, b) => a - b);
  return {
    name: benchmark.name,
    nanoseconds: rounds[Math.floor(rounds.length / 2)]!,
    fastestNanoseconds: rounds[0]!,
    slowestNanoseconds: rounds.at(-1)!,
    operationsPerRound: operations,
    bytesPerOperation: benchmark.bytesPerOperation ?? null,
    maxNanoseconds: benchmark.maxNanoseconds ?? null,
  };
}

/** Warms up, and finds how many operations fill a round. */
function calibrate(benchmark: Microbenchmark, { roundMs, warmUpMs }: MicroOptions): number {
  let operations = 1;
  let spent = 0;
  for (;;) {
    const microseconds = timed(benchmark, operations);
    spent += microseconds;
    if (spent >= warmUpMs * 1000 && microseconds > 0) {
      return Math.max(1, Math.round((operations * roundMs * 1000) / microseconds));
    }
    if (microseconds < (roundMs * 1000) / 2) operations *= 2;
  }
}

/** CPU time of this thread in microseconds: other programs on the machine do not count. */
function timed(benchmark: Microbenchmark, operations: number): number {
  const before = process.threadCpuUsage();
  sink = (sink + benchmark.run(operations)) % 1_000_000_007;
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}
