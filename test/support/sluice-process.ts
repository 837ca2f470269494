/** A Sluice of this checkout as a process of its own, with a configuration, ports and log that the test can see. */

import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Connection, type ConnectionOptions, createConnection } from 'mysql2/promise';
import { stringify } from 'yaml';
import { type ChildExit, OwnedChild } from './child-process.ts';
import { probe } from './http-probe.ts';
import { nodeProgram } from './node-program.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from './owned-resources.ts';
import { freePort } from './ports.ts';
import { APP_ACCOUNT, APP_SCHEMA, MONITOR_ACCOUNT, type ReplicationSet } from './replication-set.ts';
import { SLUICE_SCRIPT } from './sluice-script.ts';
import { waitUntil } from './wait-until.ts';

export type ConfigObject = { readonly [key: string]: unknown };

export interface SluiceOptions {
  /** Laid over `baseConfig`, key by key; lists replace lists. */
  readonly config?: ConfigObject;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Instead of the checkout's, e.g. the binary of an installed package. */
  readonly command?: { readonly program: string; readonly args: readonly string[] };
  readonly startTimeoutMs?: number;
  /** Free ones unless told. */
  readonly ports?: SluicePorts;
  /** Where it says that it is ready, unless on its http port. */
  readonly readyUrl?: string;
  /** Out of reach of the terminal's Ctrl-C. */
  readonly ownGroup?: boolean;
  /** Where it listens and is reached; 127.0.0.1 unless told. */
  readonly host?: string;
  /** What runs it, e.g. `ip netns exec NAME`; it must become Sluice, and not stay its parent. */
  readonly runBy?: readonly string[];
}

export interface SluicePorts {
  readonly clients: number;
  readonly admin: number;
  readonly http: number;
}

/** A line of the log; `raw` holds what is not JSON. */
export interface LogLine {
  readonly level?: string | number;
  readonly msg?: string;
  readonly raw?: string;
  readonly [key: string]: unknown;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 40_000;
const READY_POLL_MS = 50;
const LOG_LINES_IN_ERRORS = 40;

export class SluiceProcess {
  readonly host: string;
  readonly directory: string;
  readonly configFile: string;
  readonly port: number;
  readonly adminPort: number;
  readonly httpPort: number;
  readonly log: LogLine[] = [];
  readonly #options: SluiceOptions;
  #child: OwnedChild | null = null;

  private constructor(options: SluiceOptions, ports: SluicePorts) {
    this.port = ports.clients;
    this.adminPort = ports.admin;
    this.httpPort = ports.http;
    this.#options = options;
    this.host = options.host ?? '127.0.0.1';
    this.directory = makeTemporaryDirectory('sluice');
    this.configFile = join(this.directory, 'sluice.yaml');
    this.writeConfig(options.config ?? {});
  }

  /** Starts Sluice and waits until it says that it is ready. */
  static async start(options: SluiceOptions): Promise<SluiceProcess> {
    const sluice = new SluiceProcess(options, options.ports ?? (await freeSluicePorts()));
    try {
      await sluice.#spawn();
      await sluice.waitUntilReady();
    } catch (error) {
      await sluice.dispose();
      throw error;
    }
    return sluice;
  }

  /** In front of a replication set, knowing its application account; `options.config` is laid over that. */
  static startFor(set: ReplicationSet, options: SluiceOptions = {}): Promise<SluiceProcess> {
    const config = {
      servers: [set.primary.address],
      users: [{ username: APP_ACCOUNT.username, password: APP_ACCOUNT.password }],
    };
    return SluiceProcess.start({ ...options, config: mergeConfig(config, options.config ?? {}) });
  }

  /** Rewrites the configuration file: `config` over the ports and what makes a test quick. */
  writeConfig(config: ConfigObject): void {
    const base = {
      listen: { host: this.host, port: this.port },
      admin: { host: this.host, port: this.adminPort },
      http: { host: this.host, port: this.httpPort },
      workers: 2,
      // On a busy machine a server that is well must not look as if it hung.
      monitor: { ...MONITOR_ACCOUNT, intervalMs: 200, timeoutMs: 2000 },
      log: { level: 'debug', pretty: false },
    };
    writeFileSync(this.configFile, stringify(mergeConfig(base, config)));
  }

