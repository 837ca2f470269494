import type { SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';

/**
 * What a Sluice has taken in resident memory since it had `before` bytes. Garbage does not count: while somebody works, it
 * is collected, and more than `limitBytes` is told only when that stays.
 */
export async function lastingGrowth(
  sluice: SluiceProcess,
  before: number,
  limitBytes: number,
): Promise<number> {
  let growth = 0;
  const isSmall = async (): Promise<boolean> => {
    growth = (await sluice.rss()) - before;
    return growth < limitBytes;
  };
  await waitUntil('little memory is left taken', isSmall, { intervalMs: 250 }).catch(() => undefined);
  return growth;
}
