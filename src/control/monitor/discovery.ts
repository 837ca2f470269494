/**
 * Finds the servers that the configuration does not name: the source of a replica, and the replicas of a source.
 *
 * Period: discoveryIntervalMs, and whenever the topology's sources change (`wake`).
 * Effect: an address that replication names is tried; it is added when it answers and belongs (it replicates from a
 *         known server, or a known server replicates from it), becomes an alias when it leads to a known server, and
 *         is tried again ever more rarely otherwise. A discovered server that has not been ONLINE for
 *         forgetDiscoveredAfterMs is removed, unless another server replicates from it.
 * Stop:   `stop()`.
 */

import type { Clock } from '../../common/clock.ts';
import { splitServerAddress } from '../../topology/server-address.ts';
import {
  type ServerAddress,
  type ServerDescription,
  ServerStatus,
  tlsForDiscovered,
} from '../../topology/server-description.ts';
import type { TopologyChange, TopologyDescription } from '../../topology/topology.ts';
import { type ConfiguredServer, lagLimits } from '../../topology/topology-member.ts';
import { CheckInterval } from './check-interval.ts';
import { withDeadline } from './deadline.ts';
import { MonitorConnection, type MonitorCredentials, type MonitorTarget } from './monitor-connection.ts';
import type { MonitorEventBody } from './monitor-event.ts';
import { probeServer, type ServerProbe } from './probe-server.ts';
import { listReplicas } from './replica-list.ts';
import { describeError, errnoOf } from './server-error.ts';

export interface DiscoverySettings {
  readonly discoveryIntervalMs: number;
  readonly timeoutMs: number;
  readonly forgetDiscoveredAfterMs: number;
  /** What a discovered server gets; TLS is as at the strictest of the known ones. */
  readonly discoveredDefaults: Pick<ConfiguredServer, 'weight' | 'maxConnections' | 'maxReplicationLagMs'>;
}

export interface DiscoveryOptions {
  readonly credentials: MonitorCredentials;
  readonly settings: DiscoverySettings;
  readonly clock: Clock;
  readonly topology: () => TopologyDescription;
  readonly apply: (changes: readonly TopologyChange[]) => void;
  readonly event: (event: MonitorEventBody) => void;
}

interface Candidate extends MonitorTarget {
  readonly address: ServerAddress;
  readonly via: ServerAddress;
}

/** An address that could not be added, and when it is worth another try. */
interface Rejection {
  readonly reason: string;
  readonly attempts: number;
  readonly retryAtMs: number;
}

/** A replica as the only seed leads to its source in one round, and from there to the other replicas in the next. */
const ROUNDS_AT_START = 3;
const MAX_RETRY_MS = 30_000;
/** More than any set of servers names; the oldest go first. */
const MAX_REJECTIONS = 256;

