/**
 * Compares what a read has returned with what it may return.
 *
 * All rows of one SELECT are of one moment. With a bound of 0 that moment lies between the beginning and the end of the
 * read (linearizability); with a bound of n ms it may lie up to n ms before the beginning. A chain's rows are a state
 * behind one of its units, so the values of one read say which units were in it; when that may have been is known from
 * the writer's acknowledgements and from earlier reads.
 */

import type { Cell, UnitRange } from './cell.ts';
import type { Chain } from './chain.ts';
import { intersectRanges, intersectWindows, type Window, windowsOf } from './windows.ts';

export interface Observation {
  readonly cell: Cell;
  /** Null: there was no such row. */
  readonly stamp: number | null;
}

export interface ReadRecord {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly observations: readonly Observation[];
  /** How many milliseconds before its beginning the read may show what this chain had written. */
  readonly boundMs: (chain: Chain) => number;
  /**
   * Reads may come from several servers: what one of them has shown before it was acknowledged another one may not have yet.
   * Then only acknowledgements count.
   */
  readonly onlyAcknowledged?: boolean;
  /** A unit that the read must have seen, because its session said so. */
  readonly mustSee?: { readonly chain: Chain; readonly unit: number };
}

export const ViolationKind = {
  /** Nobody has ever written this. */
  unwritten: 'unwritten',
  /** It was written, and nothing was sent yet that commits it. */
  uncommitted: 'uncommitted',
  rolledBack: 'rolled-back',
  /** There was no moment with all these rows. */
  fractured: 'fractured',
  /** Something newer had been acknowledged before the read began, and longer before than it may. */
  stale: 'stale',
  /** Nothing newer was acknowledged, but another read had seen something newer before this one began. */
  backwards: 'backwards',
  belowToken: 'below-token',
  /** A transaction did not see what it had written itself. */
  ownWrite: 'own-write',
} as const;
export type ViolationKind = (typeof ViolationKind)[keyof typeof ViolationKind];

export interface Violation {
  readonly kind: ViolationKind;
  readonly message: string;
  readonly chains: readonly Chain[];
}

export interface ReadVerdict {
  readonly violation: Violation | null;
  /** From the last moment of which the result can be to the beginning of the read; 0 if that is not before it. */
  readonly stalenessMs: number;
}

const EVER: readonly Window[] = [{ from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }];

export function checkRead(read: ReadRecord): ReadVerdict {
  const states = new Map<Chain, readonly UnitRange[]>();
  for (const { cell, stamp } of read.observations) {
    const ranges = cell.rangesOf(stamp);
    if (ranges.length === 0) return verdict(impossible(cell, stamp));
    const before = states.get(cell.chain);
    const together = before === undefined ? ranges : intersectRanges(before, ranges);
    if (together.length === 0) return verdict(fractured(read, [cell.chain]));
    states.set(cell.chain, together);
  }
  const found = belowToken(read, states) ?? checkTimes(read, states);
  // What a wrong read shows was visible all the same.
  for (const [chain, ranges] of states) chain.seen(ranges[0]!.from, read.endedAt);
  return found;
}

function verdict(violation: Violation | null, stalenessMs = 0): ReadVerdict {
  return { violation, stalenessMs };
}

function checkTimes(read: ReadRecord, states: Map<Chain, readonly UnitRange[]>): ReadVerdict {
  const all = [...states];
  const latest = latestMoment(read, all, read.onlyAcknowledged !== true);
  if (latest === null)
    return verdict(
      fractured(
        read,
        all.map(([chain]) => chain),
      ),
    );
  const bounds = new Set(all.map(([chain]) => read.boundMs(chain)));
  const largest = Math.max(0, ...bounds);
  for (const bound of bounds) {
    const bound0 = all.filter(([chain]) => read.boundMs(chain) <= bound);
    const late = lateBy(read, bound === largest ? all : bound0, bound);
    if (late !== null) return late;
  }
  return verdict(null, Math.max(0, read.startedAt - latest));
}

/** The states of chains that may be no older than `boundMs`; null if they are not. */
function lateBy(
  read: ReadRecord,
  states: readonly (readonly [Chain, readonly UnitRange[]])[],
  boundMs: number,
): ReadVerdict | null {
  const least = read.startedAt - boundMs;
  const moment = latestMoment(read, states, read.onlyAcknowledged !== true) ?? Number.NEGATIVE_INFINITY;
  if (moment >= least) return null;
  const acknowledged = latestMoment(read, states, false) ?? Number.NEGATIVE_INFINITY;
  const kind = acknowledged >= least ? ViolationKind.backwards : ViolationKind.stale;
  const staleness = read.startedAt - moment;
  const chains = states.map(([chain]) => chain);
  const message = `${kind} by ${staleness.toFixed(3)} ms where ${boundMs} ms are allowed: ${shown(read)}`;
  return verdict({ kind, message, chains }, staleness);
}

/** The last moment up to the end of the read at which all these chains were in these states; null: never. */
function latestMoment(
  read: ReadRecord,
  states: readonly (readonly [Chain, readonly UnitRange[]])[],
  byReads: boolean,
): number | null {
  let windows = EVER;
  for (const [chain, ranges] of states)
    windows = intersectWindows(windows, windowsOf(chain, ranges, byReads));
  for (let i = windows.length - 1; i >= 0; i--) {
    const { from, to } = windows[i]!;
    if (from <= read.endedAt) return Math.min(to, read.endedAt);
  }
  return null;
}

function belowToken(read: ReadRecord, states: Map<Chain, readonly UnitRange[]>): ReadVerdict | null {
  const { mustSee } = read;
  if (mustSee === undefined) return null;
  const ranges = states.get(mustSee.chain);
  if (ranges === undefined || ranges.at(-1)!.to > mustSee.unit) return null;
  const message = `the token stands for unit ${mustSee.unit} of ${mustSee.chain.name}: ${shown(read)}`;
  return verdict({ kind: ViolationKind.belowToken, message, chains: [mustSee.chain] });
}

function impossible(cell: Cell, stamp: number | null): Violation {
  const { chain } = cell;
  const value = stamp ?? -1;
  let kind: ViolationKind = ViolationKind.unwritten;
  if (chain.wasUndone(value)) kind = ViolationKind.rolledBack;
  else if (value > 0 && chain.wasGiven(value)) kind = ViolationKind.uncommitted;
  return { kind, message: `${kind}: ${cell.name} = ${stamp} of ${chain.name}`, chains: [chain] };
}

function fractured(read: ReadRecord, chains: readonly Chain[]): Violation {
  const names = chains.map(({ name }) => name).join(', ');
  const message = `there was no moment with all of ${shown(read)} (${names})`;
  return { kind: ViolationKind.fractured, message, chains };
}

function shown({ observations, startedAt, endedAt }: ReadRecord): string {
  const values = observations.map(({ cell, stamp }) => `${cell.name}=${stamp ?? 'none'}`).join(' ');
  return `[${startedAt.toFixed(3)} … ${endedAt.toFixed(3)}] ${values}`;
}
