/** Where the command that runs may go, and what it must see there. */

import type { StatementClass } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { Destination } from '../router/destination.ts';
import type { RuleVerdict } from '../router/rules/rule-verdict.ts';

export interface CommandRouting {
  readonly destination: Destination;
  /** What the query rules say of it; `NO_RULES` until they have been asked. */
  readonly verdict: RuleVerdict;
  /** What it must see where it reads from a replica; 0: nothing in particular. */
  readonly neededGtid: number;
  /** How long a read may wait for a replica. */
  readonly causalWaitMs: number;
  /** Whether the replica behind it has all that the tables of the statement must show. */
  seesEnoughOn(connection: BackendConnection, statement: StatementClass): boolean;
  /** A read that was to go to a replica has got a connection. */
  placed(isOnPrimary: boolean): void;
}
