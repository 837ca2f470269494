/**
 * A statement as MySQL's clients write it, in the words of SQLite. What both understand is left as it is: a backslash
 * in a text is a backslash, as the status flags say to drivers (`SERVER_STATUS_NO_BACKSLASH_ESCAPES`), and as those
 * who type regular expressions expect. Only a statement that SQLite could not read so is taken for one of a driver
 * that escapes with backslashes whatever it is told.
 */

import { AdminError } from '../admin-error.ts';

const Quoting = { plain: 'plain', escaped: 'escaped' } as const;
type Quoting = (typeof Quoting)[keyof typeof Quoting];

/** @throws AdminError (1064) for several statements in one, an open quote or comment, or a NUL */
export function toSqlite(source: string): string {
  // SQLite would take it for the end.
  if (source.includes('\0')) throw new AdminError('syntax', 'A NUL character cannot be part of a statement');
  return rewrite(source, Quoting.plain) ?? rewrite(source, Quoting.escaped) ?? fail('A quote is not closed');
}

function fail(message: string): never {
  throw new AdminError('syntax', message);
}

const SKIPPED = /--[^\n]*|#[^\n]*/y;
const PLAIN_QUOTED = /'[^']*(?:''[^']*)*'|"[^"]*(?:""[^"]*)*"/y;
const ESCAPED_QUOTED = /'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'|"[^"\\]*(?:(?:\\.|"")[^"\\]*)*"/sy;
const NAME = /`[^`]*(?:``[^`]*)*`|\[[^\]]*\]/y;
const COMMENT = /\/\*.*?\*\//sy;
const CONDITIONAL = /\/\*M?!\d*/y;
/** A run of what needs no look. */
const CODE = /[^'"`[\-#/*\\;]+/y;

/** @returns null where the quotes do not fit this reading */
function rewrite(source: string, quoting: Quoting): string | null {
  const out: string[] = [];
  let depth = 0;
  let ended = false;
  let position = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = position;
    const found = pattern.exec(source)?.[0] ?? null;
    if (found !== null) position += found.length;
    return found;
  };
  const emit = (text: string): void => {
    if (ended && text.trim() !== '') fail('One statement at a time: something follows the semicolon');
    out.push(text);
  };
  while (position < source.length) {
    const code = take(CODE) ?? take(NAME);
    if (code !== null) emit(code);
    else if (take(SKIPPED) !== null) emit(' ');
    else if (take(CONDITIONAL) !== null) depth += 1;
    else if (take(COMMENT) !== null) emit(' ');
    else if (depth > 0 && source.startsWith('*/', position)) {
      depth -= 1;
      position += 2;
      emit(' ');
    } else {
      const quoted = take(quoting === 'plain' ? PLAIN_QUOTED : ESCAPED_QUOTED);
      if (quoted !== null) emit(quoting === 'plain' ? quoted : unescaped(quoted));
      else {
        const character = source[position] ?? '';
        if (character === "'" || character === '"' || character === '\\') return null;
        if (character === '/' && source[position + 1] === '*') fail('A comment is not closed');
        position += 1;
        if (character === ';') ended = true;
        else emit(character);
      }
    }
  }
  if (depth > 0) fail('A comment is not closed');
  return out.join('');
}

/** What a backslash makes of the character behind it; `%` and `_` keep theirs, for LIKE. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['r', '\r'],
  ['b', '\b'],
  ['Z', '\x1a'],
  ['%', '\\%'],
  ['_', '\\_'],
]);

function unescaped(quoted: string): string {
  const quote = quoted[0]!;
  const content = quoted.slice(1, -1).replace(/\\(.)|''|""/gs, (found: string, character?: string) => {
    if (character === undefined) return found[0] === quote ? quote : found;
    if (character === '0') fail('A NUL character cannot be part of a statement');
    return ESCAPES.get(character) ?? character;
  });
  return quote + content.replaceAll(quote, quote + quote) + quote;
}
