/**
 * Comments that say how a statement is to be routed: Sluice's own, which begin with `sluice:`, and ProxySQL's, `key=value`
 * separated by semicolons in the first comment of a text. On bytes, as the lexer and the digest meet them.
 */

import { ByteClass } from './lexical-context.ts';

const SLUICE = Buffer.from('sluice:');
/** Of ProxySQL's keys, those that are understood. */
const PROXYSQL_KEYS = ['cache_ttl', 'hostgroup', 'max_lag_ms', 'min_epoch_ms', 'min_gtid'].map((key) =>
  Buffer.from(key),
);
/** Their values are others in each statement: they are no part of the digest. */
const VALUE_KEYS = ['min_gtid', 'min_epoch_ms'].map((key) => Buffer.from(key));

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const UNDERSCORE = 0x5f;

const isBlank = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

function lowerByte(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

function isAlphanumeric(byte: number): boolean {
  const lower = lowerByte(byte);
  return (lower >= 0x61 && lower <= 0x7a) || (byte >= 0x30 && byte <= 0x39);
}

function matches(buf: Buffer, at: number, end: number, word: Buffer): boolean {
  if (end - at < word.length) return false;
  for (let i = 0; i < word.length; i++) if (lowerByte(buf[at + i]!) !== word[i]) return false;
  return true;
}

/** Whether the content of a comment, `[from, close)`, begins with `sluice:` in any case. */
export function isSluiceHint(buf: Buffer, from: number, close: number, classes: Uint8Array): boolean {
  let pos = from;
  while (pos < close && classes[buf[pos]!] === ByteClass.space) pos++;
  return matches(buf, pos, close, SLUICE);
}

/** Whether a part of the content, `[from, close)`, is one of ProxySQL's keys with a value. */
export function isProxysqlHint(buf: Buffer, from: number, close: number): boolean {
  for (let pos = from; pos < close; pos = partEnd(buf, pos, close) + 1)
    if (partValue(buf, pos, close) >= 0) return true;
  return false;
}

/** Offset of the semicolon that ends the part at `pos`, or `close`. */
export function partEnd(buf: Buffer, pos: number, close: number): number {
  const end = buf.indexOf(SEMICOLON, pos);
  return end < 0 || end > close ? close : end;
}

/** Offset behind the `=` of the part at `pos` if its key is one of ProxySQL's, else -1. */
export function partValue(buf: Buffer, pos: number, close: number): number {
  let at = pos;
  while (at < close && isBlank(buf[at]!)) at++;
  for (const key of PROXYSQL_KEYS)
    if (matches(buf, at, close, key)) return behindEquals(buf, at + key.length, close);
  return -1;
}

function behindEquals(buf: Buffer, pos: number, close: number): number {
  let at = pos;
  while (at < close && isBlank(buf[at]!)) at++;
  return at < close && buf[at] === EQUALS ? at + 1 : -1;
}

/** Offset of the first value at or behind `pos` that is no part of the digest, or -1. */
export function hintValueStart(buf: Buffer, pos: number, close: number): number {
  for (let at = pos; at < close; at++) {
    if (lowerByte(buf[at]!) !== VALUE_KEYS[0]![0]) continue;
    const before = at > pos ? buf[at - 1]! : 0;
    if (isAlphanumeric(before) || before === UNDERSCORE) continue;
    for (const key of VALUE_KEYS) {
      if (!matches(buf, at, close, key)) continue;
      let value = behindEquals(buf, at + key.length, close);
      while (value >= 0 && value < close && isBlank(buf[value]!)) value++;
      if (value >= 0) return value;
    }
  }
  return -1;
}

/**
 * Offset behind the value at `pos`: GTIDs of either flavor, separated by commas without white space. Behind a comma goes on
 * what has a colon or a hyphen, as every GTID does and no other hint.
 */
export function hintValueEnd(buf: Buffer, pos: number, close: number): number {
  let end = valueRun(buf, pos, close);
  while (end < close && buf[end] === COMMA) {
    const next = valueRun(buf, end + 1, close);
    if (!hasGtidByte(buf, end + 1, next)) break;
    end = next;
  }
  return end;
}

function valueRun(buf: Buffer, pos: number, close: number): number {
  let end = pos;
  while (end < close && (isAlphanumeric(buf[end]!) || buf[end] === COLON || buf[end] === MINUS)) end++;
  return end;
}

function hasGtidByte(buf: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (buf[i] === COLON || buf[i] === MINUS) return true;
  return false;
}

/**
 * What the digest keeps of the comment `buf[start, end)`, without its markers: Sluice's own as it is, of ProxySQL's the keys
 * that are understood, each behind a semicolon; `?` for values that are no part of a digest. One character per byte.
 */
export function hintText(buf: Buffer, start: number, end: number, classes: Uint8Array): string {
  const close = end - 2;
  if (isSluiceHint(buf, start + 2, close, classes)) return withoutValues(buf, start + 2, close);
  let text = '';
  for (let pos = start + 2; pos < close; ) {
    const semicolon = partEnd(buf, pos, close);
    if (partValue(buf, pos, semicolon) >= 0) text += `;${withoutValues(buf, pos, semicolon)}`;
    pos = semicolon + 1;
  }
  return text;
}

function withoutValues(buf: Buffer, start: number, end: number): string {
  let text = '';
  let pos = start;
  for (let value = hintValueStart(buf, pos, end); value >= 0; value = hintValueStart(buf, pos, end)) {
    text += `${buf.toString('latin1', pos, value)}?`;
    pos = hintValueEnd(buf, value, end);
  }
  return text + buf.toString('latin1', pos, end);
}
