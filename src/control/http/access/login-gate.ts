/**
 * Passwords of operators, with a back-off: after some failures of one user from one address refusals are held back,
 * longer each time, and whoever tries again meanwhile is not heard at all.
 */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { credentialOfPassword, passwordMatches } from '../../../../protocol/index.ts';
import type { AdminUser } from '../../admin/admin-server.ts';
import { AdminRole } from '../../admin/commands/command.ts';

export interface LoginAttempt {
  readonly username: string;
  readonly password: string;
  readonly address: string;
}

export type LoginVerdict =
  | { readonly kind: 'accepted'; readonly account: HttpAccount }
  | { readonly kind: 'refused' }
  /** Too many failures: not even looked at. */
  | { readonly kind: 'busy'; readonly retryAfterMs: number };

export interface HttpAccount {
  readonly username: string;
  readonly role: AdminRole;
  /** Changes with the password and the role: a login holds for this account and not for one that comes later. */
  readonly fingerprint: string;
}

interface StoredAccount extends HttpAccount {
  readonly password: string;
}

interface Failures {
  count: number;
  lastAtMs: number;
  isHeld: boolean;
}

export interface LoginGateOptions {
  readonly now?: () => number;
  readonly wait?: (delayMs: number) => Promise<unknown>;
}

const FREE_FAILURES = 3;
const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 10_000;
const FORGOTTEN_AFTER_MS = 15 * 60_000;
const MOST_REMEMBERED = 10_000;
/** Refusals that are held back at the same time. */
const MOST_HELD = 64;
/** Right passwords that tools send again and again; some kinds of hashes take milliseconds. */
const MOST_PROVEN = 64;

export class LoginGate {
  readonly #now: () => number;
  readonly #wait: (delayMs: number) => Promise<unknown>;
  readonly #failures = new Map<string, Failures>();
  readonly #proven = new Set<string>();
  readonly #pepper = randomBytes(32);
  readonly #decoy = credentialOfPassword(randomBytes(16).toString('hex'));
  #accounts: ReadonlyMap<string, StoredAccount> = new Map();
  #held = 0;

  constructor(users: readonly AdminUser[], options: LoginGateOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    this.#wait = options.wait ?? ((delayMs) => setTimeout(delayMs, undefined, { ref: false }));
    this.updateUsers(users);
  }

  updateUsers(users: readonly AdminUser[]): void {
    this.#accounts = new Map(
      users.map(({ username, password, role = AdminRole.admin }) => {
        const fingerprint = this.#hash(username, password, role);
        return [username, { username, password, role, fingerprint }];
      }),
    );
    this.#proven.clear();
  }

  /** Whether a login of this account still holds. */
  isCurrent({ username, fingerprint }: HttpAccount): boolean {
    return this.#accounts.get(username)?.fingerprint === fingerprint;
  }

  async attempt(attempt: LoginAttempt): Promise<LoginVerdict> {
    const key = `${attempt.address} ${attempt.username}`;
    const before = this.#failuresOf(key);
    if (before !== null && (before.isHeld || (before.count >= FREE_FAILURES && this.#held >= MOST_HELD)))
      return { kind: 'busy', retryAfterMs: delayAfter(before.count) };
    const account = this.#check(attempt);
    if (account !== null) {
      this.#failures.delete(key);
      return { kind: 'accepted', account };
    }
    await this.#hold(this.#failed(key));
    return { kind: 'refused' };
  }

  #check({ username, password }: LoginAttempt): HttpAccount | null {
    const stored = this.#accounts.get(username);
    const proof = this.#hash(username, stored?.fingerprint ?? '', password);
    if (stored !== undefined && this.#proven.has(proof)) return stored;
    // Unknown users take as long as known ones.
    const isRight = passwordMatches(
      password,
      stored === undefined ? this.#decoy : credentialOfPassword(stored.password),
    );
    if (stored === undefined || !isRight) return null;
    if (this.#proven.size >= MOST_PROVEN) this.#proven.clear();
    this.#proven.add(proof);
    return stored;
  }

  #failuresOf(key: string): Failures | null {
    const failures = this.#failures.get(key);
    if (failures === undefined) return null;
    if (failures.isHeld || this.#now() - failures.lastAtMs < FORGOTTEN_AFTER_MS) return failures;
    this.#failures.delete(key);
    return null;
  }

  #failed(key: string): Failures {
    const failures = this.#failures.get(key) ?? { count: 0, lastAtMs: 0, isHeld: false };
    failures.count++;
    failures.lastAtMs = this.#now();
    // The ones that failed last stand last.
    this.#failures.delete(key);
    this.#failures.set(key, failures);
    if (this.#failures.size > MOST_REMEMBERED)
      this.#failures.delete(this.#failures.keys().next().value ?? key);
    return failures;
  }

  async #hold(failures: Failures): Promise<void> {
    if (failures.count <= FREE_FAILURES) return;
    failures.isHeld = true;
    this.#held++;
    await this.#wait(delayAfter(failures.count));
    this.#held--;
    failures.isHeld = false;
  }

  /** Keyed, so that it tells nobody anything. */
  #hash(...parts: readonly string[]): string {
    const hash = createHash('sha256').update(this.#pepper);
    for (const part of parts) hash.update(`${part.length} ${part}`);
    return hash.digest('base64url');
  }
}

/** The fourth refusal is the first that is held back. */
function delayAfter(failures: number): number {
  const doublings = Math.max(0, failures - FREE_FAILURES - 1);
  return Math.min(FIRST_DELAY_MS * 2 ** Math.min(doublings, 20), LONGEST_DELAY_MS);
}
