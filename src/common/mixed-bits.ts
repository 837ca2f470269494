/**
 * Every bit of the result depends on every bit of the value: the end of 32-bit MurmurHash3. The same in every process.
 * @returns 32 bits, unsigned
 */
export function mixedBits(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
