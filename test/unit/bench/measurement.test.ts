import t from 'tap';
import { compareSummaries } from '../../../bench/compare.ts';
import { type Measurement, median, summarize, type Values } from '../../../bench/e2e/measurement.ts';
import type { TargetName } from '../../../bench/e2e/targets/target.ts';
import { judge } from '../../../bench/e2e/verdict.ts';

const POINT = 'point-select, text, 64 clients';

function measured(target: TargetName, round: number, values: Values, point = POINT): Measurement {
  return { scenario: 'point-select', point, target, round, values };
}

t.test('medians', async (t) => {
  t.equal(median([3]), 3);
  t.equal(median([9, 1, 5]), 5);
  t.equal(median([4, 1, 2, 3]), 2.5);
  t.throws(() => median([]), /nothing/);
});

t.test('ratios are taken within a round, then the median of them', async (t) => {
  // In round 1 the machine was half as fast for both.
  const summaries = summarize(
    [
      measured('haproxy', 0, { queriesPerSecond: 1000, cpuMicroseconds: 10 }),
      measured('sluice', 0, { queriesPerSecond: 900, cpuMicroseconds: 12 }),
      measured('haproxy', 1, { queriesPerSecond: 500, cpuMicroseconds: 20 }),
      measured('sluice', 1, { queriesPerSecond: 450, cpuMicroseconds: 30 }),
      measured('haproxy', 2, { queriesPerSecond: 1000, cpuMicroseconds: 10 }),
      measured('sluice', 2, { queriesPerSecond: 800, cpuMicroseconds: 14 }),
    ],
    ['haproxy', 'direct'],
  );
  t.equal(summaries.length, 2);
  const [haproxy, sluice] = summaries;
  t.same(haproxy!.ratioTo.haproxy, { queriesPerSecond: 1, cpuMicroseconds: 1 });
  t.equal(sluice!.rounds, 3);
  t.same(sluice!.values, { queriesPerSecond: 800, cpuMicroseconds: 14 });
  t.same(sluice!.ratioTo.haproxy, { queriesPerSecond: 0.9, cpuMicroseconds: 1.4 });
  t.same(sluice!.ratioTo.direct, {}, 'nothing to compare with');
});

t.test('a missing round or a zero gives no ratio', async (t) => {
  const [, sluice] = summarize(
    [
      measured('haproxy', 0, { growthBytes: 0, p99Ms: 2 }),
      measured('sluice', 0, { growthBytes: 5, p99Ms: 3 }),
      measured('sluice', 1, { growthBytes: 5, p99Ms: 300 }),
    ],
    ['haproxy'],
  );
  t.same(sluice!.ratioTo.haproxy, { p99Ms: 1.5 });
});

t.test('verdicts: reached, missed, and silent about what was not measured', async (t) => {
  const one = 'point-select, text, 1 client';
  const verdicts = judge(
    summarize(
      [
        measured('haproxy', 0, { queriesPerSecond: 1000, cpuMicroseconds: 10 }),
        measured('sluice', 0, { queriesPerSecond: 790, cpuMicroseconds: 15 }),
        measured('direct', 0, { p50Ms: 0.066 }, one),
        measured('haproxy', 0, { p50Ms: 0.084 }, one),
        measured('sluice', 0, { p50Ms: 0.12 }, one),
      ],
      ['haproxy'],
    ),
  );
  t.same(
    verdicts.map(({ measured, reached }) => [measured, reached]),
    [
      ['1.50 ×', true],
      ['0.79 ×', false],
      ['3.00 ×', false],
    ],
  );
  t.match(verdicts[2]!.criterion, /54 µs and 18 µs on 66 µs/);
  t.same(judge([]), []);
});

t.test('a HAProxy that seems to add nothing makes no verdict of success', async (t) => {
  const one = 'point-select, text, 1 client';
  const [verdict] = judge(
    summarize(
      [
        measured('direct', 0, { p50Ms: 0.09 }, one),
        measured('haproxy', 0, { p50Ms: 0.084 }, one),
        measured('sluice', 0, { p50Ms: 0.07 }, one),
      ],
      ['haproxy'],
    ),
  );
  t.equal(verdict!.reached, false);
  t.equal(verdict!.measured, 'too disturbed');
});

t.test('comparing two runs', async (t) => {
  const run = (cpu: number) =>
    summarize(
      [
        measured('haproxy', 0, { queriesPerSecond: 1000, cpuMicroseconds: 10 }),
        measured('sluice', 0, { queriesPerSecond: 900, cpuMicroseconds: cpu }),
      ],
      ['haproxy'],
    );
  const rows = compareSummaries(run(20), [...run(15), ...summarize([measured('direct', 0, {})], [])]);
  t.same(rows, [
    [POINT, 'haproxy', '1.00', '–', '–', '1.00', '–', '1.00', '1.00'],
    [POINT, 'sluice', '1.00', '–', '–', '0.75', '–', '1.00', '0.75'],
  ]);
});
