/** How a digest is shown: its text, and a short name for it that is the same in every worker and after a restart. */

import { hash } from 'node:crypto';

const NAME_DIGITS = 16;
/** The lexer's mark in front of what it cannot read: a quote that is not closed, and with it a literal. */
const MALFORMED = 0;

/** In the form that ProxySQL gives its digests: `0x` and 16 hexadecimal digits. */
export function digestName(normalized: Buffer): string {
  return `0x${hash('sha256', normalized, 'hex').slice(0, NAME_DIGITS).toUpperCase()}`;
}

/**
 * Without any literal.
 * @param maxBytes what is longer is cut.
 */
export function digestText(normalized: Buffer, maxBytes: number): string {
  const bad = normalized.indexOf(MALFORMED);
  const end = bad < 0 ? normalized.length : bad;
  const text = normalized.toString('utf8', 0, Math.min(end, maxBytes)).trimEnd();
  return bad < 0 && end <= maxBytes ? text : `${text}…`;
}
