/** What speaks against keeping the answer of a statement, as far as its text tells. */

import { SYSTEM_SCHEMAS } from './classify-read.ts';
import { ClassReason, type StatementClass, StatementKind, VaryingReason } from './statement-class.ts';

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

/** It changes nothing. What it reads of a server's own schemas may be another thing on the next server, and later. */
export function isHarmlessRead({ kind, provenRead, reason }: StatementClass): boolean {
  return kind === StatementKind.read && (provenRead || reason === ClassReason.systemSchema);
}

/**
 * null: the same data, user, schema and session variables give the same answer.
 * @param schema the session's.
 * @param takesSystem whoever wants it cached knows that it reads system schemas, and takes it as old as it is.
 */
export function cacheObjection(
  statement: StatementClass,
  schema: string | null,
  takesSystem = false,
): Objection | null {
  const { kind, command, statementCount, provenRead, reason, detail, tables, varies } = statement;
  if (statementCount !== 1) return { reason: CacheObjection.severalStatements, detail: '' };
  const isRead = takesSystem ? isHarmlessRead(statement) : provenRead && kind === StatementKind.read;
  if (!isRead)
    return { reason: CacheObjection.notAProvenRead, detail: detail === '' ? reason : `${reason}: ${detail}` };
  if (!QUERIES.has(command)) return { reason: CacheObjection.notASelect, detail: command };
  if (readsResidue(statement)) return { reason: CacheObjection.session, detail: '' };
  if (varies !== null) return varies;
  if (tables.length === 0) return { reason: CacheObjection.noTables, detail: '' };
  if (tables.every((table) => table.schema !== null)) return null;
  if (schema === null || (!takesSystem && SYSTEM_SCHEMAS.has(schema.toLowerCase())))
    return { reason: CacheObjection.notAProvenRead, detail: schema === null ? 'no schema' : 'system-schema' };
  return null;
}

function readsResidue({ residue }: StatementClass): boolean {
  const { lastInsertId, diagnostics, foundRows, rowCount, connectionId } = residue;
  return lastInsertId || diagnostics || foundRows || rowCount || connectionId;
}
