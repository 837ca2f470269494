/**
 * mysql_native_password: proof = SHA1(password) XOR SHA1(nonce + SHA1(SHA1(password))), 20 bytes; empty without a
 * password. The server stores `*` + hex(SHA1(SHA1(password))) and learns SHA1(password) from a right proof, which is
 * all that it takes to log in elsewhere with the same password.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods_native_password_authentication.html
 */

import { createHash } from 'node:crypto';
import { equalInConstantTime, xorBytes } from './bytes.ts';

export const MYSQL_NATIVE_PASSWORD = 'mysql_native_password';
const SHA1_BYTES = 20;
const HASH_PATTERN = /^\*[0-9A-Fa-f]{40}$/;

export interface NativeVerdict {
  readonly ok: boolean;
  /** SHA1(password) when ok and there is a password, else null. A secret: keep it out of logs. */
  readonly sha1Stage1: Buffer | null;
}

export function sha1(...parts: readonly (Uint8Array | string)[]): Buffer {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Whether a stored credential is `*` + 40 hex digits. */
export function isNativeHash(stored: string): boolean {
  return HASH_PATTERN.test(stored);
}

/** The 20 bytes SHA1(SHA1(password)) of a stored `*HEX`. Throws `RangeError` on anything else. */
export function parseNativeHash(stored: string): Buffer {
  if (!isNativeHash(stored)) throw new RangeError('A mysql_native_password hash is * and 40 hex digits');
  return Buffer.from(stored.slice(1), 'hex');
}

export function nativeHashOf(password: string): string {
  return `*${sha1(sha1(password)).toString('hex').toUpperCase()}`;
}

/** The proof that answers `nonce` (20 bytes, without its closing NUL). An empty password has an empty proof. */
export function nativeScramble(passwordOrSha1Stage1: string | Uint8Array, nonce: Uint8Array): Buffer {
  if (passwordOrSha1Stage1.length === 0) return Buffer.alloc(0);
  const stage1 = typeof passwordOrSha1Stage1 === 'string' ? sha1(passwordOrSha1Stage1) : passwordOrSha1Stage1;
  if (stage1.length !== SHA1_BYTES) throw new RangeError('SHA1(password) has 20 bytes');
  return xorBytes(stage1, sha1(nonce, sha1(stage1)));
}

/** `storedHash` is `*HEX`, or '' for an account without a password (which only an empty proof opens). */
export function verifyNative(nonce: Uint8Array, proof: Uint8Array, storedHash: string): NativeVerdict {
  if (storedHash === '') return { ok: proof.length === 0, sha1Stage1: null };
  const stage2 = parseNativeHash(storedHash);
  if (proof.length !== SHA1_BYTES) return { ok: false, sha1Stage1: null };
  const sha1Stage1 = xorBytes(proof, sha1(nonce, stage2));
  const ok = equalInConstantTime(sha1(sha1Stage1), stage2);
  return { ok, sha1Stage1: ok ? sha1Stage1 : null };
}
