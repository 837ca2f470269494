/**
 * The store as the main thread sees it: starts the store process at the first need and again after it was lost, and
 * gives it one request after the other.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SqlRow, TableRows } from '../../common/admin-tables/admin-table.ts';
import type { Logger } from '../../common/logger.ts';
import type { StoreInput, StoreLayer, StoreRequest, TrustedStatement } from '../../common/store-messages.ts';
import { makePrivateFolder, removePrivateFolder } from './private-folder.ts';
import { decodeSlice, HeldBytes, ReceivedRowsOnce } from './received-result.ts';
import {
  DISK_FILE,
  HISTORY_FILE,
  type StoreClient,
  type StoreResult,
  type StoreStatement,
} from './store-client.ts';
import { StoreError } from './store-error.ts';
import { DEFAULT_STORE_LIMITS, type StoreClientLimits } from './store-limits.ts';
import { type StoreExchange, StoreProcess } from './store-process.ts';

export type FilledRows = Iterable<SqlRow> | AsyncIterable<SqlRow>;

export interface SqliteStoreOptions {
  readonly dataDir: string | null;
  readonly logger: Logger;
  /** What MEMORY holds before anybody has changed it. Called whenever its tables had to be made anew. */
  readonly seed: () => readonly TableRows[] | Promise<readonly TableRows[]>;
  /** The rows of a table that is filled when it is read, named `schema.table`. */
  readonly fill: (table: string) => FilledRows | Promise<FilledRows>;
  readonly limits?: Partial<StoreClientLimits>;
}

interface Done {
  readonly columns: readonly string[];
  readonly slices: Uint8Array[];
  readonly rowCount: number;
  readonly changes: number;
  readonly lastRowid: number | bigint;
  readonly written: readonly string[];
}

/** Goes into nothing when the request is over. */
type Send = (input: StoreInput) => void;

/** Rows in one message, and in one turn of the event loop. */
const ROWS_PER_MESSAGE = 500;

export class SqliteStore implements StoreClient {
  readonly dataDir: string | null;
  readonly #options: SqliteStoreOptions;
  readonly #limits: StoreClientLimits;
  readonly #held = new HeldBytes();
  #process: StoreProcess | null = null;
  #folder: string | null = null;
  #tail: Promise<unknown> = Promise.resolve();
  #queued = 0;
  #closed = false;
  #notices: readonly string[] = [];

  constructor(options: SqliteStoreOptions) {
    this.#options = options;
    this.dataDir = options.dataDir;
    this.#limits = { ...DEFAULT_STORE_LIMITS, ...options.limits };
  }

  get notices(): readonly string[] {
    return this.#notices;
  }

  get isRunning(): boolean {
    return this.#folder !== null;
  }

