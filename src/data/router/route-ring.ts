/**
 * The last statements of a worker, and why each went where it went. Numbers in typed arrays and references to what
 * lives anyway, written over in turn: nothing is allocated for a statement. Text is made when somebody asks.
 */

import type { StatementClass } from '../../sql/statement-class.ts';
import type { Route } from './route.ts';
import { NO_RULES, type RuleVerdict } from './rules/rule-verdict.ts';

export const RingFlag = {
  /** It ran on the connection that the session held. */
  held: 1,
  /** It shared a connection with other sessions' reads. */
  pipelined: 2,
  aligned: 4,
  reprepared: 8,
  /** It has answered with rows; else `rows` are those affected. */
  resultSet: 16,
  /** The client was gone before the end. */
  abandoned: 32,
  /** It ran where the statement before did, since it asks about that one. */
  previous: 64,
  /** Its connection was lost, and its transaction was done again before it. */
  replayed: 128,
} as const;

/** A longer digest is not kept: it would keep its memory from being freed. */
const MAX_DIGEST_BYTES = 16_384;

/** What a statement has come to; filled by `StatementTrace`, and copied at once. */
export interface RingEntry {
  connectionId: number;
  username: string;
  client: string;
  schema: string | null;
  command: number;
  route: Route | null;
  statement: StatementClass | null;
  /** What query rules have said. */
  verdict: RuleVerdict;
  /** The digest; null where there is none, or where it is too long to be kept. */
  normalized: Buffer | null;
  server: string | null;
  /** Below 0 where no server was used. */
  hostgroup: number;
  serverThreadId: number;
  flags: number;
  attempts: number;
  /** Of the monotonic clock. */
  beganAtMs: number;
  endedAtMs: number;
  waitMs: number;
  rows: number;
  bytes: number;
  errno: number;
  pinsBefore: number;
  pinsAfter: number;
}

export function emptyEntry(): RingEntry {
  return {
    connectionId: 0,
    username: '',
    client: '',
    schema: null,
    command: 0,
    route: null,
    statement: null,
    verdict: NO_RULES,
    normalized: null,
    server: null,
    hostgroup: -1,
    serverThreadId: 0,
    flags: 0,
    attempts: 0,
    beganAtMs: 0,
    endedAtMs: 0,
    waitMs: 0,
    rows: 0,
    bytes: 0,
    errno: 0,
    pinsBefore: 0,
    pinsAfter: 0,
  };
}

/** Float64 columns. */
const BEGAN = 0;
const ENDED = 1;
const WAIT = 2;
const ROWS = 3;
const BYTES = 4;
const FLOATS = 5;
/** Int32 columns. */
const CONNECTION_ID = 0;
const THREAD_ID = 1;
const COMMAND = 2;
const FLAGS = 3;
const ATTEMPTS = 4;
const ERRNO = 5;
const PINS_BEFORE = 6;
const PINS_AFTER = 7;
const HOSTGROUP = 8;
const INTEGERS = 9;
/** Columns of references. */
const USERNAME = 0;
const CLIENT = 1;
const SCHEMA = 2;
const SERVER = 3;
const TEXTS = 4;

export class RouteRing {
  #capacity = 0;
  /** Where the next one is written. */
  #next = 0;
  #size = 0;
  #written = 0;
  #floats = new Float64Array(0);
  #integers = new Int32Array(0);
  #texts: (string | null)[] = [];
  #routes: (Route | null)[] = [];
  #statements: (StatementClass | null)[] = [];
  #verdicts: RuleVerdict[] = [];
  #normalized: (Buffer | null)[] = [];

  constructor(capacity: number) {
    this.resize(capacity);
  }

  /** Statements that have been recorded since the start. */
  get written(): number {
    return this.#written;
  }

