/** For how long an operation has held the writes of clients. */

export class WritePause {
  #since: number | null = null;
  #ms: number | null = null;

  /** @returns when, by `performance.now()` */
  begin(): number {
    this.#since = performance.now();
    return this.#since;
  }

  /** They are held now. */
  get isOn(): boolean {
    return this.#since !== null && this.#ms === null;
  }

  end(): void {
    if (this.#since !== null) this.#ms = Math.round(performance.now() - this.#since);
  }

  /** Null where they were never held, or are still. */
  get ms(): number | null {
    return this.#ms;
  }

  get text(): string {
    return `writes were held for ${this.#ms} ms`;
  }
}
