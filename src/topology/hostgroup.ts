/** Which hostgroup a server is in. */

import { ServerRole } from './server-description.ts';

/** A pair (writer, reader): ProxySQL's replication hostgroups. */
export interface HostgroupPair {
  readonly writer: number;
  readonly reader: number;
}

/**
 * A hostgroup that the operator fixed stays. Else the measured role decides, and a server whose role is not known
 * is never put among the writers.
 */
export function hostgroupOf(role: ServerRole, configured: number | null, pair: HostgroupPair): number {
  if (configured !== null) return configured;
  return role === ServerRole.primary ? pair.writer : pair.reader;
}