  get pid(): number {
    if (this.#child === null) throw new Error('Sluice was not started');
    return this.#child.pid;
  }

  /** How the process ended; null while it runs. */
  get exit(): ChildExit | null {
    return this.#child?.exit ?? null;
  }

  get exited(): Promise<ChildExit> {
    if (this.#child === null) throw new Error('Sluice was not started');
    return this.#child.exited;
  }

  async waitUntilReady(): Promise<void> {
    const timeoutMs = this.#options.startTimeoutMs ?? START_TIMEOUT_MS;
    const ready = waitUntil(
      'Sluice answers 200 on /readyz',
      async () => this.exit !== null || (await this.#isReady()),
      { timeoutMs, intervalMs: READY_POLL_MS },
    );
    await ready.catch((error: Error) => {
      throw new Error(`${error.message}\n${this.logTail()}`, { cause: error });
    });
    if (this.exit !== null) {
      const { code, signal } = this.exit;
      throw new Error(
        `Sluice ended with ${signal ?? `exit code ${code}`} before it was ready\n${this.logTail()}`,
      );
    }
  }

  /** SIGTERM; Sluice must end by itself, with exit code 0. */
  async stop(timeoutMs = STOP_TIMEOUT_MS): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    const { code, signal, timedOut } = await child.end('SIGTERM', timeoutMs);
    if (timedOut)
      throw new Error(`Sluice did not stop within ${timeoutMs} ms and was killed\n${this.logTail()}`);
    if (code !== 0) throw new Error(`Sluice ended with ${signal ?? `exit code ${code}`}\n${this.logTail()}`);
  }

  /** SIGTERM, then the same configuration anew. */
  async restart(): Promise<void> {
    await this.stop();
    await this.startAgain();
  }

  /** The same configuration anew, after it has ended in whatever way. */
  async startAgain(): Promise<void> {
    await this.#spawn();
    await this.waitUntilReady();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.signal(signal);
  }

  async kill(): Promise<void> {
    await this.#child?.end('SIGKILL', STOP_TIMEOUT_MS);
  }

  /** For the end of a test: kills the process if it still runs and removes its files. */
  async dispose(): Promise<void> {
    await this.kill();
    removeTemporaryDirectory(this.directory);
  }

  /** A client's connection through Sluice, as `app` into schema `app` unless told otherwise; the caller ends it. */
  connect(options: ConnectionOptions = {}): Promise<Connection> {
    return createConnection({
      host: this.host,
      port: this.port,
      user: APP_ACCOUNT.username,
      password: APP_ACCOUNT.password,
      database: APP_SCHEMA,
      ...options,
    });
  }

  /** An operator's connection; `database` is the schema that EXPLAIN ROUTE takes names to be in. */
  adminConnection(options: ConnectionOptions = {}): Promise<Connection> {
    return createConnection({
      host: this.host,
      port: this.adminPort,
      user: 'admin',
      password: 'admin',
      ...options,
    });
  }

  async #isReady(): Promise<boolean> {
    const { readyUrl = `http://${this.host}:${this.httpPort}/readyz` } = this.#options;
    const { status, body } = await probe(readyUrl);
    if (status !== 200) throw new Error(`${status} ${body}`);
    return true;
  }

  get(path: string): Promise<Response> {
    return fetch(`http://${this.host}:${this.httpPort}${path}`, { signal: AbortSignal.timeout(30_000) });
  }

  /** The samples of /metrics: `name{label="value"}` as exposed → value. */
  async metrics(): Promise<Map<string, number>> {
    const response = await this.get('/metrics');
    if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
    const samples = new Map<string, number>();
    for (const line of (await response.text()).split('\n')) {
      if (line === '' || line.startsWith('#')) continue;
      const end = line.lastIndexOf(' ');
      samples.set(line.slice(0, end), Number(line.slice(end + 1)));
    }
    return samples;
  }

  /** The sum of a metric's samples whose labels include these. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    let sum = 0;
    for (const [sample, value] of await this.metrics()) {
      if (sample !== name && !sample.startsWith(`${name}{`)) continue;
      if (Object.entries(labels).every(([label, wanted]) => sample.includes(`${label}="${wanted}"`)))
        sum += value;
    }
    return sum;
  }

  /** Resident memory in bytes, all threads together. */
  async rss(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kilobytes === undefined) throw new Error(`no VmRSS in /proc/${this.pid}/status`);
    return Number(kilobytes) * 1024;
  }

  /** Whether a line so far holds this text (in its JSON form), or matches. */
  logContains(wanted: string | RegExp): boolean {
    return this.log.some((line) => matches(line, wanted));
  }

  async waitForLog(wanted: string | RegExp, timeoutMs?: number): Promise<LogLine> {
    return waitUntil(
      `Sluice logs ${wanted}`,
      () => this.log.find((line) => matches(line, wanted)),
      timeoutMs === undefined ? {} : { timeoutMs },
    );
  }

  logTail(): string {
    return this.log
      .slice(-LOG_LINES_IN_ERRORS)
      .map((line) => line.raw ?? JSON.stringify(line))
      .join('\n');
  }

  async #spawn(): Promise<void> {
    const { program, args } = this.#options.command ?? {
      program: await nodeProgram(),
      args: [SLUICE_SCRIPT],
    };
    const [command = program, ...before] = [...(this.#options.runBy ?? []), program];
    this.#child = await OwnedChild.spawn({
      command,
      args: [...before, ...args, '--config', this.configFile, ...(this.#options.args ?? [])],
      cwd: this.directory,
      env: { ...process.env, ...this.#options.env },
      ownGroup: this.#options.ownGroup ?? false,
    });
    for (const stream of [this.#child.process.stdout, this.#child.process.stderr]) {
      if (stream !== null)
        createInterface({ input: stream }).on('line', (line) => this.log.push(parseLogLine(line)));
    }
  }
}

export async function freeSluicePorts(): Promise<SluicePorts> {
  const [clients, admin, http] = await Promise.all([freePort(), freePort(), freePort()]);
  return { clients, admin, http };
}

function matches(line: LogLine, wanted: string | RegExp): boolean {
  const text = line.raw ?? JSON.stringify(line);
  return typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text);
}

function parseLogLine(line: string): LogLine {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as LogLine;
  } catch {
    // Not JSON: a crash of Node, for example.
  }
  return { raw: line };
}

/** `over` wins; objects are merged, everything else is replaced. */
export function mergeConfig(base: ConfigObject, over: ConfigObject): ConfigObject {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const present = merged[key];
    merged[key] = isObject(present) && isObject(value) ? mergeConfig(present, value) : value;
  }
  return merged;
}

function isObject(value: unknown): value is ConfigObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
