import t from 'tap';
import { encodeTableRelations, TableRelations } from '../../../../src/common/table-relations.ts';
import { tableSlot } from '../../../../src/common/table-slots.ts';
import type { Plan } from '../../../../src/data/router/plan.ts';
import { PlanCache } from '../../../../src/data/router/plan-cache.ts';
import { NO_SLOTS } from '../../../../src/data/router/plan-slots.ts';
import { type TableCatalog, UNKNOWN_TABLES } from '../../../../src/data/router/table-catalog.ts';
import { makeLexicalContext } from '../../../../src/sql/lexical-context.ts';

const CONTEXT = makeLexicalContext({ charset: 'utf8mb4', sqlMode: '', flavor: 'mariadb', versionId: 101100 });
const plans = new PlanCache(1, 1000, { miss: () => {} });

const slot = (name: string): number => {
  const [schema = '', table = ''] = name.split('.');
  return tableSlot(schema, table);
};
const slots = (...names: string[]): number[] => names.map(slot).sort((one, other) => one - other);

function planOf(sql: string): Plan {
  const buf = Buffer.from(sql);
  return plans.planFor(buf, 0, buf.length, CONTEXT);
}

interface Relations {
  readonly reads?: Readonly<Record<string, readonly string[] | null>>;
  readonly writes?: Readonly<Record<string, readonly string[] | null>>;
}

let versions = 0;

function catalogOf(
  { reads = {}, writes = {} }: Relations,
  state: { isCurrent: boolean } = { isCurrent: true },
): TableCatalog {
  const encode = (related: Readonly<Record<string, readonly string[] | null>>) =>
    new Map(
      Object.entries(related).map(([name, others]) => [
        slot(name),
        others === null ? null : others.map(slot),
      ]),
    );
  const relations = new TableRelations(encodeTableRelations(encode(reads), encode(writes), new Map()));
  const { keys } = UNKNOWN_TABLES;
  return { version: ++versions, complete: true, relations, keys, isCurrent: () => state.isCurrent };
}

const PLAIN = catalogOf({});

t.test('what is read', async (t) => {
  const views = catalogOf({ reads: { 'shop.v': ['shop.a', 'stock.b'], 'shop.bad': null } });
  const table: readonly [string, readonly string[] | null][] = [
    ['SELECT * FROM t', ['shop.t']],
    ['SELECT * FROM t JOIN Shop.T JOIN other.t', ['shop.t', 'other.t']],
    ['SELECT * FROM v', ['shop.v', 'shop.a', 'stock.b']],
    ['SELECT * FROM t, (SELECT * FROM v) d', ['shop.t', 'shop.v', 'shop.a', 'stock.b']],
    ['SELECT * FROM bad', null],
    ['SELECT 1', []],
    ['SHOW TABLES', null],
    ['SHOW COLUMNS FROM t', ['shop.t']],
    ['SELECT f(1) FROM t', null],
  ];
  for (const [sql, expected] of table) {
    const found = planOf(sql).readSlots('shop', views);
    t.same(found === null ? null : [...found], expected === null ? null : slots(...expected), sql);
  }
  t.equal(planOf('SELECT * FROM t').readSlots(null, PLAIN), null, 'no schema');
  t.same([...(planOf('SELECT * FROM x.t').readSlots(null, PLAIN) ?? [])], slots('x.t'));
});

t.test('what is written', async (t) => {
  const catalog = catalogOf({
    reads: { 'shop.calls': null, 'shop.v': ['shop.a'] },
    writes: { 'shop.calls': null, 'shop.v': ['shop.a'], 'shop.a': ['shop.log'], 'shop.any': null },
  });
  const table: readonly [string, readonly string[] | null][] = [
    ['UPDATE t SET a = 1', ['shop.t']],
    ['INSERT INTO v VALUES (1)', ['shop.v', 'shop.a']],
    ['UPDATE t, a SET t.x = 1, a.x = 2', ['shop.t', 'shop.a', 'shop.log']],
    ['DELETE FROM `any`', null],
    ['SELECT * FROM t', []],
    ['SELECT * FROM v FOR UPDATE', []],
    // A proven read to the lexer; the view calls what may write.
    ['SELECT * FROM calls', null],
    ['SELECT * FROM calls FOR UPDATE', null],
    ['INSERT INTO t SELECT * FROM calls', null],
    ['INSERT INTO t SELECT * FROM sys.version', null],
    ['SELECT 1', []],
    ['CALL p()', null],
    ['COMMIT', []],
  ];
  for (const [sql, expected] of table) {
    const found = planOf(sql).writeSlots('shop', catalog);
    t.same(found === null ? null : [...found], expected === null ? null : slots(...expected), sql);
  }
});

t.test('a known digest and schema cost nothing, another schema or catalogue is looked at anew', async (t) => {
  const plan = planOf('SELECT * FROM t');
  const first = plan.readSlots('one', PLAIN);
  t.equal(plan.readSlots('one', PLAIN), first);
  const second = plan.readSlots('two', PLAIN);
  t.not(second, first);
  t.equal(plan.readSlots('two', PLAIN), second);
  t.equal(plan.readSlots('one', PLAIN), first);
  for (let i = 0; i < 600; i++) t.same([...(plan.readSlots(`s${i}`, PLAIN) ?? [])], slots(`s${i}.t`));
  const other = catalogOf({ reads: { 'one.t': ['one.u'] } });
  t.same([...(plan.readSlots('one', other) ?? [])], slots('one.t', 'one.u'));
  t.equal(planOf('SELECT 1').readSlots('one', PLAIN), NO_SLOTS);
});

t.test('without a catalogue, or one that may be out of date, it may be any table', async (t) => {
  const state = { isCurrent: true };
  const catalog = catalogOf({}, state);
  const plan = planOf('SELECT * FROM t');
  t.ok(plan.readSlots('shop', catalog));
  state.isCurrent = false;
  t.equal(plan.readSlots('shop', catalog), null);
  t.equal(planOf('SELECT 1').readSlots('shop', catalog), NO_SLOTS);
  state.isCurrent = true;
  t.ok(plan.readSlots('shop', catalog));
  t.equal(plan.readSlots('shop', { ...catalog, complete: false }), null);
});
