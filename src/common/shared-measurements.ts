/**
 * What is measured of each server all the time, in memory that all threads see: workers choose by it without a message,
 * and the snapshot holds only what changes rarely. Slots are those of `SharedCounters`.
 * One thread writes, the main one. What a server has applied is in shared-gtids.ts.
 */

import { MAX_SERVERS } from './shared-counters.ts';

/** A column that does not hold: not known. */
const UNKNOWN = -1;

/** Float64, so that a time fits. Aligned, hence never read half-written. */
const Field = { lagMs: 0, sampledAtMs: 1, latencyMicros: 2 } as const;
const FIELDS = 4;

/** In front of the servers. */
const HEADER = 1;
const GRACE_MS = 0;

export interface SharedMeasurementBuffers {
  readonly values: SharedArrayBuffer;
}

export class SharedMeasurements {
  readonly buffers: SharedMeasurementBuffers;
  readonly #values: Float64Array;

  constructor(buffers: SharedMeasurementBuffers = allocate()) {
    this.buffers = buffers;
    this.#values = new Float64Array(buffers.values);
  }

  /**
   * Milliseconds behind the primary, -1 where not known. A sample that is overdue makes the server as much older: what
   * is not measured is not fresh.
   */
  lagMs(slot: number, nowMs = Date.now()): number {
    const lagMs = this.#get(slot, Field.lagMs);
    if (lagMs < 0) return UNKNOWN;
    const overdueMs = nowMs - this.#get(slot, Field.sampledAtMs) - this.#values[GRACE_MS]!;
    return overdueMs > 0 ? lagMs + overdueMs : lagMs;
  }

  /** As it was measured, and when (milliseconds since 1970; 0: never). */
  lastSample(slot: number): { readonly lagMs: number; readonly sampledAtMs: number } {
    return { lagMs: this.#get(slot, Field.lagMs), sampledAtMs: this.#get(slot, Field.sampledAtMs) };
  }

  /** Of the monitor's pings, smoothed; -1 where not known. */
  latencyMicros(slot: number): number {
    return this.#get(slot, Field.latencyMicros);
  }

  /** @param lagMs null: not known any more */
  setLag(slot: number, lagMs: number | null, sampledAtMs: number): void {
    this.#set(slot, Field.sampledAtMs, sampledAtMs);
    this.#set(slot, Field.lagMs, lagMs ?? UNKNOWN);
  }

  setLatency(slot: number, latencyMicros: number | null): void {
    this.#set(slot, Field.latencyMicros, latencyMicros ?? UNKNOWN);
  }

  /** So long after a sample the next one is not overdue. */
  setGrace(graceMs: number): void {
    this.#values[GRACE_MS] = graceMs;
  }

  /** Another server answers at its address, or it has lost what it had. */
  forget(slot: number): void {
    this.setLag(slot, null, 0);
    this.setLatency(slot, null);
  }

  #get(slot: number, field: number): number {
    return this.#values[HEADER + slot * FIELDS + field]!;
  }

  #set(slot: number, field: number, value: number): void {
    this.#values[HEADER + slot * FIELDS + field] = value;
  }
}

function allocate(): SharedMeasurementBuffers {
  const values = new SharedArrayBuffer((HEADER + MAX_SERVERS * FIELDS) * Float64Array.BYTES_PER_ELEMENT);
  const numbers = new Float64Array(values);
  for (let slot = 0; slot < MAX_SERVERS; slot++) {
    numbers[HEADER + slot * FIELDS + Field.lagMs] = UNKNOWN;
    numbers[HEADER + slot * FIELDS + Field.latencyMicros] = UNKNOWN;
  }
  return { values };
}
