/**
 * The lag of all replicas: has heartbeats written on the primary, compares what replicas have of them, and falls back to
 * what replicas say themselves where there are none. Turns each sample into a change of the topology.
 *
 * One for each configuration of the monitor: `follow` with each new topology, `stop()` at the end.
 */

import type { Clock } from '../../../common/clock.ts';
import { LagSource } from '../../../topology/lag.ts';
import { coarseLagOf } from '../../../topology/replication-state.ts';
import { type ServerAddress, ServerStatus } from '../../../topology/server-description.ts';
import { CheckState } from '../../../topology/server-health.ts';
import type { CheckReport, TopologyChange, TopologyDescription } from '../../../topology/topology.ts';
import type { MonitorCredentials } from '../monitor-connection.ts';
import type { MonitorEventBody } from '../monitor-event.ts';
import type { HeartbeatSettings } from '../monitor-settings.ts';
import type { HeartbeatQuestion } from './heartbeat-check.ts';
import { HeartbeatClock } from './heartbeat-clock.ts';
import { HeartbeatTable } from './heartbeat-table.ts';
import { parseTimestamp } from './heartbeat-timestamp.ts';
import { HeartbeatWriter } from './heartbeat-writer.ts';
import type { LagSample } from './lag-sampler.ts';

export interface LagWatchOptions {
  readonly credentials: MonitorCredentials;
  readonly settings: HeartbeatSettings;
  readonly clock: Clock;
  readonly topology: () => TopologyDescription;
  readonly event: (event: MonitorEventBody) => void;
}

/** A primary that has had no new heartbeat for so many intervals, and at least so long, has none. */
const SILENT_INTERVALS = 8;
const LEAST_SILENCE_MS = 2000;
/** Other writers are looked for so often. */
const OTHER_WRITERS_MS = 900;

export class LagWatch {
  readonly #options: LagWatchOptions;
  readonly #table: HeartbeatTable | null;
  readonly #writer: HeartbeatWriter | null;
  #primary: { readonly address: ServerAddress; readonly serverId: number } | null = null;
  #heartbeats = new HeartbeatClock();
  #askedPrimaryAtMs = Number.NEGATIVE_INFINITY;
  /** When a heartbeat last told the lag of a server: what it says itself is not asked for then. */
  readonly #measuredAtMs = new Map<ServerAddress, number>();

  constructor(options: LagWatchOptions) {
    this.#options = options;
    const { settings, credentials, clock } = options;
    this.#table = settings.table === null ? null : new HeartbeatTable(settings.table);
    this.#writer =
      this.#table === null || !settings.write
        ? null
        : new HeartbeatWriter({
            table: this.#table,
            credentials,
            intervalMs: settings.intervalMs,
            clock,
            written: (timestamp, madeAtMs, knownAtMs) => this.#seen(timestamp, madeAtMs, knownAtMs),
            changed: (address, ok, reason) =>
              options.event({ kind: 'heartbeat-changed', address, ok, reason }),
          });
    this.#writer?.start();
  }

