/**
 * Lets bytes gather between two reads while they come one after the other. Single transactions come thousands of times a
 * second, and to be woken for each costs more than all that is done with it: what comes meanwhile waits in the socket. What
 * comes now and then is read at once.
 */

/** A millisecond more at most, as timers go. */
const REST_MS = 4;
/** What has come within this time of reading again is one of many. */
const FREQUENT_MS = 1;

export class ReadRest {
  readonly #resume: () => void;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | null = null;
  #isResting = false;
  #readingSinceMs = Number.NEGATIVE_INFINITY;

  /** @param resume to read again */
  constructor(resume: () => void, now: () => number = () => performance.now()) {
    this.#resume = resume;
    this.#now = now;
  }

  get isResting(): boolean {
    return this.#isResting;
  }

  /** Something was read. @returns whether nothing is to be read until `resume` is called. */
  begins(): boolean {
    const nowMs = this.#now();
    const isFrequent = nowMs - this.#readingSinceMs < FREQUENT_MS;
    this.#readingSinceMs = nowMs;
    if (!isFrequent) return false;
    this.#isResting = true;
    if (this.#timer === null) this.#timer = setTimeout(() => this.#end(), REST_MS);
    else this.#timer.refresh();
    return true;
  }

  /** `resume` is not called any more. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#isResting = false;
  }

  #end(): void {
    this.#isResting = false;
    this.#readingSinceMs = this.#now();
    this.#resume();
  }
}
