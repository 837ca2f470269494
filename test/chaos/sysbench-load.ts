/** sysbench's oltp_read_write as load beside the bank, with an exact count of the errors that it saw. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ChildExit, OwnedChild } from '../support/child-process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/owned-resources.ts';
import { APP_ACCOUNT, APP_SCHEMA } from '../support/replication-set.ts';
import { waitUntil } from '../support/wait-until.ts';

export interface SysbenchLoadOptions {
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly clients: number;
  /** Any error but a deadlock ends it, as an application without error handling. Without this it is started again. */
  readonly stopsAtErrors: boolean;
  /** How long it runs, unless it is stopped before. */
  readonly seconds: number;
}

export interface SysbenchLoadResult {
  /** False: an error ended it, which `fatal` names. */
  readonly survived: boolean;
  readonly transactions: number;
  /** How often an error has ended it and it was started again. */
  readonly deaths: number;
  /** Deadlocks and the like. */
  readonly ignoredErrors: number;
  readonly reconnects: number;
  /** What ended it; null when nothing did. */
  readonly fatal: string | null;
}

const TABLES = 2;
const ROWS = 1000;
/** Pace of its starts while it cannot connect. */
const RESTART_PAUSE_MS = 100;
/** A statement that is under way at the end may wait for a server. */
const END_TIMEOUT_MS = 30_000;
/** Deadlock, lock wait timeout, "record has changed": what any application must expect. */
const EXPECTED_ERRORS = '1213,1205,1020';

export class SysbenchLoad {
  readonly #options: SysbenchLoadOptions;
  readonly #endsAtMs: number;
  readonly #directory = makeTemporaryDirectory('sysbench');
  readonly #done: Promise<void>;
  #child: OwnedChild | null = null;
  #starts = 0;
  #fatal: string | null = null;
  #stopping = false;

  private constructor(options: SysbenchLoadOptions) {
    this.#options = options;
    this.#endsAtMs = performance.now() + options.seconds * 1000;
    this.#done = this.#run();
  }

  /** Makes the tables; once per cluster. */
  static async prepare(endpoint: SysbenchLoadOptions['endpoint']): Promise<void> {
    const child = await OwnedChild.spawn({
      command: 'sysbench',
      args: ['oltp_read_write', ...commonArgs(endpoint), 'prepare'],
    });
    const { code } = await child.exited;
    if (code !== 0) throw new Error(`sysbench prepare ended with exit code ${code}`);
  }

  /** Resolves when it has reported for the first time. */
  static async start(options: SysbenchLoadOptions): Promise<SysbenchLoad> {
    const load = new SysbenchLoad(options);
    await waitUntil('sysbench has begun', async () => parseReports(await load.#output(1)).length > 0, {
      timeoutMs: 30_000,
    });
    return load;
  }

  /** Waits until its time is over. */
  async ended(): Promise<SysbenchLoadResult> {
    await this.#done;
    return this.#result();
  }

  /** Ends it now; what it did since its last report, up to a second, is not counted. */
  async stop(): Promise<SysbenchLoadResult> {
    this.#stopping = true;
    await this.#child?.end('SIGINT', END_TIMEOUT_MS);
    await this.#done;
    return this.#result();
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const seconds = Math.ceil((this.#endsAtMs - performance.now()) / 1000);
      if (seconds <= 0 && this.#starts > 0) return;
      const exit = await this.#runOnce(Math.max(1, seconds));
      if (exit.code === 0 || this.#stopping) return;
      const output = await this.#output(this.#starts);
      this.#fatal ??= /^FATAL.*$/m.exec(output)?.[0] ?? `exit code ${exit.code}, ${exit.signal}`;
      if (this.#options.stopsAtErrors) return;
      await delay(RESTART_PAUSE_MS);
    }
  }

  async #runOnce(seconds: number): Promise<ChildExit> {
    const { endpoint, clients } = this.#options;
    this.#starts++;
    this.#child = await OwnedChild.spawn({
      command: 'sysbench',
      args: [
        'oltp_read_write',
        ...commonArgs(endpoint),
        `--threads=${clients}`,
        `--time=${seconds}`,
        '--events=0',
        '--report-interval=1',
        `--mysql-ignore-errors=${EXPECTED_ERRORS}`,
        '--db-ps-mode=disable',
        'run',
      ],
      outputFile: this.#file(this.#starts),
    });
    return this.#child.exited;
  }

  async #result(): Promise<SysbenchLoadResult> {
    const numbers = Array.from({ length: this.#starts }, (_, index) => index + 1);
    const outputs = await Promise.all(numbers.map((number) => this.#output(number)));
    removeTemporaryDirectory(this.#directory);
    const totals = outputs.map((output) => parseTotals(output) ?? sumOfReports(parseReports(output)));
    const survived = this.#fatal === null;
    return { survived, deaths: this.#starts - 1, ...sumOfReports(totals), fatal: this.#fatal };
  }

  #file(start: number): string {
    return join(this.#directory, `output${start}`);
  }

  #output(start: number): Promise<string> {
    return readFile(this.#file(start), 'utf8').catch(() => '');
  }
}

interface Totals {
  readonly transactions: number;
  readonly ignoredErrors: number;
  readonly reconnects: number;
}

/** What it prints at its end; null when an error or a signal ended it. */
export function parseTotals(output: string): Totals | null {
  const totalOf = (name: string): number | undefined => {
    const text = new RegExp(`^\\s+${name}:\\s+(\\d+)`, 'm').exec(output)?.[1];
    return text === undefined ? undefined : Number(text);
  };
  const transactions = totalOf('transactions');
  const ignoredErrors = totalOf('ignored errors');
  const reconnects = totalOf('reconnects');
  if (transactions === undefined || ignoredErrors === undefined || reconnects === undefined) return null;
  return { transactions, ignoredErrors, reconnects };
}

function sumOfReports(reports: readonly Totals[]): Totals {
  const sum = (of: keyof Totals): number =>
    Math.round(reports.reduce((total, report) => total + report[of], 0));
  return {
    transactions: sum('transactions'),
    ignoredErrors: sum('ignoredErrors'),
    reconnects: sum('reconnects'),
  };
}

/** The lines of `--report-interval`, which are there also when sysbench has ended with an error. */
export function parseReports(output: string): Totals[] {
  const pattern = /tps: ([\d.]+) .* err\/s: ([\d.]+) reconn\/s: ([\d.]+)/g;
  return [...output.matchAll(pattern)].map((match) => ({
    transactions: Number(match[1]),
    ignoredErrors: Number(match[2]),
    reconnects: Number(match[3]),
  }));
}

function commonArgs({ host, port }: SysbenchLoadOptions['endpoint']): string[] {
  return [
    '--db-driver=mysql',
    `--mysql-host=${host}`,
    `--mysql-port=${port}`,
    `--mysql-user=${APP_ACCOUNT.username}`,
    `--mysql-password=${APP_ACCOUNT.password}`,
    `--mysql-db=${APP_SCHEMA}`,
    '--mysql-ssl=off',
    `--tables=${TABLES}`,
    `--table-size=${ROWS}`,
  ];
}
