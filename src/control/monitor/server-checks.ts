/**
 * All checks of one server: five loops side by side (check-interval.ts), each with its own connection, so that a
 * check that hangs holds up none of the others.
 *
 * | check       | period                                       | connection  |
 * |-------------|----------------------------------------------|-------------|
 * | connect     | connectIntervalMs; intervalMs while unsettled | new each time |
 * | ping        | intervalMs                                   | kept        |
 * | read_only   | intervalMs                                   | kept        |
 * | replication | intervalMs                                   | kept        |
 * | lag         | the heartbeat's                              | kept        |
 *
 * Effect: each outcome becomes one CheckReport; a sample of lag says nothing about the server's health, and is reported as
 * such. A kept connection that breaks wakes all of them at once.
 * Stop: `stop()`.
 */

import type { Clock } from '../../common/clock.ts';
import { CheckName } from '../../topology/server-probe.ts';
import type { CheckReport } from '../../topology/topology.ts';
import type { CheckRun } from '../statistics/check-log.ts';
import { CheckInterval, type CheckRunResult } from './check-interval.ts';
import { checkConnect } from './connect-check.ts';
import type { HeartbeatQuestion } from './heartbeat/heartbeat-check.ts';
import { type LagSample, LagSampler } from './heartbeat/lag-sampler.ts';
import { KeptConnection } from './kept-connection.ts';
import type { MonitorConnection, MonitorCredentials, MonitorTarget } from './monitor-connection.ts';
import { checkPing } from './ping-check.ts';
import { checkReadOnly } from './read-only-check.ts';
import { checkReplication } from './replication-check.ts';
import { describeError, isServerFull } from './server-error.ts';

export interface ServerCheckSettings {
  readonly intervalMs: number;
  readonly connectIntervalMs: number;
  readonly timeoutMs: number;
  readonly heartbeat: { readonly intervalMs: number };
}

export interface ServerChecksOptions {
  readonly target: MonitorTarget;
  readonly credentials: MonitorCredentials;
  readonly settings: ServerCheckSettings;
  readonly clock: Clock;
  readonly report: (report: CheckReport) => void;
  /** A check has run; the server's address is the listener's to add. */
  readonly observed: (check: CheckName, run: Omit<CheckRun, 'address'>) => void;
  /** Whose heartbeat a sample is to look for. */
  readonly heartbeat: () => HeartbeatQuestion | null;
  readonly sampled: (sample: LagSample) => void;
  /** Whether the server is ONLINE and no check is failing: only then is the connect check in no hurry. */
  readonly isSettled: () => boolean;
}

export class ServerChecks {
  readonly target: MonitorTarget;
  readonly #options: ServerChecksOptions;
  readonly #kept: KeptConnection[] = [];
  readonly #connect: CheckInterval<CheckReport>;
  readonly #intervals: readonly CheckInterval<CheckReport>[];
  readonly #role: readonly CheckInterval<CheckReport>[];
  readonly #sampler: LagSampler;
  #identity: string | null = null;
  /** A worker's report that waits for the connect check to confirm it. */
  #reportedFailure: string | null = null;

