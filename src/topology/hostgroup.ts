/** Which hostgroup a server is in. */

import { ServerRole } from './server-description.ts';

/** A pair (writer, reader): ProxySQL's replication hostgroups. */
export interface HostgroupPair {
  readonly writer: number;
  readonly reader: number;
}

/**
 * The first hostgroup of a server (see hostgroup-membership.ts for all of them). One outside of the pair is as the
 * operator says. Else the measured role decides, and a server whose role is not known is never put among the writers.
 */
export function hostgroupOf(role: ServerRole, configured: number | null, pair: HostgroupPair): number {
  const isMeasured = configured === null || configured === pair.writer || configured === pair.reader;
  if (!isMeasured) return configured;
  return role === ServerRole.primary ? pair.writer : pair.reader;
}
