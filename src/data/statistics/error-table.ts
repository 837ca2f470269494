/**
 * The errors that statements have ended with, by server, user and number. Bounded: for a new one the one that has not
 * come for the longest time is forgotten.
 */

import type { ErrorRecord } from '../../common/inspection.ts';
import { withoutQuoted } from '../../sql/message-text.ts';

/** Where an error came from, and whose it was. */
export interface ErrorPlace {
  /** As of the statement's own statistics. */
  readonly hostgroup: number;
  /** `host:port`; '' for an error of Sluice's own. */
  readonly server: string;
  readonly username: string;
  readonly clientAddress: string;
  readonly schema: string;
  readonly errno: number;
}

type Counted = { -readonly [Key in keyof ErrorRecord]: ErrorRecord[Key] };

export class ErrorTable {
  #limit: number;
  /** The one that has come last is the last one. */
  readonly #errors = new Map<string, Counted>();
  #forgotten = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#errors.size;
  }

  /** Errors that were counted in what is not kept any more. */
  get forgotten(): number {
    return this.#forgotten;
  }

  resize(limit: number): void {
    this.#limit = limit;
    this.#shrink();
  }

  /** @param message as it came; what stands in quotes is not kept. */
  add(place: ErrorPlace, message: string, atSeconds: number): void {
    const { hostgroup, server, username, clientAddress, schema, errno } = place;
    const key = `${errno} ${hostgroup} ${server} ${username}\0${schema}\0${clientAddress}`;
    let counted = this.#errors.get(key);
    if (counted === undefined)
      counted = { ...place, count: 0, firstSeen: atSeconds, lastSeen: 0, message: '' };
    else this.#errors.delete(key);
    counted.count++;
    counted.lastSeen = atSeconds;
    counted.message = withoutQuoted(message);
    this.#errors.set(key, counted);
    this.#shrink();
  }

  records(): ErrorRecord[] {
    return [...this.#errors.values()].map((error) => ({ ...error }));
  }

  clear(): void {
    this.#errors.clear();
  }

  #shrink(): void {
    while (this.#errors.size > this.#limit) {
      const oldest = this.#errors.entries().next().value;
      if (oldest === undefined) return;
      this.#errors.delete(oldest[0]);
      this.#forgotten += oldest[1].count;
    }
  }
}
