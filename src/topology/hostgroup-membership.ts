/**
 * Which servers are in which hostgroup, and which of them are fit to serve it: a function of what the operator has
 * listed and what was measured. In a pair (writer, reader) the measured role decides in which of the two a server is;
 * any other hostgroup has the servers that are listed for it. Pure.
 */

import type { Balancing, Warming } from './balancing.ts';
import type { HostgroupPair } from './hostgroup.ts';
import {
  type ServerAddress,
  type ServerDescription,
  ServerRole,
  ServerStatus,
} from './server-description.ts';

/** A server's place in a hostgroup, as the operator has listed it. */
export interface HostgroupEntry {
  readonly address: ServerAddress;
  /** null: in the first pair. */
  readonly hostgroup: number | null;
  /** 0 takes no reads. */
  readonly weight: number;
  /** What the operator wants of it in this hostgroup; ONLINE and SHUNNED leave it to the checks. */
  readonly status: ServerStatus;
  /** 0 means no limit. */
  readonly maxReplicationLagMs: number;
  /** 0 means no limit. */
  readonly maxLatencyMs: number;
  /** Availability zone; '' where none is known. */
  readonly zone: string;
}

export const HostgroupKind = { writer: 'writer', reader: 'reader', static: 'static' } as const;
export type HostgroupKind = (typeof HostgroupKind)[keyof typeof HostgroupKind];

/** Why a member serves its hostgroup or does not: a closed set, shown as it stands. */
export const MemberVerdict = {
  fit: 'fit',
  shunned: 'shunned',
  offlineSoft: 'offline-soft',
  offlineHard: 'offline-hard',
  /** Its weight is 0. */
  noWeight: 'no-weight',
  /** Neither the primary nor a replica, as far as is known. */
  roleUnknown: 'role-unknown',
  notReplicating: 'not-replicating',
  lagUnknown: 'lag-unknown',
  lagging: 'lagging',
  tooSlow: 'too-slow',
} as const;
export type MemberVerdict = (typeof MemberVerdict)[keyof typeof MemberVerdict];

export interface HostgroupMember {
  readonly address: ServerAddress;
  readonly weight: number;
  /** In this hostgroup. */
  readonly status: ServerStatus;
  readonly verdict: MemberVerdict;
  readonly zone: string;
}

export interface Hostgroup {
  readonly id: number;
  readonly kind: HostgroupKind;
  /** Of its pair, itself included; null for a static one. */
  readonly pair: HostgroupPair | null;
  readonly members: readonly HostgroupMember[];
}

export interface RuledMember extends HostgroupMember {
  /** null: its weight counts in full. */
  readonly warming: Warming | null;
}

/** With what the operator has said of it. */
export interface RuledHostgroup extends Hostgroup, Balancing {
  readonly members: readonly RuledMember[];
  /** `false`: sessions whose writer it is stay on one connection. */
  readonly multiplex: boolean;
}

export interface MembershipInput {
  readonly servers: readonly ServerDescription[];
  readonly primary: ServerAddress | null;
  readonly entries: readonly HostgroupEntry[];
  /** At least one; the first is that of servers that nobody has listed. */
  readonly pairs: readonly HostgroupPair[];
  /** The primary is a reader too. */
  readonly primaryReads: boolean;
}

interface Draft {
  readonly id: number;
  readonly kind: HostgroupKind;
  readonly pair: HostgroupPair | null;
  readonly members: HostgroupMember[];
}

/** All hostgroups that there are, by number; those without members as well. */
export function hostgroupsOf(input: MembershipInput): readonly Hostgroup[] {
  const drafts = new Map<number, Draft>();
  const add = (id: number, kind: HostgroupKind, pair: HostgroupPair | null): Draft => {
    const known = drafts.get(id) ?? { id, kind, pair, members: [] };
    drafts.set(id, known);
    return known;
  };
  for (const pair of input.pairs) {
    add(pair.writer, HostgroupKind.writer, pair);
    add(pair.reader, HostgroupKind.reader, pair);
  }
  const entriesOf = Map.groupBy(input.entries, ({ address }) => address);
  for (const server of input.servers) {
    const entries = entriesOf.get(server.address) ?? [unlisted(server)];
    const isPrimary = server.address === input.primary && server.role === ServerRole.primary;
    for (const pair of input.pairs) {
      const placed = placesIn(pair, entries, pair === input.pairs[0]);
      if (placed === null) continue;
      if (isPrimary) drafts.get(pair.writer)!.members.push(writerOf(server, placed.writer));
      if (!isPrimary || input.primaryReads)
        drafts.get(pair.reader)!.members.push(readerOf(server, placed.reader, isPrimary));
    }
    for (const entry of entries) {
      if (entry.hostgroup === null) continue;
      const draft = add(entry.hostgroup, HostgroupKind.static, null);
      if (draft.kind === HostgroupKind.static) draft.members.push(readerOf(server, entry, isPrimary));
    }
  }
  return Object.freeze([...drafts.values()].toSorted((a, b) => a.id - b.id));
}

