/** How far behind the server of a read may be, as its text says. */

import { Command } from '../../../protocol/index.ts';
import { hintValuesOf } from '../../sql/hint-values.ts';
import type { RouteHint } from '../../sql/statement-class.ts';
import type { Dialect } from '../backend/backends.ts';
import type { ClientStatement } from './client-statement.ts';
import type { SessionState } from './session-state.ts';

/** As far as its own limit says. */
const NO_LAG_LIMIT = -1;

/**
 * @param buffer `buffer[start, end)` is the command
 * @param statement what is executed, if it is a prepared statement
 */
export function lagLimitOf(
  hint: RouteHint,
  state: SessionState,
  dialect: Dialect,
  statement: ClientStatement | null,
  buffer: Buffer | null,
  start: number,
  end: number,
): number {
  const limitMs = hint.maxLagMs ?? NO_LAG_LIMIT;
  if (!hint.minEpochMs) return limitMs;
  const context = state.lexicalContext(dialect.flavor, dialect.versionId);
  if (buffer === null || context === null || end <= start) return limitMs;
  const text = statement?.definition.text;
  const isText = buffer[start] === Command.COM_QUERY;
  if (!isText && text === undefined) return limitMs;
  const { minEpochMs } = isText
    ? hintValuesOf(buffer, start + 1, end, context)
    : hintValuesOf(text!, 0, text!.length, context);
  if (minEpochMs < 0) return limitMs;
  // Who is so far behind has what was there then.
  const sinceMs = Math.max(0, Date.now() - minEpochMs);
  return limitMs < 0 ? sinceMs : Math.min(limitMs, sinceMs);
}
