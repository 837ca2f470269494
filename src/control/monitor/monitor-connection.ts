/**
 * A connection of the monitor to one server. Every wait ends at the caller's signal: an aborted connection is
 * destroyed, because a server that did not answer one statement in time cannot be asked another on the same line.
 */

import { connect, type Socket } from 'node:net';
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  type SslOptions,
  setMaxParserCache,
} from 'mysql2';
import type { BackendTls } from '../../common/snapshot.ts';
import { type ServerTls, TlsMode } from '../../topology/server-description.ts';
import { parseServerVersion, type ServerVersion } from './server-version.ts';

export interface MonitorCredentials {
  readonly username: string;
  readonly password: string;
  /** The PEM texts behind a server's settings, as they are now; without it the system's authorities are used. */
  readonly resolveTls?: (host: string, tls: ServerTls) => BackendTls;
}

export interface MonitorTarget {
  readonly host: string;
  readonly port: number;
  readonly tls: ServerTls;
}

/** Every value as the server's text, whatever its type: no number is rounded and no date is moved. */
export type Row = Readonly<Record<string, string | null>>;

/** The monitor has some dozens of statements; mysql2 makes room for 15,000 when it is loaded. */
const MAX_ROW_PARSERS = 200;
setMaxParserCache(MAX_ROW_PARSERS);

/** For a server that was told goodbye to hang up. */
const GOODBYE_MS = 1000;

/** mysql2's own code for a server that does not offer TLS. */
const NO_TLS_SUPPORT = 'HANDSHAKE_NO_SSL_SUPPORT';

/** null: without TLS. */
function sslOptions(target: MonitorTarget, material: BackendTls | null): SslOptions | null {
  const { mode } = target.tls;
  if (mode === TlsMode.DISABLED) return null;
  const { ca, certificate, key, minVersion } = material ?? {};
  return {
    minVersion: minVersion ?? 'TLSv1.2',
    rejectUnauthorized: mode === TlsMode.VERIFY_CA || mode === TlsMode.VERIFY_IDENTITY,
    verifyIdentity: mode === TlsMode.VERIFY_IDENTITY,
    ...(ca == null ? {} : { ca }),
    ...(certificate == null || key == null ? {} : { cert: certificate, key }),
  };
}

function options(
  target: MonitorTarget,
  credentials: MonitorCredentials,
  stream: Socket,
  isSecured: boolean,
): ConnectionOptions {
  const material = credentials.resolveTls?.(target.host, target.tls) ?? null;
  const ssl = isSecured ? sslOptions(target, material) : null;
  return {
    stream,
    // The stream is connected; TLS takes it for the server's name.
    host: material?.serverName ?? target.host,
    port: target.port,
    user: credentials.username,
    password: credentials.password,
    charset: 'utf8mb4',
    // The signal is the time-out; mysql2's own would only race it.
    connectTimeout: 0,
    typeCast: (field) => field.string(),
    connectAttributes: { program_name: 'sluice-monitor' },
    // It prepares none; mysql2 makes its lists of them at once, half a megabyte for each connection by default.
    maxPreparedStatements: 1,
    ...(ssl === null ? {} : { ssl }),
  };
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('the check was aborted');
}

export class MonitorConnection {
  readonly version: ServerVersion;
  readonly #connection: Connection;
  /**
   * mysql2 ends a connection by half-closing its socket, which a server that hangs never answers: the socket would
   * stay for as long as the server does. So it is ours to destroy.
   */
  readonly #socket: Socket;
  #lost: Error | null = null;
  #onLost: () => void = () => {};
  /** Ends the wait for the answer that is outstanding; mysql2 forgets it when the connection is destroyed. */
  #abandon: ((reason: Error) => void) | null = null;

