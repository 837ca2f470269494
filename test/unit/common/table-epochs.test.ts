/** The numbers that the result cache is proven by, as all threads see them. */

import { Worker } from 'node:worker_threads';
import t from 'tap';
import { ROW_SLOTS } from '../../../src/common/row-slots.ts';
import { EVERYTHING, FollowState, TableEpochs } from '../../../src/common/table-epochs.ts';
import { TABLE_SLOTS } from '../../../src/common/table-slots.ts';

const LAST = TABLE_SLOTS - 1;

t.test('no number lies on another one', async (t) => {
  const epochs = new TableEpochs(2);
  const other = new TableEpochs(epochs.buffers);
  epochs.hold(0);
  epochs.hold(EVERYTHING);
  for (const slot of [0, LAST, EVERYTHING]) epochs.raise(slot);
  epochs.raiseRow(0);
  epochs.raiseRow(ROW_SLOTS - 1);
  epochs.setInterest(LAST);
  epochs.enter(0, LAST);
  epochs.enter(1, 0);
  epochs.enter(1, EVERYTHING);
  epochs.confirmedAtMs = 1.5;
  epochs.appliedPosition = 2 ** 52;
  epochs.settledPosition = 7;
  epochs.noteOwn(2 ** 52 + 65_535);
  epochs.followState = FollowState.suspended;
  epochs.beginTerm(3);
  t.strictSame(
    [0, 1, LAST, EVERYTHING].map((slot) => other.flux(slot)),
    [2, 0, 1, 2],
  );
  t.strictSame(
    [0, 1, LAST, EVERYTHING].map((slot) => other.epoch(slot)),
    [1, 0, 1, 2],
  );
  t.strictSame(
    [0, 1, LAST, EVERYTHING].map((slot) => other.structure(slot)),
    [0, 0, 0, 1],
  );
  t.strictSame(
    [0, 1, ROW_SLOTS - 1].map((row) => other.rowEpoch(row)),
    [1, 0, 1],
  );
  t.strictSame(
    [0, LAST].map((slot) => other.hasInterest(slot)),
    [false, true],
  );
  t.strictSame(
    [
      other.confirmedAtMs,
      other.appliedPosition,
      other.settledPosition,
      other.followState,
      other.term,
      other.flushes,
    ],
    [1.5, 2 ** 52, 7, FollowState.suspended, 3, 0],
  );
  t.strictSame(epochs.takeOverAll(1), [0, EVERYTHING]);
  t.strictSame(epochs.takeOverAll(0), [LAST]);
});

t.test('numbers wrap around, and are another one each time', async (t) => {
  const epochs = new TableEpochs(1);
  const words = new Int32Array(epochs.buffers.words);
  // The epochs of the slots lie behind their flux.
  words[TABLE_SLOTS + 1 + 5] = 2 ** 31 - 1;
  t.equal(epochs.epoch(5), 2 ** 31 - 1);
  epochs.raise(5);
  t.equal(epochs.epoch(5), -(2 ** 31));
  epochs.raise(5);
  t.equal(epochs.epoch(5), -(2 ** 31) + 1);
  t.equal(epochs.epoch(4), 0);
  t.equal(epochs.epoch(6), 0);
});

t.test('what is more than rows raises both numbers', async (t) => {
  const epochs = new TableEpochs(1);
  epochs.raise(9);
  epochs.raiseStructure(9);
  t.strictSame([epochs.epoch(9), epochs.structure(9)], [2, 1]);
  epochs.raiseEverything();
  t.strictSame([epochs.epoch(EVERYTHING), epochs.structure(EVERYTHING)], [1, 1]);
});

t.test('a term raises everything once', async (t) => {
  const epochs = new TableEpochs(1);
  epochs.beginTerm(1);
  epochs.beginTerm(1);
  t.strictSame([epochs.term, epochs.epoch(EVERYTHING)], [1, 1]);
  epochs.beginTerm(2);
  t.strictSame([epochs.term, epochs.epoch(EVERYTHING)], [2, 2]);
  epochs.flush();
  t.strictSame([epochs.flushes, epochs.epoch(EVERYTHING), epochs.structure(EVERYTHING)], [1, 3, 3]);
});

t.test('what a worker has taken is given back once, whoever does', async (t) => {
  const epochs = new TableEpochs(2);
  for (const slot of [3, 3, 4]) epochs.enter(0, slot);
  epochs.enter(1, 3);
  epochs.leave(0, 3);
  t.equal(epochs.flux(3), 2);
  epochs.takeOver(0, 4);
  t.strictSame(epochs.takeOverAll(0), [3], 'the main thread had the other one already');
  t.strictSame([epochs.flux(3), epochs.flux(4)], [2, 1], 'nothing has ended by that');
  epochs.release(3);
  epochs.release(4);
  epochs.leave(1, 3);
  t.strictSame([epochs.flux(3), epochs.flux(4)], [0, 0]);
  t.strictSame(epochs.takeOverAll(1), []);
});

t.test('a row in flux is its table for others, and for who takes it over', async (t) => {
  const epochs = new TableEpochs(2);
  const { rows } = epochs;
  rows.enter(0, 3, 2 ** 14 + 5);
  rows.enter(0, 3, 6);
  rows.enter(1, 3, 5);
  epochs.enter(0, 4);
  t.strictSame([epochs.flux(3), rows.table(3), rows.row(5), rows.row(6), rows.row(7)], [0, 3, 2, 1, 0]);
  t.ok(epochs.isInFlux(3));
  t.notOk(epochs.isInFlux(5), 'rows are no tables');
  rows.leave(0, 3, 6);
  const held: number[] = [];
  const hold = epochs.hold.bind(epochs);
  epochs.hold = (slot) => {
    held.push(rows.row(5));
    hold(slot);
  };
  t.strictSame(epochs.takeOverAll(0), [4, 3]);
  t.strictSame(held, [2], 'the table is in flux before the row is so no more');
  t.strictSame([epochs.flux(3), rows.table(3), rows.row(5)], [1, 1, 1]);
  rows.leave(1, 3, 5);
  epochs.release(3);
  epochs.release(4);
  t.notOk(epochs.isInFlux(3));
  t.strictSame(epochs.takeOverAll(1), []);
});

t.test('own writes are known until as many others have come', async (t) => {
  const epochs = new TableEpochs(1);
  const first = 2 ** 40 + 1;
  t.notOk(epochs.isOwn(first));
  epochs.noteOwn(first);
  t.ok(epochs.isOwn(first));
  t.notOk(epochs.isOwn(first + 1));
  t.notOk(epochs.isOwn(first + 2 ** 16), 'another one at the same place');
  t.notOk(epochs.isOwn(2 * 2 ** 40 + 1), 'of another primary');
  epochs.noteOwn(first + 2 ** 16);
  t.notOk(epochs.isOwn(first), 'forgotten: it counts as foreign');
});

t.test('threads that enter and leave at once lose nothing', async (t) => {
  const epochs = new TableEpochs(2);
  const threads = [0, 1].map(
    (worker) =>
      new Promise((resolve, reject) => {
        const script = new URL('./table-epochs-racer.ts', import.meta.url);
        const thread = new Worker(script, { workerData: { worker, buffers: epochs.buffers } });
        thread.on('exit', resolve);
        thread.on('error', reject);
      }),
  );
  await Promise.all(threads);
  t.equal(epochs.flux(1), 2, 'each has left one');
  t.equal(epochs.epoch(1), 2 * 50_000);
  t.strictSame([epochs.takeOverAll(0), epochs.takeOverAll(1)], [[1], [1]]);
});
