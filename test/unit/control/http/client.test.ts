/** What the pages make of values, where it needs no browser. */
import t from 'tap';
import type { SeriesName, SeriesValue } from '../../../../src/control/http/api/api-values.ts';
import * as format from '../../../../src/control/http/dashboard/client/format.ts';
import { TrafficHistory } from '../../../../src/control/http/dashboard/client/traffic-history.ts';

t.test('numbers, times and versions as people read them', async (t) => {
  const cases: readonly (readonly [(value: number) => string, readonly (readonly [number, string])[]])[] = [
    [
      format.count,
      [
        [0, '0'],
        [999, '999'],
        [12_345, '12,345'],
        [123_456, '123.5k'],
        [1_000_000, '1.0M'],
      ],
    ],
    [
      format.rate,
      [
        [0, '0'],
        [0.25, '0.3'],
        [9.96, '10.0'],
        [12.3, '12'],
      ],
    ],
    [
      format.percent,
      [
        [0, '0 %'],
        [0.0001, '< 0.1 %'],
        [0.042, '4.2 %'],
        [0.5, '50 %'],
        [1, '100 %'],
      ],
    ],
    [
      format.micros,
      [
        [0, '0 µs'],
        [999, '999 µs'],
        [1500, '1.5 ms'],
        [15_000, '15 ms'],
        [2_500_000, '2.5 s'],
      ],
    ],
    [
      format.age,
      [
        [0, '0 ms'],
        [61_000, '1 min 01 s'],
        [3_660_000, '1 h 01 min'],
        [200_000_000, '2 d 7 h'],
      ],
    ],
    [
      format.bytesPerSecond,
      [
        [10, '10 B/s'],
        [1500, '1.5 kB/s'],
        [2_000_000, '2.0 MB/s'],
      ],
    ],
  ];
  for (const [write, examples] of cases)
    for (const [value, text] of examples) t.equal(write(value), text, `${write.name} ${value}`);
  for (const write of [format.count, format.rate, format.percent, format.micros, format.millis, format.age])
    t.equal(write(null), '–', write.name);
  t.equal(format.serverVersion('5.5.5-10.11.6-MariaDB-0+deb12u1-log'), 'MariaDB 10.11.6');
  t.equal(format.serverVersion('11.4.2-MariaDB'), 'MariaDB 11.4.2');
  t.equal(format.serverVersion('5.7.29-log'), 'MySQL 5.7.29');
  t.equal(format.serverVersion(''), 'version not known');
  t.equal(format.plural(1, 'client'), '1 client');
  t.equal(format.plural(0, 'client'), '0 clients');
});

function series(from: number, to: number): SeriesValue {
  const timesMs = Array.from({ length: to - from + 1 }, (_, index) => (from + index) * 1000);
  const columns = { statements: timesMs.map((timeMs) => timeMs / 100) } as Partial<
    Record<SeriesName, number[]>
  >;
  return { timesMs, columns: columns as SeriesValue['columns'] };
}

t.test('the live ends are put together to a quarter of an hour', async (t) => {
  const history = new TrafficHistory();
  t.notOk(history.lacks(series(5, 4)), 'nothing has been measured yet');
  t.ok(history.lacks(series(100, 130)), 'nothing is known yet');
  history.replace(series(1, 100));
  t.notOk(history.lacks(series(90, 120)));
  history.add(series(90, 120));
  t.equal(history.times.length, 120);
  t.equal(history.times.at(-1), 120);
  t.equal(history.column('statements').at(-1), 1200);
  history.add(series(90, 120));
  t.equal(history.times.length, 120, 'what is known is not added again');
  t.ok(history.lacks(series(121, 150)), 'the page was hidden meanwhile');
  history.add(series(121, 1500));
  t.equal(history.times.length, 900);
  t.equal(history.times[0], 601);
  t.equal(history.column('statements').length, 900);
  t.equal(history.recent('statements', 2), 14_995);
  t.equal(history.recent('p99'), null);
});
