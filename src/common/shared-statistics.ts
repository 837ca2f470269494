/**
 * Counts of statements in memory that all threads see: by command, and how long they took by hostgroup. Each worker
 * writes its own part, so that the main thread reads without asking; only the places of hostgroups are common.
 */

import { HOSTGROUP_SCALE } from './log-linear-scale.ts';

/** Hostgroups that are told apart; all further ones share the last place. */
export const HOSTGROUP_PLACES = 32;
/** Places for commands; `src/sql/command-counter.ts` says which has which, and a test that they suffice. */
export const COMMAND_PLACES = 64;
/** Where no server was needed, or none was found; as ProxySQL says it. */
export const NO_HOSTGROUP = -1;
/** What the common place of further hostgroups is called. */
export const OTHER_HOSTGROUPS = -2;
const FREE = -(2 ** 31);

/** In microseconds: the columns cnt_100us to cnt_10s; what takes longer is in one more. */
export const COMMAND_LIMITS_US = [
  100, 500, 1000, 5000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000, 10_000_000,
] as const;

/** Proven reads apart from everything else. */
export const StatementSort = { read: 0, write: 1 } as const;
export type StatementSort = (typeof StatementSort)[keyof typeof StatementSort];
const SORTS = 2;

/** Numbers of one worker (float64, whole numbers). */
export const StatementCounter = {
  /** That have ended, without those of Sluice itself. */
  statements: 0,
  /** Longer than `statistics.longQueryMs`. */
  slow: 1,
  /** Microseconds from the sending to the end of the answer, over all. */
  backendMicros: 2,
  waitMicros: 3,
  rowsSent: 4,
  rowsAffected: 5,
  errors: 6,
  /** Transactions that are open now. */
  openTransactions: 7,
  setAutocommit: 8,
  setNames: 9,
  /** Of the worker's digests, as of its last look. */
  digests: 10,
  digestBytes: 11,
  /** Statements whose digest was forgotten for another one. */
  digestsForgotten: 12,
  errorsForgotten: 13,
  /** So often a digest that the worker does not know may have come. */
  digestFloor: 14,
  /** Different prepared statements of its clients. */
  definitions: 15,
} as const;
export type StatementCounter = (typeof StatementCounter)[keyof typeof StatementCounter];
const COUNTERS = 32;

/** Commands of the protocol up to COM_RESET_CONNECTION; the others share the last place. */
export const PROTOCOL_COMMAND_PLACES = 33;

const PER_COMMAND = 2 + COMMAND_LIMITS_US.length + 1;
const PER_HISTOGRAM = 2 + HOSTGROUP_SCALE.steps;
const COMMANDS = COUNTERS + PROTOCOL_COMMAND_PLACES;
const HISTOGRAMS = COMMANDS + COMMAND_PLACES * PER_COMMAND;
const PER_WORKER = HISTOGRAMS + HOSTGROUP_PLACES * SORTS * PER_HISTOGRAM;

export interface SharedStatisticsBuffers {
  readonly hostgroups: SharedArrayBuffer;
  readonly values: SharedArrayBuffer;
}

export interface CommandCount {
  readonly count: number;
  readonly totalMicros: number;
  /** One for each of `COMMAND_LIMITS_US`, and one for what took longer. */
  readonly buckets: readonly number[];
}

/** How long the statements of a hostgroup and sort took. */
export interface LatencyHistogram {
  readonly hostgroup: number;
  readonly sort: StatementSort;
  readonly count: number;
  readonly sumMicros: number;
  /** By the steps of `HOSTGROUP_SCALE`. */
  readonly steps: Float64Array;
}

export class SharedStatistics {
  readonly buffers: SharedStatisticsBuffers;
  readonly #hostgroups: Int32Array;
  readonly #values: Float64Array;
  readonly #places = new Map([[OTHER_HOSTGROUPS, HOSTGROUP_PLACES - 1]]);

  /** @param source those of another thread, or for how many workers there is to be room. */
  constructor(source: SharedStatisticsBuffers | number) {
    this.buffers = typeof source === 'number' ? allocate(source) : source;
    this.#hostgroups = new Int32Array(this.buffers.hostgroups);
    this.#values = new Float64Array(this.buffers.values);
  }

