/** Who has logged in at the dashboard. Only hashes of the cookies are kept: who reads them cannot use them. */
import { createHash, randomBytes } from 'node:crypto';
import type { VisitorSession } from '../http-route.ts';
import type { HttpAccount } from './login-gate.ts';

export interface WebSession extends VisitorSession {
  readonly account: HttpAccount;
}

interface Kept extends WebSession {
  touchedAtMs: number;
}

export interface WebSessionLimits {
  /** Without a sign of a person. */
  readonly idleMs: number;
  readonly maxMs: number;
}

/** Of one user; the one that was used least recently makes room. */
const MOST_PER_USER = 16;
const MOST_IN_ALL = 256;
const TOKEN_BYTES = 32;

export class WebSessions {
  /** By the hash of the cookie; the one touched last stands last. */
  readonly #sessions = new Map<string, Kept>();
  readonly #now: () => number;
  #limits: WebSessionLimits;

  constructor(limits: WebSessionLimits, now: () => number = Date.now) {
    this.#limits = limits;
    this.#now = now;
  }

  get size(): number {
    return this.#sessions.size;
  }

  updateLimits(limits: WebSessionLimits): void {
    this.#limits = limits;
  }

  /** @returns the cookie's value, which is not kept */
  open(account: HttpAccount): string {
    this.#sweep();
    const ofUser = [...this.#sessions].filter(([, one]) => one.account.username === account.username);
    if (ofUser.length >= MOST_PER_USER) this.#sessions.delete(ofUser[0]![0]);
    if (this.#sessions.size >= MOST_IN_ALL) this.#sessions.delete(this.#sessions.keys().next().value ?? '');
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const now = this.#now();
    const id = hashOf(token);
    this.#sessions.set(id, {
      id,
      account,
      csrfToken: randomBytes(TOKEN_BYTES).toString('base64url'),
      endsAtMs: now + this.#limits.maxMs,
      touchedAtMs: now,
    });
    return token;
  }

  /** @param isTouched a person has done something, so that it stays open longer. */
  find(token: string, isTouched: boolean): WebSession | null {
    const id = hashOf(token);
    const session = this.#sessions.get(id);
    if (session === undefined) return null;
    if (this.#isOver(session)) {
      this.#sessions.delete(id);
      return null;
    }
    if (isTouched) {
      session.touchedAtMs = this.#now();
      this.#sessions.delete(id);
      this.#sessions.set(id, session);
    }
    return session;
  }

  close(id: string): void {
    this.#sessions.delete(id);
  }

  /** Ends those whose account is another one by now. */
  keepOnly(isCurrent: (account: HttpAccount) => boolean): void {
    for (const [id, { account }] of [...this.#sessions]) if (!isCurrent(account)) this.#sessions.delete(id);
  }

  #isOver({ touchedAtMs, endsAtMs }: Kept): boolean {
    const now = this.#now();
    return now >= endsAtMs || now - touchedAtMs >= this.#limits.idleMs;
  }

  #sweep(): void {
    for (const [id, session] of [...this.#sessions]) if (this.#isOver(session)) this.#sessions.delete(id);
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
