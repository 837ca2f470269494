/** A result as it came from the store process: bytes, decoded slice by slice when somebody goes through the rows. */

import { deserialize } from 'node:v8';
import type { ReceivedRows, StoreValue } from '../../common/store-messages.ts';

/** Counts the bytes of results that are held somewhere. */
export class HeldBytes {
  #bytes = 0;
  /** For results that nobody goes through to the end. */
  readonly #registry = new FinalizationRegistry<{ bytes: number }>((hold) => this.release(hold));

  get bytes(): number {
    return this.#bytes;
  }

  hold(owner: object, bytes: number): { bytes: number } {
    const hold = { bytes };
    this.#bytes += bytes;
    this.#registry.register(owner, hold);
    return hold;
  }

  release(hold: { bytes: number }): void {
    this.#bytes -= hold.bytes;
    hold.bytes = 0;
  }
}

export class ReceivedRowsOnce implements Iterable<readonly StoreValue[]> {
  #slices: Uint8Array[];
  readonly #held: HeldBytes;
  readonly #hold: { bytes: number };

  constructor(slices: Uint8Array[], held: HeldBytes) {
    this.#slices = slices;
    this.#held = held;
    this.#hold = held.hold(
      this,
      slices.reduce((sum, { length }) => sum + length, 0),
    );
  }

  *[Symbol.iterator](): Generator<readonly StoreValue[]> {
    const slices = this.#slices;
    this.#slices = [];
    try {
      for (const [index, bytes] of slices.entries()) {
        // Not kept beyond its turn.
        slices[index] = EMPTY;
        yield* decodeSlice(bytes).rows;
      }
    } finally {
      this.#held.release(this.#hold);
    }
  }
}

const EMPTY = new Uint8Array(0);

export function decodeSlice(bytes: Uint8Array): ReceivedRows {
  return deserialize(bytes) as ReceivedRows;
}
