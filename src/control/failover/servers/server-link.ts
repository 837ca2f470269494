/**
 * The line to one server on which an operation gives its orders. A statement that is not answered in time is killed on
 * the server before anybody hears of the time-out: an order that is carried out late, such as read_only behind somebody's
 * lock, would otherwise undo what was done because it seemed to have failed.
 */

import { systemClock } from '../../../common/clock.ts';
import { formatServerAddress } from '../../../topology/server-address.ts';
import type { ServerAddress } from '../../../topology/server-description.ts';
import { withDeadline } from '../../monitor/deadline.ts';
import {
  MonitorConnection,
  type MonitorCredentials,
  type MonitorTarget,
  type Row,
} from '../../monitor/monitor-connection.ts';
import { describeError, errnoOf } from '../../monitor/server-error.ts';
import type { ServerVersion } from '../../monitor/server-version.ts';
import { killOrder } from './kill-order.ts';

export interface QueryOptions {
  /** Instead of the link's own. */
  readonly timeoutMs?: number;
  /** Of the statement's text: errors that quote it are told without. */
  readonly secret?: string;
}

/** A server could not be reached, did not answer in time, or refused. */
export class ServerOrderError extends Error {
  readonly address: ServerAddress;
  /** MySQL's number; 0 where no server has answered. */
  readonly errno: number;

  constructor(address: ServerAddress, message: string, cause: unknown) {
    super(`${address}: ${message}`, { cause });
    this.name = 'ServerOrderError';
    this.address = address;
    this.errno = errnoOf(cause);
  }
}

/** Connecting, and for the KILL of what did not answer. */
const CONNECT_TIMEOUT_MS = 2000;

export class ServerLink {
  readonly target: MonitorTarget;
  readonly address: ServerAddress;
  readonly #credentials: MonitorCredentials;
  readonly #statementTimeoutMs: number;
  #connection: MonitorConnection | null = null;
  /** Of the server's thread. */
  #threadId = '';
  #opening: Promise<MonitorConnection> | null = null;
  #isClosed = false;

  constructor(target: MonitorTarget, credentials: MonitorCredentials, statementTimeoutMs: number) {
    this.target = target;
    this.address = formatServerAddress(target.host, target.port);
    this.#credentials = credentials;
    this.#statementTimeoutMs = statementTimeoutMs;
  }

  /** Of the server; connects if need be. @throws ServerOrderError */
  async version(): Promise<ServerVersion> {
    return (await this.#connected()).version;
  }

  /** @throws ServerOrderError */
  async query(sql: string, options: QueryOptions = {}): Promise<readonly Row[]> {
    const timeoutMs = options.timeoutMs ?? this.#statementTimeoutMs;
    const connection = await this.#connected();
    const threadId = this.#threadId;
    try {
      return await withDeadline(systemClock, timeoutMs, null, (signal) => connection.query(sql, signal));
    } catch (error) {
      if (errnoOf(error) === 0) {
        this.#drop(connection);
        await this.#killThread(connection.version, threadId);
      }
      throw this.#failure(error, options.secret);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.close();
    this.#connection = null;
  }

  async #connected(): Promise<MonitorConnection> {
    if (this.#connection?.usable) return this.#connection;
    try {
      this.#opening ??= this.#open();
      return await this.#opening;
    } catch (error) {
      throw this.#failure(error);
    } finally {
      this.#opening = null;
    }
  }

  async #open(): Promise<MonitorConnection> {
    if (this.#isClosed) throw new Error('the operation has ended');
    // The server is to give up before we do. An empty mode: quoted texts mean what `quote` means.
    const waitSeconds = Math.max(1, Math.floor(this.#statementTimeoutMs / 1000) - 1);
    const waits = `lock_wait_timeout=${waitSeconds}, innodb_lock_wait_timeout=${waitSeconds}`;
    return withDeadline(systemClock, CONNECT_TIMEOUT_MS, null, async (signal) => {
      const connection = await MonitorConnection.open(this.target, this.#credentials, signal);
      try {
        await connection.query(`SET SESSION sql_mode='', ${waits}`, signal);
        const [row] = await connection.query('SELECT CONNECTION_ID() AS id', signal);
        if (this.#isClosed) throw new Error('the operation has ended');
        this.#threadId = row?.id ?? '';
        this.#connection = connection;
        return connection;
      } catch (error) {
        connection.destroy();
        throw error;
      }
    });
  }

  #drop(connection: MonitorConnection): void {
    connection.destroy();
    if (this.#connection === connection) this.#connection = null;
  }

  /**
   * Of the account itself, which needs no privilege, when its connection is closed. A server that does not answer this either
   * carries nothing out.
   */
  async #killThread({ flavor }: ServerVersion, threadId: string): Promise<void> {
    if (threadId === '') return;
    try {
      await withDeadline(systemClock, CONNECT_TIMEOUT_MS, null, async (signal) => {
        const connection = await MonitorConnection.open(this.target, this.#credentials, signal);
        try {
          await connection.query(killOrder(flavor, threadId), signal);
        } finally {
          connection.destroy();
        }
      });
    } catch {
      // Unknown thread: it has ended. Anything else: who undoes looks at what the server says then.
    }
  }

  #failure(error: unknown, secret?: string): ServerOrderError {
    if (error instanceof ServerOrderError) return error;
    const text = describeError(error);
    const isTold = secret === undefined || secret === '' || !text.includes(secret);
    // The cause holds the statement, which holds the secret.
    const cause = secret === undefined ? error : { errno: errnoOf(error) };
    return new ServerOrderError(this.address, isTold ? text : 'the statement was refused', cause);
  }
}
