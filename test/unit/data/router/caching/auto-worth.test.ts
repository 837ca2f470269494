import t from 'tap';
import { AutoWorth } from '../../../../../src/data/router/caching/auto-worth.ts';

/** Deterministic, so that each run tests the same. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** What a cache without end would hit, and what is estimated. */
function run(keys: number, statements: number, writeEvery: number, serverMs = 1) {
  const random = generator(keys + writeEvery);
  const worth = new AutoWorth();
  const cached = new Set<number>();
  let hits = 0;
  let epoch = 0;
  const from = statements / 2;
  for (let i = 0; i < statements; i++) {
    if (writeEvery > 0 && i % writeEvery === 0) {
      epoch++;
      cached.clear();
    }
    const key = Math.floor(random() * keys);
    if (i >= from && cached.has(key)) hits++;
    cached.add(key);
    worth.admits(key, epoch, serverMs);
  }
  return { worth, actual: hits / (statements - from) };
}

t.test('what never repeats does not pay, what always does pays', async (t) => {
  const never = new AutoWorth();
  for (let i = 0; i < 10_000; i++) t.notOk(never.admits(i, 0, 100) && i > 100);
  t.ok(never.hitRate < 0.01, `${never.hitRate}`);
  const always = new AutoWorth();
  let admitted = 0;
  for (let i = 0; i < 1000; i++) if (always.admits(7, 0, 1)) admitted++;
  t.equal(admitted, 1000 - 31, 'from the 32nd on');
});

t.test('the estimate is near what a cache would hit, whatever the number of keys and writes', async (t) => {
  for (const keys of [1, 10, 100, 1000, 5000])
    for (const writeEvery of [0, 50, 1000, 20_000]) {
      const { worth, actual } = run(keys, 60_000, writeEvery);
      const difference = Math.abs(worth.hitRate - actual);
      t.ok(difference < 0.25, `${keys} keys, a write every ${writeEvery}: ${worth.hitRate} for ${actual}`);
      if (actual > 0.6) t.ok(worth.pays, `${keys} keys, a write every ${writeEvery} pay`);
      if (actual < 0.02) t.notOk(worth.pays, `${keys} keys, a write every ${writeEvery} do not pay`);
    }
});

t.test(
  'a write between any two statements makes it worthless, and so does a server that takes no time',
  async (t) => {
    const written = new AutoWorth();
    for (let i = 0; i < 1000; i++) t.notOk(written.admits(7, i, 100));
    const fast = new AutoWorth();
    for (let i = 0; i < 1000; i++) t.notOk(fast.admits(7, 0, 0.015));
    for (let i = 0; i < 100; i++) t.notOk(fast.admits(7, 0, 0), 'or of which nothing is known');
    t.ok(fast.admits(7, 0, 0.03));
    t.ok(fast.admits(7, 0, 0.015), 'what pays goes on to, up to a lower bound');
    t.notOk(fast.admits(7, 0, 0.009));
  },
);

t.test('hysteresis: a rate between the bounds leaves it as it is', async (t) => {
  const worth = new AutoWorth();
  const random = generator(3);
  let fresh = 1000;
  const feed = (rate: number, statements: number) => {
    for (let i = 0; i < statements; i++) worth.admits(random() < rate ? 7 : fresh++, 0, 1);
  };
  feed(0.18, 2000);
  t.notOk(worth.pays, 'not yet');
  feed(0.9, 1000);
  t.ok(worth.pays);
  feed(0.01, 3000);
  t.notOk(worth.pays, 'no longer');
});

t.test('hashes that are alike in most bits are remembered in bounds too', async (t) => {
  const worth = new AutoWorth();
  for (let i = 0; i < 60_000; i++) worth.admits(i * 65_536, 0, 1);
  t.notOk(worth.pays);
  for (let i = 0; i < 1_000_000; i++) worth.admits(Math.imul(i, 0x9e3779b1), 0, 1);
  t.notOk(worth.pays);
});
