import fc from 'fast-check';
import t from 'tap';
import { classify } from '../../../src/sql/classify.ts';
import { DigestScanner } from '../../../src/sql/digest.ts';
import { parseKill } from '../../../src/sql/kill-statement.ts';
import { ConditionalMode, Lexer, TokenKind } from '../../../src/sql/lexer.ts';
import { type LexicalContext, makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import type { StatementClass } from '../../../src/sql/statement-class.ts';
import { OTHER_STATEMENTS } from './other-statement-groups.ts';
import { PROVEN_READS } from './proven-reads.ts';
import { UNPROVEN_READS } from './unproven-reads.ts';

const SEED = 20_261_121;
const parameters = { seed: SEED, numRuns: 400 };

const CHARSETS = ['utf8mb4', 'latin1', 'latin2', 'ujis', 'gbk', 'big5', 'sjis', 'gb18030'];
const CONTEXTS: readonly LexicalContext[] = CHARSETS.flatMap((charset) =>
  ['', 'ANSI', 'NO_BACKSLASH_ESCAPES'].flatMap((sqlMode) => [
    makeLexicalContext({ charset, sqlMode, flavor: 'mysql', versionId: 80400 }),
    makeLexicalContext({ charset, sqlMode, flavor: 'mariadb', versionId: 101100 }),
  ]),
);
const DEFAULT = CONTEXTS[1]!;
const CORPUS: readonly string[] = [PROVEN_READS, ...UNPROVEN_READS, ...OTHER_STATEMENTS].flatMap(
  (group) => group.statements,
);

const scanner = new DigestScanner(SEED);

function classOf(buf: Buffer, context: LexicalContext): StatementClass {
  return classify(buf, 0, buf.length, context);
}

function normalForm(buf: Buffer, context: LexicalContext): string {
  scanner.scan(buf, 0, buf.length, context);
  return scanner.normalized.toString('latin1', 0, scanner.normalizedLength);
}

/** Without what is only told and decides nothing. */
function meaningOf(found: StatementClass): string {
  const { detail: _detail, tables, ...rest } = found;
  const names = tables.map(({ schema, table }) => `${schema}.${table}`).sort();
  return JSON.stringify({ ...rest, pins: [...found.pins].sort(), names });
}

function tokensOf(buf: Buffer, context: LexicalContext): { kind: number; text: string; gap: boolean }[] {
  const lexer = new Lexer();
  lexer.reset(buf, 0, buf.length, context, ConditionalMode.runAll);
  const tokens = [];
  for (let kind = lexer.next(); kind !== TokenKind.end; kind = lexer.next()) {
    tokens.push({ kind, text: buf.toString('latin1', lexer.start, lexer.end), gap: lexer.gap });
  }
  return tokens;
}

t.test('white space and comments where some stand, and the case of keywords, change nothing', async () => {
  const gap = fc.constantFrom(
    ' ',
    '  ',
    '\t',
    '\n',
    '\r\n',
    ' /* x */ ',
    '\n-- x\n',
    ' # x \n',
    ' /**/ ',
    ' /*\'"`;*/ ',
  );
  fc.assert(
    fc.property(fc.constantFrom(...CORPUS), fc.array(gap, { minLength: 60, maxLength: 60 }), (sql, gaps) => {
      const buf = Buffer.from(sql);
      const tokens = tokensOf(buf, DEFAULT);
      if (tokens.some(({ kind }) => kind === TokenKind.malformed)) return;
      const changed = tokens.map(({ text, gap, kind }, i) => {
        const isWord =
          kind === TokenKind.name && /^(select|from|for|update|into|share|lock|in|set)$/i.test(text);
        const word = isWord ? (i % 2 === 0 ? text.toLowerCase() : text.toUpperCase()) : text;
        // Inside a conditional comment no other comment may stand.
        return (gap ? (sql.includes('/*!') || sql.includes('/*M!') ? ' \n' : gaps[i % 60]!) : '') + word;
      });
      const other = Buffer.from(`${changed.join('')} `, 'latin1');
      const before = meaningOf(classOf(buf, DEFAULT));
      const after = meaningOf(classOf(other, DEFAULT));
      if (before !== after) throw new Error(`${sql}\n${other}\n${before}\n${after}`);
    }),
    { seed: SEED, numRuns: 3000 },
  );
});

t.test('a statement cut anywhere is read without an exception', async (t) => {
  for (const sql of CORPUS) {
    const buf = Buffer.from(sql);
    for (let end = 0; end <= buf.length; end++) {
      const found = classify(buf, 0, end, DEFAULT);
      scanner.scan(buf, 0, end, DEFAULT);
      parseKill(buf, 0, end, DEFAULT);
      if (end % 7 !== 0) continue;
      // What lies behind the end is not read.
      const alone = classify(Buffer.from(buf.subarray(0, end)), 0, end, DEFAULT);
      if (meaningOf(found) !== meaningOf(alone)) t.fail(`${sql} cut at ${end}`);
    }
  }
});

const fragment = fc.constantFrom(
  ...[
    "'",
    '"',
    '`',
    '\\',
    '/*',
    '*/',
    '/*!',
    '/*!50000 ',
    '/*+',
    '--',
    '-- ',
    '#',
    '\n',
    ';',
    '(',
    ')',
    ',',
    '.',
  ],
  ...[
    '@',
    '@@',
    ':=',
    '?',
    'SELECT ',
    'FROM ',
    'FOR UPDATE',
    'WITH ',
    'AS ',
    'SET ',
    'x',
    "x'",
    "N'",
    '0x',
    '1',
    '1e',
  ],
  ...[
    'INTO ',
    'TABLE ',
    'VALUES',
    'IN',
    'NULL',
    '-',
    '/* sluice:primary */',
    '\x81',
    '\xa0',
    '\xe4',
    '\0',
    ' ',
  ],
);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
  fc.array(fragment, { maxLength: 40 }).map((fragments) => Buffer.from(fragments.join(''), 'latin1')),
);

