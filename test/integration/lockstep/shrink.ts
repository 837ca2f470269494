/** Delta debugging: the fewest items of a failing list that still fail, in their order. */

export interface ShrinkOptions {
  /** Most attempts; each of them is a run. */
  readonly maxRuns: number;
}

/**
 * @param items a list that fails
 * @param fails runs a shorter list
 * @returns a list that fails, none of whose items can be left out alone (unless `maxRuns` has come first)
 */
export async function shrink<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
  { maxRuns }: ShrinkOptions,
): Promise<readonly T[]> {
  let current = items;
  let runs = 0;
  let size = Math.ceil(current.length / 2);
  while (size >= 1 && current.length > 0) {
    let removed = false;
    // From the end: what came last is the likeliest to depend on the rest, and not the other way round.
    for (let end = current.length; end > 0 && runs < maxRuns; end -= size) {
      const without = [...current.slice(0, Math.max(0, end - size)), ...current.slice(end)];
      runs++;
      if (!(await fails(without))) continue;
      current = without;
      removed = true;
    }
    if (runs >= maxRuns) break;
    if (size === 1 && !removed) break;
    size = removed && size === 1 ? 1 : Math.floor(size / 2);
  }
  return current;
}
