/** Clients of all kinds over restarts, and exact counts of what they have seen. */

import { connect, type NetConnectOpts } from 'node:net';
import { createPool, type Pool, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise';
import { APP_ACCOUNT, APP_SCHEMA } from '../../support/replication-set.ts';
import type { SluiceProcess } from '../../support/sluice-process.ts';

export interface Counts {
  done: number;
  /** By the system's code, or the server's number. */
  readonly errors: Map<string, number>;
}

function noCounts(): Counts {
  return { done: 0, errors: new Map() };
}

function note({ errors }: Counts, what: string): void {
  errors.set(what, (errors.get(what) ?? 0) + 1);
}

/** Of one loop: what it asks for is not to be all that the machine does. */
const CONNECT_PAUSE_MS = 4;
/** Of one request. */
const STATEMENTS = 10;
/** A greeting of the protocol is version 10; anything else is none. */
const GREETING = 10;

/** Connects, is greeted, and goes: again and again, on an address, until it is told to end. */
export class ConnectLoop {
  readonly counts = noCounts();
  readonly #running: Promise<unknown>;
  #isEnding = false;

  constructor(where: NetConnectOpts, loops: number) {
    this.#running = Promise.all(Array.from({ length: loops }, () => this.#run(where)));
  }

  async end(): Promise<Counts> {
    this.#isEnding = true;
    await this.#running;
    return this.counts;
  }

  async #run(where: NetConnectOpts): Promise<void> {
    while (!this.#isEnding) {
      await this.#connect(where);
      this.counts.done++;
      await new Promise((resolve) => setTimeout(resolve, CONNECT_PAUSE_MS));
    }
  }

  #connect(where: NetConnectOpts): Promise<void> {
    return new Promise((resolve) => {
      let greeted = false;
      const socket = connect(where);
      socket.once('data', (bytes) => {
        greeted = bytes[4] === GREETING;
        if (!greeted) note(this.counts, `packet ${bytes[4]}`);
        socket.destroy();
      });
      socket.on('error', (error: NodeJS.ErrnoException) => note(this.counts, error.code ?? error.message));
      socket.once('end', () => {
        if (!greeted) note(this.counts, 'end');
        socket.destroy();
      });
      socket.once('close', () => resolve());
    });
  }
}

/**
 * A pool as applications have it: several statements for each of several requests, and then a while of nothing. Each has to
 * succeed.
 */
export class PoolLoop {
  readonly counts = noCounts();
  readonly #pool: Pool;
  readonly #running: Promise<unknown>;
  #isEnding = false;
  inserted = 0;

  /** @param pauseMs between two requests */
  constructor(sluice: SluiceProcess, places: number, pauseMs: number) {
    this.#pool = createPool({
      host: sluice.host,
      port: sluice.port,
      user: APP_ACCOUNT.username,
      password: APP_ACCOUNT.password,
      database: APP_SCHEMA,
      connectionLimit: places,
    });
    this.#running = Promise.all(Array.from({ length: places }, (_, place) => this.#run(place, pauseMs)));
  }

  /** Also at the end of a test that has failed before. */
  async end(): Promise<Counts> {
    if (this.#isEnding) return this.counts;
    this.#isEnding = true;
    await this.#running;
    await this.#pool.end();
    return this.counts;
  }

  async #run(place: number, pauseMs: number): Promise<void> {
    while (!this.#isEnding) {
      for (let statement = 0; statement < STATEMENTS; statement++) {
        await this.#statement(place).catch((error: { readonly code?: string; readonly message: string }) =>
          note(this.counts, error.code ?? error.message),
        );
        this.counts.done++;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async #statement(place: number): Promise<void> {
    if (place === 0) {
      const [{ affectedRows }] = await this.#pool.query<ResultSetHeader>('INSERT INTO pooled VALUES (NULL)');
      this.inserted += affectedRows;
      return;
    }
    const [rows] = await this.#pool.execute<RowDataPacket[]>('SELECT ? AS place', [place]);
    if (rows[0]?.place !== place) throw new Error('a wrong answer');
  }
}
