/**
 * Watches the servers, for the main thread: one per process. It composes the loops (server-checks.ts per server,
 * discovery.ts, view-catalog.ts), turns each result into the next TopologyDescription, and tells who listens:
 *
 * - `change`: something that routing depends on is different; read `topology` and `catalog`. At most once per turn of
 *   the event loop, however much happened.
 * - `event`: one MonitorEvent, in order; the last ones are kept (`events()`), each is logged.
 *
 * It decides nothing itself: the decisions are pure, in src/topology. It never touches a pool.
 */

import { EventEmitter } from 'node:events';
import { type Clock, systemClock } from '../../common/clock.ts';
import type { SnapshotCatalog } from '../../common/snapshot.ts';
import type { HostgroupPair } from '../../topology/hostgroup.ts';
import {
  isSameTls,
  type ServerAddress,
  type ServerDescription,
  ServerStatus,
} from '../../topology/server-description.ts';
import { type AdministrativeStatus, CheckState } from '../../topology/server-health.ts';
import { type TopologyChange, TopologyDescription, type TopologySettings } from '../../topology/topology.ts';
import type { ConfiguredServer } from '../../topology/topology-member.ts';
import { CheckLog } from '../statistics/check-log.ts';
import { atMost } from './deadline.ts';
import { Discovery } from './discovery.ts';
import type { LagSample } from './heartbeat/lag-sampler.ts';
import { LagWatch } from './heartbeat/lag-watch.ts';
import type { MonitorCredentials } from './monitor-connection.ts';
import { EventRing, levelOf, type MonitorEvent, type MonitorEventBody } from './monitor-event.ts';
import type { MonitorEvents, MonitorOptions } from './monitor-interface.ts';
import { lagThresholds, type MonitorSettings, withDefaults } from './monitor-settings.ts';
import { isDifferentForRouting } from './routing-difference.ts';
import { ServerChecks } from './server-checks.ts';
import { ViewCatalog } from './view-catalog.ts';

export class Monitor extends EventEmitter<MonitorEvents> {
  readonly #clock: Clock;
  readonly #ring: EventRing;
  readonly #checks = new Map<ServerAddress, ServerChecks>();
  /** The last runs of the checks. */
  readonly checkLog = new CheckLog();
  readonly #options: MonitorOptions;
  #credentials: MonitorCredentials;
  #settings: MonitorSettings;
  #discovery: Discovery;
  #views: ViewCatalog;
  #lag: LagWatch;
  #heartbeatSaid = '';
  /** Of this turn of the event loop: samples come at the same time from all servers. */
  #lagChanges: TopologyChange[] = [];
  #topology: TopologyDescription;
  /** Results of the first round, decided on together: who answers first is not therefore primary. */
  #firstRound: TopologyChange[] | null = [];
  #changePending = false;
  #lifecycle: 'new' | 'started' | 'stopped' = 'new';

  constructor(options: MonitorOptions) {
    super();
    this.#options = options;
    this.#credentials = options.credentials;
    this.#settings = withDefaults(options.settings ?? {});
    this.#clock = options.clock ?? systemClock;
    this.#ring = new EventRing(this.#settings.eventHistory);
    this.#topology = TopologyDescription.empty(this.#topologySettings(options.hostgroups));
    this.#discovery = this.#makeDiscovery();
    this.#views = this.#makeViews(null);
    this.#lag = this.#makeLagWatch();
  }

  get topology(): TopologyDescription {
    return this.#topology;
  }

  /** Between two samples of the lag of a server. */
  get samplePeriodMs(): number {
    return this.#settings.heartbeat.intervalMs;
  }

  get catalog(): SnapshotCatalog {
    return this.#views.catalog;
  }

  /** The last events, oldest first. */
  events(): readonly MonitorEvent[] {
    return this.#ring.list();
  }

