/**
 * Numbers that all threads see at once: gauges that several threads change (by Atomics), and counters that one
 * worker writes and everybody may read. Plain shared memory; who wants a consistent picture takes `snapshot`-like
 * copies and lives with counters of the same moment being some nanoseconds apart.
 */

import { randomInt } from 'node:crypto';

/** Limits of the tables; a configuration that needs more is refused by name. */
export const MAX_SERVERS = 256;
export const MAX_USERS = 16_384;
export const MAX_WORKERS = 64;

/** Places for counters by reason; `src/sql/route-reason.ts` says which reason has which, and a test that they suffice. */
export const PIN_PLACES = 32;
export const ROUTE_PLACES = 192;

/** Global gauges (Int32). */
export const Gauge = {
  frontendConnections: 0,
  /** The last connection id given to a client. */
  connectionId: 1,
  /** Goes up when a statement that may change views starts, and when it ends. */
  viewsEpoch: 2,
  /** Goes up when a statement that may change accounts starts, and when it ends. */
  accountsEpoch: 3,
  /** Transactions that are being replayed now. */
  replays: 6,
  /** Likewise of a statement that may change which tables belong together: triggers, foreign keys. */
  relationsEpoch: 4,
} as const;
const GAUGES = 8;

/** Per-server gauges (Int32), over all workers. */
export const ServerGauge = {
  connections: 0,
  inUse: 1,
  /** Pools (one per worker at most) that want a place and find all taken. */
  starving: 2,
} as const;
const SERVER_GAUGES = 4;

/** Counters of one worker (float64, whole numbers). */
export const WorkerCounter = {
  frontendAccepted: 0,
  frontendRefused: 1,
  authFailures: 2,
  questions: 3,
  readsOnReplica: 4,
  readsOnPrimary: 5,
  writes: 6,
  classified: 8,
  checkouts: 9,
  checkoutsFitting: 10,
  checkoutsPipelined: 11,
  stateDifferences: 12,
  poolWaits: 13,
  poolTimeouts: 14,
  clientBytesIn: 15,
  clientBytesOut: 16,
  errorsSent: 17,
  retries: 18,
  pinnedSessions: 19,
  sessions: 20,
  slowReaderPauses: 21,
  protocolErrors: 22,
  digests: 23,
  backendLost: 24,
  loginsDelayed: 25,
  userLimitReached: 26,
  mirrored: 27,
  mirrorsDropped: 28,
  clientStatements: 30,
  backendStatements: 31,
  statementsReprepared: 32,
  slowQueriesDropped: 33,
  clientEventsDropped: 34,
  spansDropped: 35,
  logLinesDropped: 36,
  ruleErrors: 40,
  ruleOks: 41,
  ruleRewrites: 42,
  firewallDetected: 43,
  firewallBlocked: 44,
  rateLimited: 45,
  causalReadsAtOnce: 46,
  causalReadsWaited: 47,
  causalReadsBehind: 48,
  gtidsUnknown: 49,
  /** Statements that waited for a primary, or for writes not to be held. */
  heldStatements: 50,
  heldStatementsNow: 51,
  heldMs: 52,
  replayedTransactions: 53,
  replaysFailed: 54,
  replayedStatements: 55,
  replaysNow: 56,
  cacheHits: 57,
  /** Statements that may be cached and were not: nothing was stored, or nothing that could be served. */
  cacheMisses: 58,
  /** Something was being written, or the follower was late: neither served nor stored. */
  cacheUnproven: 59,
  cacheFills: 60,
  cacheStored: 61,
  /** Fills whose answer was an error, too large, or outdated when it came. */
  cacheNotStored: 62,
  cacheWaits: 63,
  cacheWaitsExpired: 64,
  /** Entries that have ended, by why. */
  cacheEvicted: 65,
  cacheInvalidated: 66,
  cacheExpired: 67,
  cacheFlushed: 68,
  /** Now; with keys and overhead. */
  cacheEntries: 69,
  cacheBytes: 70,
  /** Of answers that were stored, and of those that were served. */
  cacheBytesStored: 71,
  cacheBytesServed: 72,
  /** Of servers, which hits have not taken. */
  cacheSavedMs: 73,
  /** Of the second level: what it had, and what it had not or what was not to be taken. */
  level2Hits: 74,
  level2Misses: 75,
  level2Timeouts: 76,
  /** Connections that failed, and commands that were refused. */
  level2Errors: 77,
  level2BytesRead: 78,
  level2BytesWritten: 79,
  /** Results that were not written there since too much was on its way. */
  level2Dropped: 80,
  /** Nothing was stored of what came for the first time, since there was no room. */
  cacheNotAdmitted: 81,
  /** Once a second: who does not count on stands still. */
  beats: 82,
  /** Grammars that the worker could not load. */
  grammarsMissing: 83,
  /** Servers of the second level that have not been told of a flush. */
  level2Unflushed: 84,
} as const;
export type WorkerCounter = (typeof WorkerCounter)[keyof typeof WorkerCounter];
const WORKER_COUNTERS = 88;

