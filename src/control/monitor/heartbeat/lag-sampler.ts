/**
 * Asks one server for the heartbeat that it has.
 *
 * Period: the heartbeat's, half of it behind the moments at which heartbeats are written: a replica that is not behind
 *         has the newest by then. Where nobody but Sluice writes, the primary is asked more rarely.
 * Effect: each run ends in one call of `report`.
 * Stop:   `stop()`.
 */

import type { Clock } from '../../../common/clock.ts';
import { CheckInterval } from '../check-interval.ts';
import { KeptConnection } from '../kept-connection.ts';
import type { MonitorCredentials, MonitorTarget } from '../monitor-connection.ts';
import { HeartbeatCheck, type HeartbeatQuestion } from './heartbeat-check.ts';
import { makeSteady } from './steady-session.ts';

/** Times are of the clock that never goes back; the server was as the sample says at some moment between them. */
export interface LagSample {
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
  /** Whether it could be asked. */
  readonly ok: boolean;
  /** `ts` of the newest heartbeat that it has; null where there is none. */
  readonly heartbeat: string | null;
}

export interface LagSamplerOptions {
  readonly target: MonitorTarget;
  readonly credentials: MonitorCredentials;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Asked before each sample; null: it is not to be asked now. */
  readonly question: () => HeartbeatQuestion | null;
  readonly report: (sample: LagSample) => void;
}

export class LagSampler {
  readonly #interval: CheckInterval<string | null>;
  readonly #kept: KeptConnection;

  constructor({ target, credentials, clock, ...options }: LagSamplerOptions) {
    const { intervalMs, timeoutMs, question, report } = options;
    const check = new HeartbeatCheck();
    const kept = new KeptConnection(target, credentials, () => {}, makeSteady);
    this.#kept = kept;
    let startedAtMs = 0;
    let askedAtMs = 0;
    this.#interval = new CheckInterval({
      periodMs: () => untilNextSample(startedAtMs, intervalMs),
      timeoutMs,
      check: async (signal) => {
        startedAtMs = clock.monotonicMs();
        askedAtMs = startedAtMs;
        const asked = question();
        if (asked === null) return null;
        try {
          const connection = await kept.get(signal);
          askedAtMs = clock.monotonicMs();
          return await check.run(connection, asked, askedAtMs, signal);
        } catch (error) {
          kept.discard();
          throw error;
        }
      },
      report: (result) => {
        const heartbeat = result.ok ? result.value : null;
        report({ askedAtMs, answeredAtMs: clock.monotonicMs(), ok: result.ok, heartbeat });
      },
      clock,
    });
  }

  /** Resolves after the first sample. */
  start(): Promise<void> {
    return this.#interval.start();
  }

  /** Another server answers at the address. */
  discard(): void {
    this.#kept.discard();
  }

  async stop(): Promise<void> {
    const stopping = this.#interval.stop();
    this.#kept.close();
    await stopping;
    this.#kept.discard();
  }
}

/** From the start of a sample to that of the next one; heartbeats are due at multiples of the interval. */
export function untilNextSample(startedAtMs: number, intervalMs: number): number {
  const phaseMs = (startedAtMs + intervalMs / 2) % intervalMs;
  const untilMs = intervalMs - phaseMs;
  return untilMs < intervalMs / 2 ? untilMs + intervalMs : untilMs;
}
