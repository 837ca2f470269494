/** Copies of what of an answer goes to its client, up to a limit: of one answer, and of all that are coming at a time. */

export class CaptureBudget {
  maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns false if that would be too much. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

export class ResultCapture {
  readonly #maxBytes: number;
  readonly #budget: CaptureBudget;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isTooLarge = false;

  constructor(maxBytes: number, budget: CaptureBudget) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  get isTooLarge(): boolean {
    return this.#isTooLarge;
  }

  /** They have gone out, and are the reader's own. */
  passed(bytes: Buffer): void {
    if (this.#isTooLarge) return;
    if (this.#bytes + bytes.length > this.#maxBytes || !this.#budget.take(bytes.length)) {
      this.clear();
      this.#isTooLarge = true;
      return;
    }
    this.#bytes += bytes.length;
    this.#chunks.push(Buffer.from(bytes));
  }

  /** All of it, null if that was too much or nothing. */
  take(): Buffer | null {
    const chunks = this.#chunks;
    const whole = chunks.length < 2 ? (chunks[0] ?? null) : Buffer.concat(chunks, this.#bytes);
    this.clear();
    return whole;
  }

  /** Nothing is kept any more. */
  clear(): void {
    this.#budget.give(this.#bytes);
    this.#bytes = 0;
    this.#chunks = [];
  }
}
