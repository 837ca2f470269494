/**
 * Writes heartbeats on the measured primary, and nowhere else.
 *
 * Period: intervalMs, at multiples of it by the clock that never goes back.
 * Effect: one row, whose time is told to `written` once the server has it. Never two writes at the same time: one that
 *         hangs (a lock, a commit that waits for a replica) is waited for up to its deadline, and the next trial comes
 *         later and later, so that none pile up on the server.
 * Stop:   `stop()`. `pause()` while the primary is about to change.
 *
 * Of several Sluices in front of the same servers one writes: who finds the heartbeats of another whose number is lower
 * is silent as long as these come.
 */

import { randomInt } from 'node:crypto';
import type { Clock, TimerHandle } from '../../../common/clock.ts';
import { ER_UNKNOWN_SYSTEM_VARIABLE } from '../../../common/server-errno.ts';
import type { ServerAddress } from '../../../topology/server-description.ts';
import { KeptConnection } from '../kept-connection.ts';
import type { MonitorConnection, MonitorCredentials, MonitorTarget } from '../monitor-connection.ts';
import { CheckFailedError, describeError, errnoOf, isDenied } from '../server-error.ts';
import { isTableMissing } from './heartbeat-check.ts';
import type { HeartbeatTable } from './heartbeat-table.ts';
import { formatTimestamp, WRITERS, writerOf } from './heartbeat-timestamp.ts';
import { makeSteady } from './steady-session.ts';

export interface HeartbeatTarget extends MonitorTarget {
  readonly address: ServerAddress;
  readonly serverId: number;
}

export interface HeartbeatWriterOptions {
  readonly table: HeartbeatTable;
  readonly credentials: MonitorCredentials;
  readonly intervalMs: number;
  readonly clock: Clock;
  /** @param madeAtMs, knownAtMs of the clock that never goes back */
  readonly written: (timestamp: string, madeAtMs: number, knownAtMs: number) => void;
  /** Heartbeats are written there, or, with a reason, are not; told when that changes. */
  readonly changed: (address: ServerAddress, ok: boolean, reason: string) => void;
  /** 0 to 999, for tests. */
  readonly writer?: number;
}

/** A commit may wait as long for a replica. */
const WRITE_TIMEOUT_MS = 10_000;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
/** Another writer's heartbeats have ended when there was none for so many intervals. */
const SILENT_INTERVALS = 6;
/** A clock that was set is followed when it is off by more. */
const CLOCK_STEP_MS = 1000;

export class HeartbeatWriter {
  readonly #options: HeartbeatWriterOptions;
  readonly #writer: number;
  #target: HeartbeatTarget | null = null;
  #kept: KeptConnection | null = null;
  #timer: TimerHandle = null;
  #abort: AbortController | null = null;
  /** The write that is under way. */
  #writing: Promise<void> | null = null;
  #isPaused = false;
  #isStopped = false;
  #failures = 0;
  #retryAtMs = 0;
  /** As it was told; null: not told yet of this target. */
  #told: { readonly ok: boolean; readonly reason: string } | null = null;
  /** Of somebody who comes before this one: the last of his heartbeats, and when it was found first. */
  #other: { readonly timestamp: string; readonly foundAtMs: number } | null = null;
  /** From the clock that never goes back to milliseconds since 1970. */
  #epochMs: number;

  constructor(options: HeartbeatWriterOptions) {
    this.#options = options;
    this.#writer = options.writer ?? randomInt(WRITERS);
    this.#epochMs = options.clock.wallMs() - options.clock.monotonicMs();
  }

  start(): void {
    this.#wait();
  }

  /** From now on, heartbeats are written on this one; null: on none. */
  follow(target: HeartbeatTarget | null): void {
    const { address, serverId, tls } = this.#target ?? {};
    if (address === target?.address && serverId === target?.serverId && tls === target?.tls) return;
    this.#kept?.close();
    this.#target = target;
    this.#told = null;
    this.#other = null;
    this.#failures = 0;
    this.#retryAtMs = 0;
    const { credentials } = this.#options;
    this.#kept =
      target === null ? null : new KeptConnection(target, credentials, () => {}, prepareForWriting);
  }

  /** Heartbeats are written, and by this one. */
  get isWriting(): boolean {
    return this.#told?.ok === true && this.#other === null;
  }

  /** What was found on the primary. */
  found(timestamp: string): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (writerOf(timestamp) >= this.#writer || timestamp === this.#other?.timestamp) return;
    this.#other = { timestamp, foundAtMs: nowMs };
  }

