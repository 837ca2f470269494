/**
 * An admin statement as it may be written down. Where it touches what holds passwords, only what is known to be none
 * stays: SQL's own words, names of tables, columns and variables, and values behind columns that hold no secret.
 * Everything else becomes `***`, which is also what happens to forms that nobody has thought of.
 */

import { isSensitiveName } from '../../common/sensitive-name.ts';
import { ConditionalMode, Lexer, TokenKind } from '../../sql/lexer.ts';
import { makeLexicalContext } from '../../sql/lexical-context.ts';
import { KNOWN_WORDS } from './known-words.ts';

export interface MaskedStatement {
  /** In one line, without comments. */
  readonly text: string;
  /** What the statement ended with may quote parts of it, and must not be shown either. */
  readonly isMasked: boolean;
}

interface Token {
  readonly kind: number;
  readonly text: string;
  /** White space or a comment stands in front of it. */
  readonly gap: boolean;
}

const MASK = '***';
/** What is longer is masked whole from there on. */
const MAX_TOKENS = 2000;
const LEXICAL = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 0 });

/** Tables with passwords in them, and those where a variable's value may be one. */
const SENSITIVE_TABLE = /users|global_variables|ldap|credentials|restapi|scheduler/i;
/** Words of statements about accounts that belong to a server, typed on the wrong port. */
const SENSITIVE_STATEMENT = /\bidentified\b|\bmaster_|\bsource_|\bgrant\b|\baccount\b/i;
/** The statement behind these words is a client's, with a client's data. */
const OF_A_CLIENT = /^explain route\b/i;
const SET = /^set\b/i;

/** Columns whose values are shown in statements that touch passwords. */
const HARMLESS_COLUMNS: ReadonlySet<string> = new Set([
  'username',
  'active',
  'use_ssl',
  'default_hostgroup',
  'default_schema',
  'schema_locked',
  'transaction_persistent',
  'fast_forward',
  'backend',
  'frontend',
  'max_connections',
  'variable_name',
  'id',
  'interval_ms',
]);

function tokensOf(statement: string): { tokens: Token[]; isWhole: boolean } {
  const source = Buffer.from(statement);
  const lexer = new Lexer();
  lexer.reset(source, 0, source.length, LEXICAL, ConditionalMode.runAll);
  const tokens: Token[] = [];
  let gap = false;
  for (let kind = lexer.next(); kind !== TokenKind.end; kind = lexer.next()) {
    if (kind === TokenKind.malformed || tokens.length === MAX_TOKENS) return { tokens, isWhole: false };
    gap ||= lexer.gap;
    if (kind === TokenKind.optimizerHint || kind === TokenKind.routeHint) continue;
    tokens.push({ kind, text: source.toString('utf8', lexer.start, lexer.end), gap });
    gap = false;
  }
  return { tokens, isWhole: true };
}

