/** Which rows an INSERT names, and with which values. */

import t from 'tap';
import { makeLexicalContext } from '../../../src/sql/lexical-context.ts';
import { insertedValue, insertedWidth, LEFT_OUT, pointInsertOf } from '../../../src/sql/point-insert.ts';

const CONTEXT = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mariadb', versionId: 101119 });

function valueText(bytes: Buffer, row: number, place: number): string {
  const value = insertedValue(row, place);
  if (value === null) return '…';
  if (value === LEFT_OUT) return '-';
  const { start, end, isNegative, parameter } = value;
  return parameter >= 0 ? `?${parameter}` : `${isNegative ? '-' : ''}${bytes.toString('utf8', start, end)}`;
}

/** `schema.table(columns) rows [! [assigned]]`; '' for none. */
function insert(sql: string): string {
  const bytes = Buffer.from(sql);
  const found = pointInsertOf(bytes, 0, bytes.length, CONTEXT);
  if (found === null) return '';
  const { schema, table, columns, rowCount, changesOthers, assigned } = found;
  const rows = Array.from({ length: rowCount }, (_, row) => {
    const width = columns?.length ?? insertedWidth(row);
    return Array.from({ length: width }, (_, place) => valueText(bytes, row, place)).join(',');
  });
  const others = changesOthers ? [' !', ...assigned].join(' ') : '';
  return `${schema ?? ''}.${table}(${columns?.join(',') ?? '*'}) ${rows.join(' ')}${others}`;
}

const INSERTS: readonly (readonly [sql: string, expected: string])[] = [
  ["INSERT INTO t (id, n) VALUES (5, 'x')", ".t(id,n) 5,'x'"],
  ['insert t(ID,`n`) value (?,-1),( ? , +2 )', '.t(id,n) ?0,-1 ?1,2'],
  ['INSERT IGNORE INTO app.t VALUES (NULL, DEFAULT, 1)', 'app.t(*) -,-,1'],
  ['INSERT INTO t () VALUES ()', '.t() '],
  ['INSERT INTO t VALUES ()', '.t(*) '],
  ['INSERT INTO t (a, b, c) VALUES (f(1, (2)), 1 + 2, 3)', '.t(a,b,c) …,…,3'],
  ["INSERT INTO t (a, b) VALUES ('a' 'b', N'x')", ".t(a,b) …,N'x'"],
  ['INSERT INTO t (a, b, c) VALUES (-?, a, @a)', '.t(a,b,c) …,…,…'],
  ['INSERT t SET a = 5, t.b = NULL, c = a = 1, d = f(1, 2)', '.t(a,b,c,d) 5,-,…,…'],
  ['REPLACE INTO t (a) VALUES (1)', '.t(a) 1 !'],
  ['REPLACE t SET a = ?', '.t(a) ?0 !'],
  [
    'INSERT INTO t (a, b) VALUES (1, 2) ON DUPLICATE KEY UPDATE b = VALUES(b), C = c + 1',
    '.t(a,b) 1,2 ! b c',
  ],
  ['INSERT INTO t SET a = 1 ON DUPLICATE KEY UPDATE id = LAST_INSERT_ID(id)', '.t(a) 1 ! id'],
  ['INSERT INTO t (a) VALUES (?), (2)', '.t(a) ?0 2'],
  // As a plan has it, with lists that count as one value.
  ['INSERT INTO t (a, b) VALUES (?)', '.t(a,b) ?0,…'],
];

t.test('rows and values', async (t) => {
  for (const [sql, expected] of INSERTS) t.equal(insert(sql), expected, sql);
});

t.test('what is none', async (t) => {
  for (const sql of [
    'INSERT INTO t SELECT 1',
    'INSERT INTO t (a) SELECT 1',
    'INSERT INTO t (a) (SELECT 1)',
    'INSERT INTO t TABLE u',
    'INSERT INTO t (a) VALUES ((SELECT 1))',
    'INSERT INTO t (a) VALUES (1) RETURNING a',
    'INSERT INTO t (a) VALUES (1) AS new ON DUPLICATE KEY UPDATE a = new.a',
    'INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = (SELECT 1)',
    'INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE',
    'INSERT INTO t (a) VALUES (1); INSERT INTO t (a) VALUES (2)',
    'INSERT INTO t PARTITION (p0) (a) VALUES (1)',
    'INSERT DELAYED INTO t (a) VALUES (1)',
    'INSERT DELAYED t (a) VALUES (1)',
    'INSERT LOW_PRIORITY INTO t (a) VALUES (1)',
    'INSERT HIGH_PRIORITY INTO t (a) VALUES (1)',
    'INSERT INTO t (a,) VALUES (1)',
    'INSERT INTO t (a b) VALUES (1)',
    'INSERT INTO t (`ñ`) VALUES (1)',
    'INSERT INTO `ñ` (a) VALUES (1)',
    'INSERT INTO t (t.a) VALUES (1)',
    'INSERT INTO t (a) VALUES 1',
    'INSERT INTO t (a) VALUES (1',
    'INSERT INTO t SET a',
    'INSERT INTO t SET a := 1',
    'INSERT INTO t /*! (id) */ VALUES (1)',
    'REPLACE IGNORE INTO t (a) VALUES (1)',
    'REPLACE INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = 1',
    'UPDATE t SET a = 1 WHERE id = 5',
    'SELECT 1',
  ])
    t.equal(insert(sql), '', sql);
});

t.test('rows of other widths', async (t) => {
  const bytes = Buffer.from('INSERT INTO t VALUES (1, f(2, 3)), (4), ()');
  t.equal(pointInsertOf(bytes, 0, bytes.length, CONTEXT)?.rowCount, 3);
  t.strictSame([0, 1, 2].map(insertedWidth), [2, 1, 0]);
  t.equal(insertedValue(1, 1), null);
});
