import fc from 'fast-check';
import t from 'tap';
import {
  formatGtidSet,
  type GtidSet,
  gtidSetContains,
  isEmptyGtidSet,
  parseGtidSet,
  subtractGtidSet,
  uniteGtidSets,
} from '../../../src/topology/gtid.ts';
import { GtidFormatError } from '../../../src/topology/gtid-format-error.ts';
import type { ServerFlavor } from '../../../src/topology/server-description.ts';

const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const B = '4f22fa47-71ca-11e1-9e33-c80aa9429563';
const HIGHEST = 2n ** 63n - 1n;

const parse = (flavor: ServerFlavor) => (text: string) => parseGtidSet(text, flavor);
const mysql = parse('mysql');
const mariadb = parse('mariadb');

t.test('MySQL: what is read and how it is written', (t) => {
  for (const [text, canonical] of [
    ['', ''],
    [' \n', ''],
    [`${A}:1`, `${A}:1`],
    [`${A}:1-1`, `${A}:1`],
    [`${A}:1-5:7`, `${A}:1-5:7`],
    [`${A}:7:1-5`, `${A}:1-5:7`],
    [`${A}:1-3:4-5`, `${A}:1-5`],
    [`${A}:1-5:2-3`, `${A}:1-5`],
    [`${A}:1-5,\n${B}:9`, `${A}:1-5,${B}:9`],
    [`${B}:9,${A}:1-5`, `${A}:1-5,${B}:9`],
    [`${A}:1,${A}:2`, `${A}:1-2`],
    [`${A.toUpperCase()}:3`, `${A}:3`],
    [`${A}:1,,${B}:1,`, `${A}:1,${B}:1`],
    [`${A}:1-${HIGHEST}`, `${A}:1-${HIGHEST}`],
    [`${A}:1-3:blue:1-2:5`, `${A}:1-3,${A}:blue:1-2:5`],
    [`${A}:Blue:1`, `${A}:blue:1`],
  ] as const) {
    t.equal(formatGtidSet(mysql(text)), canonical, JSON.stringify(text));
  }
  t.end();
});

t.test('MySQL: what is refused', (t) => {
  for (const text of [
    A,
    `${A}:`,
    `${A}:0`,
    `${A}:5-1`,
    `${A}:-5`,
    `${A}:1-`,
    `${A}:1-2-3`,
    `${A}:1x`,
    `${A}:1:blue`,
    `${A}:blue`,
    `${A}:9223372036854775808`,
    `${A}:99999999999999999999999`,
    `${A.slice(1)}:1`,
    '0-1-5',
    'x',
  ]) {
    t.throws(() => mysql(text), GtidFormatError, JSON.stringify(text));
  }
  t.end();
});

t.test('MariaDB: what is read and how it is written', (t) => {
  for (const [text, canonical] of [
    ['', ''],
    ['0-1-5', '0-1-5'],
    ['1-2-7,0-1-5', '0-1-5,1-2-7'],
    ['10-1-1,9-1-1', '9-1-1,10-1-1'],
    ['0-1-5,0-2-9', '0-2-9'],
    ['0-2-9,0-1-5', '0-2-9'],
    [' 0-1-5 ,\n1-1-1', '0-1-5,1-1-1'],
    ['4294967295-4294967295-18446744073709551615', '4294967295-4294967295-18446744073709551615'],
  ] as const) {
    t.equal(formatGtidSet(mariadb(text)), canonical, JSON.stringify(text));
  }
  t.end();
});

t.test('MariaDB: what is refused', (t) => {
  for (const text of [
    '0-1',
    '0-1-5-6',
    '0-1-5,',
    ',',
    'a-1-5',
    '-1-1-5',
    '4294967296-1-1',
    '0-4294967296-1',
    '0-1-18446744073709551616',
    `${A}:1`,
  ]) {
    t.throws(() => mariadb(text), GtidFormatError, JSON.stringify(text));
  }
  t.end();
});

t.test('the message of a long text stays short', (t) => {
  const text = `${A}:${'1:'.repeat(10_000)}x y`;
  try {
    mysql(text);
    t.fail('it was accepted');
  } catch (error) {
    t.equal((error as GtidFormatError).text, text.slice(0, 200));
  }
  t.end();
});

t.test('contains', (t) => {
  for (const [flavor, outer, inner, expected] of [
    ['mysql', `${A}:1-10`, `${A}:3-4`, true],
    ['mysql', `${A}:1-10`, `${A}:1-10`, true],
    ['mysql', `${A}:1-10`, '', true],
    ['mysql', '', `${A}:1`, false],
    ['mysql', `${A}:1-10`, `${A}:11`, false],
    ['mysql', `${A}:1-10`, `${B}:1`, false],
    ['mysql', `${A}:1-3:5-10`, `${A}:3-5`, false],
    ['mysql', `${A}:1-3:5-10`, `${A}:2-3:9`, true],
    ['mysql', `${A}:1-10`, `${A}:blue:1`, false],
    ['mariadb', '0-1-10', '0-1-10', true],
    ['mariadb', '0-2-10', '0-1-9', true],
    ['mariadb', '0-1-9', '0-1-10', false],
    ['mariadb', '0-1-10', '1-1-1', false],
    ['mariadb', '', '0-1-0', true],
  ] as const) {
    const sets = [parseGtidSet(outer, flavor), parseGtidSet(inner, flavor)] as const;
    t.equal(gtidSetContains(...sets), expected, `${flavor} "${outer}" and "${inner}"`);
  }
  t.end();
});

