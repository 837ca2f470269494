/**
 * Who has come how far: makes numbers of what the servers say of their GTIDs (`gtid-position.ts`) and puts them into the
 * memory that the workers see. No sockets, no clock.
 *
 * Each primary begins a source of its own, whose baseline is all that it had then. A server is at a position of the source
 * once it has the baseline; until then it stays where it was in the sources before, which no later write asks for.
 */

import { type GtidSource, gtidPosition, MAX_GTID_SOURCES, NO_POSITION } from '../../common/gtid-position.ts';
import type { Logger } from '../../common/logger.ts';
import type { SharedGtids } from '../../common/shared-gtids.ts';
import { type GtidSet, gtidSetContains, parseGtidSet } from '../../topology/gtid.ts';
import { GtidFormatError } from '../../topology/gtid-format-error.ts';
import { ServerFlavor } from '../../topology/server-description.ts';
import type { GtidSample } from './gtid-sample.ts';

/** In front of a sequence number that is none of a GTID. */
const NO_GTIDS = '';
/** Places in binlogs go up by 2^32 with each file: a new source begins long before positions have no more room. */
const MAX_DISTANCE = 2n ** 39n;
/** Workers get so many: GTIDs of older ones are not recognised any more. */
const KEPT_SOURCES = 16;

export interface KeptServer {
  readonly address: string;
  /** Its place in shared memory. */
  readonly slot: number;
}

interface CurrentSource {
  readonly source: GtidSource;
  /** null where the primary makes no GTIDs: places in its binlog are the sequence then, and not before `base`. */
  readonly baseline: GtidSet | null;
  /** How many writes had GTIDs of nobody's when it began. */
  readonly foreignWrites: number;
}

export class GtidKeeper {
  readonly #shared: SharedGtids;
  readonly #changed: () => void;
  readonly #log: Pick<Logger, 'warn'>;
  /** The primary of which it was said last that nothing is known. */
  #complainedOf = '';
  #sources: readonly GtidSource[] = [];
  #current: CurrentSource | null = null;
  /** Of the current primary, at its last sample. */
  #primarySequence = 0n;
  #lastIndex = 0;
  /** Of each replica, by slot, at its last sample. */
  readonly #positions = new Map<number, number>();
  /** Replicas of which it was said that what they have executed does not tell what they show. */
  readonly #warnedOf = new Set<string>();

  /** @param changed `sources` is another list. */
  constructor(shared: SharedGtids, changed: () => void, log: Pick<Logger, 'warn'>) {
    this.#shared = shared;
    this.#changed = changed;
    this.#log = log;
  }

  /** The last ones, the current one at the end. Empty where the primary makes no GTIDs. */
  get sources(): readonly GtidSource[] {
    return this.#sources;
  }

