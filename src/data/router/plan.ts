/** What a worker keeps of a digest: its class, and what running it has taught. */

import type { WrittenRows } from '../../common/row-flux.ts';
import type { CountedAs } from '../../sql/counted-as.ts';
import type { StatementClass } from '../../sql/statement-class.ts';
import type { AutoWorth } from './caching/auto-worth.ts';
import type { DigestTally } from './caching/digest-tally.ts';
import type { PlanCaching } from './caching/plan-caching.ts';
import { PlanSlots } from './plan-slots.ts';
import type { PlanRules } from './rules/plan-rules.ts';
import type { TableCatalog } from './table-catalog.ts';

/** Samples before a digest counts as known. */
const MIN_SAMPLES = 4;
/** A read that takes longer, or answers with more, does not share a connection with others. */
const MAX_MS = 20;
const SMALL_BYTES = 16 * 1024;
const WEIGHT = 0.1;
/** A batch may take this much longer than a statement alone, or this long in any case. */
const TOLERANCE = 1.5;
const ALWAYS_FINE_MS = 1;
const FIRST_DEPTH = 4;
/** After so many statements alone, batching is tried again. */
const RETRY_AFTER = 256;
/** Statements of these kinds are short. */
const MAX_LOOKED_AT = 4096;
const TRACKING = /session_track/i;
const SHOWS_VARIABLES = /show\s+((session|local)\s+)?variables/i;
const RELEASE = /^\s*(commit|rollback)\b(?!.*\bno\s+release).*\brelease\b/i;

/** Of an INSERT whose keys the server makes. */
export interface PlannedRows {
  /** The session's. */
  readonly schema: string | null;
  /** `SnapshotKeys.version` of the keys. */
  readonly keysVersion: number;
  /** null: its values have to be looked at. */
  readonly rows: WrittenRows | null;
}

let lastId = 0;

/**
 * How many reads of this digest may leave on one connection at once is found out, not computed: on a busy machine
 * a batch of sixteen is often answered sooner than one statement alone, on an idle one with a slow disk it is not. The
 * depth grows while whole batches take no longer than single statements do at the same time, and shrinks when they do.
 */
export class Plan {
  /** Of this worker, never given twice. */
  readonly id = ++lastId;
  readonly statement: StatementClass;
  /** The normalised bytes: equal digests are compared, not only their hashes. */
  readonly normalized: Buffer;
  /** Of the lexical context that it was classified under. */
  readonly contextKey: number;
  /** Of the normalised bytes: 64 bits with a secret seed, in two signed halves. */
  readonly hashLow: number;
  readonly hashHigh: number;
  /** What its statements are counted as; null until the first one has ended. */
  counted: CountedAs | null = null;
  /** It shows or sets how session state is tracked, which is Sluice's own business on that connection. */
  readonly touchesTracking: boolean;
  /** A COMMIT or ROLLBACK that ends the connection as well. */
  readonly releases: boolean;
  /** Whether it can be a read of a single row; null until somebody asks. */
  mayBeOfRow: boolean | null = null;
  /** The rows that it inserts whatever its values are; null until somebody asks. */
  newRows: PlannedRows | null = null;
  /** What query rules say of it. */
  rules: PlanRules | null = null;
  /** What the cache's policy says of it. */
  caching: PlanCaching | null = null;
  /** What the cache has done for its digest. */
  cacheTally: DigestTally | null = null;
  /** Whether it pays to cache what nobody has asked to be cached; null until somebody asks. */
  autoWorth: AutoWorth | null = null;
  /** It has ended in an error or with warnings: these are kept per connection, so it does not share one. */
  raisesDiagnostics = false;
  /** Ids of the rows that it inserts stand in it: AUTO_INCREMENT does not make them. Learnt from replays. */
  bringsIds = false;
  #slots: PlanSlots | null = null;
  #samples = 0;
  /** Milliseconds from sending to the end of the answer, of statements alone on their connection. */
  #aloneMs = 0;
  /** Largest recent answer; it shrinks slowly. */
  #bytes = 0;
  #depth = FIRST_DEPTH;
  #aloneSinceRefused = 0;

  constructor(
    statement: StatementClass,
    normalized: Buffer,
    contextKey: number,
    hashLow: number,
    hashHigh: number,
  ) {
    this.statement = statement;
    this.normalized = normalized;
    this.contextKey = contextKey;
    this.hashLow = hashLow | 0;
    this.hashHigh = hashHigh | 0;
    const text = normalized.length > MAX_LOOKED_AT ? '' : normalized.toString('latin1');
    // Among other statements what these change is worth more than what SHOW says of the tracking.
    const isAlone = statement.statementCount === 1;
    this.touchesTracking = TRACKING.test(text) || (isAlone && SHOWS_VARIABLES.test(text));
    this.releases = RELEASE.test(text);
  }

  /**
   * Slots (see table-slots.ts) of what its statements read in a session whose schema is `schema`, views' base tables among
   * them; null: of any table. Not to be changed.
   */
  readSlots(schema: string | null, catalog: TableCatalog): Int32Array | null {
    this.#slots ??= new PlanSlots(this.statement);
    return this.#slots.reads(schema, catalog);
  }

  /**
   * Likewise of what they change, through triggers, cascades and views as well. Known for the moment of the question only: what
   * is asked before a statement runs holds behind it if the catalogue is the same and current then.
   */
  writeSlots(schema: string | null, catalog: TableCatalog): Int32Array | null {
    this.#slots ??= new PlanSlots(this.statement);
    return this.#slots.writes(schema, catalog);
  }

  get aloneMs(): number {
    return this.#aloneMs;
  }

  /** How many statements may share a connection with one of this digest; below 2: none. */
  get batchDepth(): number {
    const known = this.#samples >= MIN_SAMPLES && !this.raisesDiagnostics;
    return known && this.#aloneMs < MAX_MS && this.#bytes < SMALL_BYTES ? this.#depth : 0;
  }

  learnAlone(elapsedMs: number, bytes: number): void {
    this.#aloneMs = this.#samples === 0 ? elapsedMs : this.#aloneMs + (elapsedMs - this.#aloneMs) * WEIGHT;
    this.#samples++;
    this.learnBytes(bytes);
    if (this.#depth >= 2 || ++this.#aloneSinceRefused < RETRY_AFTER) return;
    this.#aloneSinceRefused = 0;
    this.#depth = 2;
  }

  /** The last answer of a batch of `size` has come. */
  learnBatch(elapsedMs: number, size: number, maxDepth: number): void {
    if (elapsedMs <= Math.max(ALWAYS_FINE_MS, this.#aloneMs * TOLERANCE)) {
      // Only a batch that was as deep as it might be tells that a deeper one may do.
      if (size + 1 >= this.#depth) this.#depth = Math.min(maxDepth, this.#depth + 0.25);
    } else {
      this.#depth *= 0.8;
    }
  }

  learnBytes(bytes: number): void {
    this.#bytes = bytes > this.#bytes ? bytes : this.#bytes + (bytes - this.#bytes) * WEIGHT;
  }
}
