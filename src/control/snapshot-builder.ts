/** Makes the snapshots: from the configuration, the measured topology and the view catalogue. */

import { isDeepStrictEqual } from 'node:util';
import { defaultPair } from '../../config/hostgroup-pairs.ts';
import type { Config } from '../../config/schema.ts';
import type { GtidSource } from '../common/gtid-position.ts';
import { MAX_SERVERS } from '../common/shared-counters.ts';
import type {
  Snapshot,
  SnapshotAccounts,
  SnapshotCatalog,
  SnapshotRules,
  SnapshotServer,
  SnapshotWrites,
} from '../common/snapshot.ts';
import { type Hostgroup, hostgroupsOf, type RuledHostgroup } from '../topology/hostgroup-membership.ts';
import type { ServerDescription } from '../topology/server-description.ts';
import type { TopologyDescription } from '../topology/topology.ts';
import { hostgroupEntries, hostgroupPairsOf } from './configured-servers.ts';
import { SlowStart } from './slow-start.ts';
import type { TlsMaterial } from './tls-material.ts';

/** Announced until the first server has said what it is; the oldest that has all that Sluice offers. */
const DEFAULT_SERVER_VERSION = '5.7.44-sluice';

/** What a snapshot is made of, as it is at one moment. */
export interface SnapshotSources extends Pick<Snapshot, 'catalogEpoch' | 'relationsEpoch'> {
  readonly config: Config;
  readonly topology: TopologyDescription;
  readonly catalog: SnapshotCatalog;
  readonly tls: TlsMaterial;
  readonly accounts: SnapshotAccounts;
  readonly rules: SnapshotRules;
  readonly writes: SnapshotWrites;
  readonly gtidSources: readonly GtidSource[];
}

/** Names to places in the shared counters. A place is never given to another name. */
class SlotTable {
  readonly #slots = new Map<string, number>();
  readonly #limit: number;
  readonly #what: string;

  constructor(limit: number, what: string) {
    this.#limit = limit;
    this.#what = what;
  }

  /** @throws RangeError when more different names have been seen in this process than there are places. */
  slotOf(name: string): number {
    let slot = this.#slots.get(name);
    if (slot === undefined) {
      slot = this.#slots.size;
      if (slot >= this.#limit)
        throw new RangeError(`more than ${this.#limit} different ${this.#what} since the start`);
      this.#slots.set(name, slot);
    }
    return slot;
  }

  known(name: string): number | undefined {
    return this.#slots.get(name);
  }
}

export class SnapshotBuilder {
  readonly #serverSlots = new SlotTable(MAX_SERVERS, 'servers');
  readonly #slowStart = new SlowStart();
  #last: Snapshot | null = null;
  /** Whether new clients are let in. */
  accepting = true;

  /** @returns the same object as before where nothing in it has changed. */
  build(sources: SnapshotSources): Snapshot {
    const { config, topology, tls, catalogEpoch, relationsEpoch } = sources;
    const hostgroups = hostgroupsOf({
      servers: topology.servers,
      primary: topology.primary,
      entries: hostgroupEntries(config),
      pairs: hostgroupPairsOf(config),
      primaryReads: config.routing.readsOnPrimary === 'share',
    });
    const content = {
      writes: sources.writes,
      gtidSources: sources.gtidSources,
      servers: topology.servers.map((server) => this.#server(server, topology.primary, tls)),
      hostgroups: hostgroups.map((group) => this.#ruled(group, config)),
      accounts: sources.accounts,
      catalog: sources.catalog,
      catalogEpoch,
      relationsEpoch,
      settings: settingsOf(config),
      rules: sources.rules,
      accepting: this.accepting,
      clientTls: tls.client,
      serverVersion: announcedVersion(topology),
    };
    // Most checks find what the ones before have found: workers are told of changes only.
    if (this.#last === null || !isSameContent(this.#last, content))
      this.#last = Object.freeze({ version: (this.#last?.version ?? 0) + 1, ...content });
    return this.#last;
  }

  #ruled(group: Hostgroup, { hostgroupAttributes, routing }: Config): RuledHostgroup {
    const attributes = hostgroupAttributes.find(({ hostgroup }) => hostgroup === group.id);
    return {
      ...group,
      members: this.#slowStart.update(group, routing.slowStartMs, Date.now()),
      multiplex: attributes?.multiplex ?? true,
      policy: attributes?.policy ?? routing.policy,
      hashKey: attributes?.hashKey ?? routing.hashKey,
    };
  }

  /** Of a server that has been in a snapshot. */
  slotOf(address: string): number | undefined {
    return this.#serverSlots.known(address);
  }

  #server(server: ServerDescription, primary: string | null, tls: TlsMaterial): SnapshotServer {
    // A second writable server is nobody's primary: writes go to the known one only.
    const role = server.role === 'primary' && server.address !== primary ? 'unknown' : server.role;
    const backendTls = tls.forServer(server.host, server.tls);
    const {
      lagMs: _,
      lagSource: __,
      laggingOver: ___,
      latencyMs: ____,
      gtidExecuted: _____,
      ...steady
    } = server;
    return { ...steady, role, slot: this.#serverSlots.slotOf(server.address), backendTls };
  }
}

/** As far as workers go by them. */
function settingsOf(config: Config): Snapshot['settings'] {
  const { pool, limits, routing, causalReads, cache, statistics, transactionReplay } = config;
  const { slowQueryLog, auditLog, tracing } = config;
  return {
    pool,
    limits,
    routing,
    causalReads,
    cache,
    statistics,
    transactionReplay,
    hostgroups: defaultPair(config),
    proxyNetworks: config.proxyProtocol.networks,
    compression: config.listen.compression,
    resolveCommits: config.failover.resolveCommits ?? config.failover.automatic,
    logLevel: config.log.level,
    slowQueryLog,
    auditLog,
    tracing,
  };
}

/** The primary's own words, so that clients see the server that they get. */
function announcedVersion(topology: TopologyDescription): string {
  const primary = topology.servers.find(({ address }) => address === topology.primary);
  const known = primary ?? topology.servers.find(({ version }) => version !== '');
  if (known === undefined || known.version === '') return DEFAULT_SERVER_VERSION;
  return known.version;
}

/** Shared memory is the same where it is the same memory; anything else, where it says the same. */
function isSameContent(before: Snapshot, now: Omit<Snapshot, 'version'>): boolean {
  const { table: tableBefore, ...accountsBefore } = before.accounts;
  const { table, ...accounts } = now.accounts;
  return (
    table === tableBefore &&
    before.rules === now.rules &&
    isDeepStrictEqual(accountsBefore, accounts) &&
    isDeepStrictEqual(withoutShared(before), withoutShared(now))
  );
}

function withoutShared(snapshot: Omit<Snapshot, 'version'>) {
  const { version: _, accounts: __, rules: ___, ...rest } = snapshot as Snapshot;
  return rest;
}
