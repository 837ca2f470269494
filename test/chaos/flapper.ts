/** A server that dies and comes back, again and again. */

import { setTimeout as delay } from 'node:timers/promises';
import type { DatabaseServer } from '../support/database-server.ts';

export class Flapper {
  readonly #server: DatabaseServer;
  readonly #halfPeriodMs: number;
  readonly #done: Promise<void>;
  readonly #stopping = new AbortController();
  #deaths = 0;

  private constructor(server: DatabaseServer, periodMs: number) {
    this.#server = server;
    this.#halfPeriodMs = periodMs / 2;
    this.#done = this.#flap();
  }

  /** Killed at once, and then every `periodMs`, each time away for half of that and however long its start takes. */
  static start(server: DatabaseServer, periodMs: number): Flapper {
    return new Flapper(server, periodMs);
  }

  get deaths(): number {
    return this.#deaths;
  }

  /** Leaves the server running. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
    await this.#server.start();
  }

  async #flap(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#server.kill();
      this.#deaths++;
      await delay(this.#halfPeriodMs, undefined, { signal }).catch(() => undefined);
      await this.#server.start();
      await delay(this.#halfPeriodMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
