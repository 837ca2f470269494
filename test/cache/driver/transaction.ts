/** What a writer has done and not committed, with its savepoints. */

import type { Cell } from '../model/cell.ts';
import type { Change } from '../model/chain.ts';

export class OpenTransaction {
  #changes = new Map<Cell, Change>();
  readonly #savepoints: Map<Cell, Change>[] = [];
  /** Of statements that were rolled back alone. */
  readonly #dropped: Change[] = [];

  get changes(): Change[] {
    return [...this.#changes.values()];
  }

  get savepoints(): number {
    return this.#savepoints.length;
  }

  add(changes: readonly Change[]): void {
    for (const change of changes) {
      const before = this.#changes.get(change.cell);
      if (before !== undefined) this.#dropped.push(before);
      this.#changes.set(change.cell, change);
    }
  }

  /** Values that nobody outside may ever see. */
  get never(): readonly Change[] {
    return this.#dropped;
  }

  save(): void {
    this.#savepoints.push(new Map(this.#changes));
  }

  /** To the latest savepoint, which stays. */
  rollBackToSavepoint(): void {
    const saved = this.#savepoints.at(-1);
    if (saved === undefined) throw new Error('no savepoint');
    for (const [cell, change] of this.#changes) if (saved.get(cell) !== change) this.#dropped.push(change);
    this.#changes = new Map(saved);
  }

  current(cell: Cell): number | null {
    const change = this.#changes.get(cell);
    if (change === undefined) return cell.last;
    return change.absent ? null : change.stamp;
  }
}
