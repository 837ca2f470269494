/**
 * Which place in the shared counts each account has. A place is given to another account only when nobody is logged in
 * with the old one any more, and has not been for a while: workers learn of a removal a moment later than it happens.
 */

const QUARANTINE_MS = 60_000;

export class AccountSlots {
  readonly #limit: number;
  readonly #nowMs: () => number;
  /** How many are logged in at a place. */
  readonly #inUse: (slot: number) => number;
  readonly #slots = new Map<string, number>();
  /** Places of accounts that have gone, and since when; the oldest first. */
  readonly #left = new Map<string, { readonly slot: number; readonly sinceMs: number }>();
  readonly #free: number[] = [];
  #next = 0;

  constructor(limit: number, nowMs: () => number, inUse: (slot: number) => number) {
    this.#limit = limit;
    this.#nowMs = nowMs;
    this.#inUse = inUse;
  }

  /**
   * Places for exactly these names, in their order.
   * @throws RangeError when there are more names than places; nothing has changed then.
   */
  assign(names: readonly string[]): number[] {
    const wanted = new Set(names);
    this.#collect();
    const missing = [...wanted].filter((name) => !this.#slots.has(name) && !this.#left.has(name)).length;
    if (missing > this.#free.length + this.#limit - this.#next)
      throw new RangeError(`${wanted.size} accounts, and places for ${this.#limit} only`);
    for (const [name, slot] of this.#slots) {
      if (wanted.has(name)) continue;
      this.#slots.delete(name);
      this.#left.set(name, { slot, sinceMs: this.#nowMs() });
    }
    return names.map((name) => this.#slotOf(name));
  }

  #slotOf(name: string): number {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const slot = this.#left.get(name)?.slot ?? this.#free.pop() ?? this.#next++;
    this.#left.delete(name);
    this.#slots.set(name, slot);
    return slot;
  }

  #collect(): void {
    const before = this.#nowMs() - QUARANTINE_MS;
    for (const [name, { slot, sinceMs }] of this.#left) {
      if (sinceMs > before) break;
      if (this.#inUse(slot) > 0) continue;
      this.#left.delete(name);
      this.#free.push(slot);
    }
  }
}
