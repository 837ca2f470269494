/**
 * The set of servers as one immutable value. A check's result is a TopologyChange; `update` returns the next value
 * and what happened on the way. No sockets, no clock: the same changes always give the same topology.
 */

import { type HostgroupPair, hostgroupOf } from './hostgroup.ts';
import { judgeLag, type LagReport, type LagThresholds, stepLag, UNMEASURED_LAG } from './lag.ts';
import {
  describeMember,
  isSourceOf,
  keepEqualDescriptions,
  markDuplicates,
  withStatus,
} from './member-derivation.ts';
import {
  type Election,
  electPrimary,
  isCandidate,
  isWritable,
  resolveSource,
  roleOf,
  type SourceGraph,
  sourceGraph,
} from './primary-election.ts';
import { replicationState } from './replication-state.ts';
import { formatServerAddress } from './server-address.ts';
import {
  type ServerAddress,
  type ServerDescription,
  ServerRole,
  ServerStatus,
  tlsForDiscovered,
} from './server-description.ts';
import {
  type AdministrativeStatus,
  ALL_UNCHECKED,
  CheckState,
  type HealthThresholds,
  stepCheck,
} from './server-health.ts';
import {
  CheckName,
  type ReadOnlyProbe,
  type ReplicationChannel,
  type ReplicationProbe,
  type ServerFacts,
} from './server-probe.ts';
import { describeDifference } from './topology-difference.ts';
import type { ServerRemovalReason, TopologyEvent } from './topology-event.ts';
import { type ConfiguredServer, newMember, orderedStatus, type TopologyMember } from './topology-member.ts';

export interface TopologySettings extends HealthThresholds {
  readonly lag: LagThresholds;
  readonly hostgroups: HostgroupPair;
}

/** A good outcome with what it measured, a failure, or an outcome that says nothing about the server's health. */
export type CheckReport =
  | { readonly check: 'connect'; readonly ok: true; readonly facts: ServerFacts }
  | { readonly check: 'ping'; readonly ok: true; readonly latencyMs: number | null }
  | { readonly check: 'read_only'; readonly ok: true; readonly readOnly: ReadOnlyProbe }
  | { readonly check: 'replication'; readonly ok: true; readonly replication: ReplicationProbe }
  | { readonly check: CheckName; readonly ok: false; readonly reason: string; readonly confirmed: boolean };

export type TopologyChange =
  /** The configuration's servers, all of them: seeds that it does not name are removed. */
  | { readonly kind: 'configured'; readonly servers: readonly ConfiguredServer[] }
  | { readonly kind: 'discovered'; readonly server: ConfiguredServer; readonly via: ServerAddress }
  /** `alias` was found to lead to the same server as `address`. */
  | { readonly kind: 'alias'; readonly alias: ServerAddress; readonly address: ServerAddress }
  | { readonly kind: 'removed'; readonly address: ServerAddress; readonly reason: ServerRemovalReason }
  | {
      readonly kind: 'administered';
      readonly address: ServerAddress;
      readonly status: AdministrativeStatus;
    }
  | { readonly kind: 'lag'; readonly address: ServerAddress; readonly report: LagReport }
  /** It answers, and must not serve for this reason; `''`: it may again. */
  | { readonly kind: 'kept-out'; readonly address: ServerAddress; readonly reason: string }
  | { readonly kind: 'check'; readonly address: ServerAddress; readonly report: CheckReport };

export interface TopologyUpdate {
  /** The same object where nothing changed. */
  readonly topology: TopologyDescription;
  readonly events: readonly TopologyEvent[];
}

/** More names for servers than any real set has; the oldest go first. */
const MAX_ALIASES = 1000;

/** Of the newest ping. */
const LATENCY_WEIGHT = 0.3;

/** What the changes of one update are applied to, before anything is decided. */
interface Draft {
  readonly members: Map<ServerAddress, TopologyMember>;
  readonly aliases: Map<ServerAddress, ServerAddress>;
  readonly events: TopologyEvent[];
  /** Whether the known primary answered its read_only check, writable: only then can others be rivals. */
  primaryConfirmed: boolean;
}

/** A server that was cut off has to prove itself before it gets traffic again. */
function withHealthAfter(before: TopologyMember, after: TopologyMember): TopologyMember {
  const leavesHard =
    orderedStatus(before) === ServerStatus.OFFLINE_HARD && orderedStatus(after) === ServerStatus.ONLINE;
  return leavesHard ? { ...after, health: ALL_UNCHECKED } : after;
}

export class TopologyDescription {
  readonly version: number;
  readonly servers: readonly ServerDescription[];
  readonly primary: ServerAddress | null;
  /** Keeps the last primary while there is none: replicas of it are still replicas. */
  readonly lastPrimary: ServerAddress | null;
  /** Live servers that take writes and are not the primary. */
  readonly rivals: readonly ServerAddress[];
  readonly #settings: TopologySettings;
  readonly #members: ReadonlyMap<ServerAddress, TopologyMember>;
  readonly #aliases: ReadonlyMap<ServerAddress, ServerAddress>;