/** Counters of one worker for one server; what it holds is its share of the gauges. */
export const ServerCounter = {
  queries: 0,
  bytesSent: 1,
  bytesReceived: 2,
  connects: 3,
  connectErrors: 4,
  heldConnections: 5,
  heldInUse: 6,
  heldStarving: 7,
  /** Most connections, of all workers together, that this one has seen in use. */
  mostInUse: 8,
} as const;
export type ServerCounter = (typeof ServerCounter)[keyof typeof ServerCounter];
const SERVER_COUNTERS = 10;

/**
 * Clients' connection ids are from here up to 2^31 - 1: servers count their threads from 1, and what takes an id for a
 * signed number of 32 bits reads these right.
 */
export const FIRST_CONNECTION_ID = 2 ** 30;
const CONNECTION_IDS = 2 ** 30;
const RESERVED_IDS = 2 ** 20;

export interface SharedCounterBuffers {
  readonly gauges: SharedArrayBuffer;
  /** Which share of the per-user gauges each worker holds, so that a crashed one's can be given back. */
  readonly userShares: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
}

const PINS_NOW = WORKER_COUNTERS + MAX_SERVERS * SERVER_COUNTERS;
const PINS_STARTED = PINS_NOW + PIN_PLACES;
const ROUTED = PINS_STARTED + PIN_PLACES;
const COUNTERS_PER_WORKER = ROUTED + ROUTE_PLACES;

export class SharedCounters {
  readonly buffers: SharedCounterBuffers;
  readonly #gauges: Int32Array;
  readonly #userShares: Int32Array;
  readonly #counters: Float64Array;

  constructor(buffers: SharedCounterBuffers = allocate()) {
    this.buffers = buffers;
    this.#gauges = new Int32Array(buffers.gauges);
    this.#userShares = new Int32Array(buffers.userShares);
    this.#counters = new Float64Array(buffers.counters);
  }

