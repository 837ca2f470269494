/** SET PASSWORD and ALTER USER … IDENTIFIED BY: whose password they change, and to what, if the text shows it. */

import { ConditionalMode, TokenKind } from './lexer.ts';
import { ASCII, isUtf8, type LexicalContext } from './lexical-context.ts';
import { unquoted } from './literal-arguments.ts';
import { TokenList } from './token-list.ts';

export interface PasswordChange {
  /** null: the account of the session. */
  readonly account: { readonly username: string; readonly host: string } | null;
  /** In clear text: never to be logged, nor kept longer than what it opens. */
  readonly password: string;
  /** The authentication plugin that the statement names, in lower case; null where it names none. */
  readonly plugin: string | null;
}

/** What `StatementClass.command` is for these. */
export const PASSWORD_COMMANDS: ReadonlySet<string> = new Set(['SET_PASSWORD', 'ALTER_USER']);

const tokens = new TokenList();

/** null for everything else: several accounts, hashes, random passwords, several statements, literals of odd kinds. */
export function parsePasswordChange(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
): PasswordChange | null {
  tokens.collect(buf, start, end, context, ConditionalMode.byServer);
  const isReadable = !tokens.malformed && !tokens.tooLong && !tokens.sawConditional;
  const change = isReadable ? new Reading(buf, context).statement() : null;
  tokens.release();
  return change;
}

class Reading {
  readonly #buf: Buffer;
  readonly #context: LexicalContext;
  #at = 0;

  constructor(buf: Buffer, context: LexicalContext) {
    this.#buf = buf;
    this.#context = context;
  }

  statement(): PasswordChange | null {
    if (this.#takes('SET', 'PASSWORD')) return this.#setPassword();
    if (!this.#takes('ALTER', 'USER')) return null;
    this.#takes('IF', 'EXISTS');
    const account = this.#account();
    if (account === undefined || !this.#takes('IDENTIFIED')) return null;
    const plugin = this.#takes('WITH') || this.#takes('VIA') ? this.#word() : null;
    const password = this.#takes('BY') ? this.#literal() : this.#takes('USING') ? this.#hashed() : null;
    return password === null || !this.#restIsAboutOne() ? null : { account, password, plugin };
  }

  #setPassword(): PasswordChange | null {
    const account = this.#takes('FOR') ? this.#account() : null;
    if (account === undefined || !(this.#takes('=') || this.#takes(':='))) return null;
    // MariaDB takes a bare literal for a hash.
    const password = this.#context.flavor === 'mysql' ? (this.#literal() ?? this.#hashed()) : this.#hashed();
    return password === null || !this.#restIsAboutOne() ? null : { account, password, plugin: null };
  }

  /** `PASSWORD('…')` */
  #hashed(): string | null {
    if (!this.#takes('PASSWORD', '(')) return null;
    const password = this.#literal();
    return this.#takes(')') ? password : null;
  }

  /** undefined for what names no account. */
  #account(): PasswordChange['account'] | undefined {
    if (this.#takes('CURRENT_USER')) {
      this.#takes('(', ')');
      return null;
    }
    if (this.#takes('USER', '(', ')')) return null;
    const username = this.#word();
    if (username === null) return undefined;
    if (tokens.kind(this.#at) !== TokenKind.userVariable) return { username, host: '%' };
    const raw = tokens.raw(this.#at++).slice(1);
    const host = /^(['"`])(.*)\1$/s.exec(raw)?.[2] ?? raw;
    return /['"`\\]/.test(host) || !ASCII.test(host) ? undefined : { username, host };
  }

  /** A name, or a string that stands for one. */
  #word(): string | null {
    if (tokens.kind(this.#at) === TokenKind.string) return this.#literal();
    return tokens.isName(this.#at) ? tokens.name(this.#at++) : null;
  }

  #literal(): string | null {
    if (tokens.kind(this.#at) !== TokenKind.string) return null;
    const bytes = unquoted(this.#buf.subarray(tokens.start(this.#at), tokens.end(this.#at)), this.#context);
    // Two literals side by side are one text.
    if (bytes === null || tokens.kind(this.#at + 1) === TokenKind.string) return null;
    this.#at++;
    const text = bytes.toString('utf8');
    return ASCII.test(text) || (isUtf8(this.#context) && !text.includes('\ufffd')) ? text : null;
  }

  #takes(...words: readonly string[]): boolean {
    if (!words.every((word, index) => tokens.text(this.#at + index) === word)) return false;
    this.#at += words.length;
    return true;
  }

  /** Neither another account, another way to log in, nor another statement. */
  #restIsAboutOne(): boolean {
    for (let i = this.#at; i < tokens.count; i++) {
      const text = tokens.text(i);
      if (text === ',' || text === 'OR') return false;
      if (text === ';' && i < tokens.count - 1) return false;
    }
    return true;
  }
}
