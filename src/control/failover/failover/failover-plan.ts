/** What a failover will do, once a dead primary has an heir. */

import type { ServerAddress } from '../../../topology/server-description.ts';
import type { PrimaryPlace } from '../follow-primary.ts';
import type { ReplicationChannelState } from '../servers/server-state.ts';
import type { PlannedServer } from '../switchover/switchover-plan.ts';

/** A replica of the dead primary, with the channel that leads there. */
export interface Survivor extends PlannedServer {
  /** Null where a failover that broke off had made it forget its source. */
  readonly channel: ReplicationChannelState | null;
}

/** Of the dead primary, noted while it lived. */
export interface SemiSyncWish {
  readonly enabled: boolean;
  /** Null: as the heir has it. */
  readonly timeoutMs: number | null;
}

export interface FailoverPlan {
  /** The dead primary. */
  readonly from: ServerAddress;
  readonly heir: Survivor;
  /** What the heir has received, in the server's words: it has to have executed all of it. */
  readonly toApply: string;
  readonly others: readonly Survivor[];
  /** Where the others find the heir. */
  readonly place: PrimaryPlace;
  readonly semiSync: SemiSyncWish;
  /** A last quick look whether the dead primary lives. */
  isBack(): Promise<boolean>;
}
