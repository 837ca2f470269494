/**
 * Who is primary, who is a replica: decided from what was measured, never from what was declared. Pure.
 *
 * A *candidate* takes writes and replicates from nobody, or only from servers that replicate from it (a
 * dual-primary pair, whose other half is read-only or idle). There is never more than one primary: where two
 * candidates live at once the known one stays, because its clients' writes are there.
 */

import { gtidSetContains, isEmptyGtidSet, parseGtidSet } from './gtid.ts';
import { type ServerAddress, ServerRole, ServerStatus } from './server-description.ts';
import type { ReadOnlyProbe, ReplicationChannel } from './server-probe.ts';
import { PrimaryChangeReason } from './topology-event.ts';
import type { TopologyMember } from './topology-member.ts';

export type Members = ReadonlyMap<ServerAddress, TopologyMember>;

/** Each of the three refuses writes of ordinary accounts; `super_read_only` those of administrators too. */
export function isWritable(probe: ReadOnlyProbe): boolean {
  return !probe.readOnly && !probe.superReadOnly && !probe.innodbReadOnly;
}

/**
 * The member that a channel's source is. A replica may know its source by a name that this machine does not: then
 * the UUID tells, or the server id, which replication itself requires to be unique.
 */
export function resolveSource(
  channel: ReplicationChannel,
  members: Members,
  aliases: ReadonlyMap<ServerAddress, ServerAddress>,
): ServerAddress | null {
  const named = members.has(channel.source) ? channel.source : aliases.get(channel.source);
  if (named !== undefined && members.has(named)) return members.get(named)!.duplicateOf ?? named;
  const matches: ServerAddress[] = [];
  for (const [address, { facts, duplicateOf }] of members) {
    if (facts === null || duplicateOf !== null) continue;
    if (channel.sourceUuid !== null && channel.sourceUuid === facts.serverUuid) return address;
    const sameId = channel.sourceId !== null && channel.sourceId > 0 && channel.sourceId === facts.serverId;
    if (channel.sourceUuid === null && sameId) matches.push(address);
  }
  return matches.length === 1 ? matches[0]! : null;
}

/** Resolved sources per member; an unresolved source is left out. */
export type SourceGraph = ReadonlyMap<ServerAddress, readonly ServerAddress[]>;

export function sourceGraph(
  members: Members,
  aliases: ReadonlyMap<ServerAddress, ServerAddress>,
): SourceGraph {
  const graph = new Map<ServerAddress, readonly ServerAddress[]>();
  for (const [address, member] of members) {
    const sources: ServerAddress[] = [];
    for (const channel of member.replication?.channels ?? []) {
      const source = resolveSource(channel, members, aliases);
      if (source !== null) sources.push(source);
    }
    graph.set(address, sources);
  }
  return graph;
}

/** True where replication leads from `target` to `from`, over any number of servers in between. */
export function replicatesFrom(graph: SourceGraph, from: ServerAddress, target: ServerAddress): boolean {
  const seen = new Set<ServerAddress>();
  const queue = [...(graph.get(from) ?? [])];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (next === target) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    queue.push(...(graph.get(next) ?? []));
  }
  return false;
}

export function isCandidate(address: ServerAddress, member: TopologyMember, graph: SourceGraph): boolean {
  if (member.duplicateOf !== null || member.readOnly === null || member.replication === null) return false;
  if (!isWritable(member.readOnly)) return false;
  const channels = member.replication.channels.length;
  if (channels === 0) return true;
  const sources = graph.get(address) ?? [];
  return sources.length === channels && sources.every((source) => replicatesFrom(graph, source, address));
}

function isLive(member: TopologyMember): boolean {
  const { status } = member.description;
  return status === ServerStatus.ONLINE || status === ServerStatus.OFFLINE_SOFT;
}

/** Whether `member` has everything that `known` was last seen to have. Without GTIDs nothing is proven. */
function hasEverythingOf(member: TopologyMember, known: TopologyMember): boolean {
  const own = member.replication?.gtidExecuted ?? '';
  const others = known.replication?.gtidExecuted ?? '';
  if (member.facts === null || known.facts === null || member.facts.flavor !== known.facts.flavor)
    return false;
  try {
    const wanted = parseGtidSet(others, known.facts.flavor);
    return !isEmptyGtidSet(wanted) && gtidSetContains(parseGtidSet(own, member.facts.flavor), wanted);
  } catch {
    return false;
  }
}

export interface Election {
  readonly primary: ServerAddress | null;
  /** Why; meaningful where the primary changed. */
  readonly reason: PrimaryChangeReason;
  /** Live candidates that were not chosen. */
  readonly others: readonly ServerAddress[];
}

