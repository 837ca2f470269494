/**
 * Tells systemd, if it has started this process, where it stands: sd_notify(3), by the program `systemd-notify`, as Node has
 * no datagram sockets in the file system. The unit needs `NotifyAccess=all`: the message comes from a child of the service.
 *
 * | told           | when                                                                             |
 * |----------------|----------------------------------------------------------------------------------|
 * | READY, MAINPID | clients are let in; after a restart without a gap the process is another one      |
 * | STOPPING       | the stop begins, with the time that it may take                                  |
 * | WATCHDOG       | twice in `WatchdogSec`, as long as the main thread and all workers run            |
 *
 * Messages go one after the other; none is waited for.
 */
import { execFile } from 'node:child_process';

const PROGRAM = 'systemd-notify';
/** A manager that hangs keeps no process waiting. */
const TELL_LIMIT_MS = 10_000;
/** Shorter ones say nothing about workers, which beat once a second. */
const SHORTEST_BEAT_CHECK_MS = 3000;

export interface ServiceManagerParts {
  readonly env: NodeJS.ProcessEnv;
  /** Of another process that has started this one in its place: what the environment says of a process id means that one. */
  readonly isSuccessor: boolean;
  /** Another process may have taken over. */
  readonly speaks: () => boolean;
  readonly warn: (message: string, fields: Record<string, unknown>) => void;
  /** How often each worker that runs has beaten. */
  readonly beats: () => readonly number[];
}

/** Milliseconds from one sign of life to the next; null: none is wanted from this process. */
export function watchdogPeriodMs(env: NodeJS.ProcessEnv, isSuccessor: boolean): number | null {
  const limitUs = Number(env.WATCHDOG_USEC ?? '');
  if (!Number.isFinite(limitUs) || limitUs <= 0) return null;
  const isMeant = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === process.pid;
  return isMeant || isSuccessor ? Math.max(1, Math.floor(limitUs / 2000)) : null;
}

export class ServiceManager {
  readonly #parts: ServiceManagerParts;
  readonly #periodMs: number | null;
  readonly #isWanted: boolean;
  #watchdog: NodeJS.Timeout | null = null;
  #lastBeats: readonly number[] = [];
  #telling: Promise<void> = Promise.resolve();

  constructor(parts: ServiceManagerParts) {
    this.#parts = parts;
    this.#isWanted = (parts.env.NOTIFY_SOCKET ?? '') !== '';
    this.#periodMs = watchdogPeriodMs(parts.env, parts.isSuccessor);
  }

  /** Clients are let in, by this process from now on. */
  ready(status: string): void {
    this.#tell([`MAINPID=${process.pid}`, 'READY=1', `STATUS=${status}`]);
    if (!this.#isWanted || this.#periodMs === null) return;
    this.#watchdog = setInterval(() => this.#beat(), this.#periodMs);
    this.#watchdog.unref();
  }

  /** @param timeMs what the stop may take */
  stopping(status: string, timeMs: number): void {
    this.#tell(['STOPPING=1', `STATUS=${status}`, `EXTEND_TIMEOUT_USEC=${timeMs * 1000}`]);
    // The rest of the life of this process is bounded by that time.
    this.#stopWatchdog();
  }

  /** When all that was to be told is told. */
  told(): Promise<void> {
    return this.#telling;
  }

  #beat(): void {
    const beats = this.#parts.beats();
    const canTell = this.#periodMs !== null && this.#periodMs >= SHORTEST_BEAT_CHECK_MS;
    const before = this.#lastBeats;
    this.#lastBeats = beats;
    // A worker that has started anew counts from where the one before it has stopped.
    if (canTell && beats.length === before.length && beats.some((beat, index) => beat === before[index])) {
      this.#parts.warn('a worker stands still, the watchdog is not told that all is well', { beats });
      return;
    }
    this.#tell(['WATCHDOG=1']);
  }

  #stopWatchdog(): void {
    if (this.#watchdog !== null) clearInterval(this.#watchdog);
    this.#watchdog = null;
  }

  #tell(lines: readonly string[]): void {
    if (!this.#isWanted || !this.#parts.speaks()) return;
    this.#telling = this.#telling.then(
      () =>
        new Promise((resolve) => {
          const { env } = this.#parts;
          execFile(PROGRAM, [...lines], { env, timeout: TELL_LIMIT_MS }, (error) => {
            if (error !== null) this.#failed(error);
            resolve();
          });
        }),
    );
  }

  #failed(error: Error): void {
    this.#parts.warn('systemd cannot be told where this process stands', { reason: error.message.trim() });
  }
}
