/**
 * Slows down whoever guesses passwords: the refusal of a login is held back, longer with each failure of the same user
 * from the same host. A right password is never held back, and nobody else is affected: neither the user from another
 * host, nor another user from that host. So nobody can lock anybody out. Per worker; a full table forgets who failed
 * the longest ago.
 */

import { LRUCache } from 'lru-cache';
import { growingTo } from '../../common/growing-lru.ts';

export interface LoginBackoffSettings {
  /** Of the first refusal that is held back; 0 for none. */
  readonly loginDelayMs: number;
  readonly loginDelayMaxMs: number;
}

/** People mistype. */
const FREE_FAILURES = 3;
const FORGOTTEN_AFTER_MS = 60_000;
const MOST_ENTRIES = 10_000;
/** Answers held back at once: they hold client connections, of which others need some. */
const MOST_HELD_BACK = 500;

interface Failures {
  readonly count: number;
  readonly lastMs: number;
}

export class LoginBackoff {
  readonly #failures = new LRUCache<string, Failures>(growingTo(MOST_ENTRIES));
  readonly #nowMs: () => number;
  #heldBack = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** @returns for how long to hold the refusal back; a time above 0 is to be followed by `answered`. */
  failed(host: string, username: string, settings: LoginBackoffSettings): number {
    const key = `${host}\0${username}`;
    const before = this.#failures.get(key);
    const now = this.#nowMs();
    const isRecent = before !== undefined && now - before.lastMs < FORGOTTEN_AFTER_MS;
    const count = isRecent ? before.count + 1 : 1;
    this.#failures.set(key, { count, lastMs: now });
    const { loginDelayMs, loginDelayMaxMs } = settings;
    if (count <= FREE_FAILURES || loginDelayMs === 0 || this.#heldBack >= MOST_HELD_BACK) return 0;
    this.#heldBack++;
    return Math.min(loginDelayMaxMs, loginDelayMs * 2 ** Math.min(count - FREE_FAILURES - 1, 30));
  }

  /** A refusal that was held back has been sent, or its client has gone. */
  answered(): void {
    this.#heldBack--;
  }

  succeeded(host: string, username: string): void {
    this.#failures.delete(`${host}\0${username}`);
  }
}
