/** The tallies of digests: shared by plans of one digest, bounded, and begun anew when dropped. */

import t from 'tap';
import type { CacheDecision } from '../../../../../src/data/router/caching/cache-decision.ts';
import { DigestTallies, MAX_TALLIES } from '../../../../../src/data/router/caching/digest-tally.ts';
import type { Plan } from '../../../../../src/data/router/plan.ts';

const DECISION = { class: 'strong', source: 'hint' } as CacheDecision;

function plan(hashLow: number): Plan {
  return { normalized: Buffer.from('x'), hashLow, hashHigh: 1, cacheTally: null } as unknown as Plan;
}

t.test('plans of one digest share one', (t) => {
  const tallies = new DigestTallies();
  const [one, other] = [plan(7), plan(7)];
  const tally = tallies.of(one, DECISION);
  t.equal(tallies.of(other, DECISION), tally);
  t.equal(one.cacheTally, tally);
  t.not(tallies.of(plan(8), DECISION), tally);
  t.equal(tally.decision, DECISION);
  t.same(
    tallies.list().map(({ hashLow }) => hashLow),
    [7, 8],
  );
  t.end();
});

t.test('when there are too many, the oldest without entries goes', (t) => {
  const tallies = new DigestTallies();
  const plans = Array.from({ length: MAX_TALLIES }, (_, index) => plan(index));
  for (const one of plans) tallies.of(one, DECISION);
  plans[0]!.cacheTally!.entries = 1;
  const dropped = plans[1]!.cacheTally!;
  tallies.of(plan(-1), DECISION);
  t.equal(tallies.list().length, MAX_TALLIES);
  t.ok(plans[0]!.cacheTally!.isListed);
  t.notOk(dropped.isListed);
  t.not(tallies.of(plans[1]!, DECISION), dropped, 'it begins anew');
  t.end();
});
