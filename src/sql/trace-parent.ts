/**
 * The `traceparent` of W3C Trace Context in a comment in front of a statement or behind it, as sqlcommenter writes it:
 * `SELECT 1 /*traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*\/`. Only comments that nothing but
 * blanks and other comments separates from the beginning or the end are looked into, so that no literal is taken for
 * one; a comment that is code is none.
 */

import type { TraceParent } from '../common/worker-report.ts';

const KEY = Buffer.from('traceparent');
const OPEN = Buffer.from('/*');
const CLOSE = Buffer.from('*/');
/** sqlcommenter has a handful of keys; nobody looks through more. */
const MAX_COMMENT_BYTES = 4096;
const VALUE =
  /(?:^|[\s,*])traceparent\s*[=:]\s*(?:'|%27|"|)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?![0-9a-z-])/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
/** Reserved: no version is called so. */
const NO_VERSION = 'ff';
const SAMPLED = 1;

const SLASH = 0x2f;
const STAR = 0x2a;
const SEMICOLON = 0x3b;
const EXCLAMATION = 0x21;
const CAPITAL_M = 0x4d;
/** Blank, and the controls that the lexer takes for white space. */
const isBlank = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/** What `buffer[start, end)` says of its trace; null where it says nothing, or nothing valid. */
export function traceParentOf(buffer: Buffer, start: number, end: number): TraceParent | null {
  const text = buffer.subarray(start, end);
  if (text.indexOf(KEY) < 0) return null;
  return inLastComment(text) ?? inFirstComment(text);
}

function inLastComment(text: Buffer): TraceParent | null {
  let last = text.length;
  while (last > 0 && (isBlank(text[last - 1]!) || text[last - 1] === SEMICOLON)) last--;
  if (last < 4 || text[last - 1] !== SLASH || text[last - 2] !== STAR) return null;
  // Comments do not nest: the nearest opening belongs to it, or one of those further on the left does.
  const open = text.lastIndexOf(OPEN, last - 4);
  return open < 0 ? null : parse(text, open, last);
}

function inFirstComment(text: Buffer): TraceParent | null {
  let first = 0;
  while (first < text.length && isBlank(text[first]!)) first++;
  if (text[first] !== SLASH || text[first + 1] !== STAR) return null;
  const close = text.indexOf(CLOSE, first + 2);
  return close < 0 ? null : parse(text, first, close + 2);
}

function parse(text: Buffer, open: number, end: number): TraceParent | null {
  if (end - open > MAX_COMMENT_BYTES) return null;
  const kind = text[open + 2];
  if (kind === EXCLAMATION || (kind === CAPITAL_M && text[open + 3] === EXCLAMATION)) return null;
  const found = VALUE.exec(text.toString('latin1', open, end));
  if (found === null) return null;
  const [, version, traceId = '', spanId = '', flags = ''] = found;
  if (version === NO_VERSION || traceId === NO_TRACE || spanId === NO_SPAN) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) !== 0 };
}