  gauge(index: number): number {
    return Atomics.load(this.#gauges, index);
  }

  addGauge(index: number, delta: number): number {
    return Atomics.add(this.#gauges, index, delta) + delta;
  }

  /** Takes one of `limit` places (0: no limit). */
  acquire(index: number, limit: number): boolean {
    if (this.addGauge(index, 1) <= limit || limit <= 0) return true;
    this.addGauge(index, -1);
    return false;
  }

  /** Takes one of a user's `limit` places (0: no limit) for a client of this worker. */
  acquireUser(worker: number, slot: number, limit: number): boolean {
    if (!this.acquire(userGauge(slot), limit)) return false;
    this.#userShares[worker * MAX_USERS + slot]! += 1;
    return true;
  }

  releaseUser(worker: number, slot: number): void {
    this.addGauge(userGauge(slot), -1);
    this.#userShares[worker * MAX_USERS + slot]! -= 1;
  }

  /** The worker has ended with clients of this user. */
  giveBackUser(worker: number, slot: number): void {
    const index = worker * MAX_USERS + slot;
    this.addGauge(userGauge(slot), -this.#userShares[index]!);
    this.#userShares[index] = 0;
  }

  /** A connection id that no other session of this process has, nor, in all likelihood, any server's thread. */
  nextConnectionId(): number {
    return FIRST_CONNECTION_ID + (Atomics.add(this.#gauges, Gauge.connectionId, 1) & (CONNECTION_IDS - 1));
  }

  /** For another process, whose ids must not be those of clients that are here: as many may come here until it begins. */
  get farConnectionId(): number {
    return (this.gauge(Gauge.connectionId) + RESERVED_IDS) & (CONNECTION_IDS - 1);
  }

  /** Before the first client. */
  beginConnectionIds(from: number): void {
    Atomics.store(this.#gauges, Gauge.connectionId, from & (CONNECTION_IDS - 1));
  }

  worker(index: number): WorkerCounters {
    const start = index * COUNTERS_PER_WORKER;
    return new WorkerCounters(this.#counters.subarray(start, start + COUNTERS_PER_WORKER));
  }

  /** Of all workers since the start, those that have ended included. */
  total(counter: WorkerCounter): number {
    let sum = 0;
    for (let at: number = counter; at < this.#counters.length; at += COUNTERS_PER_WORKER)
      sum += this.#counters[at]!;
    return sum;
  }
}

/** Written by one worker only. */
export class WorkerCounters {
  readonly #values: Float64Array;

  constructor(values: Float64Array) {
    this.#values = values;
  }

  add(counter: WorkerCounter, delta = 1): void {
    this.#values[counter]! += delta;
  }

  get(counter: WorkerCounter): number {
    return this.#values[counter]!;
  }

  addServer(slot: number, counter: ServerCounter, delta = 1): void {
    this.#values[WORKER_COUNTERS + slot * SERVER_COUNTERS + counter]! += delta;
  }

  getServer(slot: number, counter: ServerCounter): number {
    return this.#values[WORKER_COUNTERS + slot * SERVER_COUNTERS + counter]!;
  }

  /** It only grows. */
  raiseServer(slot: number, counter: ServerCounter, value: number): void {
    const index = WORKER_COUNTERS + slot * SERVER_COUNTERS + counter;
    if (value > this.#values[index]!) this.#values[index] = value;
  }

  addRouted(slot: number): void {
    this.#values[ROUTED + slot]! += 1;
  }

  /** Statements that were routed so. */
  getRouted(slot: number): number {
    return this.#values[ROUTED + slot]!;
  }

  pinStarted(slot: number): void {
    this.#values[PINS_NOW + slot]! += 1;
    this.#values[PINS_STARTED + slot]! += 1;
  }

  pinEnded(slot: number): void {
    this.#values[PINS_NOW + slot]! -= 1;
  }

  /** Sessions that are pinned for this reason now, and how often one was since the start. */
  getPins(slot: number): { readonly now: number; readonly started: number } {
    return { now: this.#values[PINS_NOW + slot]!, started: this.#values[PINS_STARTED + slot]! };
  }

  /** The worker has gone, and its sessions with it. */
  clearPins(): void {
    this.#values.fill(0, PINS_NOW, PINS_STARTED);
  }

  /** For gauges of one worker. */
  set(counter: WorkerCounter, value: number): void {
    this.#values[counter] = value;
  }

  /** Gauge-like entries of a worker that has gone. */
  clear(counter: WorkerCounter): void {
    this.#values[counter] = 0;
  }

  clearServer(slot: number, counter: ServerCounter): void {
    this.#values[WORKER_COUNTERS + slot * SERVER_COUNTERS + counter] = 0;
  }
}

export function serverGauge(slot: number, gauge: number): number {
  return GAUGES + slot * SERVER_GAUGES + gauge;
}

export function userGauge(slot: number): number {
  return GAUGES + MAX_SERVERS * SERVER_GAUGES + slot;
}

function allocate(): SharedCounterBuffers {
  const length = GAUGES + MAX_SERVERS * SERVER_GAUGES + MAX_USERS;
  const gauges = new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT);
  // Anywhere: the id of a client of one Sluice should be nobody's at another one in front of the same servers.
  new Int32Array(gauges)[Gauge.connectionId] = randomInt(CONNECTION_IDS);
  return {
    gauges,
    userShares: new SharedArrayBuffer(MAX_WORKERS * MAX_USERS * Int32Array.BYTES_PER_ELEMENT),
    counters: new SharedArrayBuffer(MAX_WORKERS * COUNTERS_PER_WORKER * Float64Array.BYTES_PER_ELEMENT),
  };
}
