/** Whether routing depends on what is different between two topologies. Pure. */

import type { ServerDescription } from '../../topology/server-description.ts';
import type { TopologyDescription } from '../../topology/topology.ts';

/**
 * What moves all the time routes nothing by itself: GTIDs and lag are read where they are needed, and that a replica is
 * lagging over a limit is a verdict of its own. Latencies route where they cross a limit.
 */
const MOVING: ReadonlySet<keyof ServerDescription> = new Set([
  'gtidExecuted',
  'latencyMs',
  'lagMs',
  'lagSource',
] as const);

export function isDifferentForRouting(before: TopologyDescription, after: TopologyDescription): boolean {
  if (before.primary !== after.primary || before.servers.length !== after.servers.length) return true;
  return after.servers.some((server, index) => {
    const old = before.servers[index]!;
    if (old === server) return false;
    const limits = after.member(server.address)?.config.latencyLimitsMs ?? [];
    if (limits.some((limitMs) => isOver(old, limitMs) !== isOver(server, limitMs))) return true;
    return (Object.keys(server) as (keyof ServerDescription)[]).some(
      (key) => !MOVING.has(key) && server[key] !== old[key],
    );
  });
}

function isOver({ latencyMs }: ServerDescription, limitMs: number): boolean {
  return latencyMs !== null && latencyMs > limitMs;
}
