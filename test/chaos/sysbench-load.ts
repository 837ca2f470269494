/** sysbench's oltp_read_write as load beside the bank, with an exact count of the errors that it saw. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OwnedChild } from '../support/child-process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../support/owned-resources.ts';
import { APP_ACCOUNT, APP_SCHEMA } from '../support/replication-set.ts';
import { waitUntil } from '../support/wait-until.ts';

export interface SysbenchLoadOptions {
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly clients: number;
  /** Any error but a deadlock ends it, as an application without error handling; else it reconnects and goes on. */
  readonly stopsAtErrors: boolean;
  /** How long it runs, unless it is stopped before. */
  readonly seconds: number;
}

export interface SysbenchLoadResult {
  /** False: an error ended it, which `output` names. */
  readonly survived: boolean;
  readonly transactions: number;
  /** Deadlocks, and with `stopsAtErrors: false` every other error. */
  readonly ignoredErrors: number;
  readonly reconnects: number;
  readonly output: string;
}

const TABLES = 2;
const ROWS = 1000;
/** A statement that is under way at the end may wait for a server. */
const END_TIMEOUT_MS = 30_000;
/** Deadlock, lock wait timeout, "record has changed": what any application must expect. */
const EXPECTED_ERRORS = '1213,1205,1020';

export class SysbenchLoad {
  readonly #child: OwnedChild;
  readonly #directory: string;

  private constructor(child: OwnedChild, directory: string) {
    this.#child = child;
    this.#directory = directory;
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

  static async start(options: SysbenchLoadOptions): Promise<SysbenchLoad> {
    const directory = makeTemporaryDirectory('sysbench');
    const child = await OwnedChild.spawn({
      command: 'sysbench',
      args: [
        'oltp_read_write',
        ...commonArgs(options.endpoint),
        `--threads=${options.clients}`,
        `--time=${options.seconds}`,
        '--events=0',
        '--report-interval=1',
        `--mysql-ignore-errors=${options.stopsAtErrors ? EXPECTED_ERRORS : 'all'}`,
        '--db-ps-mode=disable',
        'run',
      ],
      outputFile: join(directory, 'output'),
    });
    const load = new SysbenchLoad(child, directory);
    await waitUntil(
      'sysbench has begun',
      async () => child.exit !== null || (await load.#reports()).length > 0,
    );
    return load;
  }

  get running(): boolean {
    return this.#child.exit === null;
  }

  /** Waits until it ends by itself. */
  async ended(): Promise<SysbenchLoadResult> {
    const { code } = await this.#child.exited;
    return this.#result(code === 0);
  }

  /** Ends it now; what it did since its last report, up to a second, is not counted. */
  async stop(): Promise<SysbenchLoadResult> {
    const survived = this.running;
    await this.#child.end('SIGINT', END_TIMEOUT_MS);
    return this.#result(survived);
  }

  async #result(survived: boolean): Promise<SysbenchLoadResult> {
    const output = await this.#output();
    removeTemporaryDirectory(this.#directory);
    return { survived, ...(parseTotals(output) ?? sumOfReports(parseReports(output))), output };
  }

  #output(): Promise<string> {
    return readFile(join(this.#directory, 'output'), 'utf8');
  }

  async #reports(): Promise<Totals[]> {
    return parseReports(await this.#output());
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
