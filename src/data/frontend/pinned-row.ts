/** The rows that a session's statement is of, if that is certain: found when its answer is about to be kept, or before it writes. */

import { decodeComStmtExecute, MalformedPacketError } from '../../../protocol/index.ts';
import type { WrittenRows } from '../../common/row-flux.ts';
import type { LexicalContext } from '../../sql/lexical-context.ts';
import { pointInsertOf } from '../../sql/point-insert.ts';
import { pointReadOf, pointWriteOf } from '../../sql/point-read.ts';
import { type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { SessionVariables } from '../backend/session-variables.ts';
import {
  type KnownKeys,
  type PinnedStatement,
  type PinParameters,
  type RowPin,
  rowPinOf,
} from '../cache/row-pin.ts';
import { newRowsOf, rowsChangedBy, rowsInsertedBy } from '../cache/written-rows.ts';
import type { Plan } from '../router/plan.ts';
import type { ClientStatement } from './client-statement.ts';

const INSERTS: ReadonlySet<string> = new Set(['INSERT', 'REPLACE']);
/** Of the session's variables, what decides how a text is cut into tokens. */
const LEXICAL = ['sql_mode', 'character_set_client'];
const NO_CAPABILITIES = 0;
/** In which printable ASCII is ASCII: not so in swe7, whose `[` is a letter. */
const ASCII_CHARSETS: ReadonlySet<string> = new Set([
  'utf8mb4',
  'utf8mb3',
  'utf8',
  'latin1',
  'ascii',
  'binary',
]);
/** A longer write counts as one of any row: it would have to be looked through. */
const MAX_WRITE_BYTES = 16 * 1024;

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
  const statement = pinnedStatement(session, plan, buffer, start, end);
  return statement === null ? null : rowPinOf(statement, keys);
}

/** Those which it is certain to change, and no others. @param slots of what it writes: one table */
export function writtenRows(
  session: PinningSession,
  plan: Plan,
  slots: Int32Array,
  keys: KnownKeys,
  buffer: Buffer,
  start: number,
  end: number,
): WrittenRows | null {
  const { kind, statementCount, writes } = plan.statement;
  if (kind !== StatementKind.write || statementCount !== 1 || writes?.length !== 1) return null;
  const isInsert = INSERTS.has(plan.statement.command);
  const rows =
    (isInsert ? newRowsBy(session, plan, keys) : null) ??
    rowsGiven(session, plan, isInsert, keys, buffer, start, end);
  // What follows from it, a trigger's tables for one, is another slot.
  return rows !== null && slots.length === 1 && slots[0] === rows.table ? rows : null;
}

/** By its values. */
function rowsGiven(
  session: PinningSession,
  plan: Plan,
  isInsert: boolean,
  keys: KnownKeys,
  buffer: Buffer,
  start: number,
  end: number,
): WrittenRows | null {
  if (end - start > MAX_WRITE_BYTES || session.run.statement?.hasLongData === true) return null;
  const statement = pinnedStatement(session, plan, buffer, start, end);
  if (statement === null) return null;
  return isInsert ? rowsInsertedBy(statement, keys) : rowsChangedBy(statement, keys);
}

/** By what all of its plan have in common: then nobody has to look at their values. */
function newRowsBy(session: PinningSession, plan: Plan, keys: KnownKeys): WrittenRows | null {
  const { state, run } = session;
  const schema = run.statement === null ? state.schema : run.statement.prepared.schema;
  const known = plan.newRows;
  if (known !== null && known.keysVersion === keys.version && known.schema === schema) return known.rows;
  const context = session.lexicalContext();
  if (context === null || plan.contextKey !== context.key) return null;
  const { normalized } = plan;
  const statement = {
    buffer: normalized,
    start: 0,
    end: normalized.length,
    context,
    schema,
    parameters: null,
  };
  const rows = newRowsOf(statement, keys);
  plan.newRows = { schema, keysVersion: keys.version, rows };
  return rows;
}

function pinnedStatement(
  session: PinningSession,
  plan: Plan,
  buffer: Buffer,
  start: number,
  end: number,
): PinnedStatement | null {
  const context = session.lexicalContext();
  if (context === null || plan.contextKey !== context.key || !mayBeOfRow(plan, context)) return null;
  const { state, run } = session;
  if (!isInAscii(state.variables)) return null;
  if (run.statement === null)
    return { buffer, start: start + 1, end, context, schema: state.schema, parameters: null };
  const { text, schema, variables } = run.statement.prepared;
  if (!isReadAlike(variables, state.variables)) return null;
  const parameters = parametersOf(run.statement, buffer, start, end);
  return parameters === null
    ? null
    : { buffer: text, start: 0, end: text.length, context, schema, parameters };
}

/** As the client sends texts, and as the server takes them. */
function isInAscii(variables: SessionVariables | null): boolean {
  if (!ASCII_CHARSETS.has(variables?.characterSetClient ?? '')) return false;
  const converted = variables?.values.get('character_set_connection');
  return converted === undefined || ASCII_CHARSETS.has(converted);
}

/** Lists count as one value: what is none here is none whatever the values are. */
function mayBeOfRow(plan: Plan, context: LexicalContext): boolean {
  const { normalized, statement } = plan;
  plan.mayBeOfRow ??= scanOf(statement)(normalized, 0, normalized.length, context) !== null;
  return plan.mayBeOfRow;
}

function scanOf({ kind, command }: StatementClass): typeof pointReadOf | typeof pointInsertOf {
  if (kind !== StatementKind.write) return pointReadOf;
  return INSERTS.has(command) ? pointInsertOf : pointWriteOf;
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