t.test('subtract and unite', (t) => {
  for (const [flavor, a, b, difference, union] of [
    ['mysql', `${A}:1-10`, `${A}:4-6`, `${A}:1-3:7-10`, `${A}:1-10`],
    ['mysql', `${A}:1-10`, `${A}:1-10`, '', `${A}:1-10`],
    ['mysql', `${A}:1-3`, `${A}:5-7`, `${A}:1-3`, `${A}:1-3:5-7`],
    ['mysql', `${A}:1-3`, `${A}:4-7`, `${A}:1-3`, `${A}:1-7`],
    ['mysql', `${A}:1-3,${B}:1`, `${B}:1-2`, `${A}:1-3`, `${A}:1-3,${B}:1-2`],
    ['mysql', `${A}:2-${HIGHEST}`, `${A}:${HIGHEST}`, `${A}:2-${HIGHEST - 1n}`, `${A}:2-${HIGHEST}`],
    ['mariadb', '0-1-10,1-1-5', '0-2-8,1-1-5', '0-1-10', '0-1-10,1-1-5'],
    ['mariadb', '0-1-10', '0-2-12,2-2-1', '', '0-2-12,2-2-1'],
  ] as const) {
    const [x, y] = [parseGtidSet(a, flavor), parseGtidSet(b, flavor)];
    t.equal(formatGtidSet(subtractGtidSet(x, y)), difference, `${a} minus ${b}`);
    t.equal(formatGtidSet(uniteGtidSets(x, y)), union, `${a} and ${b}`);
  }
  t.end();
});

t.test('two dialects cannot be mixed', (t) => {
  const [x, y] = [mysql(`${A}:1`), mariadb('0-1-1')];
  for (const combine of [gtidSetContains, subtractGtidSet, uniteGtidSets]) {
    t.throws(() => combine(x, y), TypeError);
    t.throws(() => combine(y, x), TypeError);
  }
  t.end();
});

/** Small numbers and few sources, so that intervals overlap, touch and nest. */
const interval = fc
  .tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 8 }))
  .map(([first, length]) => (length === 0 ? `${first}` : `${first}-${first + length}`));
const mysqlText = fc
  .array(fc.tuple(fc.constantFrom(A, B, `${A}:blue`), fc.array(interval, { minLength: 1, maxLength: 5 })), {
    maxLength: 4,
  })
  .map((sources) => sources.map(([source, intervals]) => `${source}:${intervals.join(':')}`).join(','));
const mariadbText = fc
  .array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 20 })), {
    maxLength: 5,
  })
  .map((gtids) => gtids.map((gtid) => gtid.join('-')).join(','));

/** The set as its single transactions: slow, and obviously right. */
function members(text: string): Set<string> {
  const result = new Set<string>();
  for (const source of text.split(',').filter((part) => part !== '')) {
    const parts = source.split(':');
    const name = parts.slice(0, /^[a-z]/.test(parts[1]!) ? 2 : 1).join(':');
    for (const part of parts.slice(name.split(':').length)) {
      const [first, last] = part.split('-').map(Number);
      for (let sequence = first!; sequence <= (last ?? first!); sequence++) result.add(`${name}:${sequence}`);
    }
  }
  return result;
}

const seed = Number(process.env.FUZZ_SEED ?? 20_261_120);
t.comment(`seed ${seed}`);

t.test('property: MySQL sets behave as sets of transactions', (t) => {
  fc.assert(
    fc.property(mysqlText, mysqlText, (a, b) => {
      const [x, y] = [mysql(a), mysql(b)];
      const [inA, inB] = [members(a), members(b)];
      const same = (set: GtidSet, expected: Iterable<string>): boolean =>
        [...members(formatGtidSet(set))].sort().join() === [...expected].sort().join();
      return (
        same(x, inA) &&
        same(
          subtractGtidSet(x, y),
          [...inA].filter((gtid) => !inB.has(gtid)),
        ) &&
        same(uniteGtidSets(x, y), new Set([...inA, ...inB])) &&
        gtidSetContains(x, y) === [...inB].every((gtid) => inA.has(gtid))
      );
    }),
    { seed, numRuns: 3000 },
  );
  t.pass('no counterexample');
  t.end();
});

for (const [flavor, text] of [
  ['mysql', mysqlText],
  ['mariadb', mariadbText],
] as const) {
  t.test(`property: ${flavor} laws`, (t) => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [x, y] = [parseGtidSet(a, flavor), parseGtidSet(b, flavor)];
        const union = uniteGtidSets(x, y);
        const canonical = formatGtidSet(x);
        return (
          formatGtidSet(parseGtidSet(canonical, flavor)) === canonical &&
          gtidSetContains(union, x) &&
          gtidSetContains(union, y) &&
          isEmptyGtidSet(subtractGtidSet(x, x)) &&
          gtidSetContains(y, x) === isEmptyGtidSet(subtractGtidSet(x, y)) &&
          gtidSetContains(uniteGtidSets(subtractGtidSet(x, y), y), x) &&
          formatGtidSet(uniteGtidSets(x, y)).split(',').length ===
            formatGtidSet(uniteGtidSets(y, x)).split(',').length
        );
      }),
      { seed, numRuns: 3000 },
    );
    t.pass('no counterexample');
    t.end();
  });
}

t.test('property: whatever is given, it is parsed or refused', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789abcdef-:, \n_'), maxLength: 80 }), (text) => {
      for (const flavor of ['mysql', 'mariadb'] as const) {
        try {
          parseGtidSet(text, flavor);
        } catch (error) {
          if (!(error instanceof GtidFormatError)) return false;
        }
      }
      return true;
    }),
    { seed, numRuns: 2000 },
  );
  t.pass('no counterexample');
  t.end();
});
