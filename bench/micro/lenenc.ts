/** Length-encoded integers, one of each size. */

import { lenencSize, readLenenc, writeLenenc } from '../../protocol/index.ts';
import type { Microbenchmark } from './harness.ts';

const VALUES = [7, 250, 251, 65_535, 65_536, 16_777_215, 16_777_216, 2 ** 40];

const encoded = Buffer.alloc(VALUES.length * 9);
const offsets: number[] = [];
let end = 0;
for (const value of VALUES) {
  offsets.push(end);
  end = writeLenenc(encoded, end, value);
}

export const benchmarks: readonly Microbenchmark[] = [
  {
    name: 'lenenc: read, all sizes',
    run: (operations) => {
      let sum = 0;
      for (let operation = 0; operation < operations; operation++) {
        sum += Number(readLenenc(encoded, offsets[operation & 7]!, end)) & 0xffff;
      }
      return sum;
    },
  },
  {
    name: 'lenenc: size and write, all sizes',
    run: (operations) => {
      const target = Buffer.alloc(9);
      let sum = 0;
      for (let operation = 0; operation < operations; operation++) {
        const value = VALUES[operation & 7]!;
        sum += writeLenenc(target, 0, value) + lenencSize(value) + target[0]!;
      }
      return sum;
    },
  },
];