  /** Resolves when nothing is being written any more. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#writing;
  }

  resume(): void {
    this.#isPaused = false;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#options.clock.clearTimeout(this.#timer);
    this.#abort?.abort(new Error('the heartbeat was stopped'));
    this.#kept?.close();
    await this.#writing;
    this.#kept?.discard();
  }

  #wait(): void {
    const { clock, intervalMs } = this.#options;
    const delayMs = untilNextBeat(clock.monotonicMs(), intervalMs);
    this.#timer = clock.setTimeout(() => {
      this.#tick();
      if (!this.#isStopped) this.#wait();
    }, delayMs);
  }

  #tick(): void {
    const target = this.#target;
    const kept = this.#kept;
    if (target === null || kept === null || this.#isPaused || this.#writing !== null) return;
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs < this.#retryAtMs || this.#isLeftToAnother(nowMs)) return;
    this.#writing = this.#write(target, kept).finally(() => {
      this.#writing = null;
    });
  }

  #isLeftToAnother(nowMs: number): boolean {
    if (this.#other === null) return false;
    if (nowMs - this.#other.foundAtMs <= this.#options.intervalMs * SILENT_INTERVALS) return true;
    this.#other = null;
    return false;
  }

  async #write(target: HeartbeatTarget, kept: KeptConnection): Promise<void> {
    const { clock } = this.#options;
    const abort = new AbortController();
    this.#abort = abort;
    const timer = clock.setTimeout(() => {
      abort.abort(new Error(`a heartbeat was not written within ${WRITE_TIMEOUT_MS} ms`));
    }, WRITE_TIMEOUT_MS);
    try {
      const connection = await kept.get(abort.signal);
      await this.#beat(target, connection, abort.signal);
      this.#failures = 0;
    } catch (error) {
      kept.discard();
      this.#failed(target, error);
    } finally {
      clock.clearTimeout(timer);
    }
  }

  async #beat(target: HeartbeatTarget, connection: MonitorConnection, signal: AbortSignal): Promise<void> {
    const { clock, table, written } = this.#options;
    try {
      const madeAtMs = clock.monotonicMs();
      const timestamp = formatTimestamp(this.#timestampAt(madeAtMs), this.#writer);
      const rows = await connection.execute(table.write(target.serverId, timestamp), signal);
      // Else it is read-only: whose turn it is now will be measured.
      if (rows > 0 && target === this.#target) {
        written(timestamp, madeAtMs, clock.monotonicMs());
        this.#tell(target, true, '');
      }
    } catch (error) {
      if (!isTableMissing(error) || this.#isPaused) throw error;
      await this.#createTable(connection, signal);
    }
  }

  #timestampAt(monotonicMs: number): number {
    const wallMs = this.#options.clock.wallMs();
    if (Math.abs(wallMs - monotonicMs - this.#epochMs) > CLOCK_STEP_MS) this.#epochMs = wallMs - monotonicMs;
    return this.#epochMs + monotonicMs;
  }

  async #createTable(connection: MonitorConnection, signal: AbortSignal): Promise<void> {
    const [row] = await connection.query('SELECT @@global.read_only AS read_only', signal);
    if (row?.read_only !== '0') return;
    await connection.execute(this.#options.table.createSchema(), signal);
    await connection.execute(this.#options.table.create(), signal);
  }

  #failed(target: HeartbeatTarget, error: unknown): void {
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS);
    this.#failures++;
    this.#retryAtMs = this.#options.clock.monotonicMs() + delayMs;
    if (this.#isStopped || target !== this.#target) return;
    const { table, credentials } = this.#options;
    const grant = `GRANT CREATE, SELECT, INSERT, UPDATE ON ${table.schema}.* TO '${credentials.username}'@'…'`;
    const hint = `; lag is known in whole seconds only without ${grant}`;
    this.#tell(target, false, `${describeError(error)}${isDenied(error) ? hint : ''}`);
  }

  #tell({ address }: HeartbeatTarget, ok: boolean, reason: string): void {
    if (this.#told?.ok === ok && this.#told.reason === reason) return;
    this.#told = { ok, reason };
    this.#options.changed(address, ok, reason);
  }
}

/** To the next multiple of the interval; a timer may fire a moment before the one that it was for. */
export function untilNextBeat(nowMs: number, intervalMs: number): number {
  const untilMs = intervalMs - (nowMs % intervalMs);
  return untilMs < intervalMs / 2 ? untilMs + intervalMs : untilMs;
}

/** In a binlog of statements the row's condition would be evaluated anew on each replica, which is read-only. */
async function prepareForWriting(connection: MonitorConnection, signal: AbortSignal): Promise<void> {
  await makeSteady(connection, signal);
  try {
    const [row] = await connection.query('SELECT @@session.binlog_format AS format', signal);
    if (row?.format !== 'STATEMENT') return;
  } catch (error) {
    // One day there will be only one.
    if (errnoOf(error) === ER_UNKNOWN_SYSTEM_VARIABLE) return;
    throw error;
  }
  throw new CheckFailedError(
    'heartbeats need binlog_format ROW or MIXED on the primary, it has STATEMENT',
    null,
  );
}
