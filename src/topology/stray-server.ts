/** Servers that belong to the primary and do not follow it: what a failover leaves behind. Pure. */

import { isWritable, replicatesFrom } from './primary-election.ts';
import { type ServerAddress, ServerStatus } from './server-description.ts';
import { CheckState } from './server-health.ts';
import { CheckName } from './server-probe.ts';
import type { TopologyDescription } from './topology.ts';
import { orderedStatus, type TopologyMember } from './topology-member.ts';

export const StrayKind = {
  /** It follows the primary, over any number of servers. */
  follows: 'follows',
  /** It was primary before this one, and takes writes: it must not. */
  writableOld: 'writable-old',
  /** It was primary before this one. */
  old: 'old',
  /** It replicates from one that was. */
  orphan: 'orphan',
  /** Nobody knows what it is meant to be, or it does not answer. */
  other: 'other',
} as const;
export type StrayKind = (typeof StrayKind)[keyof typeof StrayKind];

const NEEDED: readonly CheckName[] = [
  CheckName.connect,
  CheckName.ping,
  CheckName.readOnly,
  CheckName.replication,
];

function answers({ health }: TopologyMember): boolean {
  return NEEDED.every((name) => health[name].state === CheckState.up);
}

/** @param replaced servers whose place as primary was taken by another one */
export function strayKind(
  topology: TopologyDescription,
  member: TopologyMember,
  primary: ServerAddress,
  replaced: ReadonlySet<ServerAddress>,
): StrayKind {
  const { address } = member.description;
  const { readOnly, replication, duplicateOf } = member;
  if (address === primary || duplicateOf !== null || readOnly === null || replication === null)
    return StrayKind.other;
  if (!answers(member) || orderedStatus(member) !== ServerStatus.ONLINE) return StrayKind.other;
  const isOld = replaced.has(address);
  if (isWritable(readOnly)) return isOld ? StrayKind.writableOld : StrayKind.other;
  if (replicatesFrom(topology.sources(), address, primary)) return StrayKind.follows;
  // Of several sources only people know which ones are meant.
  if (replication.channels.length > 1) return StrayKind.other;
  if (isOld) return StrayKind.old;
  const [channel] = replication.channels;
  const source = channel === undefined ? null : (topology.resolveSource(channel) ?? channel.source);
  return source !== null && replaced.has(source) ? StrayKind.orphan : StrayKind.other;
}
