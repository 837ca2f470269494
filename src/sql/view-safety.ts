/** Whether reading a view is a read and nothing else. */

import { classify } from './classify.ts';
import type { LexicalContext } from './lexical-context.ts';

/**
 * `definition` is the SELECT of `information_schema.views` or SHOW CREATE VIEW. It is safe when it is a proven read
 * and everything that it reads is, by `isSafeView`, which is asked for tables too and answers true for them.
 * A name without a schema belongs to `defaultSchema`.
 */
export function isViewDefinitionSafe(
  definition: string,
  context: LexicalContext,
  isSafeView: (schema: string, table: string) => boolean,
  defaultSchema: string,
): boolean {
  const buf = Buffer.from(definition);
  const found = classify(buf, 0, buf.length, context);
  if (!found.provenRead || found.statementCount !== 1 || found.kind !== 'read') return false;
  return found.tables.every(({ schema, table }) => isSafeView(schema ?? defaultSchema, table));
}
