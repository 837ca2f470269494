/** Values that a server takes for equal have one slot, whatever way they are written. */

import t from 'tap';
import {
  isPreciseCollation,
  type KeyColumn,
  KeyColumnKind,
  ROW_SLOTS,
  RowHasher,
  type RowKey,
  rowKey,
} from '../../../src/common/row-slots.ts';

const integer = (index: number, kind: KeyColumnKind = KeyColumnKind.signed): KeyColumn => ({
  name: `c${index}`,
  index,
  kind,
  size: 8,
});
const KEY = rowKey('app', 't', [integer(0)]);
const hasher = new RowHasher();

function slotOf(add: (hasher: RowHasher) => unknown, key: RowKey = KEY): number | null {
  hasher.begin(key);
  return add(hasher) === false ? null : hasher.slot;
}

function digits(text: string): number | null {
  const isNegative = text.startsWith('-');
  const bytes = Buffer.from(text.replace(/^[+-]/, ''));
  return slotOf((hasher) => hasher.addDigits(bytes, 0, bytes.length, isNegative));
}

function stored(value: bigint, isSigned: boolean): number | null {
  const bits = BigInt.asUintN(64, value);
  return slotOf((hasher) => hasher.addInteger(Number(bits >> 32n), Number(bits & 0xffff_ffffn), isSigned));
}

function text(value: string): number | null {
  const bytes = Buffer.from(value);
  return slotOf((hasher) => hasher.addText(bytes, 0, bytes.length));
}

const EDGES = [
  0n,
  1n,
  -1n,
  9n,
  10n,
  127n,
  -128n,
  255n,
  65535n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n - 1n,
  2n ** 32n,
].concat([2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 32n), -(2n ** 32n) - 1n, 1234567890123456789n]);

t.test('integers: literals and what is stored', async (t) => {
  for (const value of EDGES) {
    t.equal(digits(`${value}`), stored(value, true), `${value}`);
    if (value >= 0n) t.equal(digits(`+000${value}`), stored(value, false), `000${value}, unsigned`);
  }
  t.equal(digits('18446744073709551615'), stored(2n ** 64n - 1n, false));
  t.not(digits('18446744073709551615'), stored(-1n, true), '-1 has the same bits and is another value');
  t.not(digits('5'), digits('-5'));
  t.equal(digits('-0'), digits('0'));
});

t.test('what is no integer of 64 bits is not precise', async (t) => {
  const wrong = [
    '',
    '5.0',
    '1e3',
    '0x10',
    '5a',
    ' 5',
    '18446744073709551616',
    '-9223372036854775809',
    '99999999999999999999',
  ];
  for (const value of [...wrong, '0'.repeat(30) + '1'.repeat(21)]) t.equal(digits(value), null, `'${value}'`);
  t.equal(digits(`${'0'.repeat(40)}7`), digits('7'));
});

t.test('doubles that are integers', async (t) => {
  const double = (value: number) => slotOf((hasher) => hasher.addDouble(value));
  for (const value of [0, 1, -1, 5, 4294967296, -4294967297, 1e15, -1e15])
    t.equal(double(value), digits(`${value}`), `${value}`);
  t.equal(double(-0), digits('0'));
  for (const value of [0.5, NaN, Infinity, 2 ** 53, 1.1e15]) t.equal(double(value), null, `${value}`);
});

t.test('text: case and spaces at the end do not count, other bytes are not precise', async (t) => {
  t.equal(text('Anna-Lena_9  '), text('anna-lena_9'));
  t.equal(text(''), text('   '));
  t.not(text('a b'), text('ab'));
  t.not(text(' a'), text('a'));
  for (const value of ['ä', 'a\tb', 'a\n', '\u0000', 'x\u007f'])
    t.equal(text(value), null, JSON.stringify(value));
});

t.test('a slot is of a table, of columns and of values in their order', async (t) => {
  const two = rowKey('app', 't', [integer(0), integer(1)]);
  const pair = (a: number, b: number, key = two) =>
    slotOf((hasher) => {
      for (const value of [a, b]) hasher.addInteger(0, value, true);
    }, key);
  t.not(pair(1, 2), pair(2, 1));
  t.not(pair(1, 2), pair(1, 2, rowKey('app', 't', [integer(1), integer(0)])));
  t.not(pair(1, 2), pair(1, 2, rowKey('app', 'u', two.columns)));
  t.equal(
    pair(1, 2),
    pair(1, 2, rowKey('App', 'T', two.columns)),
    'names that differ in case may be the same table',
  );
  const texts = (a: string, b: string) =>
    slotOf((hasher) => {
      for (const value of [a, b]) hasher.addText(Buffer.from(value), 0, value.length);
    }, two);
  t.not(texts('ab', 'c'), texts('a', 'bc'));
  t.not(KEY.keySlot, two.keySlot);
});

t.test('slots are spread: a hundred thousand rows share few', async (t) => {
  const seen = new Set<number>();
  for (let id = 0; id < 100_000; id++) seen.add(slotOf((hasher) => hasher.addInteger(0, id, true))!);
  for (const slot of seen) if (!(slot >= 0 && slot < ROW_SLOTS)) t.fail(`${slot} is out of range`);
  // 95,300 are expected of a good spread.
  t.ok(seen.size > 95_000, `${seen.size} slots`);
});

t.test('collations', async (t) => {
  for (const name of ['utf8mb4_general_ci', 'UTF8_BIN', 'latin1_swedish_ci', 'utf8mb4_0900_ai_ci'])
    t.ok(isPreciseCollation(name), name);
  for (const name of [
    'binary',
    '',
    'utf8mb4_spanish2_ci',
    'utf16_bin',
    'latin1_german2_ci',
    'utf8mb4_danish_ci',
    'utf8mb4',
  ])
    t.notOk(isPreciseCollation(name), name);
});
