/** The arithmetic of a login: what connection churn costs in the proxy besides the sockets. */

import { createNonce, nativeHashOf, nativeScramble, verifyNative } from '../../protocol/index.ts';
import type { Microbenchmark } from './harness.ts';

const PASSWORD = 'correct horse';
const STORED_HASH = nativeHashOf(PASSWORD);
const NONCE = createNonce();
const PROOF = nativeScramble(PASSWORD, NONCE);

export const benchmarks: readonly Microbenchmark[] = [
  {
    name: 'login: nonce',
    run: (operations) => {
      let sum = 0;
      for (let operation = 0; operation < operations; operation++) sum += createNonce()[0]!;
      return sum;
    },
  },
  {
    name: 'login: prove a native password',
    run: (operations) => {
      let sum = 0;
      for (let operation = 0; operation < operations; operation++) sum += nativeScramble(PASSWORD, NONCE)[0]!;
      return sum;
    },
  },
  {
    name: 'login: verify a native password',
    run: (operations) => {
      let verified = 0;
      for (let operation = 0; operation < operations; operation++) {
        if (verifyNative(NONCE, PROOF, STORED_HASH).ok) verified++;
      }
      if (verified !== operations) throw new Error('a right proof was refused');
      return verified;
    },
  },
];
