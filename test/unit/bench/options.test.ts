import t from 'tap';
import { parseBenchOptions } from '../../../bench/e2e/options.ts';
import {
  estimatedSeconds,
  maxBusyClients,
  needsFreshTarget,
  planPoints,
  roundsOf,
} from '../../../bench/e2e/plan.ts';

t.test('a full run', async (t) => {
  const options = parseBenchOptions([], {});
  t.same(options.targets, ['direct', 'haproxy', 'sluice']);
  const points = planPoints(options);
  // 3 workloads × 2 protocols × 4 numbers of clients, churn, idle, two big results, flood, prepares, TLS
  t.equal(points.length, 31);
  t.equal(new Set(points.map(({ label }) => label)).size, 31, 'labels tell the points apart');
  t.equal(points.filter(needsFreshTarget).length, 5);
  t.equal(roundsOf(points[0]!, options), 3);
  t.equal(maxBusyClients(points), 256);
  t.ok(estimatedSeconds(points, options) > 25 * 3 * 3 * 5);
});

t.test('--quick has every point that the verdicts need', async (t) => {
  const options = parseBenchOptions(['--quick'], {});
  t.same(
    planPoints(options).map(({ label }) => label),
    [
      'point-select, text, 1 client',
      'point-select, text, 64 clients',
      'point-select, text, 64 clients, TLS',
      '5000 idle clients',
      'result of 1000 MB, fast reader',
      'result of 1000 MB, stalled reader',
      'flood of 100000 digests',
    ],
  );
  t.equal(maxBusyClients(planPoints(options)), 64);
  t.equal(options.repeatLong, 1);
  t.equal(parseBenchOptions(['--quick', '--repeat', '4'], {}).repeatLong, 4);
});

t.test('lists narrow a run and keep the fixed order', async (t) => {
  const options = parseBenchOptions(
    ['--only', 'flood,point-select', '--clients', '64, 2', '--targets', 'sluice,direct', '--seconds', '7'],
    {},
  );
  t.same(options.scenarios, ['point-select', 'flood']);
  t.same(options.clients, [64, 2]);
  t.same(options.targets, ['direct', 'sluice']);
  t.equal(options.seconds, 7);
});

t.test('ProxySQL takes part if, and only if, its binary is named', async (t) => {
  t.same(parseBenchOptions([], { PROXYSQL_BIN: '/x' }).targets, ['direct', 'haproxy', 'sluice', 'proxysql']);
  t.equal(parseBenchOptions([], { PROXYSQL_BIN: '' }).proxysqlBinary, null);
  t.throws(() => parseBenchOptions(['--targets', 'proxysql'], {}), /PROXYSQL_BIN/);
});

t.test("Sluice's arguments are cut at spaces", async (t) => {
  t.same(parseBenchOptions(['--sluice-args=--a=1  --b=2'], {}).sluiceArgs, ['--a=1', '--b=2']);
  t.same(parseBenchOptions([], {}).sluiceArgs, []);
});

t.test('mistakes are named', async (t) => {
  for (const [argv, message] of [
    [['--only', 'point-selects'], /--only: "point-selects" is none of point-select,/],
    [['--clients', '0'], /--clients: 0/],
    [['--clients', '1,,2'], /--clients: "" is not a whole number/],
    [['--seconds', '1.5'], /--seconds: "1.5"/],
    [['--repeat', '-1'], /repeat/],
    [['--save-baseline', '../x'], /plain file name/],
    [['--fast'], /--fast/],
  ] as const) {
    t.throws(() => parseBenchOptions(argv, {}), { message });
  }
});
