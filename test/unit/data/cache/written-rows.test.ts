/** Which rows an INSERT or REPLACE is certain to change: those that entries of the same keys are of. */

import t from 'tap';
import { type BinaryValue, ColumnType } from '../../../../protocol/index.ts';
import { encodeKeyCatalog, KeyCatalog, type TableKeyFacts } from '../../../../src/common/key-catalog.ts';
import type { WrittenRows } from '../../../../src/common/row-flux.ts';
import { type KeyColumn, KeyColumnKind } from '../../../../src/common/row-slots.ts';
import { type PinnedStatement, rowPinOf } from '../../../../src/data/cache/row-pin.ts';
import { madeRow, newRowsOf, rowsInsertedBy } from '../../../../src/data/cache/written-rows.ts';
import { makeLexicalContext } from '../../../../src/sql/lexical-context.ts';

const { signed, unsigned, text } = KeyColumnKind;
const column = (name: string, index: number, kind: KeyColumnKind, size: number): KeyColumn => ({
  name,
  index,
  kind,
  size,
});
const table = (name: string, primary: readonly KeyColumn[], more: Partial<TableKeyFacts>): TableKeyFacts => ({
  schema: 'app',
  table: name,
  width: 3,
  keys: [primary],
  hasLoneRows: true,
  isOnlyKey: true,
  makesKey: false,
  ...more,
});
const ID = column('id', 0, signed, 4);
const catalog = new KeyCatalog(
  encodeKeyCatalog([
    table('t', [ID], {}),
    table('made', [ID], { makesKey: true }),
    table('several', [ID], { isOnlyKey: false }),
    table('trigger', [ID], { hasLoneRows: false }),
    table('tiny', [column('id', 0, unsigned, 1)], {}),
    table('big', [column('id', 0, unsigned, 8)], {}),
    table('name', [column('id', 1, text, 5)], {}),
    table('pair', [column('a', 2, signed, 8), column('id', 0, signed, 1)], {}),
  ]),
);
const context = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mysql', versionId: 50729 });
const KNOWN = { version: 2, catalog, definitions: 3 };

type Parameter = readonly [type: number, value: BinaryValue | undefined];

function statementOf(sql: string, parameters: readonly Parameter[] | null): PinnedStatement {
  const buffer = Buffer.from(sql);
  const values = parameters?.map(([, value]) => value) ?? [];
  const types = parameters?.map(([type]) => ({ type })) ?? [];
  const bound = parameters === null ? null : { types, values };
  return { buffer, start: 0, end: buffer.length, context, schema: 'app', parameters: bound };
}

function inserted(sql: string, parameters: readonly Parameter[] | null = null): WrittenRows | null {
  return rowsInsertedBy(statementOf(sql, parameters), KNOWN);
}

function row(name: string, where: string): number {
  return rowPinOf(statementOf(`SELECT * FROM ${name} WHERE ${where}`, null), KNOWN)!.row;
}

function newRows(name: string): number {
  return rowPinOf(statementOf(`SELECT * FROM ${name} WHERE id = 1`, null), KNOWN)!.newRows;
}

/** Of rows that are known. */
function isOf(sql: string, name: string, wheres: readonly string[], parameters?: readonly Parameter[]): void {
  const found = inserted(sql, parameters ?? null);
  t.strictSame(
    found === null ? null : [found.row, ...found.others],
    wheres.map((where) => row(name, where)),
    sql,
  );
  t.equal(found?.made, null, sql);
}

const { MYSQL_TYPE_LONGLONG, MYSQL_TYPE_DOUBLE, MYSQL_TYPE_VAR_STRING, MYSQL_TYPE_NULL } = ColumnType;

isOf('INSERT INTO t (id, n) VALUES (5, 1)', 't', ['id = 5']);
isOf("INSERT IGNORE INTO t (n, id) VALUES (1, '05'), (2, -6)", 't', ['id = 5', 'id = -6']);
isOf('INSERT INTO t VALUES (5, 1, 2)', 't', ['id = 5']);
isOf('INSERT INTO t SET n = 1, id = 2147483647', 't', ['id = 2147483647']);
isOf('INSERT INTO t (id) VALUES (0)', 't', ['id = 0']);
isOf('INSERT INTO made (id) VALUES (7)', 'made', ['id = 7']);
isOf('REPLACE INTO made (id, n) VALUES (7, f(1))', 'made', ['id = 7']);
isOf('INSERT INTO t (id, n) VALUES (5, 1) ON DUPLICATE KEY UPDATE n = VALUES(n)', 't', ['id = 5']);
isOf('INSERT INTO several (id, n) VALUES (5, 1)', 'several', ['id = 5']);
isOf('INSERT INTO tiny (id) VALUES (255), (0)', 'tiny', ['id = 255', 'id = 0']);
isOf('INSERT INTO big (id) VALUES (18446744073709551615)', 'big', ['id = 18446744073709551615']);
isOf("INSERT INTO name (id) VALUES ('Anna')", 'name', ["id = 'anna '"]);
isOf("INSERT INTO name VALUES (1, 'Peter', 2)", 'name', ["id = 'PETER'"]);
isOf('INSERT INTO pair (id, a) VALUES (5, 6)', 'pair', ['a = 6 AND id = 5']);
isOf('INSERT INTO pair VALUES (5, 9, 6)', 'pair', ['a = 6 AND id = 5']);
isOf(
  'INSERT INTO t (n, id) VALUES (?, ?)',
  't',
  ['id = 5'],
  [
    [MYSQL_TYPE_LONGLONG, 9n],
    [MYSQL_TYPE_LONGLONG, 5n],
  ],
);
isOf('INSERT INTO t (id) VALUES (?)', 't', ['id = -5'], [[MYSQL_TYPE_DOUBLE, -5]]);
isOf('INSERT INTO t (id) VALUES (?)', 't', ['id = -5'], [[MYSQL_TYPE_VAR_STRING, Buffer.from('-5')]]);
isOf(
  'INSERT INTO name (id) VALUES (?)',
  'name',
  ["id = 'peter'"],
  [[MYSQL_TYPE_VAR_STRING, Buffer.from('Peter')]],
);

