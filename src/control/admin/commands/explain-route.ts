import type { ExplainStep } from '../../../common/thread-messages.ts';
import { AdminError } from '../admin-error.ts';
import { isAdminSchema } from '../admin-schemas.ts';
import { type AdminStatement, sourceAfter, unquote } from '../admin-statement.ts';
import { type AdminCommand, AdminRole, type ComputedColumn, table } from './command.ts';

const SYNTAX = "EXPLAIN ROUTE [FOR USER 'name'[@'address']] <statement>";

const COLUMNS: readonly ComputedColumn<ExplainStep>[] = [
  { name: 'step', meaning: 'What was decided, in the order of the decision', value: ({ step }) => step },
  { name: 'value', meaning: 'How, and why', value: ({ value }) => value },
];

export const explainRoute: AdminCommand = {
  name: 'EXPLAIN ROUTE',
  syntax: SYNTAX,
  help: 'Where a statement of a new session (of that user, from there) would be sent, and why; names without a schema are in the one of USE',
  pattern: /^EXPLAIN ROUTE(?![^ ])/i,
  takesAnyRest: true,
  access: AdminRole.stats,
  changes: false,
  columns: COLUMNS,
  execute: async ({ statement, session, state }) => {
    const { user, clientAddress, tokens } = readUser(statement);
    // A comment in front of the statement may be a routing hint, so that it belongs to it.
    const text = sourceAfter(statement, tokens);
    if (text === '') throw new AdminError('syntax', `The statement is missing: ${SYNTAX}`);
    const schema = session.schema === null || isAdminSchema(session.schema) ? null : session.schema;
    const steps = await state.explainRoute({ statement: text, schema, user, clientAddress });
    if (steps.length === 0)
      throw new AdminError('timeout', 'No worker has answered; SHOW WORKERS tells which run');
    return table(steps, COLUMNS);
  },
};

/** EXPLAIN ROUTE, and FOR USER 'name'@'address' behind it. */
function readUser({ tokens }: AdminStatement): {
  readonly user: string | null;
  readonly clientAddress: string | null;
  /** Up to where it goes. */
  readonly tokens: number;
} {
  const words = tokens.slice(2, 4).map(({ text }) => text.toUpperCase());
  const name = tokens[4];
  if (words[0] !== 'FOR' || words[1] !== 'USER') return { user: null, clientAddress: null, tokens: 2 };
  if (name === undefined) throw new AdminError('syntax', `The user's name is missing: ${SYNTAX}`);
  const user = unquote(name.text);
  const at = tokens[5];
  if (at === undefined || !at.text.startsWith('@')) return { user, clientAddress: null, tokens: 5 };
  // The lexer reads @'address' as one token, a user variable, or as two.
  if (at.text.length > 1) return { user, clientAddress: unquote(at.text.slice(1)), tokens: 6 };
  return { user, clientAddress: unquote(tokens[6]?.text ?? ''), tokens: 7 };
}
