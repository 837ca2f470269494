/**
 * Decides whether a client's proofs open an account, whatever the account's stored credentials are. Keeps what one
 * login needs; no packets, no sequence ids.
 */

import { type KeyLike, randomBytes } from 'node:crypto';
import {
  CACHING_SHA2_PASSWORD,
  CachingSha2,
  decryptPassword,
  sha2Stage2Of,
  verifySha2,
} from '../auth/caching-sha2-password.ts';
import { decodeClearPassword, MYSQL_CLEAR_PASSWORD } from '../auth/clear-password.ts';
import { CLIENT_ED25519, ed25519PublicKey, verifyEd25519 } from '../auth/client-ed25519.ts';
import { MYSQL_NATIVE_PASSWORD, nativeHashOf, sha1, verifyNative } from '../auth/mysql-native-password.ts';
import { sha256 } from '../auth/sha256-crypt.ts';
import {
  credentialOfPassword,
  credentialText,
  passwordMatches,
  type StoredCredential,
} from '../auth/stored-credential.ts';

/** What the server knows of a user. */
export type Account =
  /** Plain text, `*` + 40 hex digits, `$A$…`, or null (or '') for an account without a password. */
  | { readonly password: string | null }
  /** Any of them opens the account; the first ones are preferred. Not empty. */
  | { readonly credentials: readonly StoredCredential[] };

export interface CachedSecret {
  readonly clearPassword: string;
  /** SHA256(SHA256(password)), for the fast path of caching_sha2_password. */
  readonly sha2Stage2: Buffer;
}

/**
 * Passwords that were proven right, by account; a `Map` or an `LRUCache` will do. Keys hold the stored credential: a
 * change misses. As secret as anything can be.
 */
export interface SecretCache {
  get(key: string): CachedSecret | undefined;
  set(key: string, secret: CachedSecret): unknown;
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

/** `passwordMatches`, or what does the same without holding up everybody else meanwhile. */
export type PasswordCheck = (password: string, credential: StoredCredential) => boolean | Promise<boolean>;

export interface VerifierSettings {
  readonly username: string;
  /** null is an unknown user: takes the same ways as a known one, and is never accepted. */
  readonly account: Account | null;
  readonly decoy: Account | null;
  readonly nonce: Buffer;
  readonly secureTransport: boolean;
  readonly rsaKeyPair: RsaKeyPair | null;
  readonly secretCache: SecretCache;
  readonly checkPassword: PasswordCheck;
}

const REJECTED: Verdict = { kind: 'rejected' };
const NO_SECRETS: LearntSecrets = { clearPassword: null, sha1Stage1: null, sha256Stage1: null };
const FAST_AUTH_SUCCESS = Buffer.from([CachingSha2.fastAuthSuccess]);
const PERFORM_FULL_AUTHENTICATION = Buffer.from([CachingSha2.performFullAuthentication]);

export class AccountVerifier {
  readonly #settings: VerifierSettings;
  readonly #credentials: readonly StoredCredential[];
  #nonce: Buffer;
  #keyRequested = false;

  constructor(settings: VerifierSettings) {
    this.#settings = settings;
    this.#nonce = settings.nonce;
    const stored = settings.account ?? settings.decoy ?? { password: randomBytes(16).toString('hex') };
    this.#credentials =
      'credentials' in stored ? stored.credentials : [credentialOfPassword(stored.password)];
  }

  /** Another challenge than the greeting's, for a plugin that wants one of its own. */
  set nonce(nonce: Buffer) {
    this.#nonce = nonce;
  }

