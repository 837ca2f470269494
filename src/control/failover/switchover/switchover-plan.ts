/** What a switchover will do, once every check has passed. */

import type { PrimaryPlace } from '../follow-primary.ts';
import type { ServerOperator } from '../servers/server-operator.ts';
import type { ReplicationChannelState, ServerState } from '../servers/server-state.ts';

/** A server with its state as the checks have found it. */
export interface PlannedServer {
  readonly operator: ServerOperator;
  readonly state: ServerState;
}

export interface SwitchoverPlan {
  readonly from: PlannedServer;
  readonly to: PlannedServer;
  /** By which the new primary replicates from the old one. */
  readonly channel: ReplicationChannelState;
  /** They replicate from each other: only who is read-only changes. */
  readonly isPair: boolean;
  /** Other replicas of the old primary, each with the channel that leads there. */
  readonly others: readonly (PlannedServer & { readonly channel: ReplicationChannelState })[];
  /** Where the others find the new primary. */
  readonly place: PrimaryPlace;
}
