/** What a server keeps of an account's password, in each of the forms that can be checked here. */

import { isSha2Hash, verifySha2HashSlices } from './caching-sha2-password.ts';
import { clearPasswordsEqual } from './clear-password.ts';
import { ed25519PublicKey, isEd25519Hash } from './client-ed25519.ts';
import { isNativeHash, nativeHashOf } from './mysql-native-password.ts';
import { lastOf } from './sha256-crypt.ts';

export type StoredCredential =
  /** No password: only an empty proof opens it. */
  | { readonly kind: 'none' }
  | { readonly kind: 'plain'; readonly password: string }
  /** `*` and 40 hex digits. */
  | { readonly kind: 'native'; readonly hash: string }
  /** `$A$…` of caching_sha2_password. */
  | { readonly kind: 'sha2'; readonly hash: string }
  /** MariaDB's: a public key of 32 bytes in base64, without padding. */
  | { readonly kind: 'ed25519'; readonly hash: string };

/** A password as configurations write it: plain text, or a hash that is told by its form. */
export function credentialOfPassword(stored: string | null): StoredCredential {
  if (stored === null || stored === '') return { kind: 'none' };
  if (isNativeHash(stored)) return { kind: 'native', hash: stored };
  if (isSha2Hash(stored)) return { kind: 'sha2', hash: stored };
  return { kind: 'plain', password: stored };
}

/** Whether a hash has the form that its kind wants: a server may store anything, and what does not fit opens nothing. */
export function isWellFormed(credential: StoredCredential): boolean {
  switch (credential.kind) {
    case 'native':
      return isNativeHash(credential.hash);
    case 'sha2':
      return isSha2Hash(credential.hash);
    case 'ed25519':
      return isEd25519Hash(credential.hash);
    default:
      return true;
  }
}

/** Takes some milliseconds of CPU for `sha2` and `ed25519`. An empty password opens nothing here. */
export function passwordMatches(password: string, credential: StoredCredential): boolean {
  return lastOf(passwordCheckSlices(password, credential));
}

/** `passwordMatches` with pauses where it takes long; the first one comes before that. */
export function* passwordCheckSlices(
  password: string,
  credential: StoredCredential,
): Generator<void, boolean> {
  if (password === '') return false;
  switch (credential.kind) {
    case 'none':
      return false;
    case 'plain':
      return clearPasswordsEqual(password, credential.password);
    case 'native':
      return clearPasswordsEqual(nativeHashOf(password), credential.hash.toUpperCase());
    case 'sha2':
      return yield* verifySha2HashSlices(password, credential.hash);
    case 'ed25519':
      yield;
      return ed25519PublicKey(password).equals(Buffer.from(credential.hash, 'base64'));
  }
}

/** Equal for equal credentials; names a cache entry, and is as secret as the credential. */
export function credentialText(credential: StoredCredential): string {
  switch (credential.kind) {
    case 'none':
      return 'none';
    case 'plain':
      return `plain ${credential.password}`;
    default:
      return `${credential.kind} ${credential.hash}`;
  }
}
