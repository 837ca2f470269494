/** The row that a session's statement is of, if it is of a single one: found when its answer is about to be kept. */

import { decodeComStmtExecute, MalformedPacketError } from '../../../protocol/index.ts';
import type { LexicalContext } from '../../sql/lexical-context.ts';
import { pointReadOf } from '../../sql/point-read.ts';
import type { SessionVariables } from '../backend/session-variables.ts';
import { type KnownKeys, type PinParameters, type RowPin, rowPinOf } from '../cache/row-pin.ts';
import type { Plan } from '../router/plan.ts';
import type { ClientStatement } from './client-statement.ts';

/** Of the session's variables, what decides how a text is cut into tokens. */
const LEXICAL = ['sql_mode', 'character_set_client'];
const NO_CAPABILITIES = 0;

export interface PinningSession {
  readonly run: { readonly statement: ClientStatement | null };
  readonly state: { readonly variables: SessionVariables | null; readonly schema: string | null };
  lexicalContext(): LexicalContext | null;
}

/** @param buffer the packet of the command is in `buffer[start, end)`. */
export function pinnedRow(
  session: PinningSession,
  plan: Plan,
  keys: KnownKeys,
  buffer: Buffer,
  start: number,
  end: number,
): RowPin | null {
  const context = session.lexicalContext();
  if (context === null || plan.contextKey !== context.key || !mayBeOfRow(plan, context)) return null;
  const { statement } = session.run;
  if (statement === null) {
    const { schema } = session.state;
    return rowPinOf({ buffer, start: start + 1, end, context, schema, parameters: null }, keys);
  }
  const { text, schema, variables } = statement.prepared;
  if (!isReadAlike(variables, session.state.variables)) return null;
  const parameters = parametersOf(statement, buffer, start, end);
  if (parameters === null) return null;
  return rowPinOf({ buffer: text, start: 0, end: text.length, context, schema, parameters }, keys);
}

/** Lists count as one value: what is none here is none whatever the values are. */
function mayBeOfRow(plan: Plan, context: LexicalContext): boolean {
  const { normalized } = plan;
  plan.mayBeOfRow ??= pointReadOf(normalized, 0, normalized.length, context) !== null;
  return plan.mayBeOfRow;
}

function isReadAlike(prepared: SessionVariables, now: SessionVariables | null): boolean {
  if (now === null) return false;
  return prepared === now || LEXICAL.every((name) => prepared.values.get(name) === now.values.get(name));
}

function parametersOf(
  statement: ClientStatement,
  buffer: Buffer,
  start: number,
  end: number,
): PinParameters | null {
  const packet = statement.executionWithTypes(buffer, start, end) ?? buffer.subarray(start, end);
  try {
    return decodeComStmtExecute(packet, NO_CAPABILITIES, { parameterCount: statement.parameterCount });
  } catch (error) {
    if (error instanceof MalformedPacketError) return null;
    throw error;
  }
}