  /** Of the process that runs, for those who watch it. */
  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  async execute({ sql, parameters = [], role, context }: StoreStatement): Promise<StoreResult> {
    const { statementTimeoutMs } = this.#limits;
    const { slices, ...rest } = await this.#inTurn(async (process) => {
      this.#assertRoom();
      const request = { kind: 'execute', sql, parameters, role, context } as const;
      return this.#exchange(process, request, statementTimeoutMs, 'The statement');
    }, statementTimeoutMs);
    return { ...rest, rows: new ReceivedRowsOnce(slices, this.#held) };
  }

  async readTables(layer: StoreLayer, tables: readonly string[]): Promise<readonly TableRows[]> {
    const { slices } = await this.#inTurn((process) =>
      this.#ask(process, { kind: 'read', layer, tables }, 'Reading tables'),
    );
    const rows = tables.map((): SqlRow[] => []);
    for (const bytes of slices) {
      const part = decodeSlice(bytes);
      for (const row of part.rows) rows[part.table]?.push(row as SqlRow);
      await nextTurn();
    }
    return tables.map((table, index) => ({ table, rows: rows[index] ?? [] }));
  }

  async replaceTables(layer: StoreLayer, tables: readonly TableRows[]): Promise<void> {
    await this.#inTurn((process) => this.#replace(process, layer, tables));
  }

  async copyTables(from: StoreLayer, to: StoreLayer, tables: readonly string[]): Promise<void> {
    await this.#inTurn((process) => this.#ask(process, { kind: 'copy', from, to, tables }, 'Copying tables'));
  }

  async internal(statements: readonly TrustedStatement[]): Promise<readonly SqlRow[]> {
    const { slices } = await this.#inTurn((process) =>
      this.#ask(process, { kind: 'internal', statements }, 'The work of the store'),
    );
    return slices.flatMap((bytes) => decodeSlice(bytes).rows as readonly SqlRow[]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#process?.close();
    await this.#tail.catch(() => undefined);
    if (this.#folder !== null) removePrivateFolder(this.#folder);
    this.#folder = null;
  }

  // ---- one after the other

  #inTurn<T>(
    work: (process: StoreProcess) => Promise<T>,
    timeoutMs = this.#limits.internalTimeoutMs,
  ): Promise<T> {
    if (this.#closed) return Promise.reject(new StoreError('lost', 'Sluice stops'));
    const { maxQueued } = this.#limits;
    if (this.#queued >= maxQueued) {
      return Promise.reject(
        new StoreError('limit', `${maxQueued} statements wait already, which is the limit: try again`),
      );
    }
    this.#queued += 1;
    const queuedAtMs = performance.now();
    const result = this.#tail.then(async () => {
      this.#assertInTime(queuedAtMs, timeoutMs);
      return work(await this.#usableProcess());
    });
    this.#tail = result.then(
      () => this.#leave(),
      () => this.#leave(),
    );
    return result;
  }

  /** Who has waited so long is not waited for any more: running his statement late would only surprise him. */
  #assertInTime(queuedAtMs: number, timeoutMs: number): void {
    if (performance.now() - queuedAtMs < timeoutMs) return;
    throw new StoreError(
      'timeout',
      `The statement waited for others longer than ${timeoutMs} ms, which is the limit`,
    );
  }

  #leave(): void {
    this.#queued -= 1;
  }

  async #usableProcess(): Promise<StoreProcess> {
    if (this.#closed) throw new StoreError('lost', 'Sluice stops');
    if (this.#process?.isUsable === true) return this.#process;
    return this.#start();
  }

  async #start(): Promise<StoreProcess> {
    const { dataDir, logger, seed } = this.#options;
    // Those who tidy up temporary folders may have taken it.
    if (this.#folder !== null && !existsSync(this.#folder)) this.#folder = null;
    this.#folder ??= makePrivateFolder([dataDir]);
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const script = new URL(`../../store/store-main.${extension}`, import.meta.url);
    const started: StoreProcess = new StoreProcess(script, this.#limits.maxMemoryBytes, () => {
      if (this.#process === started) this.#process = null;
    });
    this.#process = started;
    const reply = await started.open(
      { kind: 'open', files: this.#files(), limits: this.#limits },
      this.#limits.internalTimeoutMs,
    );
    if (reply.kind !== 'opened') throw new StoreError('lost', 'The store did not open');
    for (const notice of reply.notices) {
      if (!this.#notices.includes(notice)) logger.warn('store', { notice });
    }
    this.#notices = reply.notices;
    logger.debug('store process started', { pid: started.pid });
    if (reply.isMemoryNew) await this.#replace(started, 'memory', await seed());
    return started;
  }

  #files(): Extract<StoreRequest, { kind: 'open' }>['files'] {
    const { dataDir } = this.#options;
    return {
      memory: this.#folder === null ? null : join(this.#folder, 'memory.db'),
      disk: dataDir === null ? null : join(dataDir, DISK_FILE),
      history: dataDir === null ? null : join(dataDir, HISTORY_FILE),
    };
  }

  // ---- one request

  #replace(process: StoreProcess, layer: StoreLayer, tables: readonly TableRows[]): Promise<Done> {
    const request = { kind: 'replace', layer, tables: tables.map(({ table }) => table) } as const;
    const filled = tables.map(({ table, rows }) => [table, rows] as const);
    const { internalTimeoutMs } = this.#limits;
    return this.#exchange(process, request, internalTimeoutMs, 'Replacing tables', (send) =>
      sendTables(send, filled),
    );
  }

  #ask(process: StoreProcess, request: Exclude<StoreRequest, { kind: 'open' }>, what: string): Promise<Done> {
    return this.#exchange(process, request, this.#limits.internalTimeoutMs, what);
  }

  /** @param provide gives the rows that the request waits for from the beginning */
  async #exchange(
    process: StoreProcess,
    request: Exclude<StoreRequest, { kind: 'open' }>,
    timeoutMs: number,
    what: string,
    provide?: (send: Send) => Promise<void>,
  ): Promise<Done> {
    const slices: Uint8Array[] = [];
    const exchange: StoreExchange = {
      onReply: (reply) => {
        if (reply.kind === 'need') void this.#fill(reply.tables, send);
        else {
          slices.push(reply.bytes);
          send({ kind: 'nextSlice' });
        }
      },
    };
    const send: Send = (input) => process.send(exchange, input);
    const answer = process.run(request, timeoutMs, what, exchange);
    void provide?.(send);
    const reply = await answer;
    if (reply.kind !== 'done') throw new StoreError('lost', 'The store process gave no answer');
    const { columns, rowCount, changes, lastRowid, written } = reply;
    return { columns, slices, rowCount, changes, lastRowid, written };
  }

  async #fill(tables: readonly string[], send: Send): Promise<void> {
    try {
      const filled: (readonly [string, FilledRows])[] = [];
      for (const table of tables) filled.push([table, await this.#options.fill(table)]);
      await sendTables(send, filled);
    } catch (error) {
      this.#options.logger.error('a table cannot be filled', { tables, err: error });
      send({ kind: 'abort', reason: `The rows of ${tables.join(', ')} cannot be had; the log says why` });
    }
  }

  #assertRoom(): void {
    const { maxHeldBytes } = this.#limits;
    if (this.#held.bytes < maxHeldBytes) return;
    const mebibytes = Math.floor(maxHeldBytes / 1024 / 1024);
    throw new StoreError(
      'limit',
      `Clients have not taken ${mebibytes} MiB of results yet, which is the limit: try again`,
    );
  }
}

/** In slices, a turn of the event loop each. */
async function sendTables(send: Send, tables: Iterable<readonly [string, FilledRows]>): Promise<void> {
  for (const [table, source] of tables) {
    let rows: SqlRow[] = [];
    for await (const row of source) {
      rows.push(row);
      if (rows.length < ROWS_PER_MESSAGE) continue;
      send({ kind: 'rows', table, rows });
      rows = [];
      await nextTurn();
    }
    if (rows.length > 0) send({ kind: 'rows', table, rows });
  }
  send({ kind: 'endOfRows' });
}
