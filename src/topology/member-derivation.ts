/** The steps from a member's measured values to its description. Pure. */

import { isWritable } from './primary-election.ts';
import {
  type ServerAddress,
  type ServerDescription,
  ServerRole,
  ServerStatus,
} from './server-description.ts';
import { moveStatus, type StatusDecision, statusOf } from './server-health.ts';
import type { ReplicationChannel, ServerFacts } from './server-probe.ts';
import { orderedStatus, type TopologyMember } from './topology-member.ts';

/** Whether `channel` replicates from the server that answers at `address`. */
export function isSourceOf(channel: ReplicationChannel, address: ServerAddress, facts: ServerFacts): boolean {
  if (channel.sourceUuid !== null) return channel.sourceUuid === facts.serverUuid;
  if (channel.source !== address) return false;
  const idKnown = channel.sourceId !== null && channel.sourceId > 0;
  return !idKnown || channel.sourceId === facts.serverId;
}

/** Two names of one server would count its connections twice, and show one primary as two. */
export function markDuplicates(members: Map<ServerAddress, TopologyMember>): void {
  const owners = new Map<string, ServerAddress>();
  for (const [address, member] of members) {
    const identity = member.facts?.identity;
    const owner = identity === undefined ? undefined : owners.get(identity);
    if (identity !== undefined && owner === undefined) owners.set(identity, address);
    const duplicateOf = owner ?? null;
    if (duplicateOf !== member.duplicateOf) members.set(address, { ...member, duplicateOf });
  }
}

function decideStatus(member: TopologyMember): StatusDecision {
  if (member.duplicateOf !== null)
    return { status: ServerStatus.SHUNNED, reason: `the same server as ${member.duplicateOf}` };
  const decision = statusOf(member.health, orderedStatus(member));
  const isKeptOut = member.keptOut !== '' && decision.status === ServerStatus.ONLINE;
  return isKeptOut ? { status: ServerStatus.SHUNNED, reason: member.keptOut } : decision;
}

export function withStatus(member: TopologyMember): TopologyMember {
  const { description } = member;
  const decision = decideStatus(member);
  if (decision.status === description.status && decision.reason === description.statusReason) return member;
  moveStatus(description.status, decision.status);
  return {
    ...member,
    description: { ...description, status: decision.status, statusReason: decision.reason },
  };
}

export function describeMember(
  member: TopologyMember,
  decided: Pick<ServerDescription, 'role' | 'hostgroup' | 'source' | 'replicationRunning'>,
): ServerDescription {
  const { config, facts, readOnly, replication, description, lag } = member;
  // What replication is not known of has no lag that could be believed.
  const isBehind = decided.role === ServerRole.replica && decided.replicationRunning !== null;
  return {
    ...description,
    ...decided,
    weight: config.weight,
    maxConnections: config.maxConnections,
    maxReplicationLagMs: config.maxReplicationLagMs,
    tls: config.tls,
    origin: member.origin,
    version: facts?.version ?? '',
    flavor: facts?.flavor ?? description.flavor,
    versionId: facts?.versionId ?? 0,
    sessionTracking: facts?.sessionTracking ?? false,
    readOnly: readOnly === null ? null : !isWritable(readOnly),
    serverUuid: facts?.serverUuid ?? null,
    serverId: facts?.serverId ?? null,
    lagMs: isBehind ? lag.lagMs : null,
    lagSource: isBehind ? lag.source : null,
    laggingOver: isBehind ? lag.over : null,
    gtidExecuted: replication?.gtidExecuted ?? '',
    latencyMs: member.pingMs,
  };
}

/** A description that says the same keeps its object, so that equality is identity for whoever compares. */
export function keepEqualDescriptions(
  before: ReadonlyMap<ServerAddress, TopologyMember>,
  after: ReadonlyMap<ServerAddress, TopologyMember>,
): ReadonlyMap<ServerAddress, TopologyMember> {
  const result = new Map<ServerAddress, TopologyMember>();
  for (const [address, member] of after) {
    const old = before.get(address);
    const same = old !== undefined && sameDescription(old.description, member.description);
    const description = same ? old.description : Object.freeze(member.description);
    result.set(address, Object.freeze({ ...member, description }));
  }
  return result;
}

function sameDescription(a: ServerDescription, b: ServerDescription): boolean {
  for (const key of Object.keys(a) as (keyof ServerDescription)[]) if (a[key] !== b[key]) return false;
  return true;
}
