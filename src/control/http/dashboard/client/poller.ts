/** Asks again and again: quickly where somebody looks, slowly in a hidden tab, and ever more slowly while it fails. */

const HIDDEN_MS = 15_000;
const LONGEST_RETRY_MS = 10_000;

export interface PollerOptions {
  readonly intervalMs: number;
  readonly ask: () => Promise<void>;
  /** @param retryMs when it is asked again. */
  readonly failed?: (error: unknown, retryMs: number) => void;
}

export class Poller {
  readonly #options: PollerOptions;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #isRunning = false;
  #isPaused = false;
  #isAsking = false;
  #failures = 0;

  constructor(options: PollerOptions) {
    this.#options = options;
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden && !this.#isPaused) this.now();
    });
  }

  start(): void {
    this.#isRunning = true;
    this.now();
  }

  stop(): void {
    this.#isRunning = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (!isPaused) this.now();
  }

  /** Without waiting for the next time. */
  now(): void {
    if (!this.#isRunning || this.#isAsking) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    try {
      await this.#options.ask();
      this.#failures = 0;
    } catch (error) {
      this.#failures++;
      this.#options.failed?.(error, this.#delay());
    }
    this.#isAsking = false;
    if (this.#isRunning && !this.#isPaused) this.#timer = setTimeout(() => this.now(), this.#delay());
  }

  #delay(): number {
    const { intervalMs } = this.#options;
    if (this.#failures > 0)
      return Math.min(LONGEST_RETRY_MS, Math.max(intervalMs, 1000) * 2 ** Math.min(this.#failures - 1, 5));
    return document.hidden ? Math.max(HIDDEN_MS, intervalMs) : intervalMs;
  }
}
