/** What the servers of all flavours have in common: a data directory, a process, a port, a socket, a root connection. */

import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  type RowDataPacket,
} from 'mysql2/promise';
import type { ServerFlavor } from '../../src/topology/server-description.ts';
import { OwnedChild } from './child-process.ts';
import { copyTemplate, type DataDirTemplate } from './data-dir-template.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from './owned-resources.ts';
import { freePort } from './ports.ts';
import { waitUntil } from './wait-until.ts';

export interface DatabaseServerOptions {
  /** For messages; `server-<port>` unless told. */
  readonly name?: string;
  /** A free one unless told. */
  readonly port?: number;
  readonly serverId?: number;
  /** More of the server's own options, e.g. `--max-connections=20`; they come last and so win. */
  readonly args?: readonly string[];
  /** Where it listens and is reached; 127.0.0.1 unless told. */
  readonly host?: string;
  /** What runs the server, e.g. `ip netns exec NAME`; it must become the server, and not stay its parent. */
  readonly runBy?: readonly string[];
  /** Instead of a folder in its temporary directory; must not exist yet. */
  readonly dataDir?: string;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 60_000;
const PORT_ATTEMPTS = 5;

export abstract class DatabaseServer {
  abstract readonly flavor: ServerFlavor;
  readonly host: string;
  readonly directory: string;
  readonly dataDir: string;
  readonly socket: string;
  readonly errorLog: string;
  readonly serverId: number;
  readonly #options: DatabaseServerOptions;
  #port: number;
  #child: OwnedChild | null = null;
  #root: Connection | null = null;
  #prepared = false;
  #args: readonly string[];

  constructor(options: DatabaseServerOptions = {}) {
    this.#options = options;
    this.#args = options.args ?? [];
    this.host = options.host ?? '127.0.0.1';
    this.#port = options.port ?? 0;
    this.serverId = options.serverId ?? 1 + Math.floor(Math.random() * 1_000_000_000);
    this.directory = makeTemporaryDirectory('server');
    this.dataDir = options.dataDir ?? join(this.directory, 'data');
    this.socket = join(this.directory, 'socket');
    this.errorLog = join(this.directory, 'error.log');
  }

  /** The program and what initialises its data directory. */
  protected abstract command(): Promise<{
    program: string;
    args: readonly string[];
    template: DataDirTemplate;
  }>;
  /** Called once, between the copy of the data directory and the first start. */
  protected async afterCopy(): Promise<void> {}

  get port(): number {
    return this.#port;
  }

  get name(): string {
    return this.#options.name ?? `server-${this.#port}`;
  }

  /** `host:port` as Sluice's configuration takes it. */
  get address(): string {
    return `${this.host}:${this.#port}`;
  }

  get pid(): number | null {
    return this.#child?.exit === null ? this.#child.pid : null;
  }

  get running(): boolean {
    return this.pid !== null;
  }

