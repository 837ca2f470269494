/** What keeps this Sluice from failing over by itself if the primary died now, as far as its checks tell. */

import { ServerStatus } from '../../topology/server-description.ts';
import type { TopologyDescription } from '../../topology/topology.ts';
import { watchedPrimary } from '../../topology/watched-primary.ts';
import { AgreementState } from './agreement/agreement.ts';

export const FailoverObstacle = {
  /** `failover.automatic` is off. */
  notAutomatic: 'not-automatic',
  /** No replica answers whose replication works. */
  noCandidate: 'no-candidate',
  /** The Sluices cannot agree: etcd does not answer. */
  agreementLost: 'agreement-lost',
  /** The monitor's account lacks privileges. */
  privilegeMissing: 'privilege-missing',
} as const;
export type FailoverObstacle = (typeof FailoverObstacle)[keyof typeof FailoverObstacle];

export interface ObstacleFacts {
  readonly isAutomatic: boolean;
  readonly topology: TopologyDescription;
  readonly agreement: AgreementState;
  readonly lacksPrivileges: boolean;
}

export function failoverObstacles(facts: ObstacleFacts): readonly FailoverObstacle[] {
  const { isAutomatic, topology, agreement, lacksPrivileges } = facts;
  const obstacles: FailoverObstacle[] = [];
  if (!isAutomatic) obstacles.push(FailoverObstacle.notAutomatic);
  if (!hasCandidate(topology)) obstacles.push(FailoverObstacle.noCandidate);
  if (agreement === AgreementState.lost) obstacles.push(FailoverObstacle.agreementLost);
  if (lacksPrivileges) obstacles.push(FailoverObstacle.privilegeMissing);
  return obstacles;
}

function hasCandidate(topology: TopologyDescription): boolean {
  const watched = watchedPrimary(topology);
  if (watched === null) return false;
  const isAlive = topology.find(watched.address)?.status === ServerStatus.ONLINE;
  return watched.replicas.some((address) => {
    const server = topology.find(address);
    if (server?.status !== ServerStatus.ONLINE) return false;
    // Behind a dead primary no replication runs, which says nothing against a replica.
    return !isAlive || server.replicationRunning !== false;
  });
}
