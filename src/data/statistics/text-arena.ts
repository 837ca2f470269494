/**
 * Short texts that come and go, in one piece of memory of a bounded size: blocks of 64 bytes, chained. As strings they
 * would be garbage that has grown old, which a flood of digests makes faster than it is collected.
 */

const BLOCK_BYTES = 64;
const FIRST_BLOCKS = 64;
const NONE = -1;
/** Of the block, and of its place in the chain. */
export const BYTES_PER_BLOCK = BLOCK_BYTES + 4;

export class TextArena {
  readonly #maxBlocks: number;
  #bytes: Buffer;
  /** The block behind each one, in a text or in the list of free ones. */
  #next: Int32Array;
  #firstFree = NONE;
  #free = 0;

  constructor(maxBytes: number) {
    this.#maxBlocks = Math.max(1, Math.floor(maxBytes / BYTES_PER_BLOCK));
    this.#bytes = Buffer.alloc(0);
    this.#next = new Int32Array(0);
    this.#grow(Math.min(FIRST_BLOCKS, this.#maxBlocks));
  }

  /** That it takes now; what is free included. */
  get bytes(): number {
    return this.#next.length * BYTES_PER_BLOCK;
  }

  /** The longest text that would ever fit. */
  get longest(): number {
    return this.#maxBlocks * BLOCK_BYTES;
  }

  /** False: something else has to go first. */
  hasRoomFor(length: number): boolean {
    const wanted = blocksFor(length);
    while (this.#free < wanted) {
      const blocks = this.#next.length;
      if (blocks >= this.#maxBlocks) return false;
      this.#grow(Math.min(this.#maxBlocks, blocks * 2));
    }
    return true;
  }

  /** The first `length` bytes, for which there is room. @returns what `read` and `free` take. */
  put(text: Buffer, length: number): number {
    const first = this.#firstFree;
    let block = first;
    for (let start = 0; ; start += BLOCK_BYTES) {
      text.copy(this.#bytes, block * BLOCK_BYTES, start, Math.min(length, start + BLOCK_BYTES));
      this.#free--;
      if (start + BLOCK_BYTES >= length) break;
      block = this.#next[block]!;
    }
    this.#firstFree = this.#next[block]!;
    this.#next[block] = NONE;
    return first;
  }

  /** A copy. */
  read(first: number, length: number): Buffer {
    const text = Buffer.alloc(length);
    let block = first;
    for (let start = 0; start < length; start += BLOCK_BYTES) {
      const from = block * BLOCK_BYTES;
      this.#bytes.copy(text, start, from, from + Math.min(BLOCK_BYTES, length - start));
      block = this.#next[block]!;
    }
    return text;
  }

  free(first: number): void {
    let last = first;
    this.#free++;
    while (this.#next[last] !== NONE) {
      last = this.#next[last]!;
      this.#free++;
    }
    this.#next[last] = this.#firstFree;
    this.#firstFree = first;
  }

  #grow(blocks: number): void {
    const before = this.#next.length;
    const bytes = Buffer.alloc(blocks * BLOCK_BYTES);
    this.#bytes.copy(bytes);
    this.#bytes = bytes;
    const next = new Int32Array(blocks);
    next.set(this.#next);
    for (let block = before; block < blocks; block++)
      next[block] = block + 1 < blocks ? block + 1 : this.#firstFree;
    this.#next = next;
    this.#firstFree = before;
    this.#free += blocks - before;
  }
}

/** An empty text has a block as well. */
function blocksFor(length: number): number {
  return Math.max(1, Math.ceil(length / BLOCK_BYTES));
}
