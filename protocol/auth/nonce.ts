import { randomBytes } from 'node:crypto';

export const NONCE_BYTES = 20;
const DOLLAR = 0x24;

/**
 * A challenge of 20 random bytes. As servers do, 7-bit characters without NUL and `$`: clients take it for a
 * NUL-terminated string.
 */
export function createNonce(): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  for (let index = 0; index < nonce.length; index += 1) {
    const character = nonce[index]! & 0x7f;
    nonce[index] = character === 0 || character === DOLLAR ? character + 1 : character;
  }
  return nonce;
}