/** Whether the operator lets the primary take writes: some writer hostgroup has it, or none knows it. */
export function takesWrites(hostgroups: readonly Hostgroup[], primary: ServerAddress): boolean {
  let known = false;
  for (const { kind, members } of hostgroups) {
    if (kind !== HostgroupKind.writer) continue;
    for (const { address, verdict } of members) {
      if (address !== primary) continue;
      if (verdict === MemberVerdict.fit) return true;
      known = true;
    }
  }
  return !known;
}

/** A server that was discovered. */
function unlisted(server: ServerDescription): HostgroupEntry {
  return {
    address: server.address,
    hostgroup: null,
    weight: server.weight,
    status: ServerStatus.ONLINE,
    maxReplicationLagMs: server.maxReplicationLagMs,
    maxLatencyMs: 0,
    zone: '',
  };
}

/** What holds for a server as writer and as reader of a pair: its own row there, else that of the other hostgroup. */
function placesIn(
  pair: HostgroupPair,
  entries: readonly HostgroupEntry[],
  isFirst: boolean,
): { readonly writer: HostgroupEntry; readonly reader: HostgroupEntry } | null {
  const inWriter = entries.find(({ hostgroup }) => hostgroup === pair.writer);
  const inReader = entries.find(({ hostgroup }) => hostgroup === pair.reader);
  const anywhere = isFirst ? entries.find(({ hostgroup }) => hostgroup === null) : undefined;
  const writer = inWriter ?? anywhere ?? inReader;
  const reader = inReader ?? anywhere ?? inWriter;
  return writer === undefined || reader === undefined ? null : { writer, reader };
}

/** OFFLINE by the operator, in this hostgroup or altogether, comes before what the checks say. */
function statusIn(server: ServerDescription, entry: HostgroupEntry): ServerStatus {
  for (const status of [ServerStatus.OFFLINE_HARD, ServerStatus.OFFLINE_SOFT])
    if (server.status === status || entry.status === status) return status;
  return server.status;
}

const STATUS_VERDICTS: Readonly<Record<ServerStatus, MemberVerdict | null>> = {
  ONLINE: null,
  SHUNNED: MemberVerdict.shunned,
  OFFLINE_SOFT: MemberVerdict.offlineSoft,
  OFFLINE_HARD: MemberVerdict.offlineHard,
};

function writerOf(server: ServerDescription, entry: HostgroupEntry): HostgroupMember {
  const status = statusIn(server, entry);
  const verdict = STATUS_VERDICTS[status] ?? MemberVerdict.fit;
  return { address: server.address, weight: entry.weight, status, verdict, zone: entry.zone };
}

function readerOf(server: ServerDescription, entry: HostgroupEntry, isPrimary: boolean): HostgroupMember {
  const status = statusIn(server, entry);
  const verdict = STATUS_VERDICTS[status] ?? readVerdict(server, entry, isPrimary);
  return { address: server.address, weight: entry.weight, status, verdict, zone: entry.zone };
}

function readVerdict(server: ServerDescription, entry: HostgroupEntry, isPrimary: boolean): MemberVerdict {
  if (entry.weight <= 0) return MemberVerdict.noWeight;
  if (!isPrimary) {
    if (server.role !== ServerRole.replica) return MemberVerdict.roleUnknown;
    if (server.replicationRunning !== true) return MemberVerdict.notReplicating;
    if (entry.maxReplicationLagMs > 0) {
      // A lag that was never known passes no limit.
      if (server.laggingOver === null) return MemberVerdict.lagUnknown;
      if (server.laggingOver.includes(entry.maxReplicationLagMs)) return MemberVerdict.lagging;
    }
  }
  const isSlow = entry.maxLatencyMs > 0 && server.latencyMs !== null && server.latencyMs > entry.maxLatencyMs;
  return isSlow ? MemberVerdict.tooSlow : MemberVerdict.fit;
}
