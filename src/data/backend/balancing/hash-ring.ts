/**
 * Servers on a ring of 2^32 places, each at many of them (virtual nodes), in proportion to its weight: a key belongs to
 * the server at the first place behind it. Where a server stands follows from its address alone, so that all workers,
 * and all Sluices, agree, and a server that leaves moves only its own keys.
 */

import { mixedBits } from '../../../common/mixed-bits.ts';

/** Places of the heaviest server; the share of each is then within a few per cent of what its weight says. */
const PLACES = 512;
/** Places of all together, in very large hostgroups. */
const MAX_PLACES = 32_768;
const LEAST_PLACES = 32;
const OWNERS = 2 ** 16;

export interface RingServer {
  readonly address: string;
  readonly weight: number;
}

export class HashRing {
  #places = new Uint32Array(0);
  #owners = new Uint16Array(0);

  get size(): number {
    return this.#places.length;
  }

  /** @param heaviest weight that has all its places; the same as long as no weight is changed */
  build(servers: readonly RingServer[], heaviest: number): void {
    const most = Math.max(
      LEAST_PLACES,
      Math.min(PLACES, Math.floor(MAX_PLACES / Math.max(1, servers.length))),
    );
    const keyed: number[] = [];
    for (const [owner, { address, weight }] of servers.entries()) {
      const base = hashText(address);
      const count = Math.max(1, Math.round((most * Math.min(weight, heaviest)) / heaviest));
      for (let i = 0; i < count; i++) keyed.push(mixedBits(base ^ mixedBits(i + 1)) * OWNERS + owner);
    }
    const sorted = Float64Array.from(keyed).sort();
    this.#places = Uint32Array.from(sorted, (value) => Math.floor(value / OWNERS));
    this.#owners = Uint16Array.from(sorted, (value) => value % OWNERS);
  }

  /** The index of the first place at or behind the key; 0 behind the last one. */
  placeOf(key: number): number {
    const places = this.#places;
    let low = 0;
    let high = places.length;
    const wanted = key >>> 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (places[middle]! < wanted) low = middle + 1;
      else high = middle;
    }
    return low === places.length ? 0 : low;
  }

  /** Whose place it is, as an index into the servers of `build`. */
  ownerAt(place: number): number {
    return this.#owners[place]!;
  }
}

/** The same in every process. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mixedBits(hash);
}