  /** Starts the server and waits until root can query it. Does nothing when it runs. */
  async start(): Promise<this> {
    if (this.running) return this;
    for (let attempt = 1; ; attempt++) {
      if (this.#port === 0) this.#port = await freePort();
      const failure = await this.#tryStart();
      if (failure === null) return this;
      const portLost =
        this.#options.port === undefined && !this.#prepared && /in use|Bind on TCP/i.test(failure);
      if (!portLost || attempt === PORT_ATTEMPTS) {
        throw new Error(`${this.flavor} ${this.name} on port ${this.#port} did not start: ${failure}`);
      }
      this.#port = 0;
    }
  }

  /** Orderly shutdown; the data stays, so that `start()` brings the same server back on the same port. */
  async stop(): Promise<void> {
    await this.#closeRoot();
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    const { timedOut } = await child.end('SIGTERM', STOP_TIMEOUT_MS);
    if (timedOut) {
      throw new Error(
        `${this.name} did not stop within ${STOP_TIMEOUT_MS} ms and was killed\n${await this.errorLogTail()}`,
      );
    }
  }

  /** SIGKILL, as a crash would be. */
  async kill(): Promise<void> {
    this.#root?.destroy();
    this.#root = null;
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    await child.end('SIGKILL', STOP_TIMEOUT_MS);
  }

  /** Stops the process without ending it: connections hang, as with a stalled disk. `resume()` ends it. */
  freeze(): void {
    this.#child?.signal('SIGSTOP');
  }

  resume(): void {
    this.#child?.signal('SIGCONT');
  }

  /** @param more options behind those that it was made with, until the next restart. */
  async restart(more: readonly string[] = []): Promise<void> {
    await this.stop();
    this.#args = [...(this.#options.args ?? []), ...more];
    await this.start();
  }

  /** Kills the server and removes all its files: for the end of a test. */
  async dispose(): Promise<void> {
    await this.kill();
    removeTemporaryDirectory(this.directory);
  }

  /** A new connection as root over the Unix socket; the caller ends it. */
  rootConnection(options: ConnectionOptions = {}): Promise<Connection> {
    return createConnection({ socketPath: this.socket, user: 'root', multipleStatements: true, ...options });
  }

  /** Runs a statement as root on a connection that is kept; rows for a SELECT, `[]`-like results otherwise. */
  async query<T extends object = Record<string, unknown>>(
    sql: string,
    values: readonly unknown[] = [],
  ): Promise<T[]> {
    if (this.#root === null) {
      const connection = await this.rootConnection();
      connection.on('error', () => {
        if (this.#root === connection) this.#root = null;
      });
      this.#root = connection;
    }
    const [rows] = await this.#root.query<RowDataPacket[]>(sql, values as unknown[]);
    return rows as unknown as T[];
  }

  /** The first column of the first row, as a string; null when there is no row or the value is NULL. */
  async queryValue(sql: string, values: readonly unknown[] = []): Promise<string | null> {
    const [row] = await this.query<Record<string, unknown>>(sql, values);
    const value = row === undefined ? null : Object.values(row)[0];
    return value === null || value === undefined ? null : String(value);
  }

  async errorLogTail(maxLines = 30): Promise<string> {
    const text = await readFile(this.errorLog, 'utf8').catch(() => '(no error log)');
    return text.trimEnd().split('\n').slice(-maxLines).join('\n');
  }

  async #tryStart(): Promise<string | null> {
    const { program, args, template } = await this.command();
    if (!this.#prepared) {
      rmSync(this.dataDir, { recursive: true, force: true });
      rmSync(this.errorLog, { force: true });
      await copyTemplate(template, this.dataDir);
      await this.afterCopy();
    }
    const [command = program, ...before] = [...(this.#options.runBy ?? []), program];
    const child = await OwnedChild.spawn({
      command,
      args: [...before, ...args, ...this.#commonArgs(), ...this.#args],
      outputFile: this.errorLog,
    });
    this.#child = child;
    try {
      await waitUntil(
        `${this.name} answers on its socket`,
        async () => child.exit !== null || (await this.query('SELECT 1')).length === 1,
        { timeoutMs: START_TIMEOUT_MS, intervalMs: 50 },
      );
    } catch (error) {
      await this.kill();
      return `${error instanceof Error ? error.message : String(error)}\n${await this.errorLogTail()}`;
    }
    if (child.exit !== null) {
      this.#child = null;
      return `it ended with ${child.exit.signal ?? `exit code ${child.exit.code}`}\n${await this.errorLogTail()}`;
    }
    this.#prepared = true;
    return null;
  }

  #commonArgs(): string[] {
    return [
      `--datadir=${this.dataDir}`,
      `--socket=${this.socket}`,
      `--pid-file=${join(this.directory, 'pid')}`,
      `--port=${this.#port}`,
      `--bind-address=${this.host}`,
      '--skip-networking=0',
      '--skip-name-resolve',
      `--server-id=${this.serverId}`,
      `--tmpdir=${this.directory}`,
      ...(process.getuid?.() === 0 ? ['--user=root'] : []),
      '--innodb-buffer-pool-size=32M',
      '--innodb-flush-log-at-trx-commit=2',
      '--sync-binlog=0',
      '--performance-schema=OFF',
      '--max-connections=500',
      '--max-connect-errors=1000000',
      '--character-set-server=utf8mb4',
    ];
  }

  async #closeRoot(): Promise<void> {
    const root = this.#root;
    this.#root = null;
    await root?.end().catch(() => root.destroy());
  }
}
