/** The last runs of the checks, for the `monitor` tables: a ring for each kind of check, and counts since the start. */

import type { ServerAddress } from '../../topology/server-description.ts';
import { CheckName } from '../../topology/server-probe.ts';

export interface CheckRun {
  readonly address: ServerAddress;
  readonly host: string;
  readonly port: number;
  /** Milliseconds since 1970, with fractions. */
  readonly startedAtMs: number;
  readonly durationMicros: number;
  /** '' where it went well. */
  readonly error: string;
  /** Of the read_only check. */
  readonly readOnly: boolean | null;
  /** Of the replication check: of the channel that is furthest behind. */
  readonly lagMs: number | null;
}

export interface CheckCounts {
  readonly succeeded: number;
  readonly failed: number;
}

/** With ten servers and a check a second: six minutes. */
const KEPT_RUNS = 4000;

export class CheckLog {
  readonly #rings = new Map<CheckName, CheckRun[]>();
  readonly #next = new Map<CheckName, number>();
  readonly #counts = new Map<CheckName, { succeeded: number; failed: number }>();
  readonly #latencies = new Map<ServerAddress, number>();
  readonly #kept: number;

  constructor(kept = KEPT_RUNS) {
    this.#kept = kept;
    for (const check of Object.values(CheckName)) {
      this.#rings.set(check, []);
      this.#counts.set(check, { succeeded: 0, failed: 0 });
    }
  }

  add(check: CheckName, run: CheckRun): void {
    const counts = this.#counts.get(check)!;
    if (run.error === '') counts.succeeded++;
    else counts.failed++;
    if (check === CheckName.ping && run.error === '') this.#latencies.set(run.address, run.durationMicros);
    const ring = this.#rings.get(check)!;
    const next = this.#next.get(check) ?? 0;
    ring[next] = run;
    this.#next.set(check, (next + 1) % this.#kept);
  }

  /** Oldest first. */
  runs(check: CheckName): CheckRun[] {
    const ring = this.#rings.get(check)!;
    const next = this.#next.get(check) ?? 0;
    return ring.length < this.#kept ? [...ring] : [...ring.slice(next), ...ring.slice(0, next)];
  }

  counts(check: CheckName): CheckCounts {
    return { ...this.#counts.get(check)! };
  }

  /** Of the last ping that went well; null before. */
  latencyMicros(address: ServerAddress): number | null {
    return this.#latencies.get(address) ?? null;
  }

  /** The server is not watched any more. */
  forget(address: ServerAddress): void {
    this.#latencies.delete(address);
  }
}
