/**
 * SHA-crypt with SHA-256 (the `$5$` scheme of crypt(3)), as MySQL uses it for stored caching_sha2_password hashes:
 * the same algorithm with a salt of 20 bytes.
 * https://www.akkadia.org/drepper/SHA-crypt.txt
 */

import { hash } from 'node:crypto';

const DIGEST_BYTES = 32;
const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Which digest bytes make each group of four characters, most significant first. */
const GROUPS = [
  [0, 10, 20],
  [21, 1, 11],
  [12, 22, 2],
  [3, 13, 23],
  [24, 4, 14],
  [15, 25, 5],
  [6, 16, 26],
  [27, 7, 17],
  [18, 28, 8],
  [9, 19, 29],
] as const;

export function sha256(...parts: readonly (Uint8Array | string)[]): Buffer {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return hash('sha256', first, 'buffer');
  const bytes = parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
  return hash('sha256', Buffer.concat(bytes), 'buffer');
}

/** Rounds between two pauses: less than a millisecond of work. */
const ROUNDS_PER_SLICE = 500;

/** The 43 characters of the hash alone. Takes some milliseconds at 5,000 rounds. */
export function sha256Crypt(password: Uint8Array, salt: Uint8Array, rounds: number): string {
  return lastOf(sha256CryptSlices(password, salt, rounds));
}

/** What a generator gives in the end, without its pauses. */
export function lastOf<T>(slices: Generator<void, T>): T {
  for (;;) {
    const step = slices.next();
    if (step.done) return step.value;
  }
}

/** `sha256Crypt` with pauses, in which others may run. */
export function* sha256CryptSlices(
  password: Uint8Array,
  salt: Uint8Array,
  rounds: number,
): Generator<void, string> {
  const initial = initialDigest(password, salt);
  const passwordSequence = repeatTo(sha256(...times(password, password.length)), password.length);
  const saltSequence = repeatTo(sha256(...times(salt, 16 + initial[0]!)), salt.length);
  // One scratch buffer for all rounds, and digests as latin1 text: a Buffer per round costs several times the hash.
  const scratch = Buffer.alloc(DIGEST_BYTES + 2 * password.length + salt.length);
  let digest = initial.toString('latin1');
  for (let round = 0; round < rounds; round += 1) {
    const isOdd = round % 2 === 1;
    let length = 0;
    if (isOdd) length += passwordSequence.copy(scratch, length);
    else length += scratch.write(digest, length, 'latin1');
    if (round % 3 !== 0) length += saltSequence.copy(scratch, length);
    if (round % 7 !== 0) length += passwordSequence.copy(scratch, length);
    if (isOdd) length += scratch.write(digest, length, 'latin1');
    else length += passwordSequence.copy(scratch, length);
    digest = hash('sha256', scratch.subarray(0, length), 'binary');
    if (round % ROUNDS_PER_SLICE === 0) yield;
  }
  return encode(Buffer.from(digest, 'latin1'));
}

function initialDigest(password: Uint8Array, salt: Uint8Array): Buffer {
  const alternate = sha256(password, salt, password);
  const parts: Uint8Array[] = [password, salt, repeatTo(alternate, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) parts.push(bits & 1 ? alternate : password);
  return sha256(...parts);
}

function times(bytes: Uint8Array, count: number): Uint8Array[] {
  return count === 0 ? [new Uint8Array(0)] : new Array<Uint8Array>(count).fill(bytes);
}

function repeatTo(digest: Buffer, length: number): Buffer {
  const repeated = Buffer.alloc(length);
  for (let offset = 0; offset < length; offset += DIGEST_BYTES) digest.copy(repeated, offset);
  return repeated;
}

function encode(digest: Buffer): string {
  let text = '';
  for (const [high, middle, low] of GROUPS) {
    text += characters((digest[high]! << 16) | (digest[middle]! << 8) | digest[low]!, 4);
  }
  return text + characters((digest[31]! << 8) | digest[30]!, 3);
}

function characters(value: number, count: number): string {
  let text = '';
  for (let index = 0; index < count; index += 1) text += ALPHABET[(value >> (6 * index)) & 0x3f];
  return text;
}
