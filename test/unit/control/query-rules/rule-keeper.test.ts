/** What the workers get of the rules, and what goes on over a change of them. */

import t from 'tap';
import { RateBuckets } from '../../../../src/common/rate-buckets.ts';
import { RuleHits } from '../../../../src/common/rule-hits.ts';
import { NO_SNAPSHOT_RULES } from '../../../../src/common/snapshot.ts';
import { RuleKeeper } from '../../../../src/control/query-rules/rule-keeper.ts';
import type { RuleConfig } from '../../../../src/control/query-rules/rule-set.ts';
import { shadowRows } from '../../../../src/control/query-rules/shadow-rows.ts';
import { rule } from '../../data/router/rules/made-rules.ts';

const NOTHING: RuleConfig = {
  queryRules: [],
  fastRouting: [],
  firewall: { enabled: false, errorMessage: 'no', users: [], rules: [], sqliFingerprints: [] },
  users: [],
};
const LIMITED = rule({ ruleId: 7, attributes: '{"rate_limit": {"per_second": 0.001, "burst": 1}}' });
const FIRST: RuleConfig = {
  ...NOTHING,
  queryRules: [rule({ ruleId: 9 }), rule({ ruleId: 8, active: false }), LIMITED],
};

t.test('without rules workers have nothing to look at', async (t) => {
  const keeper = new RuleKeeper();
  t.equal(keeper.snapshot(NOTHING), NO_SNAPSHOT_RULES);
  t.equal(keeper.snapshot({ ...NOTHING, queryRules: [rule({ active: false })] }).encoded, null);
  t.strictSame(keeper.hits(), []);
  const { encoded, version } = keeper.snapshot({
    ...NOTHING,
    firewall: { ...NOTHING.firewall, enabled: true },
  });
  t.ok(encoded !== null && version > 0, 'a firewall without entries blocks all');
  const none = keeper.snapshot(NOTHING);
  t.equal(none.encoded, null);
  t.ok(none.version > version, 'and is taken away again');
});

t.test('the same rules are the same value', async (t) => {
  const keeper = new RuleKeeper();
  const snapshot = keeper.snapshot(FIRST);
  t.equal(keeper.snapshot(FIRST), snapshot);
  t.equal(keeper.snapshot({ ...FIRST }), snapshot, 'of another configuration');
  t.equal(keeper.snapshot({ ...FIRST, queryRules: FIRST.queryRules.map((one) => ({ ...one })) }), snapshot);
  const changed = keeper.snapshot({ ...FIRST, queryRules: [rule({ ruleId: 9, log: true })] });
  t.equal(changed.version, snapshot.version + 1);
});

t.test('hits go on where the rules do, buckets where their names do', async (t) => {
  const keeper = new RuleKeeper();
  const before = keeper.snapshot(FIRST);
  new RuleHits(before.hits!, 2).add(3, 1);
  const bucket = { name: 'rule 7', perSecond: 0.001, burst: 1, slot: 0 };
  const now = process.hrtime.bigint();
  t.ok(new RateBuckets(before.buckets!).take(bucket, now));
  const counted = [
    { ruleId: 7, hits: 0 },
    { ruleId: 9, hits: 1 },
  ];
  t.strictSame(keeper.hits(), counted);
  keeper.setShadow({ rules: [rule({ ruleId: 1 })], fastRouting: [] });
  const shadowed = keeper.snapshot(FIRST);
  t.ok(shadowed.version > before.version);
  t.equal(keeper.shadow?.rules.length, 1);
  t.strictSame(keeper.hits(), counted, 'a shadow changes nothing of what is in force');
  const after = keeper.snapshot({
    ...FIRST,
    queryRules: [rule({ ruleId: 3, attributes: LIMITED.attributes }), LIMITED],
  });
  t.strictSame(keeper.hits(), [
    { ruleId: 3, hits: 0 },
    { ruleId: 7, hits: 0 },
  ]);
  const buckets = new RateBuckets(after.buckets!);
  t.ok(buckets.take({ ...bucket, slot: 0 }, now), 'that of rule 3');
  t.notOk(buckets.take({ ...bucket, slot: 1 }, now), 'that of rule 7 is still empty');
});

t.test('a limit that was changed has its own pace at once', async (t) => {
  const keeper = new RuleKeeper();
  const limited = (perSecond: number, burst: number): RuleConfig => ({
    ...NOTHING,
    queryRules: [
      rule({ ruleId: 7, attributes: `{"rate_limit": {"per_second": ${perSecond}, "burst": ${burst}}}` }),
    ],
  });
  const limit = (perSecond: number, burst: number) => ({ name: 'rule 7', perSecond, burst, slot: 0 });
  const bucketsOf = (config: RuleConfig) => new RateBuckets(keeper.snapshot(config).buckets!);
  const now = process.hrtime.bigint();
  const slow = bucketsOf(limited(0.01, 10));
  for (let taken = 0; taken < 10; taken++) t.ok(slow.take(limit(0.01, 10), now));
  t.notOk(slow.take(limit(0.01, 10), now));
  const fast = bucketsOf(limited(1000, 20));
  const later = process.hrtime.bigint();
  for (let left = 0; left < 10; left++) t.ok(fast.take(limit(1000, 20), later), 'ten of twenty were taken');
  const small = bucketsOf(limited(1, 2));
  const inASecond = process.hrtime.bigint() + 1_000_000_000n;
  t.ok(small.take(limit(1, 2), inASecond), 'it owes no more than it holds');
});

t.test('the reports of several workers are one table', async (t) => {
  const effects = { elsewhere: 1, blocked: 0, allowed: 0, answered: 0, rewritten: 0, otherwise: 0 };
  const sample = {
    effect: 'elsewhere',
    digest: '0x1',
    digestText: 'SELECT ?',
    username: 'a',
    schema: null,
    current: 'x',
    shadow: 'y',
  } as const;
  const record = (worker: number, statements: number) => ({
    worker,
    statements: 10,
    effects,
    hits: [{ ruleId: 5, hits: 2 }],
    samples: [
      { ...sample, digest: '0x2', statements: 2 },
      { ...sample, statements },
    ],
    unsampled: 0,
  });
  const rows = shadowRows([record(0, 3), record(1, 4)]);
  t.match(rows[0], { kind: 'total', what: 'statements', statements: 20 });
  t.match(rows[1], { kind: 'total', what: 'elsewhere', statements: 2 });
  t.match(rows.slice(7), [
    { kind: 'rule', what: '5', statements: 4 },
    { kind: 'sample', what: 'elsewhere', digest: '0x1', statements: 7, current: 'x', shadow: 'y' },
    { kind: 'sample', what: 'elsewhere', digest: '0x2', statements: 4 },
  ]);
});
