/**
 * The tables that a query reads, from its tokens.
 *
 * A full grammar is not needed for this: in a query, tables stand behind FROM, JOIN, TABLE and the commas of a FROM
 * list, and nowhere else. A parenthesis either is where a table may stand (then it holds tables or a
 * query), or is part of an expression (then only a SELECT in it starts anew; FROM in EXTRACT or TRIM means
 * nothing). This is no less safe than a grammar that knows more: what may stand in a table's place and is neither a
 * name nor a parenthesis makes the answer `unsure`, a name too many costs a lookup, and every name in a
 * table's place is taken unless a common table expression of that very name is in scope.
 */

import { TokenKind } from './lexer.ts';
import type { TableReference } from './statement-class.ts';
import type { StatementDraft } from './statement-draft.ts';
import type { TokenList } from './token-list.ts';

const Clause = {
  /** An expression, or nothing yet: a SELECT may come. */
  none: 0,
  with: 1,
  select: 2,
  from: 3,
  rest: 4,
} as const;

interface Level {
  clause: number;
  /** A table, or a parenthesis with tables or a query, comes next. */
  expectsTable: boolean;
  /** Names of common table expressions that are visible from here on. */
  names: Set<string> | null;
  isRecursive: boolean;
  /** Of the common table expression whose body is being read. */
  pendingName: string | null;
  /** Its tables are those of the statement itself and not of a query in it. */
  isOuter: boolean;
}

/** A table in the list that an UPDATE or DELETE itself works on. */
export interface OuterTable extends TableReference {
  readonly alias: string | null;
}

/** Reserved everywhere, so that no alias looks like them. */
const ENDS_FROM: ReadonlySet<string> = new Set([
  'FETCH',
  'GROUP',
  'HAVING',
  'INTO',
  'LIMIT',
  'ORDER',
  'PROCEDURE',
  'UNION',
  'WHERE',
]);
/** What follows EXCEPT and INTERSECT when they are no alias; not all servers reserve them. */
const AFTER_SET_OPERATOR: ReadonlySet<string> = new Set([
  '(',
  'ALL',
  'DISTINCT',
  'SELECT',
  'TABLE',
  'VALUES',
  'WITH',
]);

/** Words that may stand before a table in a FROM list. */
const BEFORE_TABLE: ReadonlySet<string> = new Set(['LATERAL']);
/** Words in a table's place that are no table; quoted they would be. */
const NO_TABLE: ReadonlySet<string> = new Set(['DUAL', 'SELECT', 'VALUES', 'TABLE', 'WITH']);
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set(['JSON_TABLE']);
/** Words that may stand behind a table and are no alias of it; reserved on all servers. */
const BEHIND_TABLE: ReadonlySet<string> = new Set(
  `CROSS FOR FORCE GROUP HAVING IGNORE INNER JOIN LEFT LIMIT NATURAL ON ORDER PARTITION RIGHT SET STRAIGHT_JOIN
  UNION USE USING WHERE`.split(/\s+/),
);
const NOT_A_CTE: ReadonlySet<string> = new Set(['ROLLUP', 'QUERY', 'TIES', 'CUBE']);

function newLevel(expectsTable: boolean, isOuter: boolean): Level {
  return {
    clause: expectsTable ? Clause.from : Clause.none,
    expectsTable,
    names: null,
    isRecursive: false,
    pendingName: null,
    isOuter,
  };
}

function addName(level: Level, name: string): void {
  level.names ??= new Set();
  level.names.add(name);
}

/** Deeper nesting is left to the parser's judgement: every table's name is looked for on all levels. */
const MAX_DEPTH = 200;

export class TableReferences {
  readonly #tokens: TokenList;
  readonly #draft: StatementDraft;
  readonly #levels: Level[] = [];
  #level: Level;
  #to = 0;
  /** Of an UPDATE or DELETE: what stands between `listBegins` and `listEnds`, without common table expressions. */
  readonly outer: OuterTable[] = [];
  /** Something stood in a table's place that is no table. */
  unsure = false;

