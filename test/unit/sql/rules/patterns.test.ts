/** Regular expressions of rules: what is taken, how long they may take, and what is left out without compiling. */

import fc from 'fast-check';
import { RE2JS } from 're2js';
import t from 'tap';
import { parseReplacement, replaceMatches } from '../../../../src/sql/rules/replacement.ts';
import { requiredLiteral } from '../../../../src/sql/rules/required-literal.ts';
import {
  groupCount,
  parseModifiers,
  patternProblem,
  RulePattern,
} from '../../../../src/sql/rules/rule-pattern.ts';
import { RuleText } from '../../../../src/sql/rules/rule-text.ts';

const TEXT_BYTES = 65_536;
/** A backtracking engine takes years for the first ones, and minutes for those that take the square. */
const MOST_MS = 3000;

const EVIL: readonly (readonly [pattern: string, unit: string, end: string])[] = [
  ['^(a|a)*b$', 'a', '!'],
  ['(a+)+$', 'a', '!'],
  ['(a*)*(a*)*b', 'a', 'c'],
  ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a', '!'],
  ['(x+x+)+y', 'x', ''],
  ['(.*)(.*)(.*)(.*)(.*)z', 'y', ''],
  ['(?:a?){30}a{30}b', 'a', ''],
  ['\\s+$', ' ', 'x'],
  ['(SELECT.*)+FROM', 'SELECT ', ''],
  ["('[^']*'|[^'])*;$", "'a'", ''],
  ['(é|É|e)+$', 'é', 'x'],
];

t.test('time is proportional to the text, whatever the pattern', async (t) => {
  for (const [source, unit, end] of EVIL)
    for (const caseless of [false, true]) {
      const text = unit.repeat(Math.floor(TEXT_BYTES / Buffer.byteLength(unit))) + end;
      const pattern = new RulePattern(source, caseless);
      const before = process.cpuUsage();
      pattern.test(new RuleText(text, 'utf8'));
      const parts = parseReplacement('\\0');
      replaceMatches(pattern.regex, text, parts, false, 'utf8');
      const { user, system } = process.cpuUsage(before);
      const tookMs = (user + system) / 1000;
      t.ok(tookMs < MOST_MS, `${source}: ${Math.round(tookMs)} ms`);
    }
});

t.test('what RE2 has not is an error that says so', async (t) => {
  const lacking = ['a(?=b)', 'a(?!b)', '(?<=a)b', '(?<!a)b', '(a)\\1', 'a++', '(?>a)b'];
  for (const source of lacking) t.match(patternProblem(source, true), /RE2 has no/, source);
  for (const source of ['(', '[a', 'a{2,1}', '*a', 'a\\']) {
    const problem = patternProblem(source, false);
    t.type(problem, 'string', source);
    t.notMatch(problem, /RE2 has no/, source);
    t.equal(patternProblem(source, false), problem, 'asked again');
  }
  for (const source of ['', '^SELECT', '\\bdeleted\\b', '[[:alpha:]]+', '(?i)a', '\\p{Greek}', 'a{0,1000}'])
    t.equal(patternProblem(source, true), null, source);
  t.equal(groupCount('(a)(?:b)(?P<name>c)'), 2);
});

t.test('modifiers', async (t) => {
  t.strictSame(parseModifiers('CASELESS'), { modifiers: { caseless: true, global: false }, unknown: null });
  t.strictSame(parseModifiers(' global , caseless,'), {
    modifiers: { caseless: true, global: true },
    unknown: null,
  });
  t.strictSame(parseModifiers(''), { modifiers: { caseless: false, global: false }, unknown: null });
  t.equal(parseModifiers('CASELESS,MULTILINE').unknown, 'MULTILINE');
});

t.test('what a text must contain', async (t) => {
  const cases: readonly (readonly [string, string | null])[] = [
    ['^SELECT .* FROM table_7 WHERE', ' FROM TABLE_7 WHERE'],
    ['abc?d', 'AB'],
    ['abc*', 'AB'],
    ['abc+d', 'ABC'],
    ['abcd{2}e', 'ABC'],
    ['abc|de', null],
    ['(abc|de)fgh', 'FGH'],
    ['(abc)?fg', 'FG'],
    ['a[bc]de', 'DE'],
    ['a[]b]cd', 'CD'],
    ['a[[:space:]]cd', 'CD'],
    ['t\\.price', 'T.PRICE'],
    ['id=\\?', 'ID=?'],
    ['\\bdrop\\s+table\\b', 'TABLE'],
    ['\\x41bc', null],
    ['\\QaB.\\E', null],
    ['a', null],
    ['', null],
    ['ab(cd', null],
    ['ab[cd', null],
    ['grün', 'GR'],
  ];
  for (const [pattern, literal] of cases) t.equal(requiredLiteral(pattern), literal, pattern);
});

t.test('a pattern that is left out would not have matched', async () => {
  const part = fc.constantFrom(
    'ab',
    'B',
    'c',
    '.',
    '.*',
    'a?',
    'b*',
    'bc+',
    '(ab|c)',
    '(ab)?',
    '[abc]',
    '[^a]',
    '\\.',
    '\\w',
    '\\d',
    'a{0,2}',
    'b{2}',
    '^',
    '$',
    '\\b',
    's',
    'k',
    'é',
    '|',
    'ſ',
    '\\?',
  );
  const pattern = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', 'A', 'B', 'C', '.', 'é', 'É', 's', 'S', 'ſ', 'k', 'K', '?', ' '), {
      maxLength: 12,
    })
    .map((characters) => characters.join(''));
  fc.assert(
    fc.property(pattern, text, fc.boolean(), (source, value, caseless) => {
      if (patternProblem(source, caseless) !== null) return true;
      const plain = RE2JS.compile(source, caseless ? RE2JS.CASE_INSENSITIVE : 0).test(value);
      return new RulePattern(source, caseless).test(new RuleText(value, 'utf8')) === plain;
    }),
    { seed: 20_261_121, numRuns: 3000 },
  );
});

t.test('an automaton that is dropped grows again', async (t) => {
  const pattern = new RulePattern('(a|b)*c[ab]{8}', false);
  const text = new RuleText('abab'.repeat(50), 'utf8');
  t.equal(pattern.automatonBytes, 0);
  t.notOk(pattern.test(text));
  t.notOk(pattern.test(new RuleText(`${'abc'.repeat(20)}!`, 'utf8')));
  const grown = pattern.automatonBytes;
  t.ok(grown > 0, `${grown} bytes`);
  pattern.forgetAutomaton();
  t.equal(pattern.automatonBytes, 0);
  t.ok(pattern.test(new RuleText('cabababab', 'utf8')));
  t.ok(pattern.automatonBytes > 0);
});

t.test('replacements', async (t) => {
  t.strictSame(parseReplacement('a\\1b\\\\\\0'), ['a', 1, 'b\\', 0]);
  t.strictSame(parseReplacement(''), []);
  for (const text of ['a\\', '\\n', '\\$']) t.throws(() => parseReplacement(text), { name: 'SyntaxError' });
  const regex = RE2JS.compile('(a)|(b)');
  t.equal(
    replaceMatches(regex, 'xab', parseReplacement('[\\1\\2]'), true, 'utf8'),
    'x[a][b]',
    'a group without a match is empty',
  );
  t.equal(
    replaceMatches(RE2JS.compile('x*'), 'ab', parseReplacement('-'), true, 'utf8'),
    '-a-b-',
    'empty matches',
  );
});