  /** How many of them are still known. */
  get size(): number {
    return this.#size;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** 0: nothing is recorded. What was is forgotten. */
  resize(capacity: number): void {
    if (capacity === this.#capacity) return;
    this.#capacity = capacity;
    this.#next = 0;
    this.#size = 0;
    this.#floats = new Float64Array(capacity * FLOATS);
    this.#integers = new Int32Array(capacity * INTEGERS);
    this.#texts = new Array<string | null>(capacity * TEXTS).fill(null);
    this.#routes = new Array<Route | null>(capacity).fill(null);
    this.#statements = new Array<StatementClass | null>(capacity).fill(null);
    this.#verdicts = new Array<RuleVerdict>(capacity).fill(NO_RULES);
    this.#normalized = new Array<Buffer | null>(capacity).fill(null);
  }

  add(entry: RingEntry): void {
    this.#written++;
    const capacity = this.#capacity;
    if (capacity === 0) return;
    const index = this.#next;
    this.#next = index + 1 === capacity ? 0 : index + 1;
    if (this.#size < capacity) this.#size++;
    const floats = this.#floats;
    const float = index * FLOATS;
    floats[float + BEGAN] = entry.beganAtMs;
    floats[float + ENDED] = entry.endedAtMs;
    floats[float + WAIT] = entry.waitMs;
    floats[float + ROWS] = entry.rows;
    floats[float + BYTES] = entry.bytes;
    const integers = this.#integers;
    const integer = index * INTEGERS;
    integers[integer + CONNECTION_ID] = entry.connectionId;
    integers[integer + THREAD_ID] = entry.serverThreadId;
    integers[integer + COMMAND] = entry.command;
    integers[integer + FLAGS] = entry.flags;
    integers[integer + ATTEMPTS] = entry.attempts;
    integers[integer + ERRNO] = entry.errno;
    integers[integer + PINS_BEFORE] = entry.pinsBefore;
    integers[integer + PINS_AFTER] = entry.pinsAfter;
    integers[integer + HOSTGROUP] = entry.hostgroup;
    const texts = this.#texts;
    const text = index * TEXTS;
    texts[text + USERNAME] = entry.username;
    texts[text + CLIENT] = entry.client;
    texts[text + SCHEMA] = entry.schema;
    texts[text + SERVER] = entry.server;
    this.#routes[index] = entry.route;
    this.#statements[index] = entry.statement;
    this.#verdicts[index] = entry.verdict;
    const { normalized } = entry;
    this.#normalized[index] =
      normalized !== null && normalized.length <= MAX_DIGEST_BYTES ? normalized : null;
  }

  /** Of the entry at `position`, from 0 for the newest to `size - 1` for the oldest. */
  connectionIdAt(position: number): number {
    return this.#integers[this.#indexOf(position) * INTEGERS + CONNECTION_ID]!;
  }

  /** 1 for the first one ever recorded. */
  sequenceAt(position: number): number {
    return this.#written - position;
  }

  /** A copy of it. */
  at(position: number): RingEntry {
    const index = this.#indexOf(position);
    const floats = this.#floats.subarray(index * FLOATS, (index + 1) * FLOATS);
    const integers = this.#integers.subarray(index * INTEGERS, (index + 1) * INTEGERS);
    const text = index * TEXTS;
    return {
      connectionId: integers[CONNECTION_ID]!,
      username: this.#texts[text + USERNAME] ?? '',
      client: this.#texts[text + CLIENT] ?? '',
      schema: this.#texts[text + SCHEMA] ?? null,
      command: integers[COMMAND]!,
      route: this.#routes[index] ?? null,
      statement: this.#statements[index] ?? null,
      verdict: this.#verdicts[index] ?? NO_RULES,
      normalized: this.#normalized[index] ?? null,
      server: this.#texts[text + SERVER] ?? null,
      hostgroup: integers[HOSTGROUP]!,
      // Thread ids of servers have 32 bits.
      serverThreadId: integers[THREAD_ID]! >>> 0,
      flags: integers[FLAGS]!,
      attempts: integers[ATTEMPTS]!,
      beganAtMs: floats[BEGAN]!,
      endedAtMs: floats[ENDED]!,
      waitMs: floats[WAIT]!,
      rows: floats[ROWS]!,
      bytes: floats[BYTES]!,
      errno: integers[ERRNO]!,
      pinsBefore: integers[PINS_BEFORE]!,
      pinsAfter: integers[PINS_AFTER]!,
    };
  }

  #indexOf(position: number): number {
    const index = this.#next - 1 - position;
    return index < 0 ? index + this.#capacity : index;
  }
}
