/** Clients that read and write through Sluice without a pause; every answer is checked, everything is counted. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Connection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';
import type { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

export const ROWS = 200;
/** What a server must have for the load. */
export const LOAD_SQL: readonly string[] = [
  'CREATE TABLE app.kv (id INT PRIMARY KEY, v INT NOT NULL)',
  'CREATE TABLE app.log (id INT PRIMARY KEY AUTO_INCREMENT, client INT NOT NULL, n INT NOT NULL)',
  `INSERT INTO app.kv VALUES ${Array.from({ length: ROWS }, (_, id) => `(${id}, ${id * 7})`).join(', ')}`,
];

type Step = (connection: Connection, n: number) => Promise<void>;

/** Of each client, between two rounds, while others are waited for. */
const CALM_PAUSE_MS = 20;

function expect(what: string, found: unknown, wanted: unknown): void {
  if (String(found) !== String(wanted))
    throw new Error(`${what}: ${String(found)} instead of ${String(wanted)}`);
}

async function rowValue(connection: Connection, id: number): Promise<unknown> {
  const [rows] = await connection.query<RowDataPacket[]>(`SELECT v FROM kv WHERE id = ${id}`);
  return rows[0]?.v;
}

/** Statements of their own, by text and prepared; a longer one now and then. */
const read: Step = async (connection, n) => {
  const id = n % ROWS;
  expect('text', await rowValue(connection, id), id * 7);
  const [rows] = await connection.execute<RowDataPacket[]>('SELECT v FROM kv WHERE id = ?', [id]);
  expect('prepared', rows[0]?.v, id * 7);
  if (n % 50 !== 0) return;
  const [counted] = await connection.query<RowDataPacket[]>(
    'SELECT COUNT(*) AS c FROM kv a, kv b, kv c WHERE a.v < 70',
  );
  expect('long', counted[0]?.c, 10 * ROWS * ROWS);
};

const readInTransaction: Step = async (connection, n) => {
  await connection.query('START TRANSACTION READ ONLY');
  for (const id of [n % ROWS, (n + 1) % ROWS])
    expect('in a transaction', await rowValue(connection, id), id * 7);
  await connection.query('COMMIT');
};

export interface LoadOptions {
  readonly readers: number;
  readonly transactions: number;
  readonly writers: number;
}

export class ReadLoad {
  readonly failures: string[] = [];
  /** Rounds of the readers that were answered right. */
  reads = 0;
  /** Rows whose INSERT was answered. */
  writes = 0;
  #stopped = false;
  #calm = 0;
  readonly #loops: Promise<void>[] = [];
  /** Of each client. */
  readonly #rounds: number[] = [];

  static async start(sluice: SluiceProcess, options: LoadOptions): Promise<ReadLoad> {
    const load = new ReadLoad();
    const add = async (count: number, stepOf: (client: number) => Step) => {
      for (let client = 0; client < count; client++)
        load.#loops.push(load.#run(await sluice.connect(), stepOf(client)));
    };
    await add(options.readers, () => load.#counted(read));
    await add(options.transactions, () => load.#counted(readInTransaction));
    await add(options.writers, (client) => async (connection, n) => {
      const insert = 'INSERT INTO log (client, n) VALUES (?, ?)';
      const [result] = await connection.query<ResultSetHeader>(insert, [client, n]);
      expect('written', result.affectedRows, 1);
      load.writes++;
    });
    return load;
  }

  #counted(step: Step): Step {
    return async (connection, n) => {
      await step(connection, n);
      this.reads++;
    };
  }

  async #run(connection: Connection, step: Step): Promise<void> {
    connection.on('error', (error: Error) => this.failures.push(error.message));
    const client = this.#rounds.push(0) - 1;
    for (let n = 0; !this.#stopped && this.failures.length === 0; n++) {
      await step(connection, n).catch((error: Error) => this.failures.push(error.message));
      this.#rounds[client]! += 1;
      if (this.#calm > 0) await delay(CALM_PAUSE_MS);
    }
    await connection.end();
  }

  /** Waits until so much more has been answered. */
  async goesOn(reads: number, writes = 0): Promise<void> {
    const [readsBefore, writesBefore] = [this.reads, this.writes];
    await waitUntil(
      'the load goes on',
      () =>
        this.failures.length > 0 ||
        (this.reads >= readsBefore + reads && this.writes >= writesBefore + writes),
      { timeoutMs: 30_000 },
    );
  }

  /** Waits until each client has got so many more rounds done. */
  async goesOnEverywhere(rounds: number): Promise<void> {
    const before = [...this.#rounds];
    await waitUntil(
      'every client goes on',
      () =>
        this.failures.length > 0 || this.#rounds.every((count, client) => count >= before[client]! + rounds),
      { timeoutMs: 60_000 },
    );
  }

  /** Goes on with pauses while something takes its time that the load is not about, as the start of a server. */
  async calmly(work: () => Promise<unknown>): Promise<void> {
    this.#calm++;
    try {
      await work();
    } finally {
      this.#calm--;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }
}
