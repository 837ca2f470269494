import fc from 'fast-check';
import t from 'tap';
import { DIGEST_SCALE, HOSTGROUP_SCALE, LogLinearScale } from '../../../src/common/log-linear-scale.ts';

const SEED = 20_261_121;
const SCALES = [
  ['hostgroup', HOSTGROUP_SCALE, 1 / 64, 2 ** 31 - 1],
  ['digest', DIGEST_SCALE, 1 / 8, 2 ** 28 - 1],
] as const;

for (const [name, scale, relativeError, largest] of SCALES) {
  t.test(`${name}: every value is in the step that it is said to be in, and known to its error`, async () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: largest }), (value) => {
        const step = scale.stepOf(value);
        if (step < 0 || step >= scale.steps) return false;
        const isInside = scale.lowest(step) <= value && value <= scale.highest(step);
        return isInside && Math.abs(scale.middle(step) - value) <= Math.max(0.5, value * relativeError);
      }),
      { seed: SEED, numRuns: 5000 },
    );
  });

  t.test(`${name}: steps follow each other without a gap, and the ends are in them`, async (t) => {
    t.equal(scale.lowest(0), 0);
    for (let step = 1; step < scale.steps; step++) {
      if (scale.lowest(step) !== scale.highest(step - 1) + 1 || scale.stepOf(scale.lowest(step)) !== step)
        t.fail(`step ${step}`);
    }
    t.equal(scale.stepOf(largest), scale.steps - 1);
    t.equal(scale.stepOf(2 ** 40), scale.steps - 1, 'what is larger is in the last one');
    t.equal(scale.stepOf(-3), 0);
  });

  t.test(`${name}: percentiles are those of the values, to the error`, async () => {
    const values = fc.array(fc.integer({ min: 0, max: 5_000_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, fc.constantFrom(0, 0.5, 0.9, 0.95, 0.99, 1), (given, share) => {
        const counts = new Float64Array(scale.steps);
        for (const value of given) counts[scale.stepOf(value)]! += 1;
        const sorted = given.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]!;
        const told = scale.percentile(counts, share)!;
        return Math.abs(told - exact) <= Math.max(0.5, exact * relativeError);
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });
}

t.test('nothing has no percentile', async (t) => {
  t.equal(new LogLinearScale(3).percentile([], 0.5), null);
});
