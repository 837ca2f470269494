/** KILL names a connection of the proxy, not of a server, so the proxy carries it out itself. */

import { ConditionalMode, TokenKind } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';
import { TokenList } from './token-list.ts';

export const KillTarget = { connection: 'connection', query: 'query', user: 'user' } as const;
export type KillTarget = (typeof KillTarget)[keyof typeof KillTarget];

export interface KillStatement {
  readonly target: KillTarget;
  /** Only what runs ends. */
  readonly queryOnly: boolean;
  /** null: the connection that says so, `KILL CONNECTION_ID()`. */
  readonly id: number | null;
  /** Of MariaDB's KILL USER; empty: the own one. */
  readonly user: string;
}

const tokens = new TokenList();

/**
 * `KILL [HARD | SOFT] [CONNECTION | QUERY] n` or `CONNECTION_ID()`, and MariaDB's `KILL … USER name` without a host;
 * null for anything else, such as `KILL QUERY ID n` (whose number is that of a query) or another expression instead
 * of the number, which a server evaluates.
 */
export function parseKill(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
): KillStatement | null {
  tokens.collect(buf, start, end, context, ConditionalMode.byServer);
  const kill = tokens.malformed || tokens.tooLong ? null : parse(context);
  tokens.release();
  return kill;
}

/** A KILL with other statements behind it; `rest` is where these begin. Null for anything else. */
export function parseLeadingKill(
  buf: Buffer,
  start: number,
  end: number,
  context: LexicalContext,
): { readonly kill: KillStatement; readonly rest: number } | null {
  tokens.collect(buf, start, end, context, ConditionalMode.byServer);
  let semicolon = 0;
  while (semicolon < tokens.count && tokens.kind(semicolon) !== TokenKind.semicolon) semicolon++;
  const isFollowed = semicolon + 1 < tokens.count && !tokens.sawConditional;
  const rest = isFollowed ? tokens.end(semicolon) : 0;
  tokens.release();
  const kill = isFollowed ? parseKill(buf, start, rest, context) : null;
  return kill === null ? null : { kill, rest };
}

function parse(context: LexicalContext): KillStatement | null {
  let at = 0;
  if (tokens.text(at++) !== 'KILL') return null;
  if (tokens.text(at) === 'HARD' || tokens.text(at) === 'SOFT') at++;
  const queryOnly = tokens.text(at) === 'QUERY';
  if (queryOnly || tokens.text(at) === 'CONNECTION') at++;
  const target = queryOnly ? KillTarget.query : KillTarget.connection;
  if (tokens.text(at) === 'CONNECTION_ID' && isCall(at))
    return endsAt(at + 3) ? { target, queryOnly, id: null, user: '' } : null;
  if (tokens.text(at) === 'USER' && context.flavor === 'mariadb') return parseUser(at + 1, queryOnly);
  if (tokens.kind(at) !== TokenKind.number || !endsAt(at + 1)) return null;
  const digits = tokens.raw(at);
  return /^[0-9]{1,15}$/.test(digits) ? { target, queryOnly, id: Number(digits), user: '' } : null;
}

function parseUser(at: number, queryOnly: boolean): KillStatement | null {
  if (tokens.text(at) === 'CURRENT_USER') {
    const behind = isCall(at) ? at + 3 : at + 1;
    return endsAt(behind) ? { target: KillTarget.user, queryOnly, id: null, user: '' } : null;
  }
  const user = tokens.kind(at) === TokenKind.string ? plainString(tokens.raw(at)) : nameAt(at);
  return user !== null && endsAt(at + 1) ? { target: KillTarget.user, queryOnly, id: null, user } : null;
}

function nameAt(at: number): string | null {
  return tokens.isName(at) ? tokens.name(at) : null;
}

/** Without escapes or an introducer. */
function plainString(raw: string): string | null {
  return /^(['"])([^'"\\]+)\1$/.exec(raw)?.[2] ?? null;
}

function isCall(at: number): boolean {
  return tokens.text(at + 1) === '(' && tokens.text(at + 2) === ')';
}

function endsAt(index: number): boolean {
  let at = index;
  while (tokens.kind(at) === TokenKind.semicolon) at++;
  return at >= tokens.count;
}