  constructor(tokens: TokenList, draft: StatementDraft) {
    this.#tokens = tokens;
    this.#draft = draft;
    this.#level = newLevel(false, true);
  }

  /** Adds the tables of `[from, to)`; with `startsInFrom` the first token stands where a table may. */
  collect(from: number, to: number, startsInFrom: boolean): void {
    this.#levels.length = 0;
    this.#level = newLevel(startsInFrom, true);
    this.read(from, to);
    this.end();
  }

  /** What is read next is a list of tables, as behind FROM. */
  listBegins(): void {
    this.#level.clause = Clause.from;
    this.#level.expectsTable = true;
  }

  listEnds(): void {
    if (this.#levels.length > 0 || this.#level.expectsTable) this.unsure = true;
    this.#level.clause = Clause.rest;
    this.#level.expectsTable = false;
  }

  end(): void {
    if (this.#levels.length > 0 || this.#level.expectsTable) this.unsure = true;
  }

  /** Adds the tables of `[from, to)`, which goes on where the last part ended. */
  read(from: number, to: number): void {
    const tokens = this.#tokens;
    this.#to = to;
    for (let i = from; i < to && this.#levels.length <= MAX_DEPTH; ) {
      const text = tokens.text(i);
      if (text === '(') this.#open();
      else if (text === ')') this.#close();
      else if (this.#level.expectsTable) {
        i = this.#table(i);
        continue;
      } else if (text === ',') {
        if (this.#level.clause === Clause.from) this.#level.expectsTable = true;
      } else if (text === '{' || text === '}') this.unsure = true;
      else if (this.#level.clause === Clause.with && tokens.isName(i)) {
        i = this.#commonTable(i);
        continue;
      } else if (text !== '' && tokens.text(i - 1) !== '.') this.#word(i, text);
      i++;
    }
  }

  #open(): void {
    const parent = this.#level;
    this.#levels.push(parent);
    if (this.#levels.length > MAX_DEPTH) this.unsure = true;
    this.#level = newLevel(parent.expectsTable, parent.isOuter && parent.expectsTable);
    parent.expectsTable = false;
    if (parent.pendingName !== null && parent.isRecursive) addName(parent, parent.pendingName);
  }

  #close(): void {
    const parent = this.#levels.pop();
    if (parent === undefined || this.#level.expectsTable) this.unsure = true;
    if (parent === undefined) return;
    this.#level = parent;
    this.#endCommonTable(parent);
  }

  /** Without RECURSIVE an expression's own name means a real table inside it: visible only from here on. */
  #endCommonTable(level: Level): void {
    if (!level.isRecursive && level.pendingName !== null) addName(level, level.pendingName);
    level.pendingName = null;
  }

  /** Between WITH and the query proper: `name [(columns)] AS (`. Returns the index behind what it took. */
  #commonTable(index: number): number {
    const tokens = this.#tokens;
    const text = tokens.text(index);
    const level = this.#level;
    if (text === 'SELECT' || text === 'VALUES' || text === 'TABLE') this.#word(index, text);
    else if (text === 'RECURSIVE') level.isRecursive = true;
    else {
      const behind =
        tokens.text(index + 1) === '(' ? tokens.behindParenthesis(index + 1, this.#to) : index + 1;
      const name = tokens.name(index);
      if (name !== null && tokens.text(behind) === 'AS' && tokens.text(behind + 1) === '(') {
        level.pendingName = name;
        return behind + 1;
      }
      this.unsure = true;
    }
    return index + 1;
  }

  #word(index: number, text: string): void {
    const level = this.#level;
    switch (text) {
      case 'SELECT':
        level.clause = Clause.select;
        level.isOuter = false;
        return;
      case 'WITH':
        if (!NOT_A_CTE.has(this.#tokens.text(index + 1))) level.clause = Clause.with;
        return;
      case 'FROM':
        if (level.clause === Clause.select) {
          level.clause = Clause.from;
          level.expectsTable = true;
        } else if (level.clause === Clause.from && !this.#isPortion(index)) this.unsure = true;
        return;
      case 'JOIN':
      case 'STRAIGHT_JOIN':
        // Behind FOR it is part of an index hint.
        if (level.clause === Clause.from && this.#tokens.text(index - 1) !== 'FOR') level.expectsTable = true;
        return;
      case 'TABLE':
        level.clause = Clause.rest;
        level.expectsTable = true;
        level.isOuter = false;
        return;
    }
    if (level.clause === Clause.from && this.#endsFrom(index, text)) level.clause = Clause.rest;
  }

  /** MariaDB: `FOR PORTION OF period FROM a TO b`. */
  #isPortion(index: number): boolean {
    return this.#tokens.text(index - 2) === 'OF' && this.#tokens.text(index - 3) === 'PORTION';
  }

  #endsFrom(index: number, text: string): boolean {
    const tokens = this.#tokens;
    // `USE INDEX FOR ORDER BY (i)` is part of a FROM list.
    if (ENDS_FROM.has(text)) return tokens.text(index - 1) !== 'FOR';
    if (text === 'EXCEPT' || text === 'INTERSECT') return AFTER_SET_OPERATOR.has(tokens.text(index + 1));
    return text === 'WINDOW' && tokens.text(index + 2) === 'AS' && tokens.text(index + 3) === '(';
  }

  /** What stands in a table's place; returns the index behind it. */
  #table(index: number): number {
    const tokens = this.#tokens;
    const text = tokens.text(index);
    const isQuoted = tokens.kind(index) === TokenKind.quotedName;
    if (!isQuoted && BEFORE_TABLE.has(text) && tokens.text(index + 1) === '(') return index + 1;
    this.#level.expectsTable = false;
    if (!isQuoted && NO_TABLE.has(text)) {
      if (text !== 'DUAL') this.#word(index, text);
      return index + 1;
    }
    if (!isQuoted && TABLE_FUNCTIONS.has(text) && tokens.text(index + 1) === '(') return index + 1;
    if (!tokens.isName(index)) {
      this.unsure = true;
      return index + 1;
    }
    const isQualified = tokens.text(index + 1) === '.' && tokens.isName(index + 2);
    const last = isQualified ? index + 2 : index;
    const schema = isQualified ? tokens.name(index) : null;
    const table = tokens.name(last);
    const follows = tokens.text(last + 1);
    if (table === null || (isQualified && schema === null) || follows === '(' || follows === '.')
      this.unsure = true;
    else if (isQualified || !this.#isCommonTable(table)) this.#add(schema, table, last + 1);
    return last + 1;
  }

  #add(schema: string | null, table: string, behind: number): void {
    this.#draft.addTable(schema, table);
    if (this.#level.isOuter) this.outer.push({ schema, table, alias: this.#alias(behind) });
  }

  /** Of the table that ends before `behind`; a word that is none makes a table known by a name too many. */
  #alias(behind: number): string | null {
    const tokens = this.#tokens;
    let at = behind;
    if (tokens.text(at) === 'PARTITION' && tokens.text(at + 1) === '(')
      at = tokens.behindParenthesis(at + 1, this.#to);
    if (tokens.text(at) === 'FOR' && tokens.text(at + 1) === 'PORTION') return null;
    if (tokens.text(at) === 'AS') at++;
    return at < this.#to && tokens.isName(at) && !BEHIND_TABLE.has(tokens.text(at)) ? tokens.name(at) : null;
  }

  #isCommonTable(name: string): boolean {
    if (this.#level.names?.has(name)) return true;
    return this.#levels.some((level) => level.names?.has(name));
  }
}