  private constructor(
    settings: TopologySettings,
    members: ReadonlyMap<ServerAddress, TopologyMember>,
    aliases: ReadonlyMap<ServerAddress, ServerAddress>,
    decided: Pick<TopologyDescription, 'version' | 'primary' | 'lastPrimary' | 'rivals'>,
  ) {
    this.version = decided.version;
    this.primary = decided.primary;
    this.lastPrimary = decided.lastPrimary;
    this.rivals = decided.rivals;
    this.#settings = settings;
    this.#members = members;
    this.#aliases = aliases;
    this.servers = Object.freeze([...members.values()].map((member) => member.description));
  }

  static empty(settings: TopologySettings): TopologyDescription {
    return new TopologyDescription(settings, new Map(), new Map(), {
      version: 0,
      primary: null,
      lastPrimary: null,
      rivals: [],
    });
  }

  /** The same servers under other rules, which count from the next update on. */
  withSettings(settings: TopologySettings): TopologyDescription {
    return new TopologyDescription(settings, this.#members, this.#aliases, this);
  }

  /** By its address or by another name that was found to lead to it. */
  find(address: ServerAddress): ServerDescription | null {
    return this.member(address)?.description ?? null;
  }

  member(address: ServerAddress): TopologyMember | null {
    return this.#members.get(address) ?? this.#members.get(this.#aliases.get(address) ?? '') ?? null;
  }

  /** Resolved sources of every server. */
  sources(): SourceGraph {
    return sourceGraph(this.#members, this.#aliases);
  }

  /** The member that a channel's source is, or null. */
  resolveSource(channel: ReplicationChannel): ServerAddress | null {
    return resolveSource(channel, this.#members, this.#aliases);
  }

  /** The address of the member with this identity, or null. */
  findIdentity(identity: string): ServerAddress | null {
    for (const [address, member] of this.#members) {
      if (member.facts?.identity === identity && member.duplicateOf === null) return address;
    }
    return null;
  }

  /**
   * Whether a server that answers at `address` replicates from a member, or is the one that a member replicates
   * from: a name alone, such as `localhost`, can lead anywhere.
   */
  isRelated(address: ServerAddress, facts: ServerFacts, replication: ReplicationProbe): boolean {
    if (replication.channels.some((channel) => this.resolveSource(channel) !== null)) return true;
    for (const member of this.#members.values()) {
      for (const channel of member.replication?.channels ?? []) {
        if (isSourceOf(channel, address, facts)) return true;
      }
    }
    return false;
  }

  update(changes: readonly TopologyChange[]): TopologyUpdate {
    const draft: Draft = {
      members: new Map(this.#members),
      aliases: new Map(this.#aliases),
      events: [],
      primaryConfirmed: false,
    };
    for (const change of changes) this.#apply(draft, change);
    return this.#decide(draft);
  }

  #apply(draft: Draft, change: TopologyChange): void {
    switch (change.kind) {
      case 'configured':
        this.#configure(draft, change.servers);
        return;
      case 'discovered': {
        const address = formatServerAddress(change.server.host, change.server.port);
        if (draft.members.has(address)) return;
        draft.members.set(address, newMember(address, change.server, 'discovered'));
        draft.events.push({ kind: 'server-added', address, origin: 'discovered', via: change.via });
        return;
      }
      case 'alias':
        if (draft.members.has(change.alias) || !draft.members.has(change.address)) return;
        draft.aliases.set(change.alias, change.address);
        if (draft.aliases.size > MAX_ALIASES) draft.aliases.delete(draft.aliases.keys().next().value!);
        return;
      case 'removed':
        if (!draft.members.delete(change.address)) return;
        draft.events.push({ kind: 'server-removed', address: change.address, reason: change.reason });
        return;
      case 'administered': {
        const member = draft.members.get(change.address);
        if (member === undefined) return;
        const ordered = { ...member, administrative: change.status };
        draft.members.set(change.address, withHealthAfter(member, ordered));
        return;
      }
      case 'lag': {
        const member = draft.members.get(change.address);
        if (member === undefined) return;
        const lag = stepLag(member.lag, change.report, member.config.lagLimitsMs, this.#settings.lag);
        draft.members.set(change.address, { ...member, lag });
        return;
      }
      case 'kept-out': {
        const member = draft.members.get(change.address);
        if (member !== undefined) draft.members.set(change.address, { ...member, keptOut: change.reason });
        return;
      }
      case 'check': {
        const member = draft.members.get(change.address);
        if (member !== undefined) this.#report(draft, change.address, member, change.report);
      }
    }
  }

  #configure(draft: Draft, servers: readonly ConfiguredServer[]): void {
    const before = new Map(draft.members);
    draft.members.clear();
    for (const config of servers) {
      const address = formatServerAddress(config.host, config.port);
      if (draft.members.has(address)) continue;
      const known = before.get(address);
      before.delete(address);
      draft.aliases.delete(address);
      draft.members.set(
        address,
        known === undefined
          ? newMember(address, config, 'seed')
          : withHealthAfter(known, {
              ...known,
              config,
              origin: 'seed',
              lag: judgeLag(known.lag, config.lagLimitsMs),
            }),
      );
      if (known === undefined)
        draft.events.push({ kind: 'server-added', address, origin: 'seed', via: null });
    }
    const tls = tlsForDiscovered(servers.map((server) => server.tls));
    for (const [address, member] of before) {
      if (member.origin === 'discovered')
        draft.members.set(address, { ...member, config: { ...member.config, tls } });
      else draft.events.push({ kind: 'server-removed', address, reason: 'configuration' });
    }
  }

  #report(draft: Draft, address: ServerAddress, member: TopologyMember, report: CheckReport): void {
    const before = member.health[report.check];
    const health = stepCheck(before, report, this.#settings);
    let next: TopologyMember = { ...member, health: { ...member.health, [report.check]: health } };
    if (!report.ok) {
      if (before.state === CheckState.up || before.state === CheckState.unknown) {
        const { check, reason } = report;
        draft.events.push({ kind: 'check-failed', address, check, reason });
      }
    } else {
      const wasBad = before.state !== CheckState.up && before.state !== CheckState.unknown;
      if (wasBad && health.state === CheckState.up) {
        draft.events.push({ kind: 'check-recovered', address, check: report.check });
      }
      next = this.#measure(draft, address, next, report);
    }
    draft.members.set(address, next);
  }

  #measure(
    draft: Draft,
    address: ServerAddress,
    member: TopologyMember,
    report: CheckReport & { readonly ok: true },
  ): TopologyMember {
    switch (report.check) {
      case CheckName.connect: {
        const { facts } = report;
        if (member.facts === null || member.facts.identity === facts.identity) return { ...member, facts };
        draft.events.push({ kind: 'server-replaced', address });
        return {
          ...member,
          facts,
          readOnly: null,
          replication: null,
          lag: UNMEASURED_LAG,
          ioConnecting: 0,
          rival: false,
          followed: null,
        };
      }
      case CheckName.ping: {
        const { latencyMs } = report;
        const { pingMs } = member;
        if (latencyMs === null || pingMs === null) return { ...member, pingMs: latencyMs ?? pingMs };
        return { ...member, pingMs: pingMs + (latencyMs - pingMs) * LATENCY_WEIGHT };
      }
      case CheckName.readOnly:
        if (address === this.primary && isWritable(report.readOnly)) draft.primaryConfirmed = true;
        return { ...member, readOnly: report.readOnly };
      case CheckName.replication: {
        const connecting = report.replication.channels.some(({ ioRunning }) => ioRunning === 'Connecting');
        const ioConnecting = connecting ? member.ioConnecting + 1 : 0;
        return { ...member, replication: report.replication, ioConnecting };
      }
    }
  }

  /** From the draft's measured values to statuses, roles and the primary. */
  #decide(draft: Draft): TopologyUpdate {
    const { members } = draft;
    for (const [alias, address] of draft.aliases) if (!members.has(address)) draft.aliases.delete(alias);
    markDuplicates(members);
    for (const [address, member] of members) members.set(address, withStatus(member));
    const graph = sourceGraph(members, draft.aliases);
    const known = this.primary ?? this.lastPrimary;
    const election = electPrimary(members, graph, known);
    this.#markRivals(draft, graph, election);
    const anchor = election.primary ?? (known !== null && members.has(known) ? known : null);
    const context = { members, aliases: draft.aliases, graph, thresholds: this.#settings };
    for (const [address, member] of members) {
      const role = roleOf(address, member, graph, election.primary, anchor);
      const hostgroup = hostgroupOf(role, member.config.hostgroup, this.#settings.hostgroups);
      const replication = replicationState(address, member, context);
      const description = describeMember(member, { role, hostgroup, ...replication });
      const followed =
        role === ServerRole.replica && election.primary !== null ? election.primary : member.followed;
      members.set(address, { ...member, followed, description });
    }
    return this.#finish(draft, election, anchor);
  }

  #markRivals(draft: Draft, graph: SourceGraph, election: Election): void {
    for (const [address, member] of draft.members) {
      let rival = member.rival;
      if (address === election.primary || !isCandidate(address, member, graph)) rival = false;
      else if (draft.primaryConfirmed && election.others.includes(address)) rival = true;
      if (rival !== member.rival) draft.members.set(address, { ...member, rival });
    }
  }

  #finish(draft: Draft, election: Election, anchor: ServerAddress | null): TopologyUpdate {
    const events = [...draft.events, ...describeDifference(this.#members, draft.members)];
    const { primary, others } = election;
    if (primary !== this.primary) {
      events.push({ kind: 'primary-changed', from: this.primary, to: primary, reason: election.reason });
    }
    const sameRivals = others.length === this.rivals.length && others.every((a) => this.rivals.includes(a));
    if (!sameRivals && others.length > 0) events.push({ kind: 'two-primaries', kept: primary, others });
    if (!sameRivals && others.length === 0) events.push({ kind: 'two-primaries-resolved', primary });
    const next = new TopologyDescription(
      this.#settings,
      keepEqualDescriptions(this.#members, draft.members),
      draft.aliases,
      {
        version: this.version + 1,
        primary,
        lastPrimary: anchor,
        rivals: others,
      },
    );
    return { topology: next, events };
  }
}
