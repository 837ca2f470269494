/**
 * Which rows an INSERT or REPLACE names, told from its tokens, on the safe side: only lists of values for one table, and SET.
 * What else a statement may say (a query, a partition, RETURNING, DELAYED) makes it none.
 */

import type { LexicalContext } from './lexical-context.ts';
import { type NamedTable, type PlainValue, StatementTokens, type Verbs } from './statement-tokens.ts';

/** Of a value that stands there as NULL or DEFAULT. */
export const LEFT_OUT = 'leftOut';

/** Good until the next statement is looked at. */
export interface PointInsert {
  readonly schema: string | null;
  readonly table: string;
  /** In lower case; null: all that the table has. */
  readonly columns: readonly string[] | null;
  readonly rowCount: number;
  /** Of its rows some may not be there behind it. */
  readonly ignores: boolean;
  /** A row with one of its keys may be there, and is another one or none behind it. */
  readonly changesOthers: boolean;
  /** Columns that ON DUPLICATE KEY UPDATE gives values, in lower case. */
  readonly assigned: readonly string[];
}

const NO_NAMES: readonly string[] = Object.freeze([]);
const QUERIES: ReadonlySet<string> = new Set(
  'EXCEPT INTERSECT JOIN RETURNING SELECT TABLE UNION WITH'.split(' '),
);
const VERBS: Verbs = new Map([
  ['INSERT', QUERIES],
  ['REPLACE', QUERIES],
]);
const LISTS: ReadonlySet<string> = new Set(['VALUE', 'VALUES']);
const NOTHING: ReadonlySet<string> = new Set(['DEFAULT', 'NULL']);

/** @returns null if it is none. */
export function pointInsertOf(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
): PointInsert | null {
  const verb = tokens.scan(buf, start, end, context, VERBS);
  const found = verb === '' ? null : scanner.read(verb === 'REPLACE');
  if (found === null) tokens.release();
  return found;
}

/** How many values the row has. */
export function insertedWidth(row: number): number {
  return scanner.width(row);
}

/** Of the statement that was looked at last. @returns null for whatever has to be computed */
export function insertedValue(row: number, place: number): PlainValue | typeof LEFT_OUT | null {
  return scanner.value(row, place);
}

const tokens = new StatementTokens();

class InsertScanner {
  /** By row, where its first value begins; of SET, by column. */
  readonly #begins: number[] = [];
  #isSet = false;
  #ignores = false;
  #end = 0;

  read(isReplace: boolean): PointInsert | null {
    let at = 1;
    this.#ignores = !isReplace && tokens.word(at) === 'IGNORE';
    if (this.#ignores) at++;
    if (tokens.word(at) === 'INTO') at++;
    const named = tokens.table(at);
    this.#begins.length = 0;
    return named === null ? null : this.#rows(named, isReplace);
  }

  #rows(named: NamedTable, isReplace: boolean): PointInsert | null {
    const { schema, table, behind } = named;
    this.#isSet = tokens.word(behind) === 'SET';
    const listed = tokens.word(behind) === '(' ? this.#names(behind) : null;
    if (tokens.word(behind) === '(' && listed === null) return null;
    const from = listed === null ? behind : tokens.next(behind);
    const columns = this.#isSet ? this.#assignments(from + 1) : listed;
    if (this.#isSet ? columns === null : !this.#lists(from)) return null;
    const rowCount = this.#isSet ? 1 : this.#begins.length;
    const assigned = this.#end === tokens.count ? NO_NAMES : this.#duplicates(isReplace);
    if (assigned === null) return null;
    const changesOthers = isReplace || this.#end !== tokens.count;
    return { schema, table, columns, rowCount, ignores: this.#ignores, changesOthers, assigned };
  }

  width(row: number): number {
    const [from, to] = this.#rangeOf(row);
    let width = from < to ? 1 : 0;
    for (let at = from; at < to; at = tokens.next(at)) if (tokens.word(at) === ',') width++;
    return width;
  }

  value(row: number, place: number): PlainValue | typeof LEFT_OUT | null {
    const [first, to] = this.#isSet ? [this.#begins[place]!, this.#end] : this.#rangeOf(row);
    let from = first;
    for (let left = this.#isSet ? 0 : place; left > 0; from++) {
      if (from >= to) return null;
      if (tokens.word(from) === ',') left--;
      else from = tokens.next(from) - 1;
    }
    let behind = from;
    while (behind < to && tokens.word(behind) !== ',') behind = tokens.next(behind);
    if (behind === from + 1 && NOTHING.has(tokens.word(from))) return LEFT_OUT;
    return tokens.value(from, behind);
  }

  #rangeOf(row: number): readonly [from: number, to: number] {
    const from = this.#begins[row]!;
    return [from, tokens.closeOf(from - 1)];
  }

  /** `(name, …)`, in lower case. */
  #names(open: number): readonly string[] | null {
    const close = tokens.closeOf(open);
    const names: string[] = [];
    if (close === open + 1) return names;
    for (let at = open + 1; at < close; at += 2) {
      const name = tokens.plainName(at);
      if (name === null || (at + 1 < close && tokens.word(at + 1) !== ',')) return null;
      names.push(name.toLowerCase());
      if (at + 2 === close) return null;
    }
    return names;
  }

  /** `VALUES (…), …`. */
  #lists(from: number): boolean {
    if (!LISTS.has(tokens.word(from))) return false;
    let at = from;
    do {
      if (tokens.word(at + 1) !== '(') return false;
      this.#begins.push(at + 2);
      at = tokens.next(at + 1);
    } while (tokens.word(at) === ',');
    this.#end = at;
    return true;
  }

  /** `name = value, …`. */
  #assignments(from: number): readonly string[] | null {
    this.#end = this.#duplicateAt(from);
    const names = tokens.assigned(from, this.#end);
    for (let at = from; names !== null && at < this.#end; at = tokens.next(at))
      if (at === from || tokens.word(at) === ',') this.#begins.push(this.#behindEquals(at));
    return names?.length === this.#begins.length ? names : null;
  }

  #behindEquals(from: number): number {
    let at = from;
    while (tokens.word(at) !== '=') at++;
    return at + 1;
  }

  /** @returns what it gives values; null if that is something else */
  #duplicates(isReplace: boolean): readonly string[] | null {
    const at = this.#end;
    const isHere = !isReplace && this.#duplicateAt(at) === at;
    return isHere ? tokens.assigned(at + 4, tokens.count) : null;
  }

  /** ON DUPLICATE KEY UPDATE; ON is reserved. */
  #duplicateAt(from: number): number {
    const at = tokens.find('ON', from);
    const isWhole = ['DUPLICATE', 'KEY', 'UPDATE'].every((word, i) => tokens.word(at + 1 + i) === word);
    return isWhole ? at : tokens.count;
  }
}

const scanner = new InsertScanner();
