/** What is told of a primary that may be dead, and of servers that must not serve. */

import type { DeathVerdict } from '../../topology/primary-death.ts';
import type { ServerAddress } from '../../topology/server-description.ts';
import type { AgreementState } from './agreement/agreement.ts';

export type FailoverEvent =
  | {
      /** It does not answer Sluice; said again when the verdict changes. */
      readonly kind: 'primary-suspected';
      readonly address: ServerAddress;
      readonly verdict: DeathVerdict;
      readonly reason: string;
    }
  | { readonly kind: 'primary-answers'; readonly address: ServerAddress; readonly afterMs: number }
  | {
      /** All signs have said so for `failover.confirmMs`. */
      readonly kind: 'primary-dead';
      readonly address: ServerAddress;
      readonly reason: string;
      /** Since the first sign. */
      readonly afterMs: number;
    }
  | {
      /** A primary is dead and nobody takes its place; said again for another reason. */
      readonly kind: 'failover-refused';
      readonly address: ServerAddress;
      readonly reason: string;
    }
  | {
      /** An old primary came back writable, and was set read-only before anything else. */
      readonly kind: 'server-fenced';
      readonly address: ServerAddress;
      readonly primary: ServerAddress;
    }
  | {
      /** It must not replicate from the primary, and serves nothing; said again for another reason. */
      readonly kind: 'server-kept-out';
      readonly address: ServerAddress;
      readonly reason: string;
      /** Transactions that only this server has; empty for another reason. */
      readonly gtids: string;
    }
  | {
      /** Open transactions on a server that is the primary no more, which Sluice has sent a KILL. */
      readonly kind: 'transactions-killed';
      readonly address: ServerAddress;
      readonly transactions: string;
    }
  | {
      /** They are still there, and hold up replication of the rows that they have locked. */
      readonly kind: 'transactions-left';
      readonly address: ServerAddress;
      readonly transactions: string;
      /** Why, and what to do. */
      readonly reason: string;
    }
  | {
      /** After `transactions-left`. */
      readonly kind: 'transactions-gone';
      readonly address: ServerAddress;
      readonly afterMs: number;
      /** Replication had given up meanwhile and was begun again. */
      readonly restarted: boolean;
    }
  | {
      readonly kind: 'agreement-changed';
      readonly from: AgreementState;
      readonly to: AgreementState;
      /** Name of the Sluice that changes the servers; null where it is not known. */
      readonly leader: string | null;
      readonly reason: string;
    };
