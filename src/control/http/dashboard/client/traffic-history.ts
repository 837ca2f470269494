/** What the charts show: the last quarter of an hour, put together from the full series and the live ends. Pure. */
import type { SeriesName, SeriesValue } from '../../api/api-values.ts';

export class TrafficHistory {
  #times: number[] = [];
  readonly #most: number;
  readonly #columns = new Map<SeriesName, (number | null)[]>();

  /** @param most samples that are kept. */
  constructor(most = 900) {
    this.#most = most;
  }

  /** Seconds since 1970, as charts count. */
  get times(): readonly number[] {
    return this.#times;
  }

  /** Whether there is a hole between what is known and this end, so that the full series is needed. */
  lacks({ timesMs }: SeriesValue): boolean {
    const first = timesMs[0];
    const last = this.#times.at(-1);
    if (first === undefined) return false;
    return last === undefined || first / 1000 > last;
  }

  replace(series: SeriesValue): void {
    this.#times = [];
    this.#columns.clear();
    this.add(series);
  }

  /** Takes over what is newer than what is known. */
  add({ timesMs, columns }: SeriesValue): void {
    const last = this.#times.at(-1) ?? Number.NEGATIVE_INFINITY;
    const from = timesMs.findIndex((timeMs) => timeMs / 1000 > last);
    if (from < 0) return;
    this.#times.push(...timesMs.slice(from).map((timeMs) => timeMs / 1000));
    const tooMany = Math.max(0, this.#times.length - this.#most);
    this.#times.splice(0, tooMany);
    for (const [name, values] of Object.entries(columns) as [SeriesName, readonly (number | null)[]][]) {
      const column = this.#columns.get(name) ?? [];
      column.push(...values.slice(from));
      column.splice(0, tooMany);
      this.#columns.set(name, column);
    }
  }

  column(name: SeriesName): readonly (number | null)[] {
    return this.#columns.get(name) ?? [];
  }

  /** Mean of the last samples that are known, for figures that should not flicker; null without one. */
  recent(name: SeriesName, samples = 3): number | null {
    const known = this.column(name)
      .slice(-samples)
      .filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
  }
}