const VARIABLE = /^(?:mysql|admin|sluice)-[a-z0-9_]{1,64}$/i;
const WORD = /^[\p{L}_][\p{L}\p{N}_$]*$/u;
const PUNCTUATION = /^[^\p{L}\p{N}'"`]+$/u;

function isQuoted(text: string): boolean {
  return /^['"`]/.test(text);
}

function contentOf(text: string): string {
  return isQuoted(text) ? text.slice(1, -1) : text;
}

/** A variable's name in a string or in plain words. */
function isHarmlessVariable(name: string): boolean {
  return VARIABLE.test(name) && !isSensitiveName(name) && !SENSITIVE_TABLE.test(name);
}

/** The name of a variable that holds a secret is none itself. */
function isSensitiveVariable(name: string): boolean {
  return VARIABLE.test(name) && isSensitiveName(name);
}

class Masker {
  readonly #tokens: readonly Token[];
  isMasked = false;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  render(shows: (index: number) => boolean): string {
    return this.#tokens
      .map((token, index) => {
        const isShown = shows(index);
        if (!isShown) this.isMasked = true;
        const shown = isShown ? token.text : MASK;
        return token.gap && index > 0 ? ` ${shown}` : shown;
      })
      .join('');
  }

  /** Words of SQL and known names, punctuation, and values of harmless columns. */
  isShown(index: number): boolean {
    return this.isWord(index) || this.#isHarmlessValue(index);
  }

  isWord(index: number): boolean {
    const { text } = this.#tokens[index]!;
    if (PUNCTUATION.test(text)) return true;
    const name = WORD.test(text) ? text : text.startsWith('`') ? contentOf(text) : '';
    return KNOWN_WORDS.has(name.toLowerCase());
  }

  /** Behind `harmless_column =`. */
  #isHarmlessValue(index: number): boolean {
    if (this.#tokens[index - 1]?.text !== '=') return false;
    // `'a' || 'b'`: the whole is no value of that column alone, but of none that is secret either.
    const column = contentOf(this.#tokens[index - 2]?.text ?? '').toLowerCase();
    return HARMLESS_COLUMNS.has(column);
  }
}

const INSERT = /^(?:insert|replace)$/i;
const NAME = /^[\p{L}_`][\p{L}\p{N}_$`]*$/u;

/** The columns of `INSERT INTO t (a, b) VALUES …`, and where the rows begin; null for any other form. */
function insertedColumns(tokens: readonly Token[]): { columns: string[]; values: number } | null {
  const into = tokens.findIndex(({ text }) => /^into$/i.test(text));
  const values = tokens.findIndex(({ text }) => /^values$/i.test(text));
  if (!INSERT.test(tokens[0]?.text ?? '') || into < 0 || into > 3 || values < 0) return null;
  const isQualified = tokens[into + 2]?.text === '.';
  const open = into + (isQualified ? 4 : 2);
  const list = tokens.slice(open + 1, values - 1).map(({ text }) => text);
  if (tokens[open]?.text !== '(' || tokens[values - 1]?.text !== ')') return null;
  if (!list.every((text, index) => (index % 2 === 1 ? text === ',' : NAME.test(text)))) return null;
  return {
    columns: list.filter((text) => text !== ',').map((text) => contentOf(text).toLowerCase()),
    values,
  };
}

/** Places of values under harmless columns. */
function harmlessInserted(tokens: readonly Token[]): ReadonlySet<number> {
  const shown = new Set<number>();
  const insert = insertedColumns(tokens);
  if (insert === null) return shown;
  let depth = 0;
  let column = 0;
  for (let index = insert.values + 1; index < tokens.length; index++) {
    const { text } = tokens[index]!;
    // What follows the rows (`ON CONFLICT …`) has parentheses of its own.
    if (depth === 0 && text !== '(' && text !== ',') break;
    if (text === '(' && ++depth === 1) column = 0;
    else if (text === ')') depth--;
    else if (text === ',' && depth === 1) column++;
    else if (depth === 1 && HARMLESS_COLUMNS.has(insert.columns[column] ?? '')) shown.add(index);
  }
  return shown;
}

/** `SET name = value`: the names stay, and the values of variables that hold no secret. */
function renderSet(tokens: readonly Token[], masker: Masker): string {
  const equals = tokens.findIndex(({ text }) => text === '=' || text === ':=');
  const name = tokens
    .slice(1, equals)
    .map(({ text }) => text)
    .join('');
  // Several assignments, or none: what belongs to which name is not worth finding out.
  const isOne = equals > 0 && !tokens.some(({ text }) => text === ',');
  const value = tokens.slice(equals + 1).map(({ text }) => text);
  if (isOne && !isSensitiveName(name) && !isSensitiveName(value.join(' '))) return masker.render(() => true);
  return masker.render((index) => index < equals || (index === equals && equals > 0));
}

const TABLE = '(?:main \\. )?(?:disk \\. )?global_variables';
/** Statements about one variable, where it is plain which; L is a literal. */
const OF_ONE_VARIABLE: readonly { readonly form: RegExp; readonly name: 'first' | 'last' }[] = [
  {
    form: new RegExp(`^update ${TABLE} set variable_value = L where variable_name = L$`),
    name: 'last',
  },
  {
    form: new RegExp(
      `^(?:insert|replace|insert or replace) into ${TABLE} (?:\\( variable_name , variable_value \\) )?values \\( L , L \\)$`,
    ),
    name: 'first',
  },
];

function isLiteral({ kind, text }: Token): boolean {
  return (kind === TokenKind.string && !text.startsWith('`')) || kind === TokenKind.number;
}

function renderVariables(tokens: readonly Token[], masker: Masker): string {
  const form = tokens.map((token) => (isLiteral(token) ? 'L' : token.text.toLowerCase())).join(' ');
  const known = OF_ONE_VARIABLE.find((each) => each.form.test(form));
  const literals = tokens.filter(isLiteral);
  const name = contentOf((known?.name === 'first' ? literals[0] : literals.at(-1))?.text ?? '');
  const holdsSecret = literals.some(({ text }) => isSensitiveName(text));
  if (known !== undefined && isHarmlessVariable(name) && !holdsSecret) return masker.render(() => true);
  return masker.render(
    (index) => masker.isShown(index) || isSensitiveVariable(contentOf(tokens[index]!.text)),
  );
}

/** @param statement as an operator sent it */
export function maskSecrets(statement: string): MaskedStatement {
  const { tokens, isWhole } = tokensOf(statement);
  const masker = new Masker(tokens);
  const text = render(tokens, masker);
  if (isWhole) return { text, isMasked: masker.isMasked };
  // What is behind a quote that is not closed nobody knows.
  return { text: `${text}${text === '' ? '' : ' '}…`, isMasked: true };
}

function render(tokens: readonly Token[], masker: Masker): string {
  // Without comments, and with one blank between any two tokens.
  const statement = tokens.map(({ text }) => text).join(' ');
  if (OF_A_CLIENT.test(statement)) return masker.render((index) => masker.isWord(index));
  const isSensitive =
    SENSITIVE_TABLE.test(statement) || SENSITIVE_STATEMENT.test(statement) || isSensitiveName(statement);
  if (!isSensitive) return masker.render(() => true);
  if (SET.test(statement) && !SENSITIVE_TABLE.test(statement)) return renderSet(tokens, masker);
  if (/global_variables/i.test(statement)) return renderVariables(tokens, masker);
  const inserted = harmlessInserted(tokens);
  return masker.render((index) => inserted.has(index) || masker.isShown(index));
}
