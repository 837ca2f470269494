/** CONNECTION_ID() and @@pseudo_thread_id as the client knows them: server connections have ids of their own. */

import { PinReason, type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { CallValue } from '../../sql/substitute-calls.ts';
import type { SessionState } from './session-state.ts';

/** What is compared with these schemas' contents must be a server's id. */
const SYSTEM_SCHEMAS: ReadonlySet<string> = new Set(['information_schema', 'performance_schema', 'sys']);

/** @returns null where the statement's calls, if it has any, are left to the server. */
export function connectionIdValues(
  statement: StatementClass,
  connectionId: number,
  state: SessionState,
  flavor: 'mysql' | 'mariadb',
): ReadonlyMap<string, CallValue> | null {
  // In a definition the call is meant for whoever uses it later.
  if (!statement.residue.connectionId || statement.kind === StatementKind.ddl) return null;
  if (state.schema !== null && SYSTEM_SCHEMAS.has(state.schema.toLowerCase())) return null;
  // Each has the type, length and flags of the server's own.
  const id = flavor === 'mysql' ? `(${connectionId}|0)` : `CAST(${connectionId} AS UNSIGNED)`;
  const values = new Map([['CONNECTION_ID', { sql: id, optional: true }]]);
  const isRead = statement.kind === StatementKind.read;
  // The session may have set it.
  if (isRead && !state.pins.has(PinReason.unvirtualisedVariable))
    values.set('@@pseudo_thread_id', { sql: `NULLIF(${connectionId}|0,0)`, optional: true });
  return values;
}
