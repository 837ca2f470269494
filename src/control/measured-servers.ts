/** Puts what the monitor measures all the time into shared memory, where workers choose by it. */

import { type Clock, systemClock } from '../common/clock.ts';
import type { SharedMeasurements } from '../common/shared-measurements.ts';
import { LagSource } from '../topology/lag.ts';
import { type ServerDescription, ServerRole } from '../topology/server-description.ts';
import type { Monitor } from './monitor/monitor.ts';

/** A sample that is so many periods late makes its server older. */
const GRACE_PERIODS = 3;
/** Who says how many whole seconds it is behind may be as much more. */
const COARSE_MS = 1000;

export class MeasuredServers {
  readonly #monitor: Monitor;
  readonly #measurements: SharedMeasurements;
  readonly #slotOf: (address: string) => number | undefined;
  readonly #clock: Clock;

  /** @param slotOf places in the shared counters; a server that no snapshot has had has none */
  constructor(
    monitor: Monitor,
    measurements: SharedMeasurements,
    slotOf: (address: string) => number | undefined,
    clock: Clock = systemClock,
  ) {
    this.#monitor = monitor;
    this.#measurements = measurements;
    this.#slotOf = slotOf;
    this.#clock = clock;
    monitor.on('measured', () => this.#publish());
    monitor.on('event', (event) => {
      if (event.kind === 'server-replaced' || event.kind === 'server-removed') this.#forget(event.address);
    });
  }

  #publish(): void {
    const { topology, samplePeriodMs } = this.#monitor;
    const measurements = this.#measurements;
    const epochMs = this.#clock.wallMs() - this.#clock.monotonicMs();
    measurements.setGrace(GRACE_PERIODS * samplePeriodMs);
    for (const server of topology.servers) {
      const slot = this.#slotOf(server.address);
      if (slot === undefined) continue;
      const knownAtMs = topology.member(server.address)?.lag.knownAtMs ?? null;
      measurements.setLag(slot, provenLagMs(server), knownAtMs === null ? 0 : epochMs + knownAtMs);
      measurements.setLatency(slot, server.latencyMs === null ? null : server.latencyMs * 1000);
    }
  }

  #forget(address: string): void {
    const slot = this.#slotOf(address);
    if (slot !== undefined) this.#measurements.forget(slot);
  }
}

function provenLagMs({ role, lagMs, lagSource }: ServerDescription): number | null {
  if (role !== ServerRole.replica || lagMs === null) return null;
  return lagSource === LagSource.secondsBehind ? lagMs + COARSE_MS : lagMs;
}
