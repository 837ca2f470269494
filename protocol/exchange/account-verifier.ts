/**
 * Decides whether a client's proofs open an account, whatever the account's stored credential is. Keeps what one
 * login needs; no packets, no sequence ids.
 */

import { type KeyLike, randomBytes } from 'node:crypto';
import {
  CACHING_SHA2_PASSWORD,
  CachingSha2,
  decryptPassword,
  isSha2Hash,
  sha2Stage2Of,
  verifySha2,
  verifySha2Hash,
} from '../auth/caching-sha2-password.ts';
import { clearPasswordsEqual, decodeClearPassword, MYSQL_CLEAR_PASSWORD } from '../auth/clear-password.ts';
import {
  isNativeHash,
  MYSQL_NATIVE_PASSWORD,
  nativeHashOf,
  sha1,
  verifyNative,
} from '../auth/mysql-native-password.ts';
import { sha256 } from '../auth/sha256-crypt.ts';

/** What the server knows of a user. */
export interface Account {
  /** Plain text, `*` + 40 hex digits, `$A$…`, or null (or '') for an account without a password. */
  readonly password: string | null;
}

/** SHA256(SHA256(password)) by account; a `Map` or an `LRUCache` will do. Keys hold the stored hash: a change misses. */
export interface Sha2Cache {
  get(key: string): Buffer | undefined;
  set(key: string, stage2: Buffer): unknown;
}

export interface RsaKeyPair {
  readonly publicKeyPem: string;
  /** PEM, or a KeyObject (faster: parsed once). */
  readonly privateKey: KeyLike;
}

/** What a right proof has told, for logging in to backends with it. All secrets. */
export interface LearntSecrets {
  readonly clearPassword: string | null;
  readonly sha1Stage1: Buffer | null;
  readonly sha256Stage1: Buffer | null;
}

export type Verdict =
  /** `moreData` goes to the client as AuthMoreData in front of the OK, if not null. */
  | { readonly kind: 'accepted'; readonly secrets: LearntSecrets; readonly moreData: Buffer | null }
  | { readonly kind: 'rejected' }
  /** Send AuthMoreData; the client's next packet goes to `proceed`. */
  | { readonly kind: 'more'; readonly data: Buffer };

type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'plain'; readonly password: string }
  | { readonly kind: 'native'; readonly hash: string }
  | { readonly kind: 'sha2'; readonly hash: string };

const REJECTED: Verdict = { kind: 'rejected' };
const NO_SECRETS: LearntSecrets = { clearPassword: null, sha1Stage1: null, sha256Stage1: null };
const FAST_AUTH_SUCCESS = Buffer.from([CachingSha2.fastAuthSuccess]);
const PERFORM_FULL_AUTHENTICATION = Buffer.from([CachingSha2.performFullAuthentication]);

export class AccountVerifier {
  readonly #credential: Credential;
  readonly #isKnown: boolean;
  readonly #cacheKey: string;
  readonly #nonce: Buffer;
  readonly #secureTransport: boolean;
  readonly #rsaKeyPair: RsaKeyPair | null;
  readonly #sha2Cache: Sha2Cache;
  #keyRequested = false;

  /** `account` null is an unknown user: takes the same ways as a known one, and is never accepted. */
  constructor(settings: {
    username: string;
    account: Account | null;
    decoy: Account | null;
    nonce: Buffer;
    secureTransport: boolean;
    rsaKeyPair: RsaKeyPair | null;
    sha2Cache: Sha2Cache;
  }) {
    const stored = settings.account ?? settings.decoy ?? { password: randomBytes(16).toString('hex') };
    this.#credential = credentialOf(stored.password);
    this.#isKnown = settings.account !== null;
    this.#cacheKey = `${settings.username}\0${stored.password ?? ''}`;
    this.#nonce = settings.nonce;
    this.#secureTransport = settings.secureTransport;
    this.#rsaKeyPair = settings.rsaKeyPair;
    this.#sha2Cache = settings.sha2Cache;
  }

  /** Plugins that can open this account on this transport, the cheapest first; never empty. */
  usablePlugins(): string[] {
    const clear = this.#secureTransport ? [MYSQL_CLEAR_PASSWORD] : [];
    switch (this.#credential.kind) {
      case 'none':
      case 'plain':
        return [MYSQL_NATIVE_PASSWORD, CACHING_SHA2_PASSWORD, ...clear];
      case 'native': {
        // Full authentication brings the password itself, which any hash can be checked against; but without TLS it
        // costs an RSA operation and two more round trips, so that a switch to the native plugin is better.
        const sha2 =
          this.#secureTransport || this.#cachedStage2() !== undefined ? [CACHING_SHA2_PASSWORD] : [];
        return [MYSQL_NATIVE_PASSWORD, ...sha2, ...clear];
      }
      case 'sha2':
        return [CACHING_SHA2_PASSWORD, ...clear];
    }
  }

