/** The connection that one check keeps between its runs; opened when it is first needed, and again when lost. */

import { MonitorConnection, type MonitorCredentials, type MonitorTarget } from './monitor-connection.ts';

export class KeptConnection {
  readonly #target: MonitorTarget;
  readonly #credentials: MonitorCredentials;
  readonly #onLost: () => void;
  #connection: MonitorConnection | null = null;

  constructor(target: MonitorTarget, credentials: MonitorCredentials, onLost: () => void) {
    this.#target = target;
    this.#credentials = credentials;
    this.#onLost = onLost;
  }

  /** A usable connection. After an error in using it, call `discard`. */
  async get(signal: AbortSignal): Promise<MonitorConnection> {
    if (this.#connection?.usable) return this.#connection;
    const connection = await MonitorConnection.open(this.#target, this.#credentials, signal);
    connection.onLost = this.#onLost;
    this.#connection = connection;
    return connection;
  }

  discard(): void {
    this.#connection?.destroy();
    this.#connection = null;
  }

  close(): void {
    this.#connection?.close();
    this.#connection = null;
  }
}
