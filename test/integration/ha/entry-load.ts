/** Clients of an entry point, and an exact account of what became of each connection and statement. */

import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { APP_ACCOUNT, APP_SCHEMA } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** mysql2's own end waits for the other side's, who may be gone: the socket is thrown away instead. */
interface Client {
  readonly connection: Connection;
  readonly socket: Socket;
}

/** By `performance.now()`. */
export interface Attempt {
  readonly beganMs: number;
  readonly endedMs: number;
  /** Of the driver, e.g. ECONNRESET; null: all went well. */
  readonly error: string | null;
}

/** By `performance.now()`: a process takes a moment to die, and serves within it. */
export interface Damage {
  readonly beganMs: number;
  readonly doneMs: number;
}

/** What became of the attempts around a damage. */
export interface Verdict {
  readonly attempts: number;
  /** Begun before it, ended before it, and failed: that has other reasons. */
  readonly failedBefore: readonly string[];
  /** Under way while it was done, and failed. */
  readonly caught: readonly string[];
  /** Begun when it was done, and failed. */
  readonly failedAfter: readonly string[];
  /** From the damage until the last of those began; 0 without any. */
  readonly failingMs: number;
  /** From the damage until the first success of an attempt that began after it; null: there was none. */
  readonly recoveryMs: number | null;
  /** The longest that a success took which began after it. */
  readonly longestMs: number;
}

export interface Outcome {
  readonly damage: Damage;
  /** Of those who come. */
  readonly fresh: Verdict;
  /** Of those who stay. */
  readonly long: Verdict;
}

/** Connections that stay, in `underLoad`. */
export const LONG_LIVED = 4;
const EVERY_MS = 20;
const CONNECT_TIMEOUT_MS = 15_000;
/** Who waits for an answer of somebody who is gone is told by nobody. */
const STATEMENT_TIMEOUT_MS = 6000;
const PAUSE_MS = 5;
/** Attempts that have to go well before the damage, and after it unless told. */
const ENOUGH = 20;

abstract class Load {
  readonly attempts: Attempt[] = [];
  protected readonly target: Target;
  protected stops = false;

  constructor(target: Target) {
    this.target = target;
  }

  /** Waits for this many successes that begin from now on. */
  async waitFor(successes: number, timeoutMs = 20_000): Promise<void> {
    const nowMs = performance.now();
    const isOne = ({ beganMs, error }: Attempt): boolean => beganMs >= nowMs && error === null;
    await waitUntil(`${successes} successes`, () => this.attempts.filter(isOne).length >= successes, {
      timeoutMs,
    });
  }

  protected async note(attempt: Promise<void>): Promise<string | null> {
    const beganMs = performance.now();
    const error = await attempt.then(() => null, codeOf);
    this.attempts.push({ beganMs, endedMs: performance.now(), error });
    return error;
  }

  protected async connect(): Promise<Client> {
    const { host, port } = this.target;
    const socket = connect({ host, port, noDelay: true });
    try {
      const connection = await createConnection({
        stream: socket,
        user: APP_ACCOUNT.username,
        password: APP_ACCOUNT.password,
        database: APP_SCHEMA,
        connectTimeout: CONNECT_TIMEOUT_MS,
      });
      // Whoever waits for an answer hears of it, nobody else needs to.
      connection.on('error', () => undefined);
      return { connection, socket };
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }
}

/** A connection every so often, whatever has become of those before: login, one statement, end. */
export class NewConnections extends Load {
  readonly #timer: NodeJS.Timeout;
  readonly #open = new Set<Promise<unknown>>();

  constructor(target: Target, everyMs: number) {
    super(target);
    this.#timer = setInterval(() => this.#begin(), everyMs);
  }

  async stop(): Promise<readonly Attempt[]> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    return this.attempts;
  }