function countReplicas(address: ServerAddress, graph: SourceGraph): number {
  let count = 0;
  for (const [replica, sources] of graph) if (replica !== address && sources.includes(address)) count++;
  return count;
}

/** Among several live candidates of which none is known. */
function chooseAmong(candidates: readonly ServerAddress[], graph: SourceGraph): Election {
  const counts = candidates.map((address) => countReplicas(address, graph));
  const most = Math.max(...counts);
  const best = candidates.filter((_, index) => counts[index] === most);
  const first = best[0]!;
  const others = (chosen: ServerAddress | null) => candidates.filter((address) => address !== chosen);
  if (best.length === 1) {
    return { primary: first, reason: PrimaryChangeReason.mostReplicas, others: others(first) };
  }
  // In a ring every write reaches every member, so any one of them may take the writes, if only one does.
  if (best.every((address) => address === first || replicatesFrom(graph, address, first))) {
    return { primary: first, reason: PrimaryChangeReason.configuredFirst, others: others(first) };
  }
  return { primary: null, reason: PrimaryChangeReason.ambiguous, others: candidates };
}

/** `known` is the primary so far, or the last one while there is none. Members are in order of preference. */
export function electPrimary(members: Members, graph: SourceGraph, known: ServerAddress | null): Election {
  const live: ServerAddress[] = [];
  for (const [address, member] of members) {
    if (isLive(member) && isCandidate(address, member, graph)) live.push(address);
  }
  const knownMember = known === null ? undefined : members.get(known);
  if (known !== null && knownMember !== undefined) {
    if (live.includes(known)) {
      const others = live.filter((address) => address !== known);
      return { primary: known, reason: PrimaryChangeReason.measured, others };
    }
    // A replica that takes writes now was promoted. Anybody else, such as an old primary that comes back or a server
    // that was just set up, has to show that it lacks nothing.
    const heirs = live.filter((address) => {
      const member = members.get(address)!;
      const promoted = member.followed === known && !member.rival;
      return promoted || hasEverythingOf(member, knownMember);
    });
    const stays = isCandidate(known, knownMember, graph) ? known : null;
    if (heirs.length === 0) return { primary: stays, reason: PrimaryChangeReason.notWritable, others: live };
    if (heirs.length === 1) {
      const others = live.filter((address) => address !== heirs[0]);
      return { primary: heirs[0]!, reason: PrimaryChangeReason.measured, others };
    }
    return chooseAmong(heirs, graph);
  }
  const gone = known === null ? PrimaryChangeReason.notWritable : PrimaryChangeReason.removed;
  if (live.length === 0) return { primary: null, reason: gone, others: [] };
  const undoubted = live.filter((address) => !isBehindOthers(address, members, graph));
  if (undoubted.length === 0) return { primary: null, reason: PrimaryChangeReason.ambiguous, others: live };
  if (undoubted.length > 1) return chooseAmong(undoubted, graph);
  const others = live.filter((address) => address !== undoubted[0]);
  return { primary: undoubted[0]!, reason: PrimaryChangeReason.measured, others };
}

/**
 * At the first look the true primary may be the one that does not answer: then its replicas have what the candidate
 * lacks.
 */
function isBehindOthers(candidate: ServerAddress, members: Members, graph: SourceGraph): boolean {
  for (const [address, member] of members) {
    if (!isLive(member) || replicatesFrom(graph, address, candidate)) continue;
    const followsTheDead = (graph.get(address) ?? []).some((source) => !isLive(members.get(source)!));
    if (followsTheDead && !hasEverythingOf(members.get(candidate)!, member)) return true;
  }
  return false;
}

/**
 * `anchor` is the primary, or the last known one while there is none. A server that replicates from elsewhere is
 * no replica of this topology, whatever it says: its data are another's.
 */
export function roleOf(
  address: ServerAddress,
  member: TopologyMember,
  graph: SourceGraph,
  primary: ServerAddress | null,
  anchor: ServerAddress | null,
): ServerRole {
  if (address === primary) return ServerRole.primary;
  if (member.duplicateOf !== null || member.readOnly === null || member.replication === null) {
    return ServerRole.unknown;
  }
  if (member.replication.channels.length === 0) return ServerRole.unknown;
  if (anchor === null) return ServerRole.replica;
  // The last primary itself, when it was demoted, is a replica of whoever took its place.
  const isOurs = address === anchor || replicatesFrom(graph, address, anchor);
  return isOurs ? ServerRole.replica : ServerRole.unknown;
}
