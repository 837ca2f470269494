/**
 * The server whose death would be a failover: the primary, the last one while there is none, or, for a Sluice that has
 * never seen one, the server that all replicas name as their source. Pure.
 */

import { splitServerAddress } from './server-address.ts';
import { type ServerAddress, ServerStatus, type ServerTls, tlsForDiscovered } from './server-description.ts';
import { CheckState } from './server-health.ts';
import type { ReplicationChannel } from './server-probe.ts';
import type { TopologyDescription } from './topology.ts';
import { orderedStatus, type TopologyMember } from './topology-member.ts';

/** What tells a source, in a replica's words. */
export type SourceName = Pick<ReplicationChannel, 'source' | 'sourceUuid' | 'sourceId'>;

export interface WatchedPrimary {
  readonly address: ServerAddress;
  readonly host: string;
  readonly port: number;
  readonly tls: ServerTls;
  /** Null where it has never answered. */
  readonly identity: string | null;
  /** Members that replicated from it when they were last asked, or that may have: not asked once yet. */
  readonly replicas: readonly ServerAddress[];
  /** Whether a channel, as a replica shows it now, leads there. */
  isSource(name: SourceName): boolean;
  /** A check of it has failed, or none has succeeded yet. */
  readonly isSuspect: boolean;
}

function isAnswering(member: TopologyMember): boolean {
  const { status } = member.description;
  return status !== ServerStatus.SHUNNED && member.facts !== null;
}

function needsNoWitness(member: TopologyMember): boolean {
  return member.duplicateOf !== null || orderedStatus(member) === ServerStatus.OFFLINE_HARD;
}

/** Null where nobody, or more than one server, is what the replicas follow. */
export function watchedPrimary(topology: TopologyDescription): WatchedPrimary | null {
  const known = topology.primary ?? topology.lastPrimary;
  const member = known === null ? null : topology.member(known);
  if (member !== null) return ofMember(topology, member);
  return ofReplicas(topology);
}

function ofMember(topology: TopologyDescription, member: TopologyMember): WatchedPrimary {
  const { address, host, port, tls } = member.description;
  const names = new Set<ServerAddress>([address]);
  for (const server of topology.servers)
    for (const channel of topology.member(server.address)?.replication?.channels ?? [])
      if (topology.resolveSource(channel) === address) names.add(channel.source);
  const { facts } = member;
  const isFailing = Object.values(member.health).some(
    ({ state }) => state !== CheckState.up && state !== CheckState.unknown,
  );
  const isSource = sourceTest(names, facts?.serverUuid ?? null, facts?.serverId ?? null);
  return {
    address,
    host,
    port,
    tls,
    identity: facts?.identity ?? null,
    replicas: replicasOf(topology, address, isSource),
    isSource,
    isSuspect: isFailing || member.description.status === ServerStatus.SHUNNED,
  };
}

/** A name that leads elsewhere for the replica than for us is told by what answered there. */
function sourceTest(
  names: ReadonlySet<ServerAddress>,
  uuid: string | null,
  serverId: number | null,
): (name: SourceName) => boolean {
  return ({ source, sourceUuid, sourceId }) => {
    if (uuid !== null && sourceUuid !== null) return uuid === sourceUuid;
    if (names.has(source)) return true;
    return uuid === null && serverId !== null && sourceId !== null && sourceId > 0 && sourceId === serverId;
  };
}

function replicasOf(
  topology: TopologyDescription,
  address: ServerAddress,
  isSource: (name: SourceName) => boolean,
): ServerAddress[] {
  return topology.servers.flatMap((server) => {
    const member = topology.member(server.address);
    if (member === null || server.address === address || needsNoWitness(member)) return [];
    // Nobody knows whose replica it is: it may be the one that has the most.
    if (member.replication === null) return [server.address];
    return member.replication.channels.some(isSource) ? [server.address] : [];
  });
}

/** The one server that replicas follow and that follows nobody we know of. */
function ofReplicas(topology: TopologyDescription): WatchedPrimary | null {
  const roots = new Map<ServerAddress, ServerAddress | null>();
  for (const server of topology.servers) {
    const member = topology.member(server.address);
    if (member === null || needsNoWitness(member) || !isAnswering(member)) continue;
    for (const channel of member.replication?.channels ?? []) {
      const source = topology.resolveSource(channel);
      const sourceMember = source === null ? null : topology.member(source);
      // A source that is a replica itself is not the one that all follow.
      if (sourceMember !== null && (sourceMember.replication?.channels.length ?? 0) > 0) continue;
      roots.set(source ?? channel.source, source);
    }
  }
  const [root, ...others] = roots;
  if (root === undefined || others.length > 0) return null;
  const [address, resolved] = root;
  const member = resolved === null ? null : topology.member(resolved);
  if (member !== null) return ofMember(topology, member);
  const place = splitServerAddress(address);
  if (place === null) return null;
  const tls = tlsForDiscovered(topology.servers.map((server) => server.tls));
  const isSource = ({ source }: SourceName) => source === address;
  const replicas = replicasOf(topology, address, isSource);
  return { address, ...place, tls, identity: null, replicas, isSource, isSuspect: true };
}
