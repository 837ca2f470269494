/** What the control plane has measured of each server, as a choice asks for it: by slot, at once, from shared memory. */

import type { ReadNeeds } from './read-needs.ts';

export interface ReplicaMeasurements {
  /** Milliseconds behind the primary; -1: not known. */
  lagMs(slot: number): number;
  /** Up to where the server has everything (gtid-position.ts); 0: not known. */
  appliedGtid(slot: number): number;
}

/** Whether any fit server will do. */
export function isUndemanding({ maxLagMs, neededGtid }: ReadNeeds): boolean {
  return maxLagMs < 0 && neededGtid === 0;
}

/** @param isPrimary it has everything, and is never behind. */
export function satisfies(
  measured: ReplicaMeasurements,
  slot: number,
  isPrimary: boolean,
  { maxLagMs, neededGtid }: ReadNeeds,
): boolean {
  if (isPrimary) return true;
  if (maxLagMs >= 0) {
    const lagMs = measured.lagMs(slot);
    if (lagMs < 0 || lagMs > maxLagMs) return false;
  }
  return neededGtid === 0 || measured.appliedGtid(slot) >= neededGtid;
}
