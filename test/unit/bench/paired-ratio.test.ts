import t from 'tap';
import { pairedRatio, ratioText } from '../../../bench/e2e/paired-ratio.ts';

function ratiosOf(ratios: readonly number[]) {
  return pairedRatio(
    ratios,
    ratios.map(() => 1),
  );
}

t.test('the ratio is that of each round, not that of medians', async (t) => {
  t.equal(pairedRatio([10, 22, 36], [10, 20, 30]).median, 1.1);
  t.equal(pairedRatio([2, 4], [2, 2]).median, 1.5);
});

t.test('the interval is that of the sign test', async (t) => {
  // From tables of the binomial distribution: with 6 values all of them, with 9 all but one at either end, with 20 all but five.
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);
  for (const [count, low, high] of [
    [1, 1, 1],
    [5, 1, 5],
    [6, 1, 6],
    [8, 1, 8],
    [9, 2, 8],
    [20, 6, 15],
    [40, 14, 27],
  ] as const)
    t.match(ratiosOf(upTo(count)), { low, high, rounds: count }, `${count} rounds`);
});

t.test('the order of the rounds does not matter', async (t) => {
  t.same(ratiosOf([3, 1, 2, 9, 4, 8, 5, 7, 6]), ratiosOf([1, 2, 3, 4, 5, 6, 7, 8, 9]));
});

t.test('values that are no pairs are refused', async (t) => {
  t.throws(() => pairedRatio([1, 2], [1]), /2 values cannot be paired with 1/);
  t.throws(() => pairedRatio([], []), /cannot be paired/);
});

t.test('as text', async (t) => {
  t.equal(ratioText(ratiosOf([0.9, 1, 1.1])), '1.000 [0.900, 1.100]');
});