  private constructor(connection: Connection, socket: Socket, version: ServerVersion) {
    this.#connection = connection;
    this.#socket = socket;
    this.version = version;
    connection.on('error', (error: Error) => {
      if (this.#lost !== null) return;
      this.#lost = error;
      this.#onLost();
    });
    connection.on('end', () => {
      if (this.#lost !== null) return;
      this.#lost = new Error('the server closed the connection');
      this.#onLost();
    });
  }

  /** Rejects with the server's or the socket's error, or with the signal's reason. */
  static async open(
    target: MonitorTarget,
    credentials: MonitorCredentials,
    signal: AbortSignal,
  ): Promise<MonitorConnection> {
    try {
      return await MonitorConnection.#open(target, credentials, signal, true);
    } catch (error) {
      const hasNoTls = error instanceof Error && 'code' in error && error.code === NO_TLS_SUPPORT;
      if (!hasNoTls || target.tls.mode !== TlsMode.PREFERRED) throw error;
      return MonitorConnection.#open(target, credentials, signal, false);
    }
  }

  static #open(
    target: MonitorTarget,
    credentials: MonitorCredentials,
    signal: AbortSignal,
    isSecured: boolean,
  ): Promise<MonitorConnection> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(reasonOf(signal));
        return;
      }
      const socket = connect({ host: target.host, port: target.port, noDelay: true });
      const connection = createConnection(options(target, credentials, socket, isSecured));
      const abort = (): void => fail(reasonOf(signal));
      const fail = (error: Error): void => {
        signal.removeEventListener('abort', abort);
        connection.off('connect', connected);
        // Destroying may report once more; nobody is left who wants to know.
        connection.on('error', () => {});
        connection.destroy();
        socket.destroy();
        reject(error);
      };
      const connected = (handshake: unknown): void => {
        signal.removeEventListener('abort', abort);
        connection.off('error', fail);
        resolve(new MonitorConnection(connection, socket, parseServerVersion(announcedVersion(handshake))));
      };
      connection.once('connect', connected);
      connection.once('error', fail);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** Called once, when the connection breaks while nobody closed it. */
  set onLost(callback: () => void) {
    this.#onLost = callback;
  }

  get usable(): boolean {
    return this.#lost === null;
  }

  query(sql: string, signal: AbortSignal): Promise<readonly Row[]> {
    return this.#guard(signal, (done) => {
      this.#connection.query({ sql }, (error, rows) => {
        done(error, Array.isArray(rows) ? (rows as unknown as Row[]) : []);
      });
    });
  }

  /** @returns how many rows were inserted, or found and changed (an upsert that updates counts as two) */
  execute(sql: string, signal: AbortSignal): Promise<number> {
    return this.#guard(signal, (done) => {
      this.#connection.query({ sql }, (error, result) => {
        done(error, 'affectedRows' in (result ?? {}) ? (result as { affectedRows: number }).affectedRows : 0);
      });
    });
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#guard<null>(signal, (done) => this.#connection.ping((error) => done(error, null)));
  }

  /** Says goodbye to the server, so that it does not count an aborted client. */
  close(): void {
    if (this.#lost !== null) return;
    this.#lost = new Error('the connection was closed');
    this.#connection.end();
    const timer = setTimeout(() => this.#socket.destroy(), GOODBYE_MS);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  destroy(reason = new Error('the connection was destroyed')): void {
    this.#lost ??= reason;
    this.#connection.destroy();
    this.#socket.destroy();
    this.#abandon?.(reason);
  }

  #guard<T>(signal: AbortSignal, send: (done: (error: Error | null, value: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== null) {
        reject(this.#lost);
        return;
      }
      const abort = (): void => this.destroy(reasonOf(signal));
      const settled = (): void => {
        signal.removeEventListener('abort', abort);
        this.#abandon = null;
      };
      this.#abandon = (reason) => {
        settled();
        reject(reason);
      };
      if (signal.aborted) {
        abort();
        return;
      }
      signal.addEventListener('abort', abort, { once: true });
      send((error, value) => {
        settled();
        if (error) reject(error);
        else resolve(value);
      });
    });
  }
}

/** The handshake is what a client sees, hence the version that Sluice shows to its own clients. */
function announcedVersion(handshake: unknown): string {
  if (typeof handshake !== 'object' || handshake === null || !('serverVersion' in handshake)) return '';
  return typeof handshake.serverVersion === 'string' ? handshake.serverVersion : '';
}
