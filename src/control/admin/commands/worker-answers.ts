/** Answers that are put together from all workers; one that does not answer costs a warning, not the answer. */

import type { Inspection } from '../../../common/inspection.ts';
import type { InspectResult } from '../../worker-inquiries.ts';
import { AdminError } from '../admin-error.ts';
import type { AdminState } from '../admin-state.ts';

/** Rows of one answer unless LIMIT says otherwise, and the most that it may say. */
export const DEFAULT_ROWS = 10_000;
export const MOST_ROWS = 100_000;

export interface WorkerAnswer extends InspectResult {
  readonly warnings: readonly string[];
}

/** @throws AdminError when no worker has answered at all */
export async function askWorkers(state: AdminState, inspection: Inspection): Promise<WorkerAnswer> {
  const result = await state.inspect(inspection);
  const { missing, asked } = result;
  if (missing.length === asked)
    throw new AdminError('timeout', 'No worker has answered; SHOW WORKERS tells which run');
  const warnings = missing.map(
    (worker) => `Worker ${worker} has not answered in time: what it knows is missing, or part of it`,
  );
  return { ...result, warnings };
}

/** @throws AdminError when it is out of range */
export function readLimit(text: string | undefined, fallback: number): number {
  const limit = text === undefined ? fallback : Number(text);
  if (limit > MOST_ROWS) throw new AdminError('wrongArgument', `LIMIT is at most ${MOST_ROWS}`);
  return limit;
}

/** The first `limit` of them; says so when there are more. */
export function cut<Item>(
  items: readonly Item[],
  limit: number,
  what: string,
): { kept: readonly Item[]; warnings: string[] } {
  if (items.length <= limit) return { kept: items, warnings: [] };
  return {
    kept: items.slice(0, limit),
    warnings: [`There are more ${what} than the ${limit} shown: LIMIT n shows more of them`],
  };
}

export function utc(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** Whole milliseconds; clocks of two threads may differ by a little. */
export function ageMs(sinceMs: number, nowMs: number): number {
  return Math.max(0, Math.round(nowMs - sinceMs));
}

export function yesNo(is: boolean): string {
  return is ? 'YES' : 'NO';
}
