/** What goes into the catalogue of keys comes out of it, for each table its own. */

import t from 'tap';
import { encodeKeyCatalog, KeyCatalog, type TableKeyFacts } from '../../../src/common/key-catalog.ts';
import { type KeyColumn, KeyColumnKind, rowKey } from '../../../src/common/row-slots.ts';

const { signed, text } = KeyColumnKind;
const column = (name: string, index: number, kind: KeyColumnKind = signed, size = 4): KeyColumn => ({
  name,
  index,
  kind,
  size,
});
const facts = (
  table: string,
  keys: TableKeyFacts['keys'],
  width = 9,
  more: Partial<TableKeyFacts> = {},
): TableKeyFacts => ({
  schema: 'app',
  table,
  width,
  keys,
  hasLoneRows: false,
  isOnlyKey: false,
  makesKey: false,
  ...more,
});

t.test('nothing is known', async (t) => {
  t.equal(encodeKeyCatalog([]), null);
  t.equal(encodeKeyCatalog([facts('t', [])]), null);
  t.equal(new KeyCatalog(null).keysOf('app', 't'), null);
});

t.test('keys of tables', async (t) => {
  const primary = [column('id', 0)];
  const other = [column('kind', 3), column('name', 2, text)];
  const catalog = new KeyCatalog(encodeKeyCatalog([facts('T', [primary, other]), facts('u', [primary], 1)]));
  for (const name of ['T', 't']) {
    const keys = catalog.keysOf('app', name)!;
    t.equal(keys.width, 9);
    t.strictSame(keys.keys, [rowKey('app', 't', primary), rowKey('app', 't', other)]);
    t.strictSame(
      keys.columns.map(({ name }) => name),
      ['id', 'name', 'kind'],
    );
  }
  t.equal(catalog.keysOf('APP', 'u')?.width, 1);
  t.equal(catalog.keysOf('app', 'v'), null);
  t.equal(catalog.keysOf('ap', 'pt'), null);
});

t.test('names that could be two tables, or fold in more than one way', async (t) => {
  const keys = [[column('id', 0)]];
  const catalog = new KeyCatalog(encodeKeyCatalog(['a', 'A', 'b', 'ä'].map((name) => facts(name, keys))));
  for (const name of ['a', 'A', 'ä', 'Ä']) t.equal(catalog.keysOf('app', name), null, name);
  t.not(catalog.keysOf('app', 'b'), null);
});

t.test('so many tables that some share a slot', async (t) => {
  const tables = Array.from({ length: 5000 }, (_, i) => facts(`t${i}`, [[column('id', i % 100)]], i));
  const catalog = new KeyCatalog(encodeKeyCatalog(tables));
  const wrong = tables.filter(({ table, width, keys }) => {
    const found = catalog.keysOf('app', table);
    return found?.width !== width || found.columns[0]?.index !== keys[0]![0]!.index;
  });
  t.strictSame(wrong, []);
});
