/** What hints say that is another thing in each statement, and so no part of its class. */

import { hintValueEnd, hintValueStart } from './hint-comment.ts';
import { ConditionalMode, Lexer, TokenKind } from './lexer.ts';
import type { LexicalContext } from './lexical-context.ts';

export interface HintValues {
  /** As it stands, of either flavor; null: none. Several of them are joined by commas. */
  readonly minGtid: string | null;
  /** Milliseconds since 1970: what was acknowledged before must be seen; -1: nothing said. */
  readonly minEpochMs: number;
}

const NO_VALUES: HintValues = Object.freeze({ minGtid: null, minEpochMs: -1 });
/** A key ends in front of a value with `=` and white space; enough to tell the two keys apart. */
const IS_GTID = /min_gtid\s*=\s*$/i;
const KEY_LOOK_BACK = 64;
const EPOCH = /^\d{1,16}$/;

const lexer = new Lexer();

/** Of `buf[start, end)`, whose class has a hint with `minGtid` or `minEpochMs`: only then it is worth asking. */
export function hintValuesOf(buf: Buffer, start: number, end: number, context: LexicalContext): HintValues {
  const gtids: string[] = [];
  let minEpochMs = -1;
  lexer.reset(buf, start, end, context, ConditionalMode.runAll);
  for (let kind = lexer.next(); kind !== TokenKind.end; kind = lexer.next()) {
    if (kind !== TokenKind.routeHint) continue;
    const close = lexer.end - 2;
    for (let pos = lexer.start + 2; ; ) {
      const from = hintValueStart(buf, pos, close);
      if (from < 0) break;
      pos = hintValueEnd(buf, from, close);
      const value = buf.toString('latin1', from, pos);
      const key = buf.toString('latin1', Math.max(lexer.start, from - KEY_LOOK_BACK), from);
      if (IS_GTID.test(key)) gtids.push(value);
      else if (EPOCH.test(value)) minEpochMs = Math.max(minEpochMs, Number(value));
    }
  }
  lexer.release();
  if (gtids.length === 0 && minEpochMs < 0) return NO_VALUES;
  return { minGtid: gtids.length === 0 ? null : gtids.join(','), minEpochMs };
}
