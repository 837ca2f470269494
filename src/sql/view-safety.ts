/** Whether reading a view is a read and nothing else, and whether it shows the same each time. */

import { classify } from './classify.ts';
import type { LexicalContext } from './lexical-context.ts';
import { type TableReference, VaryingReason } from './statement-class.ts';

/** What a definition is by itself: what it reads is judged by others. */
export interface ReadDefinition {
  /** It is a proven read. */
  readonly safe: boolean;
  /** Complete when safe; a name without a schema belongs to the view's. */
  readonly tables: readonly TableReference[];
  /** Why it may show something else each time; null: it does not. */
  readonly varies: VaryingReason | null;
}

/** @param definition the SELECT of `information_schema.views` or SHOW CREATE VIEW. */
export function readDefinition(definition: string, context: LexicalContext): ReadDefinition {
  const buf = Buffer.from(definition);
  const found = classify(buf, 0, buf.length, context);
  const safe = found.provenRead && found.statementCount === 1 && found.kind === 'read';
  return { safe, tables: found.tables, varies: found.varies?.reason ?? null };
}

/** Likewise of a SELECT that is made of an expression; one that is no proven read may be anything. */
export function variesBy(select: string, context: LexicalContext): VaryingReason | null {
  const { safe, varies } = readDefinition(select, context);
  return safe ? varies : VaryingReason.unjudged;
}

/** Whether it changes by more than the day that a TIME belongs to. That a view asks not to be cached is no reason. */
export function isVaryingMore(reason: VaryingReason | null): boolean {
  return reason !== null && reason !== VaryingReason.timeOfDay && reason !== VaryingReason.sqlNoCache;
}