  worker(index: number): WorkerStatistics {
    return new WorkerStatistics(this, this.#values.subarray(index * PER_WORKER, (index + 1) * PER_WORKER));
  }

  /** The same in all threads; never given to another hostgroup. */
  placeOf(hostgroup: number): number {
    let place = this.#places.get(hostgroup);
    if (place === undefined) {
      place = this.#claim(hostgroup);
      this.#places.set(hostgroup, place);
    }
    return place;
  }

  /** Hostgroups that statements went to, by their places. */
  hostgroups(): number[] {
    const found: number[] = [];
    for (let place = 0; place < HOSTGROUP_PLACES; place++) {
      const hostgroup = Atomics.load(this.#hostgroups, place);
      if (hostgroup === FREE) break;
      found.push(hostgroup);
    }
    return found;
  }

  #claim(hostgroup: number): number {
    for (let place = 0; place < HOSTGROUP_PLACES - 1; place++) {
      const there = Atomics.compareExchange(this.#hostgroups, place, FREE, hostgroup);
      if (there === FREE || there === hostgroup) return place;
    }
    Atomics.store(this.#hostgroups, HOSTGROUP_PLACES - 1, OTHER_HOSTGROUPS);
    return HOSTGROUP_PLACES - 1;
  }
}

/** Written by one worker only. */
export class WorkerStatistics {
  readonly #shared: SharedStatistics;
  readonly #values: Float64Array;

  constructor(shared: SharedStatistics, values: Float64Array) {
    this.#shared = shared;
    this.#values = values;
  }

  add(counter: StatementCounter, delta = 1): void {
    this.#values[counter]! += delta;
  }

  set(counter: StatementCounter, value: number): void {
    this.#values[counter] = value;
  }

  get(counter: StatementCounter): number {
    return this.#values[counter]!;
  }

  /** A command of the protocol. */
  addProtocolCommand(command: number): void {
    const place = Math.min(command, PROTOCOL_COMMAND_PLACES - 1);
    this.#values[COUNTERS + place]! += 1;
  }

  protocolCommands(place: number): number {
    return this.#values[COUNTERS + place]!;
  }

  /** @param micros a whole number. */
  addStatement(place: number, hostgroup: number, sort: StatementSort, micros: number): void {
    const values = this.#values;
    const command = COMMANDS + place * PER_COMMAND;
    values[command]! += 1;
    values[command + 1]! += micros;
    values[command + 2 + bucketOf(micros)]! += 1;
    const histogram = HISTOGRAMS + (this.#shared.placeOf(hostgroup) * SORTS + sort) * PER_HISTOGRAM;
    values[histogram]! += 1;
    values[histogram + 1]! += micros;
    values[histogram + 2 + HOSTGROUP_SCALE.stepOf(micros)]! += 1;
  }

  command(place: number): CommandCount {
    const start = COMMANDS + place * PER_COMMAND;
    const values = this.#values;
    return {
      count: values[start]!,
      totalMicros: values[start + 1]!,
      buckets: [...values.subarray(start + 2, start + PER_COMMAND)],
    };
  }

  /** A copy; null where nothing was counted. */
  histogram(hostgroup: number, sort: StatementSort): LatencyHistogram | null {
    const start = HISTOGRAMS + (this.#shared.placeOf(hostgroup) * SORTS + sort) * PER_HISTOGRAM;
    const count = this.#values[start]!;
    if (count === 0) return null;
    const steps = this.#values.slice(start + 2, start + PER_HISTOGRAM);
    return { hostgroup, sort, count, sumMicros: this.#values[start + 1]!, steps };
  }

  /** The worker has gone, and what it had with it. */
  clearGauges(): void {
    for (const gauge of [
      StatementCounter.openTransactions,
      StatementCounter.digests,
      StatementCounter.digestBytes,
      StatementCounter.digestFloor,
      StatementCounter.definitions,
    ])
      this.set(gauge, 0);
  }
}

function bucketOf(micros: number): number {
  for (let bucket = 0; bucket < COMMAND_LIMITS_US.length; bucket++)
    if (micros <= COMMAND_LIMITS_US[bucket]!) return bucket;
  return COMMAND_LIMITS_US.length;
}

function allocate(workers: number): SharedStatisticsBuffers {
  const hostgroups = new SharedArrayBuffer(HOSTGROUP_PLACES * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(hostgroups).fill(FREE);
  return {
    hostgroups,
    values: new SharedArrayBuffer(workers * PER_WORKER * Float64Array.BYTES_PER_ELEMENT),
  };
}
