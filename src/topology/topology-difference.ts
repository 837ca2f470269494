/** The events that follow from comparing two states of the same servers. Pure. */

import type { Members } from './primary-election.ts';
import type { ServerAddress } from './server-description.ts';
import type { TopologyEvent } from './topology-event.ts';
import type { TopologyMember } from './topology-member.ts';

function describeMember(address: ServerAddress, before: TopologyMember | undefined, after: TopologyMember) {
  const events: TopologyEvent[] = [];
  const old = before?.description;
  const now = after.description;
  if (after.duplicateOf !== null && after.duplicateOf !== before?.duplicateOf) {
    events.push({ kind: 'duplicate-server', address, sameAs: after.duplicateOf });
  }
  // A first version is learnt with every new server; only a change of it is news.
  if (old !== undefined && old.version !== '' && old.version !== now.version) {
    events.push({ kind: 'version-changed', address, from: old.version, to: now.version });
  }
  if (old?.readOnly !== now.readOnly && now.readOnly !== null) {
    events.push({ kind: 'read-only-changed', address, readOnly: now.readOnly });
  }
  const oldSource = old?.source ?? null;
  if (oldSource !== now.source) {
    events.push({ kind: 'source-changed', address, from: oldSource, to: now.source });
  }
  // Of a server without a source, `replicationRunning` is no news.
  const runs = (description: typeof now | undefined): boolean | null =>
    description === undefined || description.source === null ? null : description.replicationRunning;
  if (now.replicationRunning !== null && now.source !== null && runs(old) !== now.replicationRunning) {
    const error = after.replication?.channels.find((channel) => channel.error !== '')?.error ?? '';
    events.push({ kind: 'replication-changed', address, running: now.replicationRunning, error });
  }
  if (now.laggingOver !== null && old?.laggingOver !== now.laggingOver) {
    const before = new Set(old?.laggingOver ?? []);
    const { lagMs } = now;
    for (const limitMs of now.laggingOver)
      if (!before.delete(limitMs))
        events.push({ kind: 'lag-changed', address, lagging: true, limitMs, lagMs });
    // A limit that does not hold any more is no news.
    for (const limitMs of before)
      if (after.config.lagLimitsMs.includes(limitMs))
        events.push({ kind: 'lag-changed', address, lagging: false, limitMs, lagMs });
  }
  const oldStatus = old?.status ?? 'SHUNNED';
  if (oldStatus !== now.status) {
    events.push({
      kind: 'status-changed',
      address,
      from: oldStatus,
      to: now.status,
      reason: now.statusReason,
    });
  }
  const oldRole = old?.role ?? 'unknown';
  if (oldRole !== now.role) events.push({ kind: 'role-changed', address, from: oldRole, to: now.role });
  return events;
}

export function describeDifference(before: Members, after: Members): TopologyEvent[] {
  const events: TopologyEvent[] = [];
  for (const [address, member] of after) events.push(...describeMember(address, before.get(address), member));
  return events;
}
