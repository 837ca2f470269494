/** What a view's definition calls and reads. */

import { makeLexicalContext } from '../../sql/lexical-context.ts';
import { readDefinition } from '../../sql/view-safety.ts';
import type { ServerVersion } from './server-version.ts';
import type { ViewDefinition, ViewVerdict } from './view-safety-closure.ts';

/**
 * `version` is that of the server that showed the definition. Servers print definitions in one form, whatever modes the
 * view was made with: backquoted names, and strings with backslash escapes. Whether what it reads is safe is asked of all
 * views together, in any order: see view-safety-closure.ts.
 */
export function judgeView(view: ViewDefinition, version: ServerVersion): ViewVerdict {
  if (view.definition === null) return { safe: false, reads: [], varies: null };
  const context = makeLexicalContext({
    charset: 'utf8mb4',
    sqlMode: '',
    flavor: version.flavor,
    versionId: version.id,
  });
  const { safe, tables, varies } = readDefinition(view.definition, context);
  const reads = tables.map(({ schema, table }) => ({ schema: schema ?? view.schema, table }));
  return { safe, reads: safe ? reads : [], varies };
}