t.test('no bytes make it throw, and every byte lies in at most one token', async () => {
  fc.assert(
    fc.property(bytes, fc.constantFrom(...CONTEXTS), (buf, context) => {
      classOf(buf, context);
      normalForm(buf, context);
      parseKill(buf, 0, buf.length, context);
      for (const mode of [ConditionalMode.byServer, ConditionalMode.runAll, ConditionalMode.skipAll]) {
        const lexer = new Lexer();
        lexer.reset(buf, 0, buf.length, context, mode);
        let behind = 0;
        while (lexer.next() !== TokenKind.end) {
          if (lexer.start < behind || lexer.end <= lexer.start)
            throw new Error('tokens overlap or are empty');
          behind = lexer.end;
        }
        if (behind > buf.length) throw new Error('a token ends behind the text');
      }
    }),
    { seed: SEED, numRuns: 8_000 },
  );
});

const LITERALS = [
  '1',
  '-5',
  "'a'",
  '"b"',
  '0x1F',
  'NULL',
  '.5',
  "N'x'",
  "'FOR UPDATE'",
  "'it''s */'",
  '1e5',
  '?',
];

/** A statement of the corpus with its literals exchanged and its white space changed. */
function variant(sql: string, picks: readonly number[]): string {
  let at = 0;
  const pick = (): number => picks[at++ % picks.length]!;
  let out = '';
  for (const { kind, text, gap } of tokensOf(Buffer.from(sql), DEFAULT)) {
    if (gap) out += [' ', '  ', '\n', ' /* x */ '][pick() % 4];
    const isLiteral = kind === TokenKind.number || kind === TokenKind.string;
    out += isLiteral ? `${/[\w$]$/.test(out) ? ' ' : ''}${LITERALS[pick() % LITERALS.length]}` : text;
    if (isLiteral && pick() % 4 === 0) out += `, ${LITERALS[pick() % LITERALS.length]}`;
  }
  return out;
}

t.test('equal normal forms have equal classes', async (t) => {
  const known = new Map<string, { meaning: string; sql: string }>();
  let shared = 0;
  const note = (sql: string, context: LexicalContext): void => {
    const buf = Buffer.from(sql, 'latin1');
    const key = `${context.key} ${normalForm(buf, context)}`;
    const meaning = meaningOf(classOf(buf, context));
    const other = known.get(key);
    if (other === undefined) known.set(key, { meaning, sql });
    else {
      shared++;
      if (other.meaning !== meaning)
        throw new Error(`${sql}\n${other.sql}\n${key}\n${meaning}\n${other.meaning}`);
    }
  };
  const pick = fc.array(fc.nat(1000), { minLength: 40, maxLength: 40 });
  fc.assert(
    fc.property(fc.constantFrom(...CORPUS), pick, fc.constantFrom(...CONTEXTS), (sql, picks, context) => {
      note(sql, context);
      note(variant(sql, picks), context);
      note(variant(sql, [...picks].reverse()), context);
    }),
    { seed: SEED, numRuns: 5_000 },
  );
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 7 }), fc.constantFrom(...CONTEXTS), (fragments, context) => {
      note(fragments.join(''), context);
    }),
    { seed: SEED, numRuns: 25_000 },
  );
  t.ok(shared > 2000, `${shared} pairs shared a normal form`);
});

t.test('the normal form of a normal form without literals is itself', async () => {
  fc.assert(
    fc.property(fc.constantFrom(...CORPUS), (sql) => {
      const once = normalForm(Buffer.from(sql), DEFAULT);
      // A NUL marks what is malformed.
      if (once.includes('\0')) return;
      const twice = normalForm(Buffer.from(once, 'latin1'), DEFAULT);
      if (once !== twice) throw new Error(`${sql}\n${once}\n${twice}`);
    }),
    { ...parameters, numRuns: 2000 },
  );
});
