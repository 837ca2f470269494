/** Numbers in shared memory that any thread raises and nobody lowers, but to 0. Never negative: their bits are in the same order. */
export class RisingNumbers {
  readonly #numbers: Float64Array;
  readonly #bits: BigInt64Array;
  readonly #number = new Float64Array(1);
  readonly #numberBits = new BigInt64Array(this.#number.buffer);

  /** @param buffer 8 bytes for each. */
  constructor(buffer: SharedArrayBuffer) {
    this.#numbers = new Float64Array(buffer);
    this.#bits = new BigInt64Array(buffer);
  }

  at(index: number): number {
    return this.#numbers[index]!;
  }

  raise(index: number, to: number): void {
    this.#number[0] = to;
    const wanted = this.#numberBits[0]!;
    let known = Atomics.load(this.#bits, index);
    while (known < wanted) {
      const found = Atomics.compareExchange(this.#bits, index, known, wanted);
      if (found === known) return;
      known = found;
    }
  }

  clear(index: number): void {
    Atomics.store(this.#bits, index, 0n);
  }
}
