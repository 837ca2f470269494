/**
 * Results that several Sluices share: asked for what a worker has not, and told what it has read itself. It answers in time or
 * not at all, and everything that can go wrong with it is a miss.
 *
 * | class     | is taken                                                                                     |
 * |-----------|----------------------------------------------------------------------------------------------|
 * | strong    | if no write is known behind the GTID that it names (`shared-positions.ts`), as a read sent now |
 * | weak      | with what is left of its time, by the clocks of both hosts                                     |
 * | immutable | always                                                                                         |
 *
 * What would end this worker's own weak and immutable entries for good flushes the second level as well: a flush and another definition
 * of a table what is of that, other privileges all of it.
 */

import { createHash } from 'node:crypto';
import { CacheClass, type Level2Settings } from '../../../common/cache-settings.ts';
import { mixedBits } from '../../../common/mixed-bits.ts';
import { WorkerCounter, type WorkerCounters } from '../../../common/shared-counters.ts';
import type { TableEpochs } from '../../../common/table-epochs.ts';
import { digestName } from '../../../sql/digest-text.ts';
import type { CacheDecision } from '../../router/caching/cache-decision.ts';
import type { CacheEntry } from '../result-store.ts';
import { digestSubject, type FlushMark, type FlushSubject, tableSubject } from './flush-record.ts';
import type { MakeStore } from './make-store.ts';
import { SharedEndpoint } from './shared-endpoint.ts';
import { type SharedKeyParts, sharedKey } from './shared-key.ts';
import type { SharedPositions } from './shared-positions.ts';
import { decodeSharedValue, encodeSharedValue, type SharedValue } from './shared-value.ts';

/** By when nobody has asked for them, they make room. */
const STRONG_TTL_MS = 3_600_000;
const IMMUTABLE_TTL_MS = 86_400_000;
/** A result from the future is of a host whose clock is wrong. */
const MAX_AHEAD_MS = 1000;

/** A worker that has not been heard of for so long may have had something to flush. */
const LEASE_MS = 10_000;
/** Of a Cluster: so many parts, each with a hash tag of its own, lie on one of its nodes each. */
const CLUSTER_PARTS = 8;

const NO_SLOTS = new Int32Array(0);

/** What is known of a read before it is sent, and stands with its result. */
export interface SharedFill {
  readonly key: Buffer;
  readonly name: string;
  readonly endpoint: SharedEndpoint;
  readonly class: CacheClass;
  readonly gtid: string;
  /** For how long it is worth being kept. */
  readonly keepMs: number;
  readonly slots: Int32Array;
  /** Normalised text of its statement. */
  readonly digest: Buffer;
  /** In force before the read; null: not known, so that its result is not to be written. */
  mark: FlushMark | null;
}

export interface SecondLevelOptions {
  readonly settings: Level2Settings;
  readonly make: MakeStore;
  readonly positions: Pick<SharedPositions, 'seenBy' | 'isEnough'>;
  readonly epochs: TableEpochs;
  readonly counters: WorkerCounters;
  readonly log: (level: 'info' | 'warn', message: string, fields: Record<string, unknown>) => void;
  /** By the wall. */
  readonly now?: () => number;
  readonly leaseMs?: number;
}

export class SecondLevel {
  /** Whose results they are; null while that is not known, and nothing is shared. */
  server: string | null = null;
  readonly #options: SecondLevelOptions;
  readonly #endpoints: readonly SharedEndpoint[];
  /** Of each endpoint: a number that its name is known by. */
  readonly #seeds: readonly number[];
  readonly #now: () => number;
  /** Of tables that weak and immutable results are of: their structure as it was looked at last. */
  readonly #structures = new Map<number, number>();
  #upheavals = 0;

  constructor(options: SecondLevelOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const places = placesOf(options.settings);
    this.#endpoints = places.map((place) => this.#connect(place));
    this.#seeds = places.map(({ name }) => createHash('sha256').update(name).digest().readUInt32LE());
    // A worker before this one may have ended before it could say so.
    if (options.epochs.flushes !== 0) this.flush();
  }

