/** Which views are not proven to be safe, themselves or through the views that they read. Pure. */

import type { TableReference } from '../../sql/statement-class.ts';

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
  /** Complete when safe. */
  readonly reads: readonly TableReference[];
}

export function viewKey(schema: string, name: string): string {
  return `${schema}.${name}`.toLowerCase();
}

/** Their views call functions of their own, and statements on them are never proven anyway. */
export const SYSTEM_SCHEMAS: readonly string[] = ['information_schema', 'performance_schema', 'mysql', 'sys'];

/**
 * Sorted keys. A view that reads a system schema counts as unsafe: the views there are not in the list. Two views whose
 * names differ only in case share a key, and the worse of the two counts.
 */
export function unsafeViewsOf(judged: Iterable<readonly [ViewDefinition, ViewVerdict]>): readonly string[] {
  const unsafe = new Set<string>();
  /** From a table or view to the views that read it. */
  const readers = new Map<string, string[]>();
  for (const [view, verdict] of judged) {
    const key = viewKey(view.schema, view.name);
    if (!verdict.safe) {
      unsafe.add(key);
      continue;
    }
    for (const { schema, table } of verdict.reads) {
      const home = (schema ?? view.schema).toLowerCase();
      if (SYSTEM_SCHEMAS.includes(home)) unsafe.add(key);
      const read = viewKey(home, table);
      const list = readers.get(read);
      if (list === undefined) readers.set(read, [key]);
      else list.push(key);
    }
  }
  const queue = [...unsafe];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const reader of readers.get(next) ?? []) {
      if (unsafe.has(reader)) continue;
      unsafe.add(reader);
      queue.push(reader);
    }
  }
  return [...unsafe].sort();
}
