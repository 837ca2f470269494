/** The grammars of node-sql-parser. They take tens of milliseconds to load, and most processes never need them. */

import { createRequire } from 'node:module';

export interface SqlParser {
  tableList(sql: string): string[];
}

export type GrammarName = 'mysql' | 'mariadb';

/** For logs. */
export const GRAMMAR_MISSING =
  'a grammar cannot be loaded: statements that only the parser could prove to be reads go to the primary';

const require = createRequire(import.meta.url);
/** Null for one that could not be loaded: asking again for each statement would cost more than the parser does. */
const parsers = new Map<GrammarName, SqlParser | null>();
let tell: (grammar: GrammarName, error: Error) => void = () => undefined;

/** @param told once for each grammar that this thread cannot load */
export function onGrammarMissing(told: (grammar: GrammarName, error: Error) => void): void {
  tell = told;
}

/** Null if it cannot be loaded. */
export function grammarOf(name: GrammarName): SqlParser | null {
  const known = parsers.get(name);
  if (known !== undefined) return known;
  const parser = load(name);
  parsers.set(name, parser);
  return parser;
}

function load(name: GrammarName): SqlParser | null {
  try {
    const { Parser } = require(`node-sql-parser/build/${name}`) as { Parser: new () => SqlParser };
    return new Parser();
  } catch (error) {
    tell(name, error as Error);
    return null;
  }
}