  /** Plugins that can open this account on this transport, the best first; never empty. */
  usablePlugins(): string[] {
    const plugins = new Set(this.#credentials.flatMap((credential) => this.#pluginsOf(credential)));
    if (this.#settings.secureTransport) plugins.add(MYSQL_CLEAR_PASSWORD);
    return [...plugins];
  }

  #pluginsOf(credential: StoredCredential): string[] {
    switch (credential.kind) {
      case 'none':
        return [MYSQL_NATIVE_PASSWORD, CACHING_SHA2_PASSWORD];
      case 'plain':
        return [MYSQL_NATIVE_PASSWORD, CACHING_SHA2_PASSWORD, CLIENT_ED25519];
      case 'native': {
        // Full authentication brings the password itself, which any hash can be checked against; but without TLS it
        // costs an RSA operation and two more round trips, so that a switch to the native plugin is better.
        const isCheap = this.#settings.secureTransport || this.#cached(credential) !== undefined;
        return isCheap ? [MYSQL_NATIVE_PASSWORD, CACHING_SHA2_PASSWORD] : [MYSQL_NATIVE_PASSWORD];
      }
      case 'sha2':
        return [CACHING_SHA2_PASSWORD];
      case 'ed25519':
        // The signature tells nothing that would open a server: the password itself has to be known, or be brought.
        return this.#cached(credential) === undefined
          ? [CACHING_SHA2_PASSWORD]
          : [CACHING_SHA2_PASSWORD, CLIENT_ED25519];
    }
  }

  /** The plugin's first proof; `plugin` is one of `usablePlugins()`. */
  start(plugin: string, proof: Buffer): Verdict | Promise<Verdict> {
    if (isEmptyProof(plugin, proof)) {
      const isOpen = this.#credentials.some(({ kind }) => kind === 'none');
      return isOpen ? this.#accept(NO_SECRETS, null) : REJECTED;
    }
    switch (plugin) {
      case MYSQL_NATIVE_PASSWORD:
        return this.#verifyNative(proof);
      case CACHING_SHA2_PASSWORD:
        return this.#verifySha2(proof);
      case CLIENT_ED25519:
        return this.#verifyEd25519(proof);
      case MYSQL_CLEAR_PASSWORD:
        return this.#verifyClear(this.#settings.secureTransport ? decodeClearPassword(proof) : null);
      default:
        return REJECTED;
    }
  }

  /** The client's packet after a `more` verdict. */
  proceed(data: Buffer): Verdict | Promise<Verdict> {
    const { secureTransport, rsaKeyPair } = this.#settings;
    if (secureTransport) return this.#verifyClear(decodeClearPassword(data));
    if (rsaKeyPair === null) return REJECTED;
    if (data.length === 1 && data[0] === CachingSha2.requestPublicKey && !this.#keyRequested) {
      this.#keyRequested = true;
      return { kind: 'more', data: Buffer.from(rsaKeyPair.publicKeyPem) };
    }
    return this.#verifyClear(decryptPassword(data, this.#nonce, rsaKeyPair.privateKey));
  }

  #verifyNative(proof: Buffer): Verdict {
    for (const credential of this.#credentials) {
      if (credential.kind !== 'plain' && credential.kind !== 'native') continue;
      const hash = credential.kind === 'plain' ? nativeHashOf(credential.password) : credential.hash;
      const { ok, sha1Stage1 } = verifyNative(this.#nonce, proof, hash);
      if (!ok) continue;
      const known = this.#knownPassword(credential);
      return this.#accept(known === null ? { ...NO_SECRETS, sha1Stage1 } : secretsOf(known), null);
    }
    return REJECTED;
  }

  #verifySha2(proof: Buffer): Verdict {
    let isFinal = true;
    for (const credential of this.#credentials) {
      if (credential.kind === 'none') continue;
      // As servers do: a proof that the cache does not confirm says nothing about the account's hash yet.
      if (credential.kind !== 'plain') isFinal = false;
      const password = this.#knownPassword(credential);
      if (password === null) continue;
      const stage2 = this.#cached(credential)?.sha2Stage2 ?? sha2Stage2Of(password);
      if (verifySha2(this.#nonce, proof, stage2).ok)
        return this.#accept(secretsOf(password), FAST_AUTH_SUCCESS);
    }
    const canProceed = this.#settings.secureTransport || this.#settings.rsaKeyPair !== null;
    return canProceed && !isFinal ? { kind: 'more', data: PERFORM_FULL_AUTHENTICATION } : REJECTED;
  }

  #verifyEd25519(proof: Buffer): Verdict {
    for (const credential of this.#credentials) {
      const password = this.#knownPassword(credential);
      if (password === null) continue;
      const hash =
        credential.kind === 'ed25519' ? credential.hash : ed25519PublicKey(password).toString('base64');
      if (verifyEd25519(this.#nonce, proof, hash)) return this.#accept(secretsOf(password), null);
    }
    return REJECTED;
  }

  #verifyClear(password: string | null): Verdict | Promise<Verdict> {
    if (password === null || password === '') return REJECTED;
    const waiting: { credential: StoredCredential; matches: Promise<boolean> }[] = [];
    for (const credential of this.#credentials) {
      const matches = this.#settings.checkPassword(password, credential);
      if (matches === true) return this.#acceptClear(password, credential);
      if (matches !== false) waiting.push({ credential, matches });
    }
    return waiting.length === 0 ? REJECTED : this.#firstMatch(password, waiting);
  }

  async #firstMatch(
    password: string,
    waiting: readonly { credential: StoredCredential; matches: Promise<boolean> }[],
  ): Promise<Verdict> {
    for (const { credential, matches } of waiting) {
      if (await matches) return this.#acceptClear(password, credential);
    }
    return REJECTED;
  }

  #acceptClear(password: string, credential: StoredCredential): Verdict {
    if (this.#settings.account !== null) {
      const secret = { clearPassword: password, sha2Stage2: sha2Stage2Of(password) };
      this.#settings.secretCache.set(this.#cacheKey(credential), secret);
    }
    return this.#accept(secretsOf(password), null);
  }

  /** The password in plain text, if the account has it so or somebody has proven it right before. */
  #knownPassword(credential: StoredCredential): string | null {
    if (credential.kind === 'plain') return credential.password;
    return this.#cached(credential)?.clearPassword ?? null;
  }

  #cached(credential: StoredCredential): CachedSecret | undefined {
    return this.#settings.secretCache.get(this.#cacheKey(credential));
  }

  #cacheKey(credential: StoredCredential): string {
    return `${this.#settings.username}\0${credentialText(credential)}`;
  }

  #accept(secrets: LearntSecrets, moreData: Buffer | null): Verdict {
    return this.#settings.account === null ? REJECTED : { kind: 'accepted', secrets, moreData };
  }
}

/** Whether the proof says "no password": nothing, or the lone NUL that two of the plugins send. */
export function isEmptyProof(plugin: string, proof: Uint8Array): boolean {
  return proof.length === 0 || (plugin !== MYSQL_NATIVE_PASSWORD && proof.length === 1 && proof[0] === 0);
}

function secretsOf(password: string): LearntSecrets {
  return { clearPassword: password, sha1Stage1: sha1(password), sha256Stage1: sha256(password) };
}

/** The check in one go, for servers whose clients can wait for each other. */
export const checkAtOnce: PasswordCheck = passwordMatches;
