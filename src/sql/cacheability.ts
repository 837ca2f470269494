/** What speaks against keeping the answer of a statement, as far as its text tells. */

import { SYSTEM_SCHEMAS } from './classify-read.ts';
import { type StatementClass, StatementKind, VaryingReason } from './statement-class.ts';

/** A closed set, shown as it stands. */
export const CacheObjection = {
  ...VaryingReason,
  notAProvenRead: 'not-a-proven-read',
  /** SHOW, DESCRIBE, EXPLAIN: they tell of the schema and of plans. */
  notASelect: 'not-a-select',
  severalStatements: 'several-statements',
  /** Whoever selects a constant wants to know whether there is a server. */
  noTables: 'no-tables',
} as const;
export type CacheObjection = (typeof CacheObjection)[keyof typeof CacheObjection];

export interface Objection {
  readonly reason: CacheObjection;
  /** What made it; '' where nothing needs naming. */
  readonly detail: string;
}

const QUERIES: ReadonlySet<string> = new Set(['SELECT', 'TABLE', 'VALUES']);

/** null: the same data, user, schema and session variables give the same answer. @param schema the session's. */
export function cacheObjection(statement: StatementClass, schema: string | null): Objection | null {
  const { kind, command, statementCount, provenRead, reason, detail, tables, varies } = statement;
  if (statementCount !== 1) return { reason: CacheObjection.severalStatements, detail: '' };
  if (!provenRead || kind !== StatementKind.read)
    return { reason: CacheObjection.notAProvenRead, detail: detail === '' ? reason : `${reason}: ${detail}` };
  if (!QUERIES.has(command)) return { reason: CacheObjection.notASelect, detail: command };
  if (readsResidue(statement)) return { reason: CacheObjection.session, detail: '' };
  if (varies !== null) return varies;
  if (tables.length === 0) return { reason: CacheObjection.noTables, detail: '' };
  const isUnqualified = tables.some((table) => table.schema === null);
  if (isUnqualified && (schema === null || SYSTEM_SCHEMAS.has(schema.toLowerCase())))
    return { reason: CacheObjection.notAProvenRead, detail: schema === null ? 'no schema' : 'system-schema' };
  return null;
}

function readsResidue({ residue }: StatementClass): boolean {
  const { lastInsertId, diagnostics, foundRows, rowCount, connectionId } = residue;
  return lastInsertId || diagnostics || foundRows || rowCount || connectionId;
}
