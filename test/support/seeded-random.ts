/** Random numbers that a failed run can be repeated with. */
export class SeededRandom {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#state = this.seed;
  }

  /** From SLUICE_TEST_SEED, or by chance; print `seed` so that the run can be repeated. */
  static fromEnvironment(): SeededRandom {
    const given = process.env.SLUICE_TEST_SEED;
    return new SeededRandom(given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given));
  }

  /** Another generator, the same for the same seed and number. */
  fork(number: number): SeededRandom {
    return new SeededRandom(Math.imul(this.seed ^ (number + 1), 0x9e3779b1));
  }

  /** In [0, 1): the mulberry32 generator. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let value = this.#state;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number in [0, end). */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T;
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }
}
