/** Blocks of memory that are lent for as long as something waits to be sent: a connection that is idle has none. */

const MOST_KEPT = 64;

export class BlockPool {
  readonly blockBytes: number;
  readonly #free: Buffer[] = [];

  constructor(blockBytes: number) {
    this.blockBytes = blockBytes;
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.blockBytes);
  }

  /** Nobody refers to it any more. */
  giveBack(block: Buffer): void {
    if (this.#free.length < MOST_KEPT) this.#free.push(block);
  }
}
