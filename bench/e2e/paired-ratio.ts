/** What the ratios of many short rounds say: their median, and how far it may be from the true one. */

export interface PairedRatio {
  readonly median: number;
  /** The true median lies between these in 95 of 100 runs. */
  readonly low: number;
  readonly high: number;
  readonly rounds: number;
}

const CONFIDENCE = 0.95;

/**
 * The interval is that of the sign test: it assumes nothing of how the ratios are spread, only that rounds do not depend on
 * each other. Under six rounds it is all of them, and no interval of that confidence.
 */
export function pairedRatio(above: readonly number[], below: readonly number[]): PairedRatio {
  if (above.length !== below.length || above.length === 0)
    throw new Error(`${above.length} values cannot be paired with ${below.length}`);
  const ratios = above.map((value, round) => value / below[round]!).sort((a, b) => a - b);
  const count = ratios.length;
  const cut = outerRanks(count);
  const middle = Math.floor(count / 2);
  const median = count % 2 === 1 ? ratios[middle]! : (ratios[middle - 1]! + ratios[middle]!) / 2;
  return { median, low: ratios[cut]!, high: ratios[count - 1 - cut]!, rounds: count };
}

/** How many values at either end lie outside: the most for which both ends together are within what is left of the confidence. */
function outerRanks(count: number): number {
  const mostOutside = (1 - CONFIDENCE) / 2;
  let probability = 0.5 ** count;
  let below = 0;
  let rank = 0;
  for (;;) {
    below += probability;
    if (below > mostOutside) return Math.max(0, rank - 1);
    rank++;
    probability *= (count - rank + 1) / rank;
  }
}

export function ratioText({ median, low, high }: PairedRatio): string {
  return `${median.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}
