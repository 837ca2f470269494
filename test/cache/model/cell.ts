/** A register: one row of one table, written by one session at a time. Its versions are numbered by their writer. */

import type { Chain } from './chain.ts';

/** Units of the chain in which a value holds: from the one that wrote it, up to (not with) the one that replaced it. */
export interface UnitRange {
  readonly from: number;
  /** `Infinity`: nobody has replaced it. */
  readonly to: number;
}

/** Older times without the row than these are not looked for: a result that old has no place in any run. */
const MAX_ABSENCES = 64;

export class Cell {
  readonly chain: Chain;
  /** For messages, e.g. `a:17`. */
  readonly name: string;
  /** Ascending. That of a version without the row counts too. */
  readonly #stamps: number[] = [0];
  readonly #absent: boolean[] = [true];
  /** The unit that wrote it; the first version is of before the chain. */
  readonly #units: number[] = [0];
  /** The version that holds again from this unit on, for ever: later ones were lost. */
  #restored: { readonly version: number; readonly unit: number } | null = null;

  constructor(chain: Chain, name: string) {
    this.chain = chain;
    this.name = name;
  }

  get versions(): number {
    return this.#stamps.length;
  }

  /** The value behind the last unit, whatever became of it; null where there is no row. */
  get last(): number | null {
    return this.#absent.at(-1) === true ? null : this.#stamps.at(-1)!;
  }

  /** Also of a version without the row. */
  get lastStamp(): number {
    return this.#stamps.at(-1)!;
  }

  /** @throws Error when stamps do not rise: the run would not know its own values again */
  append(unit: number, stamp: number, absent: boolean): void {
    if (stamp <= this.#stamps.at(-1)!) throw new Error(`${this.name}: stamp ${stamp} is not a new one`);
    this.#stamps.push(stamp);
    this.#absent.push(absent);
    this.#units.push(unit);
  }

  /** Takes back what the chain's last unit has written. */
  removeOf(unit: number): void {
    while (this.#units.at(-1) === unit && this.#units.length > 1) {
      this.#units.pop();
      this.#stamps.pop();
      this.#absent.pop();
    }
  }

  /** From `unit` on it is again as it was behind unit `kept`. */
  restore(kept: number, unit: number): void {
    let version = this.#units.length - 1;
    while (this.#units[version]! > kept) version--;
    if (version < this.#units.length - 1) this.#restored = { version, unit };
  }

  /** Where this value holds; ascending, empty when it never was one. */
  rangesOf(stamp: number | null): readonly UnitRange[] {
    return stamp === null ? this.#absences() : this.#presence(stamp);
  }

  #presence(stamp: number): readonly UnitRange[] {
    let low = 0;
    let high = this.#stamps.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#stamps[middle]! <= stamp) low = middle;
      else high = middle - 1;
    }
    return this.#stamps[low] === stamp && this.#absent[low] !== true ? this.#rangesAt(low) : [];
  }

  #absences(): readonly UnitRange[] {
    const found: UnitRange[] = [];
    for (let at = this.#stamps.length - 1; at >= 0 && found.length < MAX_ABSENCES; at--) {
      if (this.#absent[at] === true) found.push(...this.#rangesAt(at));
    }
    return found.sort((one, other) => one.from - other.from);
  }

  #rangesAt(version: number): readonly UnitRange[] {
    const restored = this.#restored;
    const never = Number.POSITIVE_INFINITY;
    const end = restored === null ? never : restored.unit;
    const range = { from: this.#units[version]!, to: this.#units[version + 1] ?? end };
    return restored?.version === version ? [range, { from: restored.unit, to: never }] : [range];
  }
}
