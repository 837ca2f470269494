/** Which views are not proven to be safe, themselves or through the views that they read. Pure. */

import type { TableReference, VaryingReason } from '../../sql/statement-class.ts';

export interface ViewDefinition {
  /** Lower case, as is `name`: a lookup then finds it whatever `lower_case_table_names` is. */
  readonly schema: string;
  readonly name: string;
  /** The SELECT; null where the server did not show it. */
  readonly definition: string | null;
}

/** What a definition calls and reads, judged on its own. */
export interface ViewVerdict {
  readonly safe: boolean;
  /** Complete when safe, else empty. */
  readonly reads: readonly TableReference[];
  /** Why it may show something else each time; null: it does not by itself. */
  readonly varies: VaryingReason | null;
}

export type JudgedView = readonly [ViewDefinition, ViewVerdict];

export function viewKey(schema: string, name: string): string {
  return `${schema}.${name}`.toLowerCase();
}

/** Their views call functions of their own, and statements on them are never proven anyway. */
export const SYSTEM_SCHEMAS: readonly string[] = ['information_schema', 'performance_schema', 'mysql', 'sys'];

/**
 * Sorted keys. A view that reads a system schema counts as unsafe: the views there are not in the list. Two views whose
 * names differ only in case share a key, and the worse of the two counts.
 */
export function unsafeViewsOf(judged: Iterable<JudgedView>): readonly string[] {
  const views = [...judged];
  const unsafe = new Set<string>();
  for (const [view, { safe, reads }] of views) {
    const readsSystem = reads.some(({ schema }) =>
      SYSTEM_SCHEMAS.includes((schema ?? view.schema).toLowerCase()),
    );
    if (!safe || readsSystem) unsafe.add(viewKey(view.schema, view.name));
  }
  return withReaders(views, unsafe);
}

/** Likewise views that may show something else each time, together with the tables and views of `seeds`. */
export function varyingViewsOf(
  judged: Iterable<JudgedView>,
  seeds: Iterable<string>,
  isVarying: (reason: VaryingReason | null) => boolean,
): readonly string[] {
  const views = [...judged];
  const varying = new Set(seeds);
  for (const [view, { varies }] of views) if (isVarying(varies)) varying.add(viewKey(view.schema, view.name));
  return withReaders(views, varying);
}

/** Adds the views that read any of `keys`, themselves or through others. */
function withReaders(judged: readonly JudgedView[], keys: Set<string>): readonly string[] {
  /** From a table or view to the views that read it. */
  const readers = new Map<string, string[]>();
  for (const [view, { reads }] of judged) {
    const key = viewKey(view.schema, view.name);
    for (const { schema, table } of reads) {
      const read = viewKey(schema ?? view.schema, table);
      const list = readers.get(read);
      if (list === undefined) readers.set(read, [key]);
      else list.push(key);
    }
  }
  const queue = [...keys];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const reader of readers.get(next) ?? []) {
      if (keys.has(reader)) continue;
      keys.add(reader);
      queue.push(reader);
    }
  }
  return [...keys].sort();
}