  /** Resolves when every server was checked once, or timed out, and what they lead to was looked for. */
  async start(): Promise<void> {
    if (this.#lifecycle !== 'new') return;
    this.#lifecycle = 'started';
    this.#apply([{ kind: 'configured', servers: this.#options.servers }]);
    await Promise.all([...this.#checks.values()].map((checks) => checks.start()));
    const results = this.#firstRound ?? [];
    this.#firstRound = null;
    if (this.#isStopped()) return;
    this.#apply(results);
    await atMost(this.#clock, this.#settings.timeoutMs * 2, this.#lookFurther());
  }

  /** Resolves when every loop has ended and every connection is closed. */
  async stop(): Promise<void> {
    this.#lifecycle = 'stopped';
    const checks = [...this.#checks.values()];
    this.#checks.clear();
    await Promise.all([
      this.#discovery.stop(),
      this.#views.stop(),
      this.#lag.stop(),
      ...checks.map((serverChecks) => serverChecks.stop()),
    ]);
  }

  /** Checks one server, or all of them, at once; resolves when that is done. */
  async wake(address?: ServerAddress): Promise<void> {
    if (address !== undefined) {
      await this.#checksOf(address)?.wake();
      return;
    }
    await Promise.all([...this.#checks.values()].map((checks) => checks.wake()));
  }

  /** Who of these is primary, as quickly as it can be seen. */
  async wakeRoles(addresses: readonly ServerAddress[]): Promise<void> {
    await Promise.all(addresses.map((address) => this.#checksOf(address)?.wakeRole()));
  }

  /**
   * A worker could not reach a server, or lost its connections. One connect check decides: if it fails too, the server
   * is shunned without waiting for the threshold. Many reports at once cost one check.
   */
  async reportFailure(address: ServerAddress, reason: string): Promise<void> {
    // Of a server that is out of service already, its own loops are the ones to learn more.
    if (this.#topology.find(address)?.status === ServerStatus.SHUNNED) return;
    await this.#checksOf(address)?.confirmFailure(reason);
  }

  /**
   * After a reload of anything but the servers: other periods, thresholds, hostgroups, another account. What is known
   * stays known; every connection is opened anew.
   */
  async reconfigure(options: Pick<MonitorOptions, 'credentials' | 'hostgroups' | 'settings'>): Promise<void> {
    if (this.#lifecycle !== 'started') return;
    const old = [this.#discovery, this.#views, this.#lag, ...this.#checks.values()];
    this.#checks.clear();
    this.#credentials = options.credentials;
    this.#settings = withDefaults(options.settings ?? {});
    this.#topology = this.#topology.withSettings(this.#topologySettings(options.hostgroups));
    this.#discovery = this.#makeDiscovery();
    this.#views = this.#makeViews(this.catalog);
    this.#lag = this.#makeLagWatch();
    void this.#views.start();
    if (this.#settings.discovery) void this.#discovery.start();
    // An update without a change: hostgroups are decided anew, and every server gets its checks.
    this.#apply([], true);
    await Promise.all(old.map((loop) => loop.stop()));
  }

  /** After a reload: servers that are no longer named are dropped, discovered ones stay. */
  async updateServers(servers: readonly ConfiguredServer[]): Promise<void> {
    if (this.#lifecycle !== 'started') return;
    this.#apply([{ kind: 'configured', servers }]);
    if (this.#settings.discovery) await this.#discovery.wake();
  }

  /** OFFLINE_SOFT drains, OFFLINE_HARD cuts off, ONLINE leaves it to the checks again. */
  setAdministrativeStatus(address: ServerAddress, status: AdministrativeStatus): void {
    const known = this.#topology.find(address);
    if (known !== null) this.#apply([{ kind: 'administered', address: known.address, status }]);
  }

  /** It answers, and must not serve for this reason; `''`: it may again. */
  keepOut(address: ServerAddress, reason: string): void {
    const known = this.#topology.member(address);
    if (known !== null && known.keptOut !== reason)
      this.#apply([{ kind: 'kept-out', address: known.description.address, reason }]);
  }

  /** Resolves when the view definitions were read again. */
  refreshCatalog(): Promise<void> {
    return this.#views.refresh();
  }

  /** Puts into the one list of events what is watched beside the servers. */
  note(body: MonitorEventBody): void {
    this.#record(body);
  }

  /** Before the primary changes: resolves when no heartbeat is being written any more. */
  pauseHeartbeat(): Promise<void> {
    return this.#lag.pause();
  }

  resumeHeartbeat(): void {
    this.#lag.resume();
  }

  #topologySettings(hostgroups: HostgroupPair): TopologySettings {
    return { ...this.#settings, lag: lagThresholds(this.#settings), hostgroups };
  }

  #isStopped(): boolean {
    return this.#lifecycle === 'stopped';
  }

  #makeDiscovery(): Discovery {
    return new Discovery({
      credentials: this.#credentials,
      settings: this.#settings,
      clock: this.#clock,
      topology: () => this.#topology,
      apply: (changes) => this.#apply(changes),
      event: (event) => this.#record(event),
    });
  }

  #makeLagWatch(): LagWatch {
    return new LagWatch({
      credentials: this.#credentials,
      settings: this.#settings.heartbeat,
      clock: this.#clock,
      topology: () => this.#topology,
      event: (event) => this.#recordHeartbeat(event),
    });
  }

  #makeViews(known: SnapshotCatalog | null): ViewCatalog {
    return new ViewCatalog({
      credentials: this.#credentials,
      settings: this.#settings,
      clock: this.#clock,
      known,
      server: () => this.#catalogServer(),
      isWell: async (address) => {
        await this.wake(address);
        return this.#isSettled(address);
      },
      changed: (catalog, views) => this.#catalogChanged(catalog, views),
      definitions: this.#options.definitions ?? (() => null),
    });
  }

  /** From the seeds to what they lead to: the other servers, and the views. */
  async #lookFurther(): Promise<void> {
    const catalog = this.#views.start();
    if (this.#settings.discovery) await this.#discovery.startThoroughly();
    await catalog;
    // The first reading may have come too early, before there was a server to ask.
    if (!this.catalog.complete && this.#catalogServer() !== null) await this.#views.refresh();
  }

  #checksOf(address: ServerAddress): ServerChecks | undefined {
    return this.#checks.get(this.#topology.find(address)?.address ?? address);
  }

  /** A bug in a decision must not end the watch: the change is dropped, what was known stays in force. */
  #apply(changes: readonly TopologyChange[], always = false): void {
    if (this.#lifecycle === 'stopped' || (changes.length === 0 && !always)) return;
    if (this.#firstRound !== null && changes.every(({ kind }) => kind === 'check' || kind === 'lag')) {
      this.#firstRound.push(...changes);
      return;
    }
    try {
      this.#update(changes);
    } catch (error) {
      this.#options.logger.error({ err: error }, 'monitor: a change could not be applied');
    }
  }

  #update(changes: readonly TopologyChange[]): void {
    const before = this.#topology;
    const { topology, events } = before.update(changes);
    this.#topology = topology;
    for (const event of events) this.#record(event);
    this.#followMembership();
    this.#lag.follow();
    this.#react(before, events);
    if (isDifferentForRouting(before, topology)) this.#announceChange();
  }

  /** Every member has checks, nobody else has. */
  #followMembership(): void {
    const running = new Set<ServerAddress>();
    for (const { address, host, port, tls } of this.#topology.servers) {
      running.add(address);
      const existing = this.#checks.get(address);
      if (existing !== undefined && isSameTls(existing.target.tls, tls)) continue;
      if (existing !== undefined) void existing.stop();
      const checks = new ServerChecks({
        target: { host, port, tls },
        credentials: this.#credentials,
        settings: this.#settings,
        clock: this.#clock,
        report: (report) => {
          const lag = this.#lag.coarse(address, report);
          this.#apply([{ kind: 'check', address, report }, ...(lag === null ? [] : [lag])]);
        },
        heartbeat: () => this.#lag.question(address),
        sampled: (sample) => this.#sampled(address, sample),
        observed: (check, run) => this.checkLog.add(check, { address, ...run }),
        isSettled: () => this.#isSettled(address),
      });
      this.#checks.set(address, checks);
      // The first round is started, and waited for, by start().
      if (this.#firstRound === null) void checks.start();
    }
    for (const [address, checks] of this.#checks) {
      if (running.has(address)) continue;
      this.#checks.delete(address);
      this.checkLog.forget(address);
      void checks.stop();
    }
  }

  #sampled(address: ServerAddress, sample: LagSample): void {
    if (this.#isStopped()) return;
    this.#lagChanges.push(this.#lag.sampled(address, sample));
    if (this.#firstRound !== null) this.#applyLag();
    else if (this.#lagChanges.length === 1) setImmediate(() => this.#applyLag());
  }

  #applyLag(): void {
    const changes = this.#lagChanges;
    this.#lagChanges = [];
    this.#apply(changes);
    if (!this.#isStopped()) this.#tell(() => this.emit('measured'));
  }

  #isSettled(address: ServerAddress): boolean {
    const member = this.#topology.member(address);
    if (member === null || member.description.status === ServerStatus.SHUNNED) return false;
    return Object.values(member.health).every(({ state }) => state === CheckState.up);
  }

  /** What has just been seen is often half of something: the other half is looked for at once. */
  #react(before: TopologyDescription, events: readonly MonitorEventBody[]): void {
    if (this.#firstRound !== null) return;
    const happened = (...kinds: readonly MonitorEventBody['kind'][]): boolean =>
      events.some(({ kind }) => kinds.includes(kind));
    // Of a primary that moves, the new one may be seen writable before the old one is seen read-only, or after.
    const primaryLost = before.primary !== null && this.#topology.primary === null;
    if (primaryLost || happened('two-primaries')) void this.wake();
    if (this.#settings.discovery && happened('source-changed', 'primary-changed', 'server-removed')) {
      void this.#discovery.wake();
    }
    if (this.#topology.primary !== before.primary) void this.#views.refresh();
  }

  /** The primary knows every view first; without one, a replica that has caught up is as good. */
  #catalogServer(): ServerDescription | null {
    const online = this.#topology.servers.filter(({ status }) => status === ServerStatus.ONLINE);
    return online.find(({ address }) => address === this.#topology.primary) ?? online[0] ?? null;
  }

  #catalogChanged(catalog: SnapshotCatalog, views: number): void {
    this.#record({
      kind: 'catalog-changed',
      complete: catalog.complete,
      reason: catalog.incompleteReason,
      views,
      unsafeViews: catalog.unsafeViews.length,
      tablesReason: catalog.tables.incompleteReason,
    });
    this.#announceChange();
  }

  /** What was said before a reload is no news behind it. */
  #recordHeartbeat(body: MonitorEventBody): void {
    const said = JSON.stringify(body);
    if (said !== this.#heartbeatSaid) this.#record(body);
    this.#heartbeatSaid = said;
  }

  #record(body: MonitorEventBody): void {
    const event = this.#ring.add(body, this.#clock.wallMs());
    this.#options.logger[levelOf(event)]({ ...body }, `monitor: ${body.kind}`);
    this.#tell(() => this.emit('event', event));
  }

  #announceChange(): void {
    if (this.#changePending) return;
    this.#changePending = true;
    setImmediate(() => {
      this.#changePending = false;
      if (!this.#isStopped()) this.#tell(() => this.emit('change'));
    });
  }

  /** A listener that throws must not look like a failed check. */
  #tell(emit: () => void): void {
    try {
      emit();
    } catch (error) {
      this.#options.logger.error({ err: error }, 'monitor: a listener threw');
    }
  }
}
