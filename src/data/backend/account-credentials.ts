/**
 * What opens the servers for the sessions of one account, when its password changes while they are logged in. A server
 * lets such sessions go on; Sluice has to log in again for them whenever it needs one more connection. So a session
 * whose credentials a server refuses goes on with newer ones of the same account: those of whoever has logged in since,
 * or those that a statement of one of its sessions has shown. Only sessions of this worker know of each other.
 *
 * Kept for as long as the account has a session here. The servers judge what is tried: nothing is let in by this.
 */

import { sha1 } from '../../../protocol/index.ts';
import { accountName, type PlacedAccount } from '../../common/account.ts';
import type { PasswordChange } from '../../sql/password-statement.ts';
import { type Credentials, makeCredentials } from './credentials.ts';

const NATIVE = 'mysql_native_password';

interface Newest {
  sessions: number;
  credentials: Credentials;
  /** Grows with every change of any account. */
  version: number;
}

export class AccountCredentials {
  readonly #newest = new Map<string, Newest>();
  #changes = 0;

  /** Somebody has logged in. */
  join(account: PlacedAccount, credentials: Credentials): SessionCredentials {
    // The anonymous account is several users.
    const key = `${account.source}\0${credentials.username}\0${accountName(account)}`;
    const newest = this.#newest.get(key) ?? { sessions: 0, credentials, version: 0 };
    newest.sessions++;
    this.#newest.set(key, newest);
    this.#renew(newest, credentials);
    return new SessionCredentials(account, newest, {
      renew: (learnt) => this.#renew(newest, learnt),
      leave: () => {
        newest.sessions--;
        if (newest.sessions === 0) this.#newest.delete(key);
      },
    });
  }

  #renew(newest: Newest, credentials: Credentials): void {
    newest.credentials = credentials;
    newest.version = ++this.#changes;
  }
}

interface Shared {
  renew(credentials: Credentials): void;
  leave(): void;
}

/** One session's view of them. */
export class SessionCredentials {
  readonly #account: PlacedAccount;
  readonly #newest: Readonly<Newest>;
  readonly #shared: Shared;
  #used: Credentials;
  #version: number;
  #hasLeft = false;

  constructor(account: PlacedAccount, newest: Readonly<Newest>, shared: Shared) {
    this.#account = account;
    this.#newest = newest;
    this.#shared = shared;
    this.#used = newest.credentials;
    this.#version = newest.version;
  }

  /** Newer ones than the session's, which are the session's from now on; null where there are none. */
  takeNewer(): Credentials | null {
    const { credentials, version } = this.#newest;
    if (version === this.#version) return null;
    this.#version = version;
    if (credentials.digest === this.#used.digest) return null;
    this.#used = credentials;
    return credentials;
  }

  /** A statement of the session has changed a password. Whether it was this account's is for the text to say. */
  learn({ account, password, plugin }: PasswordChange): void {
    const { username, host } = this.#account;
    if (account !== null && (account.username !== username || account.host !== host)) return;
    this.#shared.renew(makeCredentials(this.#used.username, this.#secretOf(password, plugin)));
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#shared.leave();
  }

  /** No clear text where its hash is enough. */
  #secretOf(password: string, plugin: string | null): Credentials['secret'] {
    if (password === '') return { kind: 'none' };
    const { kind } = this.#used.secret;
    const wasNative = kind === 'nativeSha1' || (kind === 'none' && this.#account.plugins[0] === NATIVE);
    const isNative = plugin === null ? wasNative : plugin.toLowerCase() === NATIVE;
    return isNative ? { kind: 'nativeSha1', sha1Stage1: sha1(password) } : { kind: 'plain', value: password };
  }
}
