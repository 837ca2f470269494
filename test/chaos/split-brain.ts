/**
 * Finds writes that two servers took in one term. Every row of the ledger says which server wrote it, and when; rows are
 * gathered from all servers, the old primary too, since what only that one has is what a split brain leaves behind.
 *
 * A term is the time in which one server takes writes. Sorted by time, the rows must be one block for each term, in the
 * order in which servers became primary: a row of an earlier one behind the first row of the next is a second writer.
 * (All servers of a test have one clock.) Pure.
 */

import { type LedgerRow, type Transfer, TransferOutcome } from './transfer.ts';

export interface Term {
  readonly serverId: number;
  readonly rows: number;
  readonly firstAtMicros: number;
  readonly lastAtMicros: number;
}

export interface LateWrite {
  readonly transfer: number;
  readonly serverId: number;
  /** How long the next term had been under way. */
  readonly lateMicros: number;
  readonly acknowledged: boolean;
}

export interface SplitBrainReport {
  readonly terms: readonly Term[];
  /** Written on a server when the term of the next one had begun. */
  readonly lateWrites: readonly LateWrite[];
  /** Servers that took acknowledged writes and were not expected to, or in another order. */
  readonly unexpectedTerms: readonly Term[];
}

/**
 * @param ledgers what each server has
 * @param expectedTerms server ids in the order in which they became primary
 */
export function findSplitBrain(
  transfers: readonly Transfer[],
  ledgers: readonly (readonly LedgerRow[])[],
  expectedTerms: readonly number[],
): SplitBrainReport {
  const acknowledged = new Set(
    transfers.filter(({ outcome }) => outcome === TransferOutcome.acknowledged).map(({ id }) => id),
  );
  const rows = distinctRows(ledgers).toSorted((a, b) => a.atMicros - b.atMicros);
  const lateWrites: LateWrite[] = [];
  const terms: Term[] = [];
  let reached = 0;
  const ends = termEnds(rows, expectedTerms, acknowledged);
  for (const row of rows) {
    while (reached < ends.length && row.atMicros >= ends[reached]!) reached++;
    const isAcknowledged = acknowledged.has(row.transfer);
    if (row.serverId !== expectedTerms[reached]) {
      const since = reached === 0 ? row.atMicros : ends[reached - 1]!;
      lateWrites.push({
        transfer: row.transfer,
        serverId: row.serverId,
        lateMicros: row.atMicros - since,
        acknowledged: isAcknowledged,
      });
    }
    if (isAcknowledged) extendTerms(terms, row);
  }
  const unexpectedTerms = terms.filter((term, index) => term.serverId !== expectedTerms[index]);
  return { terms, lateWrites, unexpectedTerms };
}

/** What breaks the promise that one server at a time takes writes; empty when all is well. */
export function splitBrains(report: SplitBrainReport): string[] {
  const broken = report.unexpectedTerms.map(
    (term) => `server ${term.serverId} took ${term.rows} acknowledged writes out of its turn`,
  );
  const acknowledged = report.lateWrites.filter((write) => write.acknowledged);
  if (acknowledged.length > 0) {
    const [{ serverId, transfer, lateMicros }] = acknowledged as [LateWrite];
    broken.push(
      `${acknowledged.length} acknowledged writes on a server whose term was over, the first on server ${serverId}: ` +
        `transfer ${transfer}, ${lateMicros} µs behind the first write of its successor`,
    );
  }
  return broken;
}

/** The n-th is when the first acknowledged row of term n + 1 was written. */
function termEnds(
  rows: readonly LedgerRow[],
  expectedTerms: readonly number[],
  acknowledged: ReadonlySet<number>,
): number[] {
  const ends: number[] = [];
  let from = 0;
  for (const serverId of expectedTerms.slice(1)) {
    const first = rows.findIndex(
      (row, index) => index >= from && row.serverId === serverId && acknowledged.has(row.transfer),
    );
    if (first === -1) break;
    ends.push(rows[first]!.atMicros);
    from = first;
  }
  return ends;
}

function extendTerms(terms: Term[], { serverId, atMicros }: LedgerRow): void {
  const last = terms.at(-1);
  if (last?.serverId === serverId) {
    terms[terms.length - 1] = { ...last, rows: last.rows + 1, lastAtMicros: atMicros };
  } else {
    terms.push({ serverId, rows: 1, firstAtMicros: atMicros, lastAtMicros: atMicros });
  }
}

/** Replicas have the same rows as their primary. */
function distinctRows(ledgers: readonly (readonly LedgerRow[])[]): LedgerRow[] {
  const rows = new Map<string, LedgerRow>();
  for (const row of ledgers.flat()) rows.set(`${row.transfer}/${row.serverId}/${row.atMicros}`, row);
  return [...rows.values()];
}
