/** Which unique keys rows are told apart by, from the rows of information_schema. */

import t from 'tap';
import { keyFactsOf } from '../../../../src/control/monitor/key-facts.ts';

const NO_FACTS = { triggers: [], cascades: [], composed: [] };

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
    max_length: /\((\d+)\)/.exec(type)?.[1] ?? null,
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
  const [facts] = keyFactsOf(parts, columns, NO_FACTS, []);
  return (facts?.keys ?? []).map((key) =>
    key.map(({ name, index, kind }) => `${name}:${index}:${kind}`).join(' '),
  );
}

t.test('keys of integers and texts, the primary one first', async (t) => {
  const parts = [part('u', 'n', 2), part('u', 'name', 1), part('v', 'z'), part('PRIMARY', 'ID')];
  t.strictSame(keysOf(parts), ['id:1:unsigned', 'name:2:text n:3:signed', 'z:4:unsigned']);
  t.equal(keyFactsOf(parts, COLUMNS, NO_FACTS, [])[0]?.width, 9);
});

t.test('keys that are of no use', async (t) => {
  for (const name of ['spanish', 'd', 'g', 'bin', 'unknown'])
    t.strictSame(keysOf([part('u', name)]), [], name);
  t.strictSame(keysOf([part('u', 'name', 1, '10')]), [], 'a prefix');
  t.strictSame(keysOf([part('u', null)]), [], 'an expression');
  t.strictSame(keysOf([part('u', 'id', 1), part('u', 'g', 2)]), [], 'one of two columns');
  t.strictSame(keysOf([part('u', 'id', 2)]), [], 'a part that is not shown');
  t.strictSame(
    keyFactsOf([part('PRIMARY', 'id')], COLUMNS, { ...NO_FACTS, composed: [['app', 't']] }, []),
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
    NO_FACTS,
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

t.test('tables whose rows change one by one', async (t) => {
  const trigger = { schema: 'app', table: 'T', body: 'SET NEW.id = 1', sqlMode: '' };
  const other = ['app', 'other'] as const;
  const table = ['app', 't'] as const;
  const name = { table_schema: 'app', table_name: 't' };
  const isLone = (parts: readonly Row[], facts = {}, transactional: readonly Row[] = [name]) =>
    keyFactsOf(parts, COLUMNS, { ...NO_FACTS, ...facts }, transactional)[0]?.hasLoneRows;
  const primary = [part('PRIMARY', 'ID')];
  t.equal(isLone(primary), true);
  t.equal(isLone([part('u', 'n'), ...primary]), true, 'whatever other keys there are');
  t.equal(isLone(primary, {}, []), false, 'without transactions');
  t.equal(isLone(primary, { triggers: [trigger] }), false, 'a trigger');
  t.equal(isLone(primary, { cascades: [{ parent: table, child: other }] }), false, 'children');
  t.equal(isLone(primary, { cascades: [{ parent: other, child: table }] }), false, 'a parent');
  t.equal(isLone(primary, { cascades: [{ parent: other, child: other }] }), true, 'of others');
  t.equal(isLone([part('u', 'ID')]), false, 'another key');
  t.equal(isLone([part('PRIMARY', 'g'), part('u', 'ID')]), false, 'a primary key that is not to be used');
});

t.test('what a row that is inserted may meet, and who makes its key', async (t) => {
  const lone = [{ table_schema: 'app', table_name: 't' }];
  const factsOf = (...parts: readonly Row[]) => keyFactsOf(parts, COLUMNS, NO_FACTS, lone)[0]!;
  const { keys, ...alone } = factsOf(part('PRIMARY', 'ID'));
  t.match(alone, { isOnlyKey: true, makesKey: true });
  t.match(factsOf(part('PRIMARY', 'ID'), part('u', 'n')), { isOnlyKey: false, makesKey: true });
  t.match(factsOf(part('PRIMARY', 'ID'), part('u', 'name', 1, '10')), { isOnlyKey: false }, 'one of no use');
  t.match(factsOf(part('PRIMARY', 'ID'), part('PRIMARY', 'n', 2)), { isOnlyKey: true, makesKey: false });
  t.match(factsOf(part('PRIMARY', 'n'), part('u', 'ID')), { isOnlyKey: false, makesKey: false });
  const found = factsOf(part('PRIMARY', 'ID'), part('u', 'Name'), part('v', 'n'));
  t.strictSame(
    [keys, found.keys].map((all) => all.map(([column]) => column!.size)),
    [[4], [4, 40, 8]],
    'what the columns have room for',
  );
  t.match(keyFactsOf([part('PRIMARY', 'ID')], COLUMNS, NO_FACTS, [])[0], { makesKey: false });
});
