import t from 'tap';
import { runSideBySide } from '../../support/side-by-side.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** What was started and not ended yet, in its order; `end` ends the first of it. */
function makeRuns() {
  const running: { item: number; end: () => void }[] = [];
  const run = (item: number): Promise<void> =>
    new Promise((resolve) => {
      running.push({ item, end: resolve });
    });
  return { run, items: () => running.map(({ item }) => item), end: () => running.shift()?.end() };
}

t.test('as many as there must be, and more while there is room', async (t) => {
  const { run, items, end } = makeRuns();
  let room = 0;
  const hasRoom = (): boolean => room-- > 0;
  const options = { atLeast: 2, atMost: 4, hasRoom, lookMs: 1 };
  const all = runSideBySide([1, 2, 3, 4, 5, 6, 7], run, options);
  await waitUntil('it has looked', () => room < -3);
  t.same(items(), [1, 2], 'there is no room for more');
  room = 1;
  await waitUntil('it has looked', () => room < -3);
  t.same(items(), [1, 2, 3], 'room for one');
  room = 10;
  await waitUntil('the most', () => items().length === 4);
  t.same(items(), [1, 2, 3, 4]);
  room = 0;
  end();
  end();
  end();
  await waitUntil('it goes on', () => items().length === 2);
  t.same(items(), [4, 5], 'in their order, and no more than must be');
  for (let left = 4; left > 0; left--) {
    await waitUntil('there is one', () => items().length > 0);
    end();
  }
  await all;
  t.same(items(), [], 'all have run');
});

t.test('nothing to run, and an error', async (t) => {
  const options = { atLeast: 2, atMost: 2, hasRoom: () => false, lookMs: 1 };
  await runSideBySide([], () => Promise.reject(new Error('never')), options);
  const failing = runSideBySide([1], () => Promise.reject(new Error('broken')), options);
  await t.rejects(failing, { message: 'broken' });
});
