/** How long clients had to wait. Pure. */

import { type LedgerRow, type Transfer, TransferOutcome } from './transfer.ts';

/**
 * The longest time each client was without an acknowledged transfer, of those that overlap the window, in milliseconds; by
 * client. A client whose last one lies before the end of the window has waited at least until then.
 */
export function longestPauses(
  transfers: readonly Transfer[],
  window: { readonly fromMs: number; readonly toMs: number },
): number[] {
  const byClient = new Map<number, number[]>();
  for (const { client, endedAtMs, outcome } of transfers) {
    const times = byClient.get(client) ?? [];
    byClient.set(client, times);
    if (outcome === TransferOutcome.acknowledged) times.push(endedAtMs);
  }
  return [...byClient.values()].map((times) => {
    const sorted = times.toSorted((a, b) => a - b);
    if ((sorted.at(-1) ?? 0) < window.toMs) sorted.push(window.toMs);
    const gaps = sorted.map((time, index) => {
      const before = sorted[index - 1] ?? Math.min(time, window.fromMs);
      return time > window.fromMs && before < window.toMs ? time - before : 0;
    });
    return Math.max(...gaps);
  });
}

/** The value that this share (0–1) of all values does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error('percentile of no values');
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
}

/** From `sinceMs` to the first acknowledged transfer that another server than `oldServerId` wrote; null when none did. */
export function writesAgainAfterMs(
  transfers: readonly Transfer[],
  ledger: readonly LedgerRow[],
  oldServerId: number,
  sinceMs: number,
): number | null {
  const elsewhere = new Set(
    ledger.filter(({ serverId }) => serverId !== oldServerId).map(({ transfer }) => transfer),
  );
  const times = transfers
    .filter(({ id, outcome }) => outcome === TransferOutcome.acknowledged && elsewhere.has(id))
    .map(({ endedAtMs }) => endedAtMs);
  return times.length === 0 ? null : Math.min(...times) - sinceMs;
}

/** Transfers that were under way then: how many of them ended without an error. */
export function inFlightAt(
  transfers: readonly Transfer[],
  atMs: number,
): { readonly inFlight: number; readonly withoutError: number } {
  const under = transfers.filter(({ startedAtMs, endedAtMs }) => startedAtMs <= atMs && endedAtMs > atMs);
  return { inFlight: under.length, withoutError: under.filter(({ failure }) => failure === null).length };
}
