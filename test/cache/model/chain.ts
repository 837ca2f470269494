/**
 * What one writer commits, one unit after the other: a unit becomes visible as a whole, at one moment between the
 * sending of what commits it and the earliest proof that it is visible (its acknowledgement, or a read that has seen it).
 *
 * After a unit whose outcome nobody knows the chain has ended: what it may have written is not written again, so that
 * there is never a doubt about the order of its units.
 */

import { Cell } from './cell.ts';

export interface Change {
  readonly cell: Cell;
  readonly stamp: number;
  /** The row is removed. */
  readonly absent: boolean;
}

export interface Unit {
  readonly index: number;
  readonly changes: readonly Change[];
  /** Not visible before; milliseconds of the run's clock. */
  readonly sentAt: number;
  /** `Infinity` while it is not. */
  acknowledgedAt: number;
  /** The end of the first read that has seen it, or a later unit of its chain. */
  seenBy: number;
}

export class Chain {
  readonly name: string;
  /** By which way it writes: reads through another one may be as old as that one's bound. */
  readonly gate: string;
  readonly cells = new Map<string, Cell>();
  readonly #units: Unit[];
  readonly #undone = new Set<number>();
  #stamp = 0;
  #ended = false;
  #isCut = false;

  constructor(name: string, gate: string) {
    this.name = name;
    this.gate = gate;
    const before = Number.NEGATIVE_INFINITY;
    this.#units = [{ index: 0, changes: [], sentAt: before, acknowledgedAt: before, seenBy: before }];
  }

  /** The number of the next unit. */
  get length(): number {
    return this.#units.length;
  }

  get ended(): boolean {
    return this.#ended;
  }

  cell(name: string): Cell {
    const known = this.cells.get(name);
    if (known !== undefined) return known;
    const cell = new Cell(this, name);
    this.cells.set(name, cell);
    return cell;
  }

  /** For the next value; also of what is never committed. */
  nextStamp(): number {
    return ++this.#stamp;
  }

  /** To be called before what makes these changes visible is sent. Units that are under way together keep this order. */
  send(changes: readonly Change[], at: number): Unit {
    if (this.#ended) throw new Error(`${this.name} has ended`);
    const index = this.#units.length;
    const never = Number.POSITIVE_INFINITY;
    const unit = { index, changes, sentAt: at, acknowledgedAt: never, seenBy: never };
    this.#units.push(unit);
    for (const { cell, stamp, absent } of changes) cell.append(index, stamp, absent);
    return unit;
  }

  acknowledge(unit: Unit, at: number): void {
    unit.acknowledgedAt = at;
  }

  /** It has certainly not happened. Gives the time at which a read had seen it; `Infinity` if none has. */
  takeBack(unit: Unit): number {
    if (this.#units.at(-1) !== unit) throw new Error(`${this.name}: unit ${unit.index} is not the last one`);
    this.#units.pop();
    for (const { cell, stamp } of unit.changes) {
      cell.removeOf(unit.index);
      this.#undone.add(stamp);
    }
    return unit.seenBy;
  }

  /** These values were written, and rolled back before anything had been sent that commits them. */
  discard(changes: readonly Change[]): void {
    for (const { stamp } of changes) this.#undone.add(stamp);
  }

  /** Nobody knows what became of the last unit. */
  end(): void {
    this.#ended = true;
  }

  /** The primary dies: what is under way is the last unit. */
  cut(): void {
    this.#isCut = true;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** The last unit, if it was under way at that moment. */
  underWayAt(at: number): Unit | null {
    const unit = this.#units.at(-1)!;
    return unit.sentAt <= at && unit.acknowledgedAt > at ? unit : null;
  }

  /**
   * Only units up to `kept` have outlived their primary: between two moments everything became as it was behind that one.
   * To be called when the chain has ended.
   * @param outlasting the last one, if it waited and was carried out on the next primary, whatever that lacks of those before.
   * @returns how many that were acknowledged are lost
   */
  restore(kept: number, from: number, to: number, outlasting: Unit | null = null): number {
    const lost = this.#units.filter(
      (unit) => unit !== outlasting && unit.index > kept && unit.acknowledgedAt < to,
    ).length;
    if (lost === 0) return 0;
    const stay = new Set(outlasting?.changes.map(({ cell }) => cell));
    const index = this.#units.length;
    this.#units.push({ index, changes: [], sentAt: from, acknowledgedAt: to, seenBy: to });
    for (const cell of this.cells.values()) if (!stay.has(cell)) cell.restore(kept, index);
    return lost;
  }

  wasUndone(stamp: number): boolean {
    return this.#undone.has(stamp);
  }

  wasGiven(stamp: number): boolean {
    return stamp <= this.#stamp;
  }

  sentAt(index: number): number {
    return this.#units[index]!.sentAt;
  }

  /** From when on this unit was certainly visible; `Infinity` for one that there is not. */
  visibleBy(index: number, byReads = true): number {
    const unit = this.#units[index];
    if (unit === undefined) return Number.POSITIVE_INFINITY;
    return byReads ? Math.min(unit.acknowledgedAt, unit.seenBy) : unit.acknowledgedAt;
  }

  /** A read that ended then has seen this unit, and so all before it. */
  seen(index: number, at: number): void {
    for (let i = index; i > 0; i--) {
      const unit = this.#units[i]!;
      if (Math.min(unit.acknowledgedAt, unit.seenBy) <= at) return;
      unit.seenBy = at;
    }
  }
}
