/**
 * caching_sha2_password.
 * Fast: proof = SHA256(password) XOR SHA256(SHA256(SHA256(password)) + nonce), checked against a cached
 * SHA256(SHA256(password)). Full, when the server has nothing cached: the password itself, inside TLS as it is, else
 * XORed with the nonce and encrypted with the server's RSA key.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html
 */

import { constants, type KeyLike, privateDecrypt, publicEncrypt } from 'node:crypto';
import { equalInConstantTime, xorBytes, xorWithKey } from './bytes.ts';
import { decodeClearPassword, encodeClearPassword } from './clear-password.ts';
import { lastOf, sha256, sha256Crypt, sha256CryptSlices } from './sha256-crypt.ts';

export const CACHING_SHA2_PASSWORD = 'caching_sha2_password';

/** Single bytes that the two sides send within the plugin. */
export const CachingSha2 = {
  /** Client: send me your RSA key. */
  requestPublicKey: 0x02,
  /** Server: the proof is right, OK follows. */
  fastAuthSuccess: 0x03,
  /** Server: send the password itself. */
  performFullAuthentication: 0x04,
} as const;

const SHA256_BYTES = 32;
const SALT_BYTES = 20;
const HASH_CHARACTERS = 43;
const ROUNDS_UNIT = 1000;
/** `$A$`, rounds in thousands as 3 hex digits, `$`, 20 bytes of salt, 43 characters of hash. */
const HASH_PATTERN = /^\$A\$[0-9A-Fa-f]{3}\$/;
const HASH_PREFIX_BYTES = 7;

export interface Sha2Verdict {
  readonly ok: boolean;
  /** SHA256(password) when ok: enough for fast authentication elsewhere. A secret. */
  readonly sha256Stage1: Buffer | null;
}

/** The proof that answers `nonce` (20 bytes). An empty password has an empty proof. */
export function sha2Scramble(passwordOrSha256Stage1: string | Uint8Array, nonce: Uint8Array): Buffer {
  if (passwordOrSha256Stage1.length === 0) return Buffer.alloc(0);
  const isText = typeof passwordOrSha256Stage1 === 'string';
  const stage1 = isText ? sha256(passwordOrSha256Stage1) : passwordOrSha256Stage1;
  if (stage1.length !== SHA256_BYTES) throw new RangeError('SHA256(password) has 32 bytes');
  return xorBytes(stage1, sha256(sha256(stage1), nonce));
}

/** SHA256(SHA256(password)): what the fast path is checked against, and what may be cached. */
export function sha2Stage2Of(password: string): Buffer {
  return sha256(sha256(password));
}

export function verifySha2(nonce: Uint8Array, proof: Uint8Array, stage2: Uint8Array): Sha2Verdict {
  if (proof.length !== SHA256_BYTES) return { ok: false, sha256Stage1: null };
  const sha256Stage1 = xorBytes(proof, sha256(stage2, nonce));
  const ok = equalInConstantTime(sha256(sha256Stage1), stage2);
  return { ok, sha256Stage1: ok ? sha256Stage1 : null };
}

/** Whether a stored credential is a `$A$…` hash; the salt may hold any byte, read as latin1 or UTF-8 alike (7 bits). */
export function isSha2Hash(stored: string): boolean {
  return HASH_PATTERN.test(stored) && stored.length === HASH_PREFIX_BYTES + SALT_BYTES + HASH_CHARACTERS;
}

/** Takes some milliseconds of CPU: cache the outcome. False for an empty password. */
export function verifySha2Hash(password: string, stored: string): boolean {
  return lastOf(verifySha2HashSlices(password, stored));
}

/** `verifySha2Hash` with pauses. */
export function* verifySha2HashSlices(password: string, stored: string): Generator<void, boolean> {
  if (!isSha2Hash(stored))
    throw new RangeError('A caching_sha2_password hash begins with $A$ and has 70 bytes');
  if (password === '') return false;
  const salt = Buffer.from(stored.slice(HASH_PREFIX_BYTES, HASH_PREFIX_BYTES + SALT_BYTES), 'latin1');
  const expected = Buffer.from(stored.slice(HASH_PREFIX_BYTES + SALT_BYTES), 'latin1');
  const computed = yield* sha256CryptSlices(Buffer.from(password), salt, roundsOf(stored));
  return equalInConstantTime(Buffer.from(computed, 'latin1'), expected);
}

/** The stored form of a password; `salt` is 20 bytes of 7-bit characters without NUL and `$`, e.g. a nonce. */
export function sha2HashOf(password: string, salt: Uint8Array, roundsInThousands = 5): string {
  if (salt.length !== SALT_BYTES) throw new RangeError('The salt has 20 bytes');
  const rounds = roundsInThousands.toString(16).toUpperCase().padStart(3, '0');
  const crypted = sha256Crypt(Buffer.from(password), salt, roundsInThousands * ROUNDS_UNIT);
  return `$A$${rounds}$${Buffer.from(salt).toString('latin1')}${crypted}`;
}

/** The password for the server's RSA key (PEM). Throws what node:crypto throws on a key it does not understand. */
export function encryptPassword(password: string, nonce: Uint8Array, publicKeyPem: string | Buffer): Buffer {
  const mixed = xorWithKey(encodeClearPassword(password), nonce);
  return publicEncrypt({ key: publicKeyPem, padding: constants.RSA_PKCS1_OAEP_PADDING }, mixed);
}

/** The password that a client encrypted, or null if the bytes are no such thing. */
export function decryptPassword(
  encrypted: Uint8Array,
  nonce: Uint8Array,
  privateKey: KeyLike,
): string | null {
  try {
    const mixed = privateDecrypt({ key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING }, encrypted);
    return decodeClearPassword(xorWithKey(mixed, nonce));
  } catch {
    return null;
  }
}

function roundsOf(stored: string): number {
  return Number.parseInt(stored.slice(3, 6), 16) * ROUNDS_UNIT;
}