  #begin(): void {
    const attempt = this.note(this.#attempt());
    this.#open.add(attempt);
    void attempt.then(() => this.#open.delete(attempt));
  }

  async #attempt(): Promise<void> {
    const { connection, socket } = await this.connect();
    try {
      await connection.query<RowDataPacket[]>('SELECT 1');
    } finally {
      socket.destroy();
    }
  }
}

/** Connections that stay; each attempt is a write. One that is lost is made anew by the next attempt. */
export class LongLived extends Load {
  readonly #clients: readonly Promise<void>[];

  constructor(target: Target, clients: number) {
    super(target);
    this.#clients = Array.from({ length: clients }, () => this.#run());
  }

  async stop(): Promise<readonly Attempt[]> {
    this.stops = true;
    await Promise.all(this.#clients);
    return this.attempts;
  }

  async #run(): Promise<void> {
    const client: { now: Client | null } = { now: null };
    const write = async (): Promise<void> => {
      client.now ??= await this.connect();
      await client.now.connection.query({
        sql: 'INSERT INTO t (value) VALUES (1)',
        timeout: STATEMENT_TIMEOUT_MS,
      });
    };
    while (!this.stops) {
      const error = await this.note(write());
      if (error !== null) {
        client.now?.socket.destroy();
        client.now = null;
      }
      await delay(PAUSE_MS);
    }
    client.now?.socket.destroy();
  }
}

/** What became of those who come, and of those who stay, when this happens. It ends when each of these has noticed. */
export async function underLoad(
  target: Target,
  cause: () => Promise<void>,
  goingWellAfter = ENOUGH,
): Promise<Outcome> {
  const fresh = new NewConnections(target, EVERY_MS);
  const long = new LongLived(target, LONG_LIVED);
  try {
    await Promise.all([fresh.waitFor(ENOUGH), long.waitFor(ENOUGH)]);
    const beganMs = performance.now();
    await cause();
    const damage: Damage = { beganMs, doneMs: performance.now() };
    await Promise.all([fresh.waitFor(goingWellAfter), long.waitFor(ENOUGH)]);
    await waitUntil(
      'each long-lived connection was lost',
      () => lostOf(judge(long.attempts, damage)) >= LONG_LIVED,
    );
    return { damage, fresh: judge(await fresh.stop(), damage), long: judge(await long.stop(), damage) };
  } finally {
    // Also when something fails: what goes on would fail the tests behind it, too, and the process would not end.
    await Promise.all([fresh.stop(), long.stop()]);
  }
}

function lostOf({ caught, failedAfter }: Verdict): number {
  return caught.length + failedAfter.length;
}

/** As drivers call a connection that ends without a word. */
export function isLost(error: string): boolean {
  return error === 'PROTOCOL_CONNECTION_LOST' || error === 'ECONNRESET';
}

export function judge(attempts: readonly Attempt[], { beganMs, doneMs }: Damage): Verdict {
  const failures = attempts.filter(({ error }) => error !== null);
  const after = failures.filter((attempt) => attempt.beganMs >= doneMs);
  const well = attempts.filter((attempt) => attempt.beganMs >= doneMs && attempt.error === null);
  return {
    attempts: attempts.length,
    failedBefore: errorsOf(failures.filter(({ endedMs }) => endedMs < beganMs)),
    caught: errorsOf(failures.filter((attempt) => attempt.beganMs < doneMs && attempt.endedMs >= beganMs)),
    failedAfter: errorsOf(after),
    failingMs: Math.max(0, ...after.map((attempt) => attempt.beganMs - beganMs)),
    recoveryMs: well.length === 0 ? null : Math.min(...well.map(({ endedMs }) => endedMs)) - beganMs,
    longestMs: Math.max(0, ...well.map((attempt) => attempt.endedMs - attempt.beganMs)),
  };
}

function errorsOf(attempts: readonly Attempt[]): string[] {
  return attempts.map(({ error }) => error ?? '');
}

function codeOf(error: Error & { readonly code?: string; readonly errno?: number }): string {
  return error.code ?? error.message;
}
