/**
 * One timer for thousands of time-outs. A deadline fires within one tick after it has passed; arming, re-arming
 * and cancelling are constant-time and allocate nothing, because the owner brings its own node.
 */

export class WheelTimer {
  readonly onExpire: () => void;
  /** Absolute, in the wheel's milliseconds; 0 when not armed. */
  deadline = 0;
  next: WheelTimer | null = null;
  previous: WheelTimer | null = null;
  slot = -1;

  constructor(onExpire: () => void) {
    this.onExpire = onExpire;
  }
}

export class TimerWheel {
  readonly #tickMs: number;
  readonly #slots: (WheelTimer | null)[];
  readonly #now: () => number;
  #lastTick: number;
  #interval: NodeJS.Timeout | null = null;

  constructor(now: () => number, tickMs = 50, slots = 512) {
    this.#now = now;
    this.#tickMs = tickMs;
    this.#slots = new Array<WheelTimer | null>(slots).fill(null);
    this.#lastTick = Math.floor(now() / tickMs);
  }

  start(): void {
    this.#interval ??= setInterval(() => this.advance(), this.#tickMs);
    this.#interval.unref();
  }

  stop(): void {
    if (this.#interval !== null) clearInterval(this.#interval);
    this.#interval = null;
  }

  /** (Re-)arms `timer`; 0 or less means no time-out. */
  arm(timer: WheelTimer, delayMs: number): void {
    this.cancel(timer);
    if (delayMs <= 0) return;
    timer.deadline = this.#now() + delayMs;
    // Never into the slot that is being emptied: a delay shorter than a tick waits for the next one.
    const tick = Math.max(Math.ceil(timer.deadline / this.#tickMs), this.#lastTick + 1);
    const slot = tick % this.#slots.length;
    const head = this.#slots[slot] ?? null;
    timer.slot = slot;
    timer.next = head;
    if (head !== null) head.previous = timer;
    this.#slots[slot] = timer;
  }

  cancel(timer: WheelTimer): void {
    if (timer.slot < 0) return;
    if (timer.previous !== null) timer.previous.next = timer.next;
    else this.#slots[timer.slot] = timer.next;
    if (timer.next !== null) timer.next.previous = timer.previous;
    timer.next = null;
    timer.previous = null;
    timer.slot = -1;
    timer.deadline = 0;
  }

  /** Fires what is due; called by the interval, or by a test with its own clock. */
  advance(): void {
    const now = this.#now();
    const tick = Math.floor(now / this.#tickMs);
    const steps = Math.min(tick - this.#lastTick, this.#slots.length);
    for (let i = 1; i <= steps; i++) this.#expireSlot((tick - steps + i) % this.#slots.length, now);
    this.#lastTick = tick;
  }

  #expireSlot(slot: number, now: number): void {
    const due: WheelTimer[] = [];
    for (let timer = this.#slots[slot] ?? null; timer !== null; timer = timer.next) {
      if (timer.deadline <= now) due.push(timer);
    }
    for (const timer of due) {
      // One that fired before may have cancelled or re-armed this one.
      if (timer.slot !== slot || timer.deadline > now) continue;
      this.cancel(timer);
      timer.onExpire();
    }
  }
}
