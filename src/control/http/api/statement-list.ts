/** The statements that take the most time, by digest, and where they go. */
import type { AdminState } from '../../admin/admin-state.ts';
import type { DigestRow } from '../../statistics/merge-digests.ts';
import type { StatementsValue, StatementValue } from './api-values.ts';
import { cutText } from './session-list.ts';

const MOST_STATEMENTS = 200;

function statementValue(row: DigestRow): StatementValue {
  return {
    digest: row.digest,
    text: cutText(row.digestText),
    schema: row.schema,
    username: row.username,
    client: row.clientAddress,
    hostgroup: row.hostgroup,
    target: row.target,
    reason: row.reason,
    count: row.count,
    errors: row.errors,
    totalMicros: row.sumMicros,
    p95Micros: row.p95Micros,
    maxMicros: row.maxMicros,
    waitMicros: row.waitMicros,
    rows: row.rowsSent + row.rowsAffected,
    lastSeenMs: row.lastSeen * 1000,
  };
}

export async function statementsOf(state: AdminState): Promise<StatementsValue> {
  const { rows, missing } = await state.statistics.digests(false);
  const longest = rows.toSorted((a, b) => b.sumMicros - a.sumMicros).slice(0, MOST_STATEMENTS);
  return {
    timeMs: Date.now(),
    known: rows.length,
    totalMicros: rows.reduce((sum, { sumMicros }) => sum + sumMicros, 0),
    statements: longest.map(statementValue),
    missing,
  };
}
