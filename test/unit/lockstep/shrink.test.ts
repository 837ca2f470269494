import t from 'tap';
import { shrink } from '../../integration/lockstep/shrink.ts';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Fails as long as all of `needed` are there, in this order. */
function failsWith(needed: readonly number[], runs: { count: number } = { count: 0 }) {
  return async (items: readonly number[]): Promise<boolean> => {
    runs.count++;
    return needed.every((one) => items.includes(one));
  };
}

t.test('exactly what is needed is left, in its order', async (t) => {
  for (const needed of [[0], [99], [0, 99], [13, 14, 15], [1, 50, 51, 98], []]) {
    t.same(await shrink(numbers(100), failsWith(needed), { maxRuns: 1000 }), needed);
  }
});

t.test('nothing can be left out of a list that is needed as a whole', async (t) => {
  t.same(await shrink(numbers(7), failsWith(numbers(7)), { maxRuns: 1000 }), numbers(7));
});

t.test('an empty list stays empty', async (t) => {
  t.same(await shrink([], async () => true, { maxRuns: 10 }), []);
});

t.test('what becomes unnecessary by leaving out something else goes too', async (t) => {
  // 5 is needed only as long as 9 is there.
  const fails = async (items: readonly number[]): Promise<boolean> =>
    items.includes(3) && (!items.includes(9) || items.includes(5));
  t.same(await shrink(numbers(12), fails, { maxRuns: 1000 }), [3]);
});

t.test('few runs for one culprit among many, and never more than allowed', async (t) => {
  const runs = { count: 0 };
  t.same(await shrink(numbers(1024), failsWith([700], runs), { maxRuns: 1000 }), [700]);
  t.ok(runs.count <= 30, `${runs.count} runs`);
  const few = { count: 0 };
  const left = await shrink(numbers(1024), failsWith([1, 500, 1000], few), { maxRuns: 12 });
  t.equal(few.count, 12);
  t.ok(
    [1, 500, 1000].every((one) => left.includes(one)),
    'what is left still fails',
  );
});