  constructor(options: ServerChecksOptions) {
    this.#options = options;
    this.target = options.target;
    const { settings, isSettled } = options;
    this.#connect = this.#interval(
      CheckName.connect,
      () => (isSettled() ? settings.connectIntervalMs : settings.intervalMs),
      async (signal) => {
        const facts = await checkConnect(options.target, options.credentials, signal);
        this.#recognise(facts.identity);
        return { check: CheckName.connect, ok: true, facts };
      },
    );
    const ping = this.#keptInterval(CheckName.ping, async (connection, signal) => {
      const latencyMs = await checkPing(connection, signal, options.clock);
      return { check: CheckName.ping, ok: true, latencyMs };
    });
    this.#role = [
      this.#keptInterval(CheckName.readOnly, async (connection, signal) => ({
        check: CheckName.readOnly,
        ok: true,
        readOnly: await checkReadOnly(connection, signal),
      })),
      this.#keptInterval(CheckName.replication, async (connection, signal) => ({
        check: CheckName.replication,
        ok: true,
        replication: await checkReplication(connection, signal),
      })),
    ];
    this.#intervals = [this.#connect, ping, ...this.#role];
    this.#sampler = new LagSampler({
      target: options.target,
      credentials: options.credentials,
      intervalMs: settings.heartbeat.intervalMs,
      timeoutMs: settings.timeoutMs,
      clock: options.clock,
      question: options.heartbeat,
      report: options.sampled,
    });
  }

  /** Resolves when every check has run once. */
  async start(): Promise<void> {
    await Promise.all([...this.#intervals.map((interval) => interval.start()), this.#sampler.start()]);
  }

  /** Resolves when every check has run again; samples keep their own pace. */
  async wake(): Promise<void> {
    await Promise.all(this.#intervals.map((interval) => interval.wake()));
  }

  /** Resolves when it has been looked again at who is read-only and replicates from whom: what makes a primary. */
  async wakeRole(): Promise<void> {
    await Promise.all(this.#role.map((interval) => interval.wake()));
  }

  /** A worker saw the server fail: if the next connect check fails as well, that is enough. */
  async confirmFailure(reason: string): Promise<void> {
    this.#reportedFailure = reason;
    await this.wake();
  }

  async stop(): Promise<void> {
    const stopping = [...this.#intervals.map((interval) => interval.stop()), this.#sampler.stop()];
    for (const kept of this.#kept) kept.close();
    await Promise.all(stopping);
    for (const kept of this.#kept) kept.discard();
  }

  /** An address can be moved to another server; the kept connections would go on watching the old one. */
  #recognise(identity: string): void {
    const replaced = this.#identity !== null && this.#identity !== identity;
    this.#identity = identity;
    if (!replaced) return;
    for (const kept of this.#kept) kept.discard();
    this.#sampler.discard();
    void this.wake();
  }

  #keptInterval(
    name: CheckName,
    check: (connection: MonitorConnection, signal: AbortSignal) => Promise<CheckReport>,
  ): CheckInterval<CheckReport> {
    const { target, credentials, settings } = this.#options;
    const kept = new KeptConnection(target, credentials, () => void this.wake());
    this.#kept.push(kept);
    return this.#interval(
      name,
      () => settings.intervalMs,
      async (signal) => {
        try {
          return await check(await kept.get(signal), signal);
        } catch (error) {
          kept.discard();
          throw error;
        }
      },
    );
  }

  #interval(
    name: CheckName,
    periodMs: () => number,
    check: (signal: AbortSignal) => Promise<CheckReport>,
  ): CheckInterval<CheckReport> {
    const { clock, settings } = this.#options;
    let startedAtMs = 0;
    let began = 0;
    return new CheckInterval({
      periodMs,
      timeoutMs: settings.timeoutMs,
      check: (signal) => {
        startedAtMs = clock.wallMs();
        began = clock.monotonicMs();
        return check(signal);
      },
      report: (result) => {
        this.#observe(name, startedAtMs, clock.monotonicMs() - began, result);
        this.#report(name, result);
      },
      clock,
    });
  }

  #observe(
    name: CheckName,
    startedAtMs: number,
    elapsedMs: number,
    result: CheckRunResult<CheckReport>,
  ): void {
    this.#options.observed(name, {
      host: this.target.host,
      port: this.target.port,
      startedAtMs,
      durationMicros: Math.round(elapsedMs * 1000),
      error: result.ok ? '' : describeError(result.error),
      readOnly: result.ok ? readOnlyOf(result.value) : null,
      lagMs: result.ok ? lagOf(result.value) : null,
    });
  }

  #report(name: CheckName, result: CheckRunResult<CheckReport>): void {
    const reported = name === CheckName.connect ? this.#reportedFailure : null;
    if (name === CheckName.connect) this.#reportedFailure = null;
    if (result.ok) {
      this.#options.report(result.value);
      return;
    }
    // A full server lives: it must not lose the connections that it has because it takes no more.
    if (isServerFull(result.error)) return;
    const reason = describeError(result.error);
    const both = reported === null || reported === reason ? reason : `${reason}; a worker: ${reported}`;
    this.#options.report({ check: name, ok: false, reason: both, confirmed: reported !== null });
  }
}

function readOnlyOf(report: CheckReport): boolean | null {
  return report.ok && report.check === CheckName.readOnly ? report.readOnly.readOnly : null;
}

/** Of the channel that is furthest behind. */
function lagOf(report: CheckReport): number | null {
  if (!report.ok || report.check !== CheckName.replication) return null;
  const lags = report.replication.channels.flatMap(({ lagMs }) => (lagMs === null ? [] : [lagMs]));
  return lags.length === 0 ? null : Math.max(...lags);
}
