import t from 'tap';
import { parseHistogram, parseSysbenchReport, percentileOf } from '../../../bench/e2e/sysbench-report.ts';

const OUTPUT = `sysbench 1.0.20 (using system LuaJIT 2.1.0-beta3)

Threads started!

Latency histogram (values are in milliseconds)
       value  ------------- distribution ------------- count
       0.091 |                                         90
       1.503 |****************************************  800
       2.140 |*                                        60
      12.010 |                                         49
     100.500 |                                         1

SQL statistics:
    queries performed:
        read:                            14000
        write:                           0
        other:                           2000
        total:                           16000
    transactions:                        1000   (331.92 per sec.)
    queries:                             16000  (5310.80 per sec.)
    ignored errors:                      3      (1.00 per sec.)
    reconnects:                          0      (0.00 per sec.)

General statistics:
    total time:                          3.0127s
    total number of events:              1000

Latency (ms):
         min:                                    0.09
         avg:                                    2.61
         max:                                  100.44
         95th percentile:                       12.01
         sum:                                 2612.33

Threads fairness:
    events (avg/stddev):           15.6/0.80
`;

t.test('everything that the bench uses', async (t) => {
  t.same(parseSysbenchReport(OUTPUT), {
    queries: 16_000,
    transactions: 1000,
    seconds: 3.0127,
    queriesPerSecond: 5310.8,
    ignoredErrors: 3,
    reconnects: 0,
    latency: { averageMs: 2.61, p50Ms: 1.503, p95Ms: 2.14, p99Ms: 12.01, maxMs: 100.44 },
  });
});

t.test('the histogram is read whatever the length of its bars', async (t) => {
  t.same(
    parseHistogram(OUTPUT).map(({ count }) => count),
    [90, 800, 60, 49, 1],
  );
});

t.test('percentiles are the bucket in which the rank is reached', async (t) => {
  const buckets = [
    { milliseconds: 1, count: 50 },
    { milliseconds: 2, count: 49 },
    { milliseconds: 3, count: 1 },
  ];
  t.equal(percentileOf(buckets, 0), 1);
  t.equal(percentileOf(buckets, 0.5), 1);
  t.equal(percentileOf(buckets, 0.51), 2);
  t.equal(percentileOf(buckets, 0.99), 2);
  t.equal(percentileOf(buckets, 0.991), 3);
  t.equal(percentileOf(buckets, 1), 3);
  t.throws(() => percentileOf([], 0.5), /empty histogram/);
});

t.test('output without what is needed says what is missing', async (t) => {
  t.throws(() => parseSysbenchReport('FATAL: unable to connect'), /no queries.*unable to connect/);
  t.throws(() => parseSysbenchReport(OUTPUT.replaceAll('|', ' ')), /no latency histogram/);
  t.throws(() => parseSysbenchReport(OUTPUT.replace('reconnects', 'x')), /no reconnects/);
});
