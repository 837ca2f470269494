/**
 * A text as patterns see it. UTF-8 is read as characters; bytes that are none (another character set) are read one by
 * one, so that nothing is lost when the text is written back.
 */

import { isUtf8 } from 'node:buffer';

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
const BEYOND_ASCII = /[^\x00-\x7f]/;
/** A character has four bytes at most. */
const LONGEST_CHARACTER = 4;

export type TextEncoding = 'utf8' | 'latin1';

export class RuleText {
  readonly value: string;
  readonly encoding: TextEncoding;
  #capitals: string | null = null;
  #isAscii: boolean | null = null;

  constructor(value: string, encoding: TextEncoding) {
    this.value = value;
    this.encoding = encoding;
  }

  /** `buffer[start, end)`, and of it no more than about `maxBytes` from the start. */
  static of(buffer: Buffer, start: number, end: number, maxBytes: number): RuleText {
    const cut = end - start > maxBytes ? characterStart(buffer, start, start + maxBytes) : end;
    const encoding = isUtf8(buffer.subarray(start, cut)) ? 'utf8' : 'latin1';
    return new RuleText(buffer.toString(encoding, start, cut), encoding);
  }

  /** Bytes that `of` has read. */
  get byteLength(): number {
    return this.encoding === 'latin1' ? this.value.length : Buffer.byteLength(this.value);
  }

  /**
   * False is certain: the text does not hold `capitals` in any spelling. Other letters may fold to those of ASCII, so
   * that only a text of nothing else tells.
   */
  mayContain(capitals: string): boolean {
    this.#isAscii ??= !BEYOND_ASCII.test(this.value);
    if (!this.#isAscii) return true;
    this.#capitals ??= this.value.toUpperCase();
    return this.#capitals.includes(capitals);
  }
}

/** The last place up to `at` where a character of UTF-8 starts. */
function characterStart(buffer: Buffer, start: number, at: number): number {
  for (let here = at; here > start && here > at - LONGEST_CHARACTER; here--)
    if ((buffer[here]! & 0xc0) !== 0x80) return here;
  return at;
}