  /** The plugin's first proof; `plugin` is one of `usablePlugins()`. */
  start(plugin: string, proof: Buffer): Verdict {
    if (isEmptyProof(plugin, proof)) {
      return this.#credential.kind === 'none' ? this.#accept(NO_SECRETS, null) : REJECTED;
    }
    if (this.#credential.kind === 'none') return REJECTED;
    switch (plugin) {
      case MYSQL_NATIVE_PASSWORD:
        return this.#verifyNative(proof);
      case CACHING_SHA2_PASSWORD:
        return this.#verifySha2(proof);
      case MYSQL_CLEAR_PASSWORD:
        return this.#verifyClear(this.#secureTransport ? decodeClearPassword(proof) : null, false);
      default:
        return REJECTED;
    }
  }

  /** The client's packet after a `more` verdict. */
  proceed(data: Buffer): Verdict {
    if (this.#secureTransport) return this.#verifyClear(decodeClearPassword(data), true);
    const keys = this.#rsaKeyPair;
    if (keys === null) return REJECTED;
    if (data.length === 1 && data[0] === CachingSha2.requestPublicKey && !this.#keyRequested) {
      this.#keyRequested = true;
      return { kind: 'more', data: Buffer.from(keys.publicKeyPem) };
    }
    return this.#verifyClear(decryptPassword(data, this.#nonce, keys.privateKey), true);
  }

  #verifyNative(proof: Buffer): Verdict {
    const credential = this.#credential;
    if (credential.kind !== 'plain' && credential.kind !== 'native') return REJECTED;
    const hash = credential.kind === 'plain' ? nativeHashOf(credential.password) : credential.hash;
    const { ok, sha1Stage1 } = verifyNative(this.#nonce, proof, hash);
    if (!ok) return REJECTED;
    if (credential.kind === 'plain') return this.#accept(secretsOf(credential.password), null);
    return this.#accept({ ...NO_SECRETS, sha1Stage1 }, null);
  }

  #verifySha2(proof: Buffer): Verdict {
    const credential = this.#credential;
    const stage2 = credential.kind === 'plain' ? sha2Stage2Of(credential.password) : this.#cachedStage2();
    if (stage2 !== undefined) {
      const { ok, sha256Stage1 } = verifySha2(this.#nonce, proof, stage2);
      if (ok && credential.kind === 'plain') {
        return this.#accept(secretsOf(credential.password), FAST_AUTH_SUCCESS);
      }
      if (ok) return this.#accept({ ...NO_SECRETS, sha256Stage1 }, FAST_AUTH_SUCCESS);
      // Both come from one password: if the proof is wrong, so is the password.
      return REJECTED;
    }
    const canProceed = this.#secureTransport || this.#rsaKeyPair !== null;
    return canProceed ? { kind: 'more', data: PERFORM_FULL_AUTHENTICATION } : REJECTED;
  }

  #verifyClear(password: string | null, mayCache: boolean): Verdict {
    if (password === null || password === '' || !this.#matches(password)) return REJECTED;
    if (mayCache && this.#isKnown) this.#sha2Cache.set(this.#cacheKey, sha2Stage2Of(password));
    return this.#accept(secretsOf(password), null);
  }

  #matches(password: string): boolean {
    const credential = this.#credential;
    switch (credential.kind) {
      case 'none':
        return false;
      case 'plain':
        return clearPasswordsEqual(password, credential.password);
      case 'native':
        return clearPasswordsEqual(nativeHashOf(password), credential.hash.toUpperCase());
      case 'sha2':
        return verifySha2Hash(password, credential.hash);
    }
  }

  #cachedStage2(): Buffer | undefined {
    return this.#sha2Cache.get(this.#cacheKey);
  }

  #accept(secrets: LearntSecrets, moreData: Buffer | null): Verdict {
    return this.#isKnown ? { kind: 'accepted', secrets, moreData } : REJECTED;
  }
}

/** Whether the proof says "no password": nothing, or the lone NUL that two of the plugins send. */
export function isEmptyProof(plugin: string, proof: Uint8Array): boolean {
  return proof.length === 0 || (plugin !== MYSQL_NATIVE_PASSWORD && proof.length === 1 && proof[0] === 0);
}

function credentialOf(stored: string | null): Credential {
  if (stored === null || stored === '') return { kind: 'none' };
  if (isNativeHash(stored)) return { kind: 'native', hash: stored };
  if (isSha2Hash(stored)) return { kind: 'sha2', hash: stored };
  return { kind: 'plain', password: stored };
}

function secretsOf(password: string): LearntSecrets {
  return { clearPassword: password, sha1Stage1: sha1(password), sha256Stage1: sha256(password) };
}
