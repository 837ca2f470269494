/**
 * From a server's replication channels to the two fields that routing reads. Pure.
 *
 * `replicationRunning` is null while it is not known, and false also for a server that, measured, has no source.
 */

import { type Members, resolveSource, type SourceGraph } from './primary-election.ts';
import { type ServerAddress, type ServerDescription, ServerStatus } from './server-description.ts';
import { CheckState, type HealthThresholds } from './server-health.ts';
import type { ReplicationChannel } from './server-probe.ts';
import type { TopologyMember } from './topology-member.ts';

type ReplicationState = Pick<ServerDescription, 'source' | 'replicationRunning'>;

const NOT_MEASURED: ReplicationState = { source: null, replicationRunning: null };
const WITHOUT_SOURCE: ReplicationState = { source: null, replicationRunning: false };

/** A source that fails its checks here as well has nothing newer to give: its replicas are as fresh as can be had. */
function isSourceLost(address: ServerAddress, members: Members, graph: SourceGraph): boolean {
  const sources = graph.get(address) ?? [];
  return sources.some((source) => {
    const member = members.get(source);
    if (member === undefined) return false;
    if (member.description.status === ServerStatus.SHUNNED) return true;
    return Object.values(member.health).some(({ state }) => state === CheckState.failing);
  });
}

/**
 * A thread that was stopped, or died of an error, counts at once. An IO thread that is connecting counts only when it
 * stays so: a single unlucky sample must not throw a replica out, and neither must the primary's own death.
 */
function isRunning(
  channel: ReplicationChannel,
  member: TopologyMember,
  sourceLost: boolean,
  thresholds: HealthThresholds,
): boolean {
  if (channel.sqlRunning !== 'Yes' || channel.ioRunning === 'No') return false;
  if (channel.ioRunning === 'Yes') return true;
  const wasRunning = member.description.replicationRunning === true;
  return wasRunning && (sourceLost || member.ioConnecting < thresholds.failureThreshold);
}

/** By `Seconds_Behind_Source`: of the channel that is furthest behind, null where one does not know. */
export function coarseLagOf(channels: readonly ReplicationChannel[]): number | null {
  let lagMs: number | null = null;
  for (const channel of channels) {
    if (channel.lagMs === null) return null;
    lagMs = Math.max(lagMs ?? 0, channel.lagMs);
  }
  return lagMs;
}

/** What a server's replication is judged by, besides itself. */
export interface ReplicationContext {
  readonly members: Members;
  readonly aliases: ReadonlyMap<ServerAddress, ServerAddress>;
  readonly graph: SourceGraph;
  readonly thresholds: HealthThresholds;
}

export function replicationState(
  address: ServerAddress,
  member: TopologyMember,
  context: ReplicationContext,
): ReplicationState {
  if (member.replication === null) return NOT_MEASURED;
  const { members, aliases, graph, thresholds } = context;
  const { channels } = member.replication;
  // Of several sources, one that is a member is the one worth showing.
  const shown = channels.find((channel) => resolveSource(channel, members, aliases) !== null) ?? channels[0];
  // The check has failed too often: what it said last is too old to send reads by.
  if (member.health.replication.state === CheckState.down) {
    return { ...NOT_MEASURED, source: shown?.source ?? null };
  }
  if (shown === undefined) return WITHOUT_SOURCE;
  const sourceLost = isSourceLost(address, members, graph);
  const running = channels.every((channel) => isRunning(channel, member, sourceLost, thresholds));
  return { source: shown.source, replicationRunning: running };
}
