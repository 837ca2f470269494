/** How often each rule has matched: a row for each worker, which alone writes it, and everybody may read. */

export class RuleHits {
  readonly buffer: SharedArrayBuffer;
  readonly #places: number;
  readonly #values: Float64Array;

  /** @param places number of rules. */
  constructor(buffer: SharedArrayBuffer, places: number) {
    this.buffer = buffer;
    this.#places = places;
    this.#values = new Float64Array(buffer);
  }

  static allocate(workers: number, places: number): RuleHits {
    const length = Math.max(1, workers * places) * Float64Array.BYTES_PER_ELEMENT;
    return new RuleHits(new SharedArrayBuffer(length), places);
  }

  add(worker: number, place: number): void {
    this.#values[worker * this.#places + place]! += 1;
  }

  /** Over all workers. */
  total(place: number): number {
    let sum = 0;
    for (let at = place; at < this.#values.length; at += this.#places) sum += this.#values[at]!;
    return sum;
  }
}
