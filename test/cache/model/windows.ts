/** Sets of moments, as lists of intervals that ascend and do not touch. Both ends belong to an interval. */

import type { UnitRange } from './cell.ts';
import type { Chain } from './chain.ts';

export interface Window {
  readonly from: number;
  readonly to: number;
}

/** What two lists have in common; `to` of the ranges is not in them. */
export function intersectRanges(a: readonly UnitRange[], b: readonly UnitRange[]): readonly UnitRange[] {
  const common: UnitRange[] = [];
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    const from = Math.max(a[i]!.from, b[k]!.from);
    const to = Math.min(a[i]!.to, b[k]!.to);
    if (from < to) common.push({ from, to });
    if (a[i]!.to < b[k]!.to) i++;
    else k++;
  }
  return common;
}

export function intersectWindows(a: readonly Window[], b: readonly Window[]): readonly Window[] {
  const common: Window[] = [];
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    const from = Math.max(a[i]!.from, b[k]!.from);
    const to = Math.min(a[i]!.to, b[k]!.to);
    if (from <= to) common.push({ from, to });
    if (a[i]!.to < b[k]!.to) i++;
    else k++;
  }
  return common;
}

/**
 * When the chain may have been in one of these states. Two of them may overlap in time, since the moment at which a unit
 * became visible is not known exactly: they are joined.
 */
export function windowsOf(chain: Chain, ranges: readonly UnitRange[], byReads: boolean): readonly Window[] {
  const windows: Window[] = [];
  for (const range of ranges) {
    const from = chain.sentAt(range.from);
    const to = chain.visibleBy(range.to, byReads);
    const last = windows.at(-1);
    if (last !== undefined && from <= last.to)
      windows[windows.length - 1] = { from: last.from, to: Math.max(to, last.to) };
    else if (from <= to) windows.push({ from, to });
  }
  return windows;
}
