/**
 * Who may serve a statement. A selector takes the topology and some of its servers and returns fewer of them (or
 * others), without side effects, so that policies are made by putting selectors in a row.
 */

import {
  type ServerAddress,
  type ServerDescription,
  ServerRole,
  ServerStatus,
} from './server-description.ts';

/** As much of a topology as selecting needs; a snapshot has it too. */
export interface SelectableTopology<Server extends ServerDescription = ServerDescription> {
  readonly servers: readonly Server[];
  readonly primary: ServerAddress | null;
}

export type ServerSelector = <Server extends ServerDescription>(
  topology: SelectableTopology<Server>,
  candidates: readonly Server[],
) => readonly Server[];

/** Left to right; each sees what the one before left. */
export function composeSelectors(...selectors: readonly ServerSelector[]): ServerSelector {
  return (topology, candidates) => {
    let left = candidates;
    for (const selector of selectors) left = selector(topology, left);
    return left;
  };
}

export const online: ServerSelector = (_, candidates) =>
  candidates.filter((server) => server.status === ServerStatus.ONLINE);

export const primaryOnly: ServerSelector = (topology, candidates) =>
  candidates.filter((server) => server.address === topology.primary && server.role === ServerRole.primary);

export const runningReplicas: ServerSelector = (_, candidates) =>
  candidates.filter((server) => server.role === ServerRole.replica && server.replicationRunning === true);

/** A weight of 0 takes no reads. */
export const weighted: ServerSelector = (_, candidates) => candidates.filter((server) => server.weight > 0);

/** A lag that is not known passes no limit. */
export const withinLag: ServerSelector = (_, candidates) =>
  candidates.filter(
    ({ lagMs, maxReplicationLagMs }) =>
      maxReplicationLagMs === 0 || (lagMs !== null && lagMs <= maxReplicationLagMs),
  );

/**
 * The one server that is read-only and, measured, replicates from nobody: the top of a topology that takes no writes
 * just now, as in the middle of a switchover. Its data are as new as any. Where there are replicas, it must be the
 * one that they name.
 */
const readOnlyTop: ServerSelector = (topology, candidates) => {
  if (topology.primary !== null) return [];
  const replicas = topology.servers.filter(({ role }) => role === ServerRole.replica);
  const tops = candidates.filter(
    (server) =>
      server.role === ServerRole.unknown &&
      server.readOnly === true &&
      server.source === null &&
      server.replicationRunning === false &&
      (replicas.length === 0 || replicas.some(({ source }) => source === server.address)),
  );
  return tops.length === 1 ? tops : [];
};

/** The first selector that leaves somebody decides. */
export function firstOf(...selectors: readonly ServerSelector[]): ServerSelector {
  return (topology, candidates) => {
    for (const selector of selectors) {
      const found = selector(topology, candidates);
      if (found.length > 0) return found;
    }
    return [];
  };
}

const fitForWrites: ServerSelector = composeSelectors(online, primaryOnly);

export const fitForReads: ServerSelector = composeSelectors(online, runningReplicas, weighted, withinLag);

/** The servers that writes may go to: one, or none. */
export function selectForWrites<Server extends ServerDescription>(
  topology: SelectableTopology<Server>,
): readonly Server[] {
  return fitForWrites(topology, topology.servers);
}

/**
 * The servers that proven reads may go to. `share` counts the primary among the readers, `fallback` uses it only when
 * no replica is fit.
 */
export function selectForReads<Server extends ServerDescription>(
  topology: SelectableTopology<Server>,
  readsOnPrimary: 'fallback' | 'share',
): readonly Server[] {
  const replicas = fitForReads(topology, topology.servers);
  if (readsOnPrimary === 'share') {
    const all = [...replicas, ...fitForWrites(topology, topology.servers)];
    if (all.length > 0) return all;
  }
  if (replicas.length > 0) return replicas;
  return firstOf(fitForWrites, composeSelectors(online, readOnlyTop))(topology, topology.servers);
}
