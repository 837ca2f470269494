/** One client of the bank: moves money between two accounts, one transaction after the other, and keeps book of each. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import type { SeededRandom } from '../support/seeded-random.ts';
import {
  outcomeOfFailure,
  type Transfer,
  type TransferFailure,
  TransferOutcome,
  TransferStep,
} from './transfer.ts';

export interface BankClientOptions {
  /** From 0; ids of transfers begin with it. */
  readonly number: number;
  readonly accounts: number;
  readonly connect: () => Promise<Connection>;
  readonly random: SeededRandom;
  /** Think time between two transfers: the pace of the load. */
  readonly pauseMs: number;
  /** Statements with parameters are prepared ones. */
  readonly prepares: boolean;
}

/** Far more than a client makes. */
const IDS_PER_CLIENT = 1_000_000_000;
/** Pace of a client that cannot connect: without one it would do nothing else. */
const RECONNECT_PAUSE_MS = 20;

const UPDATE = 'UPDATE bank_account SET balance = balance + ? WHERE id = ?';
/** Says itself on which server, and when, it ran: replicas get the values and not the expressions. */
const INSERT =
  'INSERT INTO bank_ledger (transfer, from_account, to_account, amount, server_id, at_micros) ' +
  'VALUES (?, ?, ?, ?, @@server_id, CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED))';

export class BankClient {
  readonly transfers: Transfer[] = [];
  readonly #options: BankClientOptions;
  readonly #done: Promise<void>;
  #connection: Connection | null = null;
  #step: TransferStep = TransferStep.connect;
  #stopping = false;

  constructor(options: BankClientOptions) {
    this.#options = options;
    this.#done = this.#work();
  }

  get acknowledged(): number {
    return this.transfers.reduce(
      (count, { outcome }) => count + Number(outcome === TransferOutcome.acknowledged),
      0,
    );
  }

  /** Lets the transfer that is under way end, up to `graceMs`; then its connection is broken. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const timer = setTimeout(() => this.#connection?.destroy(), graceMs);
    // A destroyed connection of mysql2 leaves its query unanswered for ever.
    const late = new AbortController();
    const givenUp = delay(graceMs + 1000, undefined, { signal: late.signal }).catch(() => undefined);
    await Promise.race([this.#done, givenUp]);
    late.abort();
    clearTimeout(timer);
    this.#giveUpPending();
    this.#connection?.destroy();
  }

  #pending: { readonly id: number; readonly startedAtMs: number } | null = null;

  async #work(): Promise<void> {
    const { number, pauseMs } = this.#options;
    for (let id = number * IDS_PER_CLIENT + 1; !this.#stopping; id++) {
      this.#pending = { id, startedAtMs: performance.now() };
      let failure: TransferFailure | null = null;
      try {
        await this.#transfer(id);
      } catch (error) {
        failure = this.#failureOf(error as Error & { errno?: number });
        this.#connection?.destroy();
        this.#connection = null;
      }
      this.#record(failure);
      if (failure !== null) await delay(RECONNECT_PAUSE_MS);
      else if (pauseMs > 0) await delay(pauseMs);
    }
  }

  async #transfer(id: number): Promise<void> {
    const { accounts, random, prepares } = this.#options;
    this.#step = TransferStep.connect;
    const connection = await this.#connected();
    const amount = 1 + random.below(100);
    const from = 1 + random.below(accounts);
    const to = 1 + ((from - 1 + 1 + random.below(accounts - 1)) % accounts);
    const run = (sql: string, values: number[]): Promise<unknown> =>
      prepares ? connection.execute(sql, values) : connection.query(sql, values);
    this.#step = TransferStep.begin;
    await connection.query('START TRANSACTION');
    this.#step = TransferStep.body;
    // In the order of their ids, so that two transfers never wait for each other.
    for (const account of [from, to].toSorted((a, b) => a - b)) {
      await run(UPDATE, [account === from ? -amount : amount, account]);
    }
    await run(INSERT, [id, from, to, amount]);
    this.#step = TransferStep.commit;
    await connection.query('COMMIT');
  }

  async #connected(): Promise<Connection> {
    if (this.#connection !== null) return this.#connection;
    const connection = await this.#options.connect();
    connection.on('error', () => {
      if (this.#connection === connection) this.#connection = null;
    });
    this.#connection = connection;
    return connection;
  }

  #failureOf(error: Error & { readonly errno?: number }): TransferFailure {
    // Of errors of the network mysql2 tells the system's number, which is negative.
    const errno = error.errno !== undefined && error.errno > 0 ? error.errno : 0;
    return { step: this.#step, errno, message: error.message };
  }

  #record(failure: TransferFailure | null): void {
    const pending = this.#pending;
    if (pending === null) return;
    this.#pending = null;
    const outcome = failure === null ? TransferOutcome.acknowledged : outcomeOfFailure(failure);
    this.transfers.push({
      ...pending,
      client: this.#options.number,
      endedAtMs: performance.now(),
      outcome,
      failure,
    });
  }

  #giveUpPending(): void {
    this.#record({ step: this.#step, errno: 0, message: 'the test ended before it was answered' });
  }
}
