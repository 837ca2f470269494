/**
 * Words that MySQL 5.7 to 8.4 and MariaDB all reserve: unquoted and not behind a dot they can be nothing but
 * keywords, so their case means nothing and the digest writes them in capitals.
 */

// biome-ignore format: a list
export const FOLDED_WORDS: readonly string[] = [
  'ALL', 'ALTER', 'AND', 'AS', 'ASC', 'BETWEEN', 'BINARY', 'BY', 'CALL', 'CASE', 'CREATE', 'CROSS', 'DELETE',
  'DESC', 'DESCRIBE', 'DISTINCT', 'DIV', 'DROP', 'ELSE', 'EXISTS', 'EXPLAIN', 'FALSE', 'FOR', 'FORCE', 'FROM',
  'GROUP', 'HAVING', 'IF', 'IGNORE', 'IN', 'INDEX', 'INNER', 'INSERT', 'INTERVAL', 'INTO', 'IS', 'JOIN', 'KEY',
  'KILL', 'LEFT', 'LIKE', 'LIMIT', 'LOAD', 'LOCK', 'MOD', 'NATURAL', 'NOT', 'NULL', 'ON', 'OR', 'ORDER',
  'OUTER', 'REGEXP', 'RENAME', 'REPLACE', 'RIGHT', 'RLIKE', 'SCHEMA', 'SELECT', 'SET', 'SHOW',
  'STRAIGHT_JOIN', 'TABLE', 'THEN', 'TO', 'TRUE', 'UNION', 'UNIQUE', 'UNLOCK', 'UPDATE', 'USE', 'USING',
  'VALUES', 'WHEN', 'WHERE', 'WITH', 'XOR',
];

const TABLE_BITS = 10;
const MAX_TRIES = 100_000;
const LONGEST = FOLDED_WORDS.reduce((longest, word) => Math.max(longest, word.length), 0);
const WORD_BYTES: readonly Uint8Array[] = FOLDED_WORDS.map((word) => Uint8Array.from(Buffer.from(word)));

/** First two bytes, last byte and length tell these words apart; the module does not load if they do not. */
function slotOf(bytes: Uint8Array, start: number, end: number, multiplier: number): number {
  const key =
    (bytes[start]! & 0x5f) |
    ((bytes[start + 1]! & 0x5f) << 8) |
    ((bytes[end - 1]! & 0x5f) << 16) |
    ((end - start) << 24);
  return Math.imul(key, multiplier) >>> (32 - TABLE_BITS);
}

/** Tries odd multipliers until every word has a slot of its own. */
function makePerfectTable(): { multiplier: number; slots: Int16Array } {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const multiplier = 0x9e3779b1 + 2 * tries;
    const slots = new Int16Array(1 << TABLE_BITS).fill(-1);
    const clash = WORD_BYTES.some((bytes, index) => {
      const slot = slotOf(bytes, 0, bytes.length, multiplier);
      if (slots[slot] !== -1) return true;
      slots[slot] = index;
      return false;
    });
    if (!clash) return { multiplier, slots };
  }
  throw new Error('Two folded words cannot be told apart');
}

const { multiplier: MULTIPLIER, slots: SLOTS } = makePerfectTable();

/** Index into `FOLDED_WORDS` of the word `buf[start, end)` in any case, or -1. */
export function foldedWordAt(buf: Buffer, start: number, end: number): number {
  const length = end - start;
  if (length > LONGEST || length < 2) return -1;
  const index = SLOTS[slotOf(buf, start, end, MULTIPLIER)]!;
  if (index < 0) return -1;
  const word = WORD_BYTES[index]!;
  if (word.length !== length) return -1;
  for (let i = 0; i < length; i++) {
    const byte = buf[start + i]!;
    const upper = byte >= 0x61 && byte <= 0x7a ? byte & 0xdf : byte;
    if (upper !== word[i]) return -1;
  }
  return index;
}
