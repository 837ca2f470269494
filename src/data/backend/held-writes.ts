/**
 * The gate in front of the primary, as one worker has it. While it is held everything that is no plain read waits
 * here before it begins anything on the primary; whatever has begun there goes on.
 *
 * | state | meaning                    | left by                                            |
 * |-------|----------------------------|----------------------------------------------------|
 * | open  | nobody waits               | a snapshot that holds                              |
 * | held  | who comes waits            | a snapshot that does not, the end of the hold      |
 */

import { type SnapshotWrites, WritesState } from '../../common/snapshot.ts';

export class HeldWrites {
  /** Looked at by every statement that is about to begin something on the primary. */
  isHeld = false;
  readonly #waiting = new Map<object, () => void>();
  #end: NodeJS.Timeout | null = null;

  apply({ state, holdUntil }: SnapshotWrites): void {
    if (this.#end !== null) clearTimeout(this.#end);
    this.#end = null;
    const leftMs = state === WritesState.held ? holdUntil - Date.now() : 0;
    this.isHeld = leftMs > 0;
    if (this.isHeld) this.#end = setTimeout(() => this.#release(), leftMs);
    else this.#release();
  }

  /** `released` is called when the hold has ended, whatever has ended it. One wait per `owner`. */
  wait(owner: object, released: () => void): void {
    this.#waiting.set(owner, released);
  }

  cancel(owner: object): void {
    this.#waiting.delete(owner);
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  #release(): void {
    this.isHeld = false;
    // First come, first served. Who is woken may end others' waits.
    for (const [owner, released] of [...this.#waiting]) if (this.#waiting.delete(owner)) released();
  }
}
