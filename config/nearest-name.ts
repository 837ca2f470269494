/** The nearest valid name for a mistyped one. */

/** `max_connections`, `max-connections` and `MaxConnections` are all meant as `maxConnections`. */
export function foldName(name: string): string {
  return name.replace(/[_.\- ]/g, '').toLowerCase();
}

/** Edits that turn one string into the other; two neighbours in the wrong order count as one. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    const above = rows[i - 1]!;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      }
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** Returns the candidate that `name` was most likely meant to be, or null when none is near. */
export function nearestName(name: string, candidates: Iterable<string>): string | null {
  // A name this long is no typing slip, and the distance takes time in its square.
  if (name.length > 80) return null;
  const wanted = foldName(name);
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, foldName(candidate));
    // A distance of the whole length would suggest anything for a name of two letters.
    if (distance < bestDistance && distance < wanted.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
