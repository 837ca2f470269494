import type { ClassReason, PinReason, StatementKind } from '../../../src/sql/statement-class.ts';

/** Statements of which classification is to make the same. */
export interface StatementGroup {
  readonly kind: StatementKind;
  readonly reason: ClassReason;
  readonly pins: readonly PinReason[];
  /** Left out where the statements of the group differ. */
  readonly mayWrite?: boolean;
  readonly transactionControl?: boolean;
  readonly statements: readonly string[];
}
