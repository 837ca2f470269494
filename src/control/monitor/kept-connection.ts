/** The connection that one check keeps between its runs; opened when it is first needed, and again when lost. */

import { MonitorConnection, type MonitorCredentials, type MonitorTarget } from './monitor-connection.ts';

type Prepare = (connection: MonitorConnection, signal: AbortSignal) => Promise<unknown>;

export class KeptConnection {
  readonly #target: MonitorTarget;
  readonly #credentials: MonitorCredentials;
  readonly #onLost: () => void;
  readonly #prepare: Prepare | null;
  #connection: MonitorConnection | null = null;
  /** Raised by `discard`: a connection that was still being opened then is not wanted any more either. */
  #generation = 0;

  /** @param prepare asked of each new connection before it is used */
  constructor(
    target: MonitorTarget,
    credentials: MonitorCredentials,
    onLost: () => void,
    prepare: Prepare | null = null,
  ) {
    this.#target = target;
    this.#credentials = credentials;
    this.#onLost = onLost;
    this.#prepare = prepare;
  }

  /** A usable connection. After an error in using it, call `discard`. */
  async get(signal: AbortSignal): Promise<MonitorConnection> {
    if (this.#connection?.usable) return this.#connection;
    const generation = this.#generation;
    const connection = await MonitorConnection.open(this.#target, this.#credentials, signal);
    try {
      await this.#prepare?.(connection, signal);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    if (generation !== this.#generation) {
      connection.destroy();
      throw new Error('the connection was given up while it was opened');
    }
    connection.onLost = this.#onLost;
    this.#connection = connection;
    return connection;
  }

  discard(): void {
    this.#generation++;
    this.#connection?.destroy();
    this.#connection = null;
  }

  close(): void {
    this.#generation++;
    this.#connection?.close();
    this.#connection = null;
  }
}