export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #interval: CheckInterval<void>;
  readonly #rejections = new Map<ServerAddress, Rejection>();
  readonly #problems = new Map<ServerAddress, string>();
  readonly #lastOnlineMs = new Map<ServerAddress, number>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    const { settings, clock } = options;
    this.#interval = new CheckInterval({
      periodMs: () => settings.discoveryIntervalMs,
      // Asking and trying have deadlines of their own; this one is for what nobody thought of.
      timeoutMs: settings.timeoutMs * 3,
      check: (signal) => this.#round(signal),
      report: (result) => {
        if (result.ok) return;
        options.event({ kind: 'discovery-failed', address: '', reason: describeError(result.error) });
      },
      clock,
    });
  }

  /** Resolves after the first round. */
  start(): Promise<void> {
    return this.#interval.start();
  }

  /** Resolves when what was found has led to nothing more. */
  async startThoroughly(): Promise<void> {
    await this.start();
    for (let round = 1; round < ROUNDS_AT_START; round++) {
      const before = this.#options.topology().servers.length;
      await this.wake();
      if (this.#options.topology().servers.length === before) return;
    }
  }

  wake(): Promise<void> {
    return this.#interval.wake();
  }

  stop(): Promise<void> {
    return this.#interval.stop();
  }

  async #round(signal: AbortSignal): Promise<void> {
    this.#forget();
    const candidates = new Map<ServerAddress, Candidate>();
    const add = (address: ServerAddress, via: ServerDescription): void => {
      const target = splitServerAddress(address);
      if (target === null || candidates.has(address) || !this.#isWorthTrying(address)) return;
      candidates.set(address, { ...target, tls, address, via: via.address });
    };
    const topology = this.#options.topology();
    const tls = tlsForDiscovered(topology.servers.map((server) => server.tls));
    for (const server of topology.servers) {
      const channels = topology.member(server.address)?.replication?.channels ?? [];
      for (const channel of channels) {
        // A server id can be another cluster's too: only a UUID is not worth checking by name.
        if (channel.sourceUuid === null || topology.resolveSource(channel) === null)
          add(channel.source, server);
      }
    }
    const online = topology.servers.filter(({ status }) => status === ServerStatus.ONLINE);
    const lists = await Promise.all(online.map((server) => this.#askForReplicas(server, signal)));
    for (const [index, addresses] of lists.entries()) {
      for (const address of addresses) add(address, online[index]!);
    }
    await this.#tryAll([...candidates.values()], signal);
  }

  #isWorthTrying(address: ServerAddress): boolean {
    if (this.#options.topology().find(address) !== null) return false;
    const rejection = this.#rejections.get(address);
    return rejection === undefined || rejection.retryAtMs <= this.#options.clock.monotonicMs();
  }

  async #askForReplicas(server: ServerDescription, outer: AbortSignal): Promise<readonly ServerAddress[]> {
    const { clock, credentials, settings } = this.#options;
    try {
      const list = await withDeadline(clock, settings.timeoutMs, outer, async (signal) => {
        const connection = await MonitorConnection.open(server, credentials, signal);
        try {
          return await listReplicas(connection, server.port, signal);
        } finally {
          connection.close();
        }
      });
      this.#setProblem(server.address, list.problem);
      return list.addresses;
    } catch (error) {
      // That a server does not answer is for its checks to say; what it answers is ours.
      if (errnoOf(error) > 0) this.#setProblem(server.address, describeError(error));
      return [];
    }
  }

  #setProblem(address: ServerAddress, problem: string): void {
    if ((this.#problems.get(address) ?? '') === problem) return;
    if (problem === '') this.#problems.delete(address);
    else {
      this.#problems.set(address, problem);
      this.#options.event({ kind: 'discovery-failed', address, reason: problem });
    }
  }

  async #tryAll(candidates: readonly Candidate[], outer: AbortSignal): Promise<void> {
    const { clock, credentials, settings } = this.#options;
    const probes = await Promise.all(
      candidates.map((candidate) =>
        withDeadline(clock, settings.timeoutMs, outer, (signal) =>
          probeServer(candidate, credentials, signal),
        ).catch((error: unknown) => describeError(error)),
      ),
    );
    if (outer.aborted) return;
    const reachable: { candidate: Candidate; probe: ServerProbe }[] = [];
    for (const [index, probe] of probes.entries()) {
      const candidate = candidates[index]!;
      if (typeof probe === 'string') this.#reject(candidate, probe);
      else reachable.push({ candidate, probe });
    }
    for (const { candidate, probe } of reachable) this.#admit(candidate, probe);
  }

  /** One after the other, so that the second name of a server that was just added becomes its alias. */
  #admit(candidate: Candidate, probe: ServerProbe): void {
    const topology = this.#options.topology();
    const { address } = candidate;
    const known = topology.findIdentity(probe.facts.identity);
    if (known !== null) {
      this.#rejections.delete(address);
      this.#options.apply([{ kind: 'alias', alias: address, address: known }]);
      return;
    }
    if (!topology.isRelated(address, probe.facts, probe.replication)) {
      this.#reject(candidate, 'it answers, but does not replicate from or to any known server');
      return;
    }
    this.#rejections.delete(address);
    const { host, port, tls, via } = candidate;
    const server: ConfiguredServer = {
      ...this.#options.settings.discoveredDefaults,
      host,
      port,
      hostgroup: null,
      status: 'ONLINE',
      latencyLimitsMs: [],
      lagLimitsMs: lagLimits([this.#options.settings.discoveredDefaults.maxReplicationLagMs]),
      tls,
    };
    this.#options.apply([
      { kind: 'discovered', server, via },
      ...probe.reports.map((report) => ({ kind: 'check' as const, address, report })),
    ]);
  }

  #reject(candidate: Candidate, reason: string): void {
    const { address, via } = candidate;
    const { clock, settings } = this.#options;
    const before = this.#rejections.get(address);
    const attempts = (before?.attempts ?? 0) + 1;
    const delayMs = Math.min(settings.discoveryIntervalMs * 2 ** Math.min(attempts - 1, 16), MAX_RETRY_MS);
    this.#rejections.delete(address);
    this.#rejections.set(address, { reason, attempts, retryAtMs: clock.monotonicMs() + delayMs });
    if (this.#rejections.size > MAX_REJECTIONS) {
      this.#rejections.delete(this.#rejections.keys().next().value!);
    }
    if (before?.reason !== reason) this.#options.event({ kind: 'discovery-rejected', address, via, reason });
  }

  #forget(): void {
    const { clock, settings, apply } = this.#options;
    const topology = this.#options.topology();
    const nowMs = clock.monotonicMs();
    const needed = new Set([...topology.sources().values()].flat());
    const present = new Set(topology.servers.map(({ address }) => address));
    for (const address of this.#lastOnlineMs.keys()) {
      if (!present.has(address)) this.#lastOnlineMs.delete(address);
    }
    for (const { address, origin, status } of topology.servers) {
      const lastMs = this.#lastOnlineMs.get(address);
      if (lastMs === undefined || status !== ServerStatus.SHUNNED) this.#lastOnlineMs.set(address, nowMs);
      else if (origin === 'discovered' && !needed.has(address) && address !== topology.primary) {
        if (nowMs - lastMs > settings.forgetDiscoveredAfterMs) {
          apply([{ kind: 'removed', address, reason: 'unreachable' }]);
        }
      }
    }
  }
}
