import t from 'tap';
import { TableRelations } from '../../../../src/common/table-relations.ts';
import { tableSlot } from '../../../../src/common/table-slots.ts';
import { encodeRelations, type TableRelationSource } from '../../../../src/control/monitor/relation-graph.ts';
import { innodbName } from '../../../../src/control/monitor/table-facts.ts';

const NOTHING: TableRelationSource = { views: [], unsafeViews: [], triggers: [], cascades: [], composed: [] };

function view(name: string, ...reads: string[]): TableRelationSource['views'][number] {
  const [schema = '', table = ''] = name.split('.');
  const tables = reads.map((read) => {
    const [first = '', second] = read.split('.');
    return second === undefined ? { schema: null, table: first } : { schema: first, table: second };
  });
  return [
    { schema, name: table, definition: 'SELECT 1' },
    { safe: true, varies: null, reads: tables },
  ];
}

const slot = (name: string): number => {
  const [schema = '', table = ''] = name.split('.');
  return tableSlot(schema, table);
};

/** The names out of `names` that reading or writing `name` reaches besides itself; null for any. */
function reached(
  source: Partial<TableRelationSource>,
  what: 'addRead' | 'addWritten',
  name: string,
  names: readonly string[],
): string | null {
  const relations = new TableRelations(encodeRelations({ ...NOTHING, ...source }));
  const slots = new Set<number>();
  if (!relations[what](slot(name), slots)) return null;
  return names.filter((other) => slots.has(slot(other))).join(' ');
}

const NAMES = ['d.a', 'd.b', 'd.c', 'd.e', 'd.v', 'd.w', 's.a'];

t.test('nothing related to anything takes no memory', async (t) => {
  t.equal(encodeRelations(NOTHING), null);
  t.equal(reached({}, 'addWritten', 'd.a', NAMES), '');
});

t.test('views, over views, for reading and for writing', async (t) => {
  const source = {
    views: [view('d.v', 'a', 's.a'), view('d.w', 'd.V', 'b'), view('d.bad', 'a')],
    unsafeViews: ['d.bad'],
  };
  for (const what of ['addRead', 'addWritten'] as const) {
    t.equal(reached(source, what, 'd.v', NAMES), 'd.a s.a');
    t.equal(reached(source, what, 'd.w', NAMES), 'd.a d.b d.v s.a');
    t.equal(reached(source, what, 'd.a', NAMES), '');
    t.equal(reached(source, what, 'd.bad', NAMES), null);
  }
});

t.test('triggers and cascades, one after the other, in circles too', async (t) => {
  const writes = (...tables: string[]) => ({
    writes: tables.map((table) => ({ schema: null, table })),
    reads: [],
  });
  const source: Partial<TableRelationSource> = {
    triggers: [
      { schema: 'd', table: 'a', use: writes('b') },
      { schema: 'd', table: 'a', use: writes() },
      { schema: 'd', table: 'e', use: null },
    ],
    cascades: [
      { parent: ['d', 'b'], child: ['s', 'a'] },
      { parent: ['s', 'a'], child: ['d', 'b'] },
    ],
  };
  t.equal(reached(source, 'addWritten', 'd.a', NAMES), 'd.b s.a');
  t.equal(reached(source, 'addWritten', 'd.b', NAMES), 's.a');
  t.equal(reached(source, 'addWritten', 'd.e', NAMES), null);
  t.equal(reached(source, 'addRead', 'd.a', NAMES), '', 'reading runs none');
});

t.test('what leads to anything', async (t) => {
  const reading = (schema: string | null, table: string) => [
    { schema: 'd', table: 'a', use: { writes: [], reads: [{ schema, table }] } },
  ];
  const views = { views: [view('d.bad', 'b')], unsafeViews: ['d.bad'] };
  t.equal(reached({ ...views, triggers: reading(null, 'bad') }, 'addWritten', 'd.a', NAMES), null);
  t.equal(reached({ ...views, triggers: reading('sys', 'version') }, 'addWritten', 'd.a', NAMES), null);
  t.equal(reached({ ...views, triggers: reading(null, 'b') }, 'addWritten', 'd.a', NAMES), '');
  t.equal(reached({ composed: [['d', 'a']] }, 'addRead', 'd.a', NAMES), null);
  t.equal(reached({ composed: [['d', 'a']] }, 'addWritten', 'd.a', NAMES), null);
  const toComposed = {
    composed: [['d', 'b']] as const,
    cascades: [{ parent: ['d', 'a'], child: ['d', 'b'] }] as const,
  };
  t.equal(reached(toComposed, 'addWritten', 'd.a', NAMES), null);
  const many = Array.from(
    { length: 1500 },
    (_, i) => ({ parent: ['d', `t${i}`], child: ['d', `t${i + 1}`] }) as const,
  );
  t.equal(reached({ cascades: many }, 'addWritten', 'd.t0', NAMES), null, 'more than is worth listing');
  t.equal(
    reached({ cascades: many }, 'addWritten', 'd.t1400', ['d.t1401', 'd.t1500', 'd.t1']),
    'd.t1401 d.t1500',
  );
});

t.test('names as InnoDB writes them', async (t) => {
  const table: readonly [string, readonly [string, string] | null][] = [
    ['app/t_1', ['app', 't_1']],
    ['a@002dpp/c@002d1@002ex@002fy@0040z', ['a-pp', 'c-1.x/y@z']],
    ['app/@65e5@672c', ['app', '日本']],
    ['app/@0K@0020x', null],
    ['app', null],
    ['a/b/c', null],
  ];
  for (const [name, expected] of table) t.same(innodbName(name), expected, name);
});
