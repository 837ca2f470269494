/** Pools of "workers" that share counters, in front of a real server; time-outs pass when the test says so. */

import { Command } from '../../../protocol/index.ts';
import {
  ServerGauge,
  SharedCounters,
  serverGauge,
  type WorkerCounter,
} from '../../../src/common/shared-counters.ts';
import type { SnapshotServer, SnapshotSettings } from '../../../src/common/snapshot.ts';
import { TimerWheel } from '../../../src/common/timer-wheel.ts';
import type { BackendConnection } from '../../../src/data/backend/backend-connection.ts';
import { type ConnectionKey, connectionKeyOf } from '../../../src/data/backend/connection-key.ts';
import { makeCredentials } from '../../../src/data/backend/credentials.ts';
import type { PoolFailure, PoolRequest } from '../../../src/data/backend/pool-request.ts';
import { ownReply, type RecordedResult, RecordingReply } from '../../../src/data/backend/recording-reply.ts';
import { ServerPool } from '../../../src/data/backend/server-pool.ts';
import type { SessionVariables } from '../../../src/data/backend/session-variables.ts';
import { FlushScheduler } from '../../../src/data/io/flush-scheduler.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { POOL_SETTINGS } from './made-snapshot.ts';

export type PoolSettings = SnapshotSettings['pool'];

export class PoolRig {
  readonly shared: SharedCounters;
  readonly pool: ServerPool;
  readonly wheel: TimerWheel;
  readonly failures: string[] = [];
  readonly log: string[] = [];
  readonly #workerIndex: number;
  readonly #slot: number;
  #nowMs = 1000;

  constructor(
    server: SnapshotServer,
    settings: Partial<PoolSettings> = {},
    shared = new SharedCounters(),
    workerIndex = 0,
  ) {
    this.shared = shared;
    this.wheel = new TimerWheel(() => this.#nowMs, 50);
    this.#workerIndex = workerIndex;
    this.#slot = server.slot;
    this.pool = new ServerPool(
      server,
      { ...POOL_SETTINGS, ...settings },
      {
        workers: 2,
        counters: shared,
        workerCounters: shared.worker(workerIndex),
        wheel: this.wheel,
        scheduler: new FlushScheduler(() => undefined),
        measurements: { lagMs: () => -1, appliedGtid: () => 0 },
        serverFailed: (address, reason) => this.failures.push(`${address} ${reason}`),
        log: (_level, message, fields) => this.log.push(`${message} ${JSON.stringify(fields)}`),
        learnedInitial: () => undefined,
      },
    );
  }

  pass(ms: number): void {
    for (let left = ms; left > 0; left -= 50) {
      this.#nowMs += Math.min(50, left);
      this.wheel.advance();
    }
  }

  counter(counter: WorkerCounter): number {
    return this.shared.worker(this.#workerIndex).get(counter);
  }

  gauge(gauge: keyof typeof ServerGauge): number {
    return this.shared.gauge(serverGauge(this.#slot, ServerGauge[gauge]));
  }

  /** Asks for a connection; `request.connection` has it at once, or later. */
  ask(request: TestRequest): TestRequest {
    const connection = this.pool.checkOut(request);
    if (connection !== null) request.connectionAvailable(connection);
    return request;
  }

  async get(key: ConnectionKey, more: RequestOptions = {}): Promise<BackendConnection> {
    return this.ask(new TestRequest(key, more)).ready();
  }

  /** Everything closes; resolves when the gauges say so. */
  async end(): Promise<void> {
    this.pool.close();
    this.pool.destroyAll('the test is over');
    await waitUntil('all connections are closed', () => this.pool.size === 0);
  }
}

export interface RequestOptions {
  readonly schema?: string | null;
  readonly variables?: SessionVariables | null;
  readonly batchDepth?: number;
  readonly collationId?: number;
}

export class TestRequest implements PoolRequest {
  readonly connectionKey: ConnectionKey;
  readonly collationId: number;
  readonly variables: SessionVariables | null;
  readonly schema: string | null;
  readonly batchDepth: number;
  readonly lastUser = null;
  readonly lastConnection = null;
  connection: BackendConnection | null = null;
  failure: PoolFailure | null = null;
  lostHeld = 0;
  isBound = true;
  isOneStatement = false;
  /** Called as soon as the connection is there. */
  onAvailable: (connection: BackendConnection) => void = () => undefined;

  constructor(key: ConnectionKey, options: RequestOptions = {}) {
    this.connectionKey = key;
    this.collationId = options.collationId ?? 45;
    this.variables = options.variables ?? null;
    this.schema = options.schema ?? null;
    this.batchDepth = options.batchDepth ?? 0;
  }

  refuses(): boolean {
    return false;
  }

  hasStatement(): boolean {
    return true;
  }

  connectionAvailable(connection: BackendConnection): void {
    this.connection = connection;
    this.onAvailable(connection);
  }

  connectionUnavailable(failure: PoolFailure): void {
    this.failure = failure;
  }

  /** As the holder of a connection. */
  heldConnectionClosed(): void {
    this.lostHeld++;
  }

  get settled(): boolean {
    return this.connection !== null || this.failure !== null;
  }

  async ready(): Promise<BackendConnection> {
    await waitUntil('a connection', () => this.settled, { intervalMs: 1 });
    if (this.connection === null) throw new Error(this.failure?.message);
    return this.connection;
  }

  async failed(): Promise<PoolFailure> {
    await waitUntil('a failure', () => this.settled, { intervalMs: 1 });
    if (this.failure === null) throw new Error('a connection was given');
    return this.failure;
  }
}

export function keyOf(username: string, password: string, behaviourFlags = 0): ConnectionKey {
  return connectionKeyOf(makeCredentials(username, { kind: 'plain', value: password }), behaviourFlags, 0);
}

/** Runs a statement; rejects when the connection is lost. */
export function run(connection: BackendConnection, sql: string): Promise<RecordedResult> {
  return new Promise((resolve, reject) => {
    const recorder = new RecordingReply(
      (_, result) => resolve(result),
      (reason) => reject(new Error(reason)),
    );
    connection.sendCommand(Command.COM_QUERY, sql, ownReply(recorder));
  });
}

export async function firstValue(connection: BackendConnection, sql: string): Promise<string | null> {
  const { rows, errno, errorMessage } = await run(connection, sql);
  if (errno !== 0) throw new Error(`${errno} ${errorMessage}`);
  return rows[0]?.[0] ?? null;
}
