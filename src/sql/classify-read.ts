/** Queries: SELECT, VALUES, TABLE, WITH … SELECT, and what can be said of them inside other statements. */

import type { LexicalContext } from './lexical-context.ts';
import { parserTables } from './parser-tables.ts';
import { SafetyScan } from './safety-scan.ts';
import { ClassReason, type TableReference } from './statement-class.ts';
import type { StatementDraft } from './statement-draft.ts';
import { TableReferences } from './table-references.ts';
import type { TokenList } from './token-list.ts';

export const SYSTEM_SCHEMAS: ReadonlySet<string> = new Set([
  'information_schema',
  'mysql',
  'performance_schema',
  'sys',
]);

/** What the parts of classification share: one text, its tokens and its rules. */
export interface ClassifyInput {
  readonly buf: Buffer;
  readonly tokens: TokenList;
  readonly context: LexicalContext;
}

function isSystemTable(table: TableReference): boolean {
  return table.schema !== null && SYSTEM_SCHEMAS.has(table.schema.toLowerCase());
}

/** Looks for calls, variables and the rest of what a statement may do besides its own business. */
export function scanSafety(
  input: ClassifyInput,
  draft: StatementDraft,
  from: number,
  to: number,
): SafetyScan {
  const scan = new SafetyScan(input.tokens, input.context, draft);
  scan.scan(from, to);
  return scan;
}

/** Classifies the query `[from, to)`. */
export function classifyQuery(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  const scan = scanSafety(input, draft, from, to);
  const references = new TableReferences(input.tokens, draft);
  references.collect(from, to, false);
  if (references.unsure) askParser(input, draft, from, to);
  const systemTable = draft.tables.find(isSystemTable);
  if (systemTable !== undefined) {
    draft.object(ClassReason.systemSchema, `${systemTable.schema}.${systemTable.table}`);
  }
  if (!scan.calledStored && !references.unsure) draft.writes = [];
  // A table that is not one of a server's own may be a view that calls a function.
  draft.mayWrite ||=
    draft.reason !== ClassReason.provenRead &&
    (scan.calledUnknown || references.unsure || !draft.tables.every(isSystemTable));
}

/** Where our own reading was unsure the parser must know the statement, and know every table that we found. */
function askParser(input: ClassifyInput, draft: StatementDraft, from: number, to: number): void {
  if (draft.reason !== ClassReason.provenRead) return;
  const { buf, tokens, context } = input;
  // The parser drops conditional comments unread.
  const parsed = tokens.sawConditional
    ? null
    : parserTables(buf, tokens.start(from), tokens.end(to - 1), context);
  if (parsed === null) {
    draft.object(ClassReason.parserFailed, '');
    return;
  }
  const missing = draft.tables.find(
    (own) => !parsed.some((other) => other.schema === own.schema && other.table === own.table),
  );
  if (missing !== undefined) draft.object(ClassReason.parserDisagrees, missing.table);
  for (const { schema, table } of parsed) draft.addTable(schema, table);
}
