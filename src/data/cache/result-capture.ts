/** Copies of what of an answer goes to its client, up to a limit. */

export class ResultCapture {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isTooLarge = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isTooLarge(): boolean {
    return this.#isTooLarge;
  }

  /** They have gone out, and are the reader's own. */
  passed(bytes: Buffer): void {
    if (this.#isTooLarge) return;
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) {
      this.#isTooLarge = true;
      this.#chunks = [];
      return;
    }
    this.#chunks.push(Buffer.from(bytes));
  }

  /** All of it, null if that was too much or nothing. */
  take(): Buffer | null {
    const chunks = this.#chunks;
    this.#chunks = [];
    if (chunks.length < 2) return chunks[0] ?? null;
    return Buffer.concat(chunks, this.#bytes);
  }
}