t.test('keys that the server makes', async (t) => {
  const slot = newRows('made');
  for (const sql of [
    'INSERT INTO made (n) VALUES (1)',
    'INSERT INTO made () VALUES ()',
    'INSERT INTO made (id) VALUES (NULL), (DEFAULT)',
    'INSERT INTO made SET n = 1',
    'INSERT INTO made VALUES (NULL, 1, 2)',
  ])
    t.match(inserted(sql), { row: slot, others: [], made: {} }, sql);
  t.match(inserted('INSERT INTO made (id) VALUES (?)', [[MYSQL_TYPE_NULL, null]]), { row: slot, made: {} });
  t.match(inserted('INSERT IGNORE INTO made (n) VALUES (1), (2)'), { row: slot, others: [], made: null });
  t.match(
    inserted('INSERT INTO made (id) VALUES (0), (5)'),
    { row: slot, others: [row('made', 'id = 0'), row('made', 'id = 5')], made: null },
    'depending on sql_mode 0 is itself',
  );
  const { made } = inserted('INSERT INTO made (n) VALUES (1)')!;
  t.equal(madeRow(made!, 7), row('made', 'id = 7'));
  for (const id of [0, 2 ** 60]) t.equal(madeRow(made!, id), -1, `${id} tells nothing`);
});

t.test('whatever the values are', async (t) => {
  const slot = newRows('made');
  const planned = (sql: string) => newRowsOf(statementOf(sql, null), KNOWN);
  t.match(planned('INSERT INTO made (n, x) VALUES (?)'), { row: slot, made: {} });
  t.match(planned('INSERT INTO made () VALUES ()'), { row: slot });
  for (const sql of [
    'INSERT INTO made (n, ID) VALUES (?)',
    'INSERT INTO made VALUES (?)',
    'INSERT INTO t (n) VALUES (?)',
    'REPLACE INTO made (n) VALUES (?)',
    'INSERT INTO made (n) VALUES (?) ON DUPLICATE KEY UPDATE n = ?',
    'INSERT INTO made (n) SELECT ?',
  ])
    t.equal(planned(sql), null, sql);
});

t.test('what may be another row', async (t) => {
  for (const sql of [
    'INSERT INTO t (n) VALUES (1)',
    'INSERT INTO t (id) VALUES (NULL)',
    'INSERT INTO t (id) VALUES (5 + 1)',
    'INSERT INTO t (id) VALUES (5.0)',
    'INSERT INTO t (id) VALUES (0x05)',
    'INSERT INTO t (id) VALUES (5), (UUID_SHORT())',
    'INSERT INTO t VALUES (5, 1)',
    'INSERT INTO t VALUES (5, 1, 2, 3)',
    // Without a strict sql_mode these are cut to what there is room for.
    'INSERT INTO t (id) VALUES (2147483648)',
    'INSERT INTO t (id) VALUES (-2147483649)',
    "INSERT INTO t (id) VALUES ('3000000000')",
    'INSERT INTO tiny (id) VALUES (256)',
    'INSERT INTO tiny (id) VALUES (-1)',
    'INSERT INTO big (id) VALUES (18446744073709551616)',
    "INSERT INTO name (id) VALUES ('Jürgen')",
    "INSERT INTO name (id) VALUES ('Albert')",
    "INSERT INTO name (id) VALUES ('a\\'b')",
    'INSERT INTO name (id) VALUES (5)',
    'INSERT INTO pair (a) VALUES (5)',
    'INSERT INTO pair (a, id) VALUES (5, 128)',
    'INSERT INTO trigger (id) VALUES (5)',
    'INSERT INTO nobody (id) VALUES (5)',
    // Rows with other unique keys go, or change in the place of it.
    'REPLACE INTO several (id) VALUES (5)',
    'INSERT INTO several (id) VALUES (5) ON DUPLICATE KEY UPDATE n = 1',
    'INSERT INTO t (id) VALUES (5) ON DUPLICATE KEY UPDATE id = 6',
    // What is made may be there.
    'REPLACE INTO made (n) VALUES (1)',
    'REPLACE INTO made (id) VALUES (0)',
    'INSERT INTO made (n) VALUES (1) ON DUPLICATE KEY UPDATE n = 1',
    `INSERT INTO t (id) VALUES ${Array.from({ length: 17 }, (_, id) => `(${id})`).join(', ')}`,
  ])
    t.equal(inserted(sql), null, sql);
  const wrong: readonly Parameter[] = [
    [MYSQL_TYPE_LONGLONG, 2n ** 31n],
    [MYSQL_TYPE_DOUBLE, 5.5],
    [MYSQL_TYPE_VAR_STRING, Buffer.from('5x')],
    [MYSQL_TYPE_VAR_STRING, undefined],
    [MYSQL_TYPE_NULL, null],
  ];
  for (const parameter of wrong)
    t.equal(inserted('INSERT INTO t (id) VALUES (?)', [parameter]), null, String(parameter[1]));
});
