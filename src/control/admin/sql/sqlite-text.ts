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
  return (
    new Rewriting(source, Quoting.plain).run() ??
    new Rewriting(source, Quoting.escaped).run() ??
    fail('A quote is not closed')
  );
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

/** Reads a statement once, piece by piece. */
class Rewriting {
  readonly #source: string;
  readonly #quoting: Quoting;
  readonly #out: string[] = [];
  #position = 0;
  #conditionals = 0;
  #ended = false;
  /** A text ended in a backslash, which for the other reading would not be its end. */
  #isDoubtful = false;

  constructor(source: string, quoting: Quoting) {
    this.#source = source;
    this.#quoting = quoting;
  }

  /** @returns null where the quotes do not fit this reading */
  run(): string | null {
    while (this.#position < this.#source.length) if (!this.#step()) return null;
    if (this.#conditionals > 0) fail('A comment is not closed');
    return this.#out.join('');
  }

  #step(): boolean {
    const code = this.#take(CODE) ?? this.#take(NAME);
    if (code !== null) return this.#emit(code);
    const skipped = this.#take(SKIPPED) ?? (this.#take(CONDITIONAL) === null ? null : '/*!');
    if (skipped === '/*!') this.#conditionals += 1;
    const comment = skipped ?? this.#take(COMMENT);
    if (comment !== null) return this.#skip(comment);
    if (this.#conditionals > 0 && this.#source.startsWith('*/', this.#position)) {
      this.#conditionals -= 1;
      this.#position += 2;
      return this.#emit(' ');
    }
    const quoted = this.#take(this.#quoting === Quoting.plain ? PLAIN_QUOTED : ESCAPED_QUOTED);
    return quoted === null ? this.#character() : this.#quoted(quoted);
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#source)?.[0] ?? null;
    if (found !== null) this.#position += found.length;
    return found;
  }

  #emit(text: string): true {
    if (this.#ended && text.trim() !== '') fail('One statement at a time: something follows the semicolon');
    this.#out.push(text);
    return true;
  }

  /** What is taken for a comment must not be the rest of a text, with half of the statement behind it. */
  #skip(comment: string): true {
    if (this.#isDoubtful && /['"]/.test(comment))
      fail(
        "It cannot be told whether a backslash in front of a quote belongs to the text: write '' for a quote",
      );
    return this.#emit(' ');
  }

  #quoted(quoted: string): true {
    if (this.#quoting === Quoting.escaped) return this.#emit(unescaped(quoted));
    this.#isDoubtful ||= quoted.at(-2) === '\\';
    return this.#emit(quoted);
  }

  #character(): boolean {
    const character = this.#source[this.#position] ?? '';
    if (character === "'" || character === '"' || character === '\\') return false;
    if (character === '/' && this.#source[this.#position + 1] === '*') fail('A comment is not closed');
    this.#position += 1;
    if (character === ';') this.#ended = true;
    else this.#emit(character);
    return true;
  }
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
