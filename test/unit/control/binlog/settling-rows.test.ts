/** What is raised when rows come, and what once more when they are visible. */

import t from 'tap';
import { KeyCatalog } from '../../../../src/common/key-catalog.ts';
import { KeyColumnKind, rowKey } from '../../../../src/common/row-slots.ts';
import { TableEpochs } from '../../../../src/common/table-epochs.ts';
import { SettlingRows } from '../../../../src/control/binlog/settling-rows.ts';

const TABLE = 5;
const KEY = rowKey('app', 't', [{ name: 'id', index: 0, kind: KeyColumnKind.signed, size: 4 }]);

function make() {
  const epochs = new TableEpochs(1);
  const current = { catalog: new KeyCatalog(null) };
  const rows = new SettlingRows(epochs, () => current.catalog);
  const changes = (...slots: readonly number[]) => {
    rows.see(TABLE, current.catalog);
    for (const slot of slots) rows.raise(slot, KEY);
  };
  const raised = (...slots: readonly number[]) => slots.map((slot) => epochs.rowEpoch(slot));
  return { epochs, current, rows, changes, raised };
}

t.test('at once, and again when it is visible', async (t) => {
  const { rows, changes, raised, epochs } = make();
  changes(1, 2, 2);
  t.strictSame(raised(1, 2, 3), [1, 1, 0]);
  rows.ended(10);
  changes(3);
  rows.ended(11);
  t.strictSame(raised(1, 2, 3), [1, 1, 1]);
  rows.settled();
  t.strictSame(raised(1, 2, 3), [2, 2, 1]);
  rows.settled();
  t.strictSame(raised(1, 2, 3), [2, 2, 2]);
  rows.settled();
  t.strictSame(raised(1, 2, 3), [2, 2, 2], 'nothing waits');
  t.equal(epochs.structure(TABLE), 0);
});

t.test('own writes are raised once: flux was there before', async (t) => {
  const { rows, changes, raised, epochs } = make();
  changes(1);
  rows.ended(10);
  changes(2);
  rows.ended(11);
  epochs.noteOwn(10);
  rows.settled();
  rows.settled();
  t.strictSame(raised(1, 2), [1, 2]);
});

t.test('transactions that change nothing take their turn', async (t) => {
  const { rows, changes, raised } = make();
  for (let i = 0; i < 3; i++) rows.ended(i);
  changes(1);
  rows.ended(3);
  rows.ended(4);
  for (let i = 0; i < 3; i++) rows.settled();
  t.strictSame(raised(1), [1]);
  rows.settled();
  t.strictSame(raised(1), [2]);
});

t.test('what was dropped, or forgotten, is not raised again', async (t) => {
  const { rows, changes, raised } = make();
  changes(1);
  rows.dropped();
  rows.ended(1);
  rows.settled();
  changes(2);
  rows.ended(2);
  rows.forget();
  rows.settled();
  t.strictSame(raised(1, 2), [1, 1]);
});

t.test('other keys are known by then', async (t) => {
  const { rows, changes, epochs, current, raised } = make();
  changes(1);
  rows.ended(1);
  current.catalog = new KeyCatalog(null);
  rows.settled();
  t.strictSame([...raised(1), epochs.structure(TABLE)], [1, 1], 'slots of old keys say nothing');
});

t.test('other keys are known in the middle', async (t) => {
  const { changes, epochs, current } = make();
  changes(1);
  current.catalog = new KeyCatalog(null);
  changes(2);
  t.equal(epochs.structure(TABLE), 1);
});

t.test('many rows of a transaction are all rows of their key', async (t) => {
  const { rows, changes, epochs, raised } = make();
  const many = Array.from({ length: 5000 }, (_, slot) => slot + 10);
  changes(...many);
  t.strictSame(raised(10, 10 + 4095, 10 + 4096), [1, 1, 0]);
  t.equal(epochs.rowEpoch(KEY.keySlot), 1);
  rows.ended(1);
  rows.settled();
  t.equal(epochs.rowEpoch(KEY.keySlot), 2);
});

t.test('so many transactions wait that the rest are remembered by their tables', async (t) => {
  const { rows, changes, epochs, raised } = make();
  const limit = 16_384;
  for (let i = 0; i < limit + 10; i++) {
    changes(i);
    rows.ended(0);
  }
  for (let i = 0; i < limit - 1; i++) rows.settled();
  t.strictSame(raised(0, limit - 2), [2, 2]);
  t.equal(epochs.structure(TABLE), 0);
  for (let i = 0; i < 11; i++) rows.settled();
  t.equal(epochs.structure(TABLE), 11, 'each of them that is visible raises the table');
  changes(1_000_000);
  rows.ended(0);
  rows.settled();
  t.strictSame(raised(1_000_000), [2], 'and then all is as before');
});