  /** What a server is to be asked for; null: nothing now. */
  question(of: ServerAddress): HeartbeatQuestion | null {
    if (this.#table === null || this.#primary === null) return null;
    if (of === this.#primary.address) {
      if (this.#isPrimaryKnown()) return null;
      this.#askedPrimaryAtMs = this.#options.clock.monotonicMs();
    }
    return { table: this.#table, serverId: this.#primary.serverId };
  }

  /** The topology is another one. */
  follow(): void {
    const topology = this.#options.topology();
    const primary = topology.primary === null ? null : topology.member(topology.primary);
    const serverId = primary?.facts?.serverId ?? null;
    const address = topology.primary;
    if (primary === null || address === null || serverId === null) {
      // While there is none, the heartbeats of the last one are what replicas are compared by.
      this.#writer?.follow(null);
      return;
    }
    if (this.#primary?.address !== address || this.#primary.serverId !== serverId) {
      this.#primary = { address, serverId };
      this.#heartbeats = new HeartbeatClock();
      this.#measuredAtMs.clear();
    }
    const { status, host, port, tls } = primary.description;
    const isUp = status === ServerStatus.ONLINE || status === ServerStatus.OFFLINE_SOFT;
    this.#writer?.follow(isUp ? { address, serverId, host, port, tls } : null);
  }

  /** @returns what it means to the topology */
  sampled(address: ServerAddress, { askedAtMs, answeredAtMs, ok, heartbeat }: LagSample): TopologyChange {
    if (!ok) return { kind: 'lag', address, report: { ok: false, atMs: answeredAtMs } };
    if (heartbeat !== null && address === this.#primary?.address) {
      this.#writer?.found(heartbeat);
      this.#seen(heartbeat, askedAtMs, answeredAtMs);
    }
    const lagMs = heartbeat === null ? null : this.#lagMs(heartbeat, askedAtMs);
    if (lagMs === null) return this.#unsaid(address, answeredAtMs);
    this.#measuredAtMs.set(address, answeredAtMs);
    const source = LagSource.heartbeat;
    return { kind: 'lag', address, report: { ok: true, atMs: answeredAtMs, lagMs, source } };
  }

  /** @returns null where a heartbeat says it better, or nothing is to be said */
  coarse(address: ServerAddress, report: CheckReport): TopologyChange | null {
    if (!report.ok || report.check !== 'replication') return null;
    const atMs = this.#options.clock.monotonicMs();
    const measuredAtMs = this.#measuredAtMs.get(address);
    if (measuredAtMs !== undefined && atMs - measuredAtMs < this.#patienceMs) return null;
    const lagMs = coarseLagOf(report.replication.channels);
    if (lagMs === null) return this.#unsaid(address, atMs);
    return { kind: 'lag', address, report: { ok: true, atMs, lagMs, source: LagSource.secondsBehind } };
  }

  /** Resolves when no heartbeat is being written any more; `resume` lets them be written again. */
  async pause(): Promise<void> {
    await this.#writer?.pause();
  }

  resume(): void {
    this.#writer?.resume();
  }

  async stop(): Promise<void> {
    await this.#writer?.stop();
  }

  /** A replica that has lost a dead primary does not know; what it lacked then is what it lacks. */
  #unsaid(address: ServerAddress, atMs: number): TopologyChange {
    const known = this.#isPrimaryLost() ? this.#options.topology().member(address)?.lag : undefined;
    const { lagMs = null, source = null } = known ?? {};
    return { kind: 'lag', address, report: { ok: true, atMs, lagMs, source } };
  }

  get #patienceMs(): number {
    return Math.max(this.#options.settings.intervalMs * SILENT_INTERVALS, LEAST_SILENCE_MS);
  }

  /** What is written here is known; whether another one writes too is asked now and then. */
  #isPrimaryKnown(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    return this.#writer?.isWriting === true && nowMs - this.#askedPrimaryAtMs < OTHER_WRITERS_MS;
  }

  #seen(timestamp: string, atMs: number, knownAtMs: number): void {
    const timestampMs = parseTimestamp(timestamp);
    if (timestampMs !== null) this.#heartbeats.seen(timestampMs, atMs, knownAtMs);
  }

  #lagMs(heartbeat: string, askedAtMs: number): number | null {
    const timestampMs = parseTimestamp(heartbeat);
    const silenceMs = this.#heartbeats.silenceMs(askedAtMs);
    if (timestampMs === null || silenceMs === null) return null;
    const isFrozen = this.#isPrimaryLost();
    if (!isFrozen && silenceMs > this.#patienceMs) return null;
    return this.#heartbeats.lagMs(timestampMs, askedAtMs, isFrozen);
  }

  #isPrimaryLost(): boolean {
    const topology = this.#options.topology();
    const primary = topology.primary === null ? null : topology.member(topology.primary);
    if (primary === null || primary.description.status === ServerStatus.SHUNNED) return true;
    return Object.values(primary.health).some(
      ({ state }) => state === CheckState.failing || state === CheckState.down,
    );
  }
}
