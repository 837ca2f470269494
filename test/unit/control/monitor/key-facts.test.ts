/** Which unique keys rows are told apart by, from the rows of information_schema. */

import t from 'tap';
import { keyFactsOf } from '../../../../src/control/monitor/key-facts.ts';

type Row = Readonly<Record<string, string | null>>;

function part(key: string, column: string | null, place = 1, prefix: string | null = null, table = 't'): Row {
  return {
    table_schema: 'app',
    table_name: table,
    key_name: key,
    column_name: column,
    place: `${place}`,
    sub_part: prefix,
  };
}

function column(
  name: string,
  place: number,
  type: string,
  collation: string | null = null,
  extra = '',
  table = 't',
): Row {
  return {
    table_schema: 'app',
    table_name: table,
    column_name: name,
    place: `${place}`,
    data_type: type.split(/[ (]/)[0]!,
    column_type: type,
    collation_name: collation,
    extra,
  };
}

const COLUMNS = [
  column('pad', 1, 'text', 'utf8mb4_general_ci'),
  column('ID', 2, 'int(10) unsigned', null, 'auto_increment'),
  column('Name', 3, 'varchar(40)', 'utf8mb4_unicode_ci'),
  column('n', 4, 'bigint(20)'),
  column('z', 5, 'int(5) unsigned zerofill'),
  column('spanish', 6, 'char(5)', 'utf8mb4_spanish2_ci'),
  column('d', 7, 'decimal(10,0)'),
  column('g', 8, 'int(11)', null, 'VIRTUAL GENERATED'),
  column('bin', 9, 'varbinary(16)'),
];

/** `key columns` of the table `t`, in order. */
function keysOf(parts: readonly Row[], columns: readonly Row[] = COLUMNS): readonly string[] {
  const [facts] = keyFactsOf(parts, columns, []);
  return (facts?.keys ?? []).map((key) =>
    key.map(({ name, index, kind }) => `${name}:${index}:${kind}`).join(' '),
  );
}

t.test('keys of integers and texts, the primary one first', async (t) => {
  const parts = [part('u', 'n', 2), part('u', 'name', 1), part('v', 'z'), part('PRIMARY', 'ID')];
  t.strictSame(keysOf(parts), ['id:1:unsigned', 'name:2:text n:3:signed', 'z:4:unsigned']);
  t.equal(keyFactsOf(parts, COLUMNS, [])[0]?.width, 9);
});

t.test('keys that are of no use', async (t) => {
  for (const name of ['spanish', 'd', 'g', 'bin', 'unknown'])
    t.strictSame(keysOf([part('u', name)]), [], name);
  t.strictSame(keysOf([part('u', 'name', 1, '10')]), [], 'a prefix');
  t.strictSame(keysOf([part('u', null)]), [], 'an expression');
  t.strictSame(keysOf([part('u', 'id', 1), part('u', 'g', 2)]), [], 'one of two columns');
  t.strictSame(keysOf([part('u', 'id', 2)]), [], 'a part that is not shown');
  t.strictSame(
    keyFactsOf([part('PRIMARY', 'id')], COLUMNS, [['app', 't']]),
    [],
    'a table that shows the rows of others',
  );
});

t.test('no more keys than are worth it', async (t) => {
  const parts = Array.from({ length: 9 }, (_, i) => part(`k${i}`, 'n'));
  t.equal(keysOf([...parts, part('PRIMARY', 'id')]).length, 4);
  t.equal(keysOf([...parts, part('PRIMARY', 'id')])[0], 'id:1:unsigned');
});

t.test('tables keep their own', async (t) => {
  const facts = keyFactsOf(
    [part('PRIMARY', 'id'), part('PRIMARY', 'x', 1, null, 'other')],
    [...COLUMNS, column('x', 1, 'int(11)', null, '', 'other'), column('y', 1, 'int(11)', null, '', 'third')],
    [],
  );
  t.strictSame(
    facts.map(({ table, width, keys }) => [table, width, keys.length]),
    [
      ['t', 9, 1],
      ['other', 1, 1],
    ],
  );
});
