/** What a client knows of its password, and the proofs that it can make of that. */

import { CACHING_SHA2_PASSWORD, sha2Scramble } from '../auth/caching-sha2-password.ts';
import { encodeClearPassword, MYSQL_CLEAR_PASSWORD } from '../auth/clear-password.ts';
import { CLIENT_ED25519, ed25519Signature } from '../auth/client-ed25519.ts';
import { MYSQL_NATIVE_PASSWORD, nativeScramble } from '../auth/mysql-native-password.ts';

export type ClientPassword =
  | { readonly kind: 'plain'; readonly value: string }
  /** SHA1(password), 20 bytes: opens mysql_native_password accounts only. */
  | { readonly kind: 'nativeSha1'; readonly sha1Stage1: Buffer }
  /** SHA256(password), 32 bytes: opens caching_sha2_password accounts while the server has them cached. */
  | { readonly kind: 'sha2Stage1'; readonly sha256Stage1: Buffer }
  | { readonly kind: 'none' };

export type PluginProof =
  | { readonly ok: true; readonly data: Buffer }
  | { readonly ok: false; readonly reason: string };

/** caching_sha2_password's word for "no password"; an empty packet would do for the others. */
const SHA2_EMPTY = Buffer.from([0]);

/** The first answer to `plugin`'s challenge. */
export function proofFor(
  plugin: string,
  password: ClientPassword,
  nonce: Buffer,
  secureTransport: boolean,
): PluginProof {
  const isEmpty = password.kind === 'none' || (password.kind === 'plain' && password.value === '');
  switch (plugin) {
    case MYSQL_NATIVE_PASSWORD:
      if (isEmpty) return proof(Buffer.alloc(0));
      if (password.kind === 'plain') return proof(nativeScramble(password.value, nonce));
      if (password.kind === 'nativeSha1') return proof(nativeScramble(password.sha1Stage1, nonce));
      return noProof(plugin);
    case CACHING_SHA2_PASSWORD:
      if (isEmpty) return proof(SHA2_EMPTY);
      if (password.kind === 'plain') return proof(sha2Scramble(password.value, nonce));
      if (password.kind === 'sha2Stage1') return proof(sha2Scramble(password.sha256Stage1, nonce));
      return noProof(plugin);
    case MYSQL_CLEAR_PASSWORD:
      if (!secureTransport) return { ok: false, reason: `${plugin} is used over a secure transport only` };
      if (isEmpty) return proof(encodeClearPassword(''));
      return password.kind === 'plain' ? proof(encodeClearPassword(password.value)) : noProof(plugin);
    case CLIENT_ED25519:
      if (isEmpty) return proof(Buffer.alloc(0));
      return password.kind === 'plain' ? proof(ed25519Signature(password.value, nonce)) : noProof(plugin);
    default:
      return { ok: false, reason: `authentication plugin '${plugin}' is not supported` };
  }
}

/** The plugin of the handshake response: the server's default if a proof for it can be made, else one that fits. */
export function firstPlugin(
  serverDefault: string | null,
  password: ClientPassword,
  nonce: Buffer,
  secureTransport: boolean,
): string {
  const plugin = serverDefault ?? MYSQL_NATIVE_PASSWORD;
  // Sent before the server has asked for it, the plain password would only be a guess; it comes after a switch.
  if (plugin !== MYSQL_CLEAR_PASSWORD && proofFor(plugin, password, nonce, secureTransport).ok) return plugin;
  return password.kind === 'sha2Stage1' ? CACHING_SHA2_PASSWORD : MYSQL_NATIVE_PASSWORD;
}

function proof(data: Buffer): PluginProof {
  return { ok: true, data };
}

function noProof(plugin: string): PluginProof {
  return { ok: false, reason: `${plugin} needs a form of the password that is not known here` };
}