  #connect({ name, endpoints, prefix }: Place): SharedEndpoint {
    const { settings, make, counters, log } = this.#options;
    return new SharedEndpoint({
      prefix,
      timeoutMs: settings.timeoutMs,
      leaseMs: this.#options.leaseMs ?? LEASE_MS,
      make: (handlers) => make(endpoints, prefix, handlers),
      timedOut: () => counters.add(WorkerCounter.level2Timeouts),
      failed: () => counters.add(WorkerCounter.level2Errors),
      changed: (isDown, reason) => {
        const fields = { address: name };
        if (isDown) log('warn', 'the second level of the result cache fails', { ...fields, reason });
        else log('info', 'the second level of the result cache is there again', fields);
      },
    });
  }

  /** Before the read is sent, or anything is asked. @returns null for what is not shared now */
  note(parts: SharedKeyParts, decision: CacheDecision, slots: Int32Array): SharedFill | null {
    const isStrong = decision.class === CacheClass.strong;
    const gtid = isStrong ? this.#options.positions.seenBy(slots) : '';
    if (isStrong && gtid === '') return null;
    this.#look(isStrong ? NO_SLOTS : slots);
    const key = sharedKey(parts);
    const endpoint = this.#endpointOf(key.readUInt32LE(0));
    if (endpoint === undefined || !endpoint.isReady) return null;
    return {
      key,
      name: key.toString('base64url'),
      endpoint,
      class: decision.class,
      gtid,
      keepMs: keepMsOf(decision),
      slots,
      digest: parts.digest,
      mark: endpoint.record,
    };
  }

  /** @param done called once, not before this has returned; null: a server is to be asked. */
  ask(shared: SharedFill, decision: CacheDecision, done: (value: SharedValue | null) => void): void {
    const { counters } = this.#options;
    const { key, name, endpoint, slots, digest } = shared;
    endpoint.read(name, (bytes, record) => {
      if (record !== null) shared.mark = record;
      counters.add(WorkerCounter.level2BytesRead, bytes?.length ?? 0);
      const value = bytes === null ? null : decodeSharedValue(bytes, key);
      const isGood = value !== null && record?.allows(value, slots, () => digestName(digest)) === true;
      done(isGood && this.#isEnough(value, shared, decision) ? value : null);
    });
  }

  /** What came of a question. */
  count(isTaken: boolean): void {
    this.#options.counters.add(isTaken ? WorkerCounter.level2Hits : WorkerCounter.level2Misses);
  }

  /** In ms: how long ago it was read, as far as clocks can tell. */
  ageOf({ readAtMs }: SharedValue): number {
    return Math.max(0, this.#now() - readAtMs);
  }

  /** A server has answered, and its result is stored here. */
  put(
    shared: SharedFill,
    { result, serverMs }: Pick<CacheEntry, 'result' | 'serverMs'>,
    ageMs: number,
  ): void {
    const { settings, counters } = this.#options;
    const { key, name, endpoint, gtid, mark } = shared;
    if (mark === null) return;
    const readAtMs = this.#now() - ageMs;
    // The shape that it has already, whichever that is: nothing is made for the others' sake.
    const deprecatesEof = result.hasShape(true);
    const packets = result.bytesFor(deprecatesEof);
    const { rowCount } = result;
    const { base, count } = mark;
    const head = { class: shared.class, key, base, count, readAtMs, serverMs, gtid };
    const value = { ...head, packets, deprecatesEof, rowCount };
    const bytes = encodeSharedValue(value, settings.maxValueBytes);
    if (bytes === null) return;
    const isSent = endpoint.write(name, bytes, shared.keepMs - ageMs);
    if (isSent) counters.add(WorkerCounter.level2BytesWritten, bytes.length);
    else counters.add(WorkerCounter.level2Dropped);
  }

  /** Nothing that is there now is taken any more. */
  flush(): void {
    this.#flush(null);
  }

  /** Nothing that is of this table. @param slot of its name. */
  flushTable(slot: number): void {
    this.#flush([tableSubject(slot)]);
  }

  /** @param name of the digest. */
  flushDigest(name: string): void {
    this.#flush([digestSubject(name)]);
  }

  /** Servers that have not been told of a flush yet. */
  get pendingFlushes(): number {
    return this.#endpoints.filter(({ hasPending }) => hasPending).length;
  }

  /** To be called about once a second. */
  tick(): void {
    this.#look(null);
    for (const endpoint of this.#endpoints) endpoint.tick();
  }

  /** Resolves when servers know that they are not used any more, or cannot be told. */
  async close(): Promise<void> {
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.close()));
  }

  #flush(subjects: readonly FlushSubject[] | null): void {
    for (const endpoint of this.#endpoints) endpoint.flush(subjects);
  }

  /** The one whose name goes best with it: of those of a server that is added or taken away, no others change their place. */
  #endpointOf(hash: number): SharedEndpoint | undefined {
    let best = 0;
    let highest = -1;
    for (let i = 0; i < this.#seeds.length; i++) {
      const weight = mixedBits(this.#seeds[i]! ^ hash);
      if (weight <= highest) continue;
      highest = weight;
      best = i;
    }
    return this.#endpoints[best];
  }

  #isEnough(value: SharedValue, { class: wanted, slots }: SharedFill, { ttlMs }: CacheDecision): boolean {
    if (value.class !== wanted) return false;
    if (wanted === CacheClass.strong) return this.#options.positions.isEnough(value.gtid, slots);
    if (wanted === CacheClass.immutable) return true;
    const ageMs = this.#now() - value.readAtMs;
    return ageMs >= -MAX_AHEAD_MS && ageMs < ttlMs;
  }

  /** Flushes where tables, or rights on them, may have become others. @param more that are to be looked at from now on */
  #look(more: Int32Array | null): void {
    const { epochs } = this.#options;
    if (epochs.upheavals !== this.#upheavals) {
      this.#upheavals = epochs.upheavals;
      this.flush();
    }
    // Since the beginning of the process: what was changed before is none of its own.
    for (const slot of more ?? []) if (!this.#structures.has(slot)) this.#structures.set(slot, 0);
    for (const slot of more ?? this.#structures.keys()) {
      const structure = epochs.structure(slot);
      if (this.#structures.get(slot) === structure) continue;
      this.#structures.set(slot, structure);
      this.flushTable(slot);
    }
  }
}

/** What is one server to a worker: its name, how it is found, and what its keys begin with. */
interface Place {
  readonly name: string;
  readonly endpoints: readonly string[];
  readonly prefix: string;
}

function placesOf({ topology, endpoints, prefix, sentinelName }: Level2Settings): Place[] {
  if (topology === 'servers') return endpoints.map((name) => ({ name, endpoints: [name], prefix }));
  if (topology === 'sentinel') return [{ name: `${sentinelName}`, endpoints, prefix }];
  const parts = Array.from({ length: CLUSTER_PARTS }, (_, index) => index);
  return parts.map((part) => ({
    name: `part ${part} of ${endpoints.join(', ')}`,
    endpoints,
    prefix: `{${prefix}.${part}}`,
  }));
}

function keepMsOf({ class: cacheClass, ttlMs, staleMs }: CacheDecision): number {
  if (cacheClass === CacheClass.strong) return STRONG_TTL_MS;
  return cacheClass === CacheClass.immutable ? IMMUTABLE_TTL_MS : ttlMs + staleMs;
}