  /** @param epoch of `SharedGtids.beginResolving` before it was asked; null if it was asked for nothing in particular. */
  primarySampled(server: KeptServer, sample: GtidSample, epoch: number | null): void {
    const executed = sample.hasGtids ? parsed(sample) : null;
    const sequence = executed === null ? ownPlace(sample) : sequenceIn(executed, sample.prefix);
    if (sequence === null) {
      this.#withoutPositions(server.address);
      return;
    }
    this.#complainedOf = '';
    const prefix = executed === null ? NO_GTIDS : sample.prefix;
    if (this.#needsSource(server.address, prefix, sequence, epoch !== null))
      this.#begin(server.address, { prefix, flavor: sample.flavor, base: sequence }, executed);
    this.#primarySequence = sequence;
    const { source } = this.#current ?? {};
    if (source === undefined) return;
    const position = gtidPosition(source, sequence);
    this.#shared.raiseApplied(server.slot, position, this.#shared.incarnation(server.slot));
    if (epoch !== null) this.#shared.resolve(epoch, position);
  }

  /** @param incarnation of `SharedGtids`, before it was asked */
  replicaSampled(server: KeptServer, sample: GtidSample, incarnation: number): void {
    const current = this.#current;
    const shared = this.#shared;
    const { slot } = server;
    if (current === null || shared.incarnation(slot) !== incarnation) return;
    const sequence = reachedSequence(current, sample);
    if (sequence === null) return;
    const position = gtidPosition(current.source, sequence);
    // Less than it had: what workers have seen of it counts no more.
    if (position < (this.#positions.get(slot) ?? NO_POSITION)) shared.forgetApplied(slot);
    this.#positions.set(slot, position);
    if (sample.appliesInParallel) this.#appliesInParallel(server);
    shared.raiseApplied(slot, position, shared.incarnation(slot));
  }

  #appliesInParallel({ address, slot }: KeptServer): void {
    this.#shared.appliesInParallel(slot);
    if (!this.#shared.hasLateWrites || this.#warnedOf.has(address)) return;
    this.#warnedOf.add(address);
    this.#log.warn(
      'this replica applies transactions side by side, and counts an XA COMMIT … ONE PHASE as executed before it shows it: reads that ' +
        'must see what is written go to the primary, or to other replicas, until the server was restarted with slave_parallel_workers of 1',
      { server: address },
    );
  }

  /** It may have restarted meanwhile, or be another server: what it has is to be found out again. */
  lost({ slot }: KeptServer): void {
    this.#positions.delete(slot);
    this.#shared.forgetApplied(slot);
  }

  #needsSource(address: string, prefix: string, sequence: bigint, isAsked: boolean): boolean {
    const current = this.#current;
    if (current === null) return true;
    const { source, foreignWrites } = current;
    if (source.address !== address || source.prefix !== prefix) return true;
    // Its binlogs were deleted, or it was restored: its numbers begin anew.
    if (sequence < this.#primarySequence || sequence - source.base > MAX_DISTANCE) return true;
    // A position does not tell who has transactions of others: a new baseline does.
    return isAsked && this.#shared.foreignWrites !== foreignWrites;
  }

  #begin(
    address: string,
    identity: Pick<GtidSource, 'prefix' | 'flavor' | 'base'>,
    baseline: GtidSet | null,
  ): void {
    if (this.#lastIndex >= MAX_GTID_SOURCES) {
      this.#withoutPositions(address);
      return;
    }
    const foreignWrites = this.#shared.foreignWrites;
    const source = { index: ++this.#lastIndex, address, ...identity, end: null };
    this.#current = { source, baseline, foreignWrites };
    const earlier = this.#sources.map((one) =>
      one.end === null ? { ...one, end: endOf(one, baseline) } : one,
    );
    this.#sources = [...earlier.slice(1 - KEPT_SOURCES), source];
    this.#changed();
  }

  #withoutPositions(primary: string): void {
    this.#current = null;
    if (this.#complainedOf !== primary)
      this.#log.warn(
        'the primary has neither GTIDs nor a binlog that could be followed: reads of what is written go to the primary',
        { primary, setting: 'causalReads.level' },
      );
    this.#complainedOf = primary;
    if (this.#sources.length === 0) return;
    this.#sources = [];
    this.#changed();
  }
}

/** @param baseline of the next source. */
function endOf({ prefix, flavor }: GtidSource, baseline: GtidSet | null): bigint {
  return baseline === null || prefix === NO_GTIDS || baseline.dialect !== flavor
    ? 0n
    : sequenceIn(baseline, prefix);
}

function ownPlace({ binlog }: GtidSample): bigint | null {
  return binlog?.of === '' ? binlog.place : null;
}

/** How far a replica is in the current source; null if it is not there yet, or that cannot be told. */
function reachedSequence({ source, baseline }: CurrentSource, sample: GtidSample): bigint | null {
  if (baseline === null) {
    const { of = null, place = 0n } = sample.binlog ?? {};
    return of === source.address && place >= source.base ? place : null;
  }
  if (baseline.dialect !== sample.flavor) return null;
  const executed = parsed(sample);
  if (executed === null || !gtidSetContains(executed, baseline)) return null;
  return sequenceIn(executed, source.prefix);
}

function parsed({ executed, flavor }: GtidSample): GtidSet | null {
  try {
    return parseGtidSet(executed, flavor === 'mariadb' ? ServerFlavor.mariadb : ServerFlavor.mysql);
  } catch (error) {
    if (error instanceof GtidFormatError) return null;
    throw error;
  }
}

/**
 * Up to which sequence number the set has every transaction of this origin. On MySQL there may be holes, which are filled
 * later: what is behind one does not count.
 */
function sequenceIn(set: GtidSet, prefix: string): bigint {
  if (set.dialect === 'mariadb') return set.domains.get(Number.parseInt(prefix, 10))?.sequence ?? 0n;
  const first = set.sources.get(prefix.slice(0, -1))?.[0];
  return first?.first === 1n ? first.last : 0n;
}
