/** Asks node-sql-parser which tables a statement reads, for the few statements where our own reading is unsure. */

import { grammarOf } from './grammars.ts';
import { ASCII, isUtf8, type LexicalContext } from './lexical-context.ts';
import type { TableReference } from './statement-class.ts';

/** A longer text is not given to the parser: 36 kB of joins took it 0.1 s and more, in which nobody else is served. */
const MAX_PARSED_BYTES = 4096;

/** The tables of `buf[start, end)`, one statement; null when the parser does not understand it. */
export function parserTables(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
): readonly TableReference[] | null {
  // The parser knows one set of lexical rules; under others it could read something else than the server.
  if (end - start > MAX_PARSED_BYTES || context.ansiQuotes || context.noBackslashEscapes) return null;
  const sql = buf.toString('utf8', start, end);
  if (!ASCII.test(sql) && (!isUtf8(context) || sql.includes('\ufffd'))) return null;
  const parser = grammarOf(context.flavor);
  if (parser === null) return null;
  try {
    // Each entry reads `select::schema::table`, with the word null for a schema that is not named.
    return parser.tableList(sql).map((entry) => {
      const [, schema = 'null', table = ''] = entry.split('::');
      return { schema: schema === 'null' ? null : schema, table };
    });
  } catch {
    return null;
  }
}
