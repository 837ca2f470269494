import type { ExplainStep } from '../../../common/thread-messages.ts';
import { AdminError } from '../admin-error.ts';
import { isAdminSchema } from '../admin-schemas.ts';
import { sourceAfter } from '../admin-statement.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

const SYNTAX = 'EXPLAIN ROUTE <statement>';

const COLUMNS: readonly ComputedColumn<ExplainStep>[] = [
  { name: 'step', meaning: 'What was decided, in the order of the decision', value: ({ step }) => step },
  { name: 'value', meaning: 'How, and why', value: ({ value }) => value },
];

export const explainRoute: AdminCommand = {
  name: 'EXPLAIN ROUTE',
  syntax: SYNTAX,
  help: 'Where a statement of a new session would be sent, and why; names without a schema are in the one of USE',
  pattern: /^EXPLAIN ROUTE(?![^ ])/i,
  takesAnyRest: true,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: async ({ statement, session, state }) => {
    // A comment in front of the statement may be a routing hint, so that it belongs to it.
    const text = sourceAfter(statement, 2);
    if (text === '') throw new AdminError('syntax', `The statement is missing: ${SYNTAX}`);
    const schema = session.schema === null || isAdminSchema(session.schema) ? null : session.schema;
    const steps = await state.explainRoute(text, schema);
    if (steps.length === 0)
      throw new AdminError('timeout', 'No worker has answered; SHOW WORKERS tells which run');
    return table(steps, COLUMNS);
  },
};
