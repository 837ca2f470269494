/**
 * Memory for the bytes of results, in blocks of some sizes that are used again as soon as their result is gone: what is left to
 * the garbage collector stays for a while, and a cache that is full would take several times its size.
 *
 * A block that somebody still sends from is not used again. Blocks of one size lie together in slabs; a slab none of whose
 * blocks is in use is given back.
 */

const SLAB_BYTES = 64 * 1024;
const SMALLEST_BYTES = 128;
/** What is longer is allocated by itself. */
const LARGEST_BYTES = 8 * 1024;
/** From one size to the next: at most a fifth of a block is of no use. */
const STEP = 1.25;

const SIZES: readonly number[] = makeSizes();

function makeSizes(): number[] {
  const sizes = [SMALLEST_BYTES];
  for (let size = SMALLEST_BYTES; size < LARGEST_BYTES; sizes.push(size))
    size = Math.min(LARGEST_BYTES, Math.ceil((size * STEP) / 16) * 16);
  return sizes;
}

/** The first size of at least so many bytes. */
function sizeIndexOf(byteLength: number): number {
  let low = 0;
  let high = SIZES.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (SIZES[middle]! < byteLength) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Slab {
  readonly bytes: Buffer;
  readonly sizeIndex: number;
  /** Where blocks begin that nobody uses. */
  readonly free: number[];
  used: number;
}

export class ResultBlocks {
  readonly #slabs = new Map<ArrayBufferLike, Slab>();
  /** By size, those that have free blocks. */
  readonly #open: Slab[][] = SIZES.map(() => []);

  /** Bytes of all slabs. */
  get byteLength(): number {
    return this.#slabs.size * SLAB_BYTES;
  }

  /** What a result of this length takes. */
  static bytesFor(byteLength: number): number {
    return byteLength > LARGEST_BYTES ? byteLength : SIZES[sizeIndexOf(byteLength)]!;
  }

  readonly take = (byteLength: number): Buffer => {
    if (byteLength > LARGEST_BYTES) return Buffer.allocUnsafeSlow(byteLength);
    const sizeIndex = sizeIndexOf(byteLength);
    const open = this.#open[sizeIndex]!;
    const slab = open.at(-1) ?? this.#add(sizeIndex, open);
    const at = slab.free.pop()!;
    slab.used++;
    if (slab.free.length === 0) open.pop();
    return slab.bytes.subarray(at, at + byteLength);
  };

  /** @param isReferenced somebody has not sent them all yet: the block is lost until its slab goes. */
  give(bytes: Buffer, isReferenced: boolean): void {
    const slab = this.#slabs.get(bytes.buffer);
    if (slab === undefined) return;
    const open = this.#open[slab.sizeIndex]!;
    slab.used--;
    if (!isReferenced) {
      if (slab.free.length === 0) open.push(slab);
      slab.free.push(bytes.byteOffset);
    }
    // One that is empty is kept for the next result of its size.
    if (slab.used > 0 || (open.length < 2 && !isReferenced)) return;
    this.#slabs.delete(slab.bytes.buffer);
    const place = open.indexOf(slab);
    if (place >= 0) open.splice(place, 1);
  }

  #add(sizeIndex: number, open: Slab[]): Slab {
    const size = SIZES[sizeIndex]!;
    const free: number[] = [];
    for (let at = Math.floor(SLAB_BYTES / size) * size - size; at >= 0; at -= size) free.push(at);
    const slab = { bytes: Buffer.allocUnsafeSlow(SLAB_BYTES), sizeIndex, free, used: 0 };
    this.#slabs.set(slab.bytes.buffer, slab);
    open.push(slab);
    return slab;
  }
}
