/** Of which row a statement with its values is. What servers take for equal is compared in test/integration/binlog. */

import t from 'tap';
import { type BinaryValue, ColumnType } from '../../../../protocol/index.ts';
import { encodeKeyCatalog, KeyCatalog } from '../../../../src/common/key-catalog.ts';
import { type KeyColumn, KeyColumnKind } from '../../../../src/common/row-slots.ts';
import { tableSlot } from '../../../../src/common/table-slots.ts';
import { type RowPin, rowPinOf } from '../../../../src/data/cache/row-pin.ts';
import { makeLexicalContext } from '../../../../src/sql/lexical-context.ts';

const { signed, text } = KeyColumnKind;
const column = (name: string, index: number, kind: KeyColumnKind = signed): KeyColumn => ({
  name,
  index,
  kind,
  size: 4,
});
const KEYS = [[column('id', 0)], [column('name', 1, text)], [column('a', 2), column('b', 3, text)]];
const catalog = new KeyCatalog(
  encodeKeyCatalog([
    { schema: 'app', table: 't', width: 5, keys: KEYS, hasLoneRows: true, isOnlyKey: false, makesKey: false },
  ]),
);
const context = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 50729 });
const {
  MYSQL_TYPE_LONGLONG,
  MYSQL_TYPE_VAR_STRING,
  MYSQL_TYPE_DOUBLE,
  MYSQL_TYPE_NEWDECIMAL,
  MYSQL_TYPE_BLOB,
} = ColumnType;

type Parameter = readonly [type: number, value: BinaryValue | undefined];

function pinOf(
  where: string,
  parameters: readonly Parameter[] | null = null,
  schema: string | null = 'app',
): RowPin | null {
  const buffer = Buffer.from(`SELECT * FROM t WHERE ${where}`);
  const values = parameters?.map(([, value]) => value) ?? [];
  const types = parameters?.map(([type]) => ({ type })) ?? [];
  const bound = parameters === null ? null : { types, values };
  const statement = { buffer, start: 0, end: buffer.length, context, schema, parameters: bound };
  return rowPinOf(statement, { version: 2, catalog, definitions: 3 });
}

t.test('literals', async (t) => {
  const five = pinOf('id = 5')!;
  t.match(five, { table: tableSlot('app', 't'), definitions: 3 });
  for (const same of [
    'id = 05',
    "id = '5'",
    "id = '005'",
    'id = +5',
    '5 = t.id AND x > 3',
    'id IN (5)',
    'id = 5 AND name = 9',
  ])
    t.strictSame(pinOf(same), five, same);
  t.strictSame(pinOf("id = '-5'"), pinOf('id = -5'));
  t.not(pinOf('id = 6')?.row, five.row);
  t.equal(pinOf('id = 6')?.key, five.key);
  const anna = pinOf("name = 'anna'")!;
  for (const same of ["name = 'ANNA  '", 'name = "Anna"', "id = 5.0 AND name = 'anna'"])
    t.strictSame(pinOf(same), anna, same);
  t.not(anna.key, five.key);
  const both = pinOf("b = 'x' AND a = 1")!;
  t.strictSame(pinOf("a = 01 AND b = 'X'"), both);
  t.not(both.row, pinOf("a = 1 AND b = 'y'")?.row);
});

t.test('what is of no row, or of one that cannot be told', async (t) => {
  const none = [
    'id > 5',
    'x = 5',
    'a = 1',
    "b = 'x'",
    'id = 5.0',
    'id = 0x05',
    'id = TRUE',
    "id = ' 5'",
    "id = '5 '",
    "id = ''",
  ];
  none.push(
    "id = '-'",
    "id = '1234567890123456'",
    'id = 99999999999999999999',
    "id = x'35'",
    "id = N'5'",
    'id = ?',
  );
  none.push(
    'name = 5',
    "name = 'ä'",
    "name = 'it''s'",
    String.raw`name = 'a\'b'`,
    "name = N'a'",
    "name = x'61'",
  );
  for (const where of none) t.equal(pinOf(where), null, where);
  t.equal(pinOf('id = 5', null, null), null, 'no schema');
  t.equal(pinOf('id = 5', null, 'other'), null, 'another table');
  t.equal(pinOf("name = 'it''s' AND id = 5")?.row, pinOf('id = 5')?.row, 'the other key does');
});

t.test('parameters', async (t) => {
  const five = pinOf('id = 5')!;
  const bytes = (value: string): BinaryValue => Buffer.from(value);
  const same: readonly Parameter[] = [
    [MYSQL_TYPE_LONGLONG, 5n],
    [ColumnType.MYSQL_TYPE_LONG, 5],
    [MYSQL_TYPE_DOUBLE, 5],
    [MYSQL_TYPE_VAR_STRING, bytes('5')],
  ];
  for (const parameter of same)
    t.strictSame(pinOf('id = ?', [parameter]), five, JSON.stringify(parameter[1], String));
  t.strictSame(pinOf('id = ?', [[MYSQL_TYPE_LONGLONG, -5n]]), pinOf('id = -5'));
  t.strictSame(pinOf('id = ?', [[MYSQL_TYPE_LONGLONG, 2n ** 64n - 1n]]), pinOf('id = 18446744073709551615'));
  t.strictSame(
    pinOf('x = ? AND id = ?', [
      [MYSQL_TYPE_LONGLONG, 9n],
      [MYSQL_TYPE_LONGLONG, 5n],
    ]),
    five,
  );
  t.strictSame(pinOf('name = ?', [[MYSQL_TYPE_BLOB, bytes('Anna')]]), pinOf("name = 'anna'"));
  const wrong: readonly (readonly [string, Parameter])[] = [
    ['id = ?', [MYSQL_TYPE_DOUBLE, 5.5]],
    ['id = ?', [MYSQL_TYPE_DOUBLE, 2 ** 60]],
    ['id = ?', [ColumnType.MYSQL_TYPE_NULL, null]],
    ['id = ?', [MYSQL_TYPE_VAR_STRING, undefined]],
    ['id = ?', [MYSQL_TYPE_NEWDECIMAL, bytes('5')]],
    ['id = ?', [MYSQL_TYPE_VAR_STRING, bytes('5x')]],
    ['name = ?', [MYSQL_TYPE_LONGLONG, 5n]],
    ['name = ?', [MYSQL_TYPE_NEWDECIMAL, bytes('5')]],
    ['name = ?', [MYSQL_TYPE_VAR_STRING, bytes('ä')]],
  ];
  for (const [where, parameter] of wrong)
    t.equal(pinOf(where, [parameter]), null, `${where} ${String(parameter[1])}`);
});
