/** Many clients that transfer money: the workload whose invariants tell whether a write was lost or doubled. */

import type { Connection } from 'mysql2/promise';
import type { DatabaseServer } from '../support/database-server.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { waitUntil } from '../support/wait-until.ts';
import { BankClient } from './bank-client.ts';
import type { LedgerRow, Transfer } from './transfer.ts';

export interface BankOptions {
  readonly clients: number;
  readonly connect: () => Promise<Connection>;
  /** 100 unless told. */
  readonly accounts?: number;
  /** Between two transfers of a client; 0 unless told. */
  readonly pauseMs?: number;
  readonly random?: SeededRandom;
}

export const INITIAL_BALANCE = 1_000_000;
const DEFAULT_ACCOUNTS = 100;

/** The tables, with every account at `INITIAL_BALANCE`; for a ReplicationSet's `sql`. */
export function bankTables(accounts = DEFAULT_ACCOUNTS): string[] {
  const rows = Array.from({ length: accounts }, (_, index) => `(${index + 1}, ${INITIAL_BALANCE})`);
  return [
    'CREATE TABLE app.bank_account (id INT PRIMARY KEY, balance BIGINT NOT NULL) ENGINE=InnoDB',
    // A transfer that was executed twice must be visible, and so its id is no unique key. No key is made by the server: a
    // transaction that runs again on another one could not be given the same.
    'CREATE TABLE app.bank_ledger (transfer BIGINT NOT NULL, ' +
      'from_account INT NOT NULL, to_account INT NOT NULL, amount INT NOT NULL, server_id BIGINT NOT NULL, ' +
      'at_micros BIGINT NOT NULL, KEY (transfer)) ENGINE=InnoDB',
    `INSERT INTO app.bank_account VALUES ${rows.join(', ')}`,
  ];
}

export class BankWorkload {
  readonly #clients: readonly BankClient[];

  private constructor(clients: readonly BankClient[]) {
    this.#clients = clients;
  }

  static start(options: BankOptions): BankWorkload {
    const { connect, accounts = DEFAULT_ACCOUNTS, pauseMs = 0 } = options;
    const random = options.random ?? SeededRandom.fromEnvironment();
    const makeClient = (_: unknown, number: number): BankClient =>
      new BankClient({
        number,
        accounts,
        connect,
        pauseMs,
        random: random.fork(number),
        prepares: number % 2 === 1,
      });
    return new BankWorkload(Array.from({ length: options.clients }, makeClient));
  }

  get acknowledged(): number {
    return this.#clients.reduce((sum, client) => sum + client.acknowledged, 0);
  }

  /** Waits until every client has had `count` more transfers acknowledged. */
  async waitForEach(count: number, timeoutMs = 30_000): Promise<void> {
    const wanted = this.#clients.map((client) => client.acknowledged + count);
    await waitUntil(
      `every client has ${count} more transfers acknowledged`,
      () => this.#clients.every((client, index) => client.acknowledged >= wanted[index]!),
      { timeoutMs },
    );
  }

  /** What all clients know, in the order in which the transfers ended. */
  async stop(graceMs = 10_000): Promise<readonly Transfer[]> {
    await Promise.all(this.#clients.map((client) => client.stop(graceMs)));
    return this.#clients.flatMap((client) => client.transfers).toSorted((a, b) => a.endedAtMs - b.endedAtMs);
  }
}

interface LedgerRecord {
  readonly transfer: string | number;
  readonly from_account: number;
  readonly to_account: number;
  readonly amount: number;
  readonly server_id: string | number;
  readonly at_micros: string | number;
}

/** What a server has in its ledger, in the order in which it was written. */
export async function readLedger(server: DatabaseServer): Promise<LedgerRow[]> {
  const rows = await server.query<LedgerRecord>('SELECT * FROM app.bank_ledger ORDER BY at_micros');
  return rows.map((row) => ({
    transfer: Number(row.transfer),
    fromAccount: row.from_account,
    toAccount: row.to_account,
    amount: row.amount,
    serverId: Number(row.server_id),
    atMicros: Number(row.at_micros),
  }));
}

/** Account → balance. */
export async function readBalances(server: DatabaseServer): Promise<Map<number, number>> {
  const rows = await server.query<{ id: number; balance: number | string }>(
    'SELECT id, balance FROM app.bank_account',
  );
  return new Map(rows.map(({ id, balance }) => [id, Number(balance)]));
}
