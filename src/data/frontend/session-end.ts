import { StatementKind } from '../../sql/statement-class.ts';
import type { SessionVariables } from '../backend/session-variables.ts';
import type { Plan } from '../router/plan.ts';

/** Whether the server closes the connection behind a statement that has succeeded: COMMIT RELEASE, by word or by default. */
export function endsConnection(plan: Plan, variables: SessionVariables | null): boolean {
  if (plan.releases) return true;
  const { kind } = plan.statement;
  if (kind !== StatementKind.commit && kind !== StatementKind.rollback) return false;
  const type = variables?.values.get('completion_type');
  return type === 'RELEASE' || type === '2';
}
