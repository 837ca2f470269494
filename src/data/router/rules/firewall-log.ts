/** Tells the log what the firewall meets, but not a thousand times a second: each digest of a user once in a minute. */

import { digestName } from '../../../sql/digest-text.ts';

const PERIOD_MS = 60_000;
/** More lines than this of one worker in a minute are only counted (`sluice_firewall_statements_total`). */
const MAX_LINES = 100;

export type LogWarning = (level: 'warn', message: string, fields: Record<string, unknown>) => void;

export class FirewallLog {
  readonly #log: LogWarning;
  readonly #now: () => number;
  readonly #told = new Set<string>();
  #since = 0;

  /** @param now milliseconds of a monotonic clock. */
  constructor(log: LogWarning, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  tell(action: 'blocked' | 'detected', normalized: Buffer, username: string, clientAddress: string): void {
    const now = this.#now();
    if (now - this.#since >= PERIOD_MS) {
      this.#told.clear();
      this.#since = now;
    }
    if (this.#told.size >= MAX_LINES) return;
    const digest = digestName(normalized);
    const key = `${action} ${digest} ${username} ${clientAddress}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    this.#log('warn', `firewall: statement ${action}`, { digest, user: username, client: clientAddress });
  }
}
