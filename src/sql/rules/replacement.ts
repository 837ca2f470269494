/** `replace_pattern`: a text with references to the groups of `match_pattern`, as RE2's rewrite strings have them. */

import type { RE2JS } from 're2js';
import type { TextEncoding } from './rule-text.ts';

/** Texts, and numbers of groups. */
export type ReplacementPart = string | number;

/** More than this is no statement any more that somebody wants; patterns may make a text grow without end. */
const MAX_REWRITTEN_CHARS = 64 * 1024 * 1024;

/** `\0` is the whole match, `\1` to `\9` its groups, `\\` a backslash. @throws SyntaxError for any other escape. */
export function parseReplacement(text: string): readonly ReplacementPart[] {
  const parts: ReplacementPart[] = [];
  let literal = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char !== '\\') {
      literal += char;
      continue;
    }
    const escaped = text[++at];
    if (escaped === '\\') literal += '\\';
    else if (escaped !== undefined && escaped >= '0' && escaped <= '9') {
      if (literal !== '') parts.push(literal);
      literal = '';
      parts.push(Number(escaped));
    } else
      throw new SyntaxError(
        `a backslash is followed by a digit or another backslash, not by '${escaped ?? ''}'`,
      );
  }
  if (literal !== '') parts.push(literal);
  return parts;
}

/** The highest group that it refers to. */
export function highestGroup(parts: readonly ReplacementPart[]): number {
  return Math.max(0, ...parts.map((part) => (typeof part === 'number' ? part : 0)));
}

/** @returns `text` itself where nothing matches. @throws RangeError if the result gets too long. */
export function replaceMatches(
  regex: RE2JS,
  text: string,
  parts: readonly ReplacementPart[],
  isGlobal: boolean,
  encoding: TextEncoding,
): string {
  const matcher = regex.matcher(text);
  const pieces: string[] = [];
  let copied = 0;
  let length = 0;
  while (matcher.find()) {
    const made = expand(parts, encoding, (group) => matcher.group(group) ?? '');
    pieces.push(text.slice(copied, matcher.start()), made);
    length += matcher.start() - copied + made.length;
    if (length > MAX_REWRITTEN_CHARS) throw new RangeError('the rewritten statement is too long');
    copied = matcher.end();
    if (!isGlobal) break;
  }
  if (pieces.length === 0) return text;
  pieces.push(text.slice(copied));
  return pieces.join('');
}

function expand(
  parts: readonly ReplacementPart[],
  encoding: TextEncoding,
  group: (index: number) => string,
): string {
  let made = '';
  for (const part of parts) made += typeof part === 'number' ? group(part) : encode(part, encoding);
  return made;
}

/** In a text that is read byte by byte each character is a byte. */
function encode(literal: string, encoding: TextEncoding): string {
  return encoding === 'utf8' ? literal : Buffer.from(literal, 'utf8').toString('latin1');
}
