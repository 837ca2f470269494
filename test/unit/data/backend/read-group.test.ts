/** A hostgroup's choice: one per turn, zones, what a read needs, and servers that come back. */

import t from 'tap';
import { type ReadNeeds, StatementNeeds } from '../../../../src/data/backend/balancing/read-needs.ts';
import type { ReplicaMeasurements } from '../../../../src/data/backend/balancing/replica-measurements.ts';
import { ReadGroup, type ReadMember } from '../../../../src/data/backend/read-group.ts';
import { type BalancingPolicyName, rampOf } from '../../../../src/topology/balancing.ts';
import { type MadePool, pool, withKey } from './balancing/made-pools.ts';

const NO_NEEDS = new StatementNeeds();

const lags = [0, 150, -1, 0];
const positions = [10, 20, 0, 5];
const measured: ReplicaMeasurements = {
  lagMs: (slot) => lags[slot] ?? -1,
  appliedGtid: (slot) => positions[slot] ?? 0,
};

function of(made: MadePool, more: Partial<ReadMember<MadePool>> = {}): ReadMember<MadePool> {
  return { pool: made, weight: 1, warming: null, isNear: true, ...more };
}

function group(members: readonly ReadMember<MadePool>[], policy: BalancingPolicyName = 'weighted') {
  const made = new ReadGroup<MadePool>(measured);
  made.update(members, { policy, hashKey: 'statement', heaviest: 1 });
  return made;
}

function asking(more: Partial<ReadNeeds>): ReadNeeds {
  return { ...NO_NEEDS, ...more };
}

t.test(
  'one server for all reads of a turn, but for those that need something and for hashed ones',
  async (t) => {
    const [a, b] = [pool(0), pool(3)];
    const two = group([of(a), of(b)]);
    const first = two.choose(1, NO_NEEDS);
    for (let read = 0; read < 5; read++) t.equal(two.choose(1, NO_NEEDS), first);
    t.not(two.choose(2, NO_NEEDS), first);
    const limited = asking({ maxLagMs: 100 });
    t.equal(two.choose(3, limited), two.choose(3, NO_NEEDS), 'what all have makes no difference');
    const hashed = group([of(a), of(b)], 'consistent-hash');
    const chosen = new Set(
      Array.from({ length: 50 }, (_, key) => hashed.choose(1, withKey(key * 85_899_345))),
    );
    t.equal(chosen.size, 2);
    t.equal(hashed.hashKey, 'statement');
    t.equal(two.hashKey, null);
  },
);

t.test(
  'lag and GTID: who does not have it, or of whom it is not known, does not answer; the primary does',
  async (t) => {
    const pools = [pool(0), pool(1), pool(2), pool(3)];
    const four = group(pools.map((made) => of(made)));
    const allowed = (needs: ReadNeeds) => {
      const slots = new Set<number>();
      for (let turn = 0; turn < 20; turn++) slots.add(four.choose(turn, needs)?.server.slot ?? -1);
      return [...slots].sort();
    };
    t.strictSame(allowed(NO_NEEDS), [0, 1, 2, 3]);
    t.strictSame(allowed(asking({ maxLagMs: 149 })), [0, 3]);
    t.strictSame(allowed(asking({ maxLagMs: 150 })), [0, 1, 3]);
    t.strictSame(allowed(asking({ neededGtid: 10 })), [0, 1]);
    t.strictSame(allowed(asking({ neededGtid: 10, maxLagMs: 0 })), [0]);
    t.strictSame(allowed(asking({ neededGtid: 21 })), [-1]);
    t.equal(four.other(pools[0]!, asking({ neededGtid: 10 }))?.server.slot, 1);
    t.equal(four.other(pools[1]!, asking({ neededGtid: 11 })), null);
    t.equal(four.foresee(asking({ neededGtid: 99 })), null);
    const shared = group([of(pool(2, 'primary'))]);
    t.equal(shared.choose(1, asking({ neededGtid: 99, maxLagMs: 0 }))?.server.slot, 2);
  },
);

t.test(
  'reads that only some can answer share one of these for the turn, and leave the others theirs',
  async (t) => {
    const pools = [pool(0), pool(1), pool(2), pool(3)];
    const four = group(pools.map((made) => of(made)));
    const needy = asking({ neededGtid: 10 });
    const taken = new Set<number>();
    const forAll = new Set<number>();
    for (let turn = 0; turn < 40; turn++) {
      const { slot } = four.choose(turn, needy)!.server;
      for (let read = 0; read < 3; read++) t.equal(four.choose(turn, needy)!.server.slot, slot);
      taken.add(slot);
      forAll.add(four.choose(turn, NO_NEEDS)!.server.slot);
      t.equal(
        four.choose(turn, asking({ neededGtid: 20 }))!.server.slot,
        1,
        'who needs more gets what has it',
      );
    }
    t.strictSame([...taken].sort(), [0, 1]);
    t.strictSame([...forAll].sort(), [0, 1, 2, 3]);
  },
);

t.test('the replica to wait on has applied most, within the lag limit', async (t) => {
  const four = group([pool(0), pool(1), pool(2), pool(3)].map((made) => of(made)));
  t.equal(four.nearest(asking({ neededGtid: 99 }))?.server.slot, 1);
  t.equal(four.nearest(asking({ neededGtid: 99, maxLagMs: 100 }))?.server.slot, 0);
  t.equal(group([of(pool(2))]).nearest(asking({ maxLagMs: 1 })), null);
  t.equal(group([of(pool(0, 'primary'))]).nearest(NO_NEEDS), null, 'nobody waits on the primary');
});

t.test('zones: the others answer only when none of the own has what is needed', async (t) => {
  const near = [of(pool(0)), of(pool(3))];
  const far = of(pool(1), { isNear: false });
  for (const policy of ['least-connections', 'weighted', 'peak-ewma', 'consistent-hash'] as const) {
    const zoned = group([...near, far], policy);
    near[0]!.pool.inUse = 50;
    near[1]!.pool.inUse = 50;
    for (let turn = 0; turn < 50; turn++)
      t.not(zoned.choose(turn, withKey(turn * 85_899_345))?.server.slot, 1, policy);
    t.equal(zoned.choose(99, asking({ neededGtid: 15 }))?.server.slot, 1, 'only the far one has it');
    t.equal(group([far], policy).choose(1, NO_NEEDS)?.server.slot, 1);
  }
});

t.test('nobody there: nobody is chosen', async (t) => {
  const none = group([]);
  t.ok(none.isEmpty);
  t.equal(none.choose(1, NO_NEEDS), null);
  t.equal(none.foresee(NO_NEEDS), null);
  const one = pool(0);
  t.equal(group([of(one)]).other(one, NO_NEEDS), null);
});

t.test('a member keeps what its policy knows of it from update to update', async (t) => {
  const [a, b] = [pool(0), pool(3)];
  const two = group([of(a), of(b)], 'consistent-hash');
  for (let read = 0; read < 100; read++) two.choose(1, withKey(5));
  two.update([of(a), of(b)], { policy: 'consistent-hash', hashKey: 'user', heaviest: 1 });
  t.equal(two.hashKey, 'user');
  t.match(JSON.stringify(two.foresee(withKey(5))), /[1-9]\d* reads of late/);
  two.update([of(a), of(b)], { policy: 'least-connections', hashKey: 'user', heaviest: 1 });
  t.match(two.foresee(NO_NEEDS), {
    policy: 'least-connections',
    candidates: [{ address: '10.0.0.0:3306', figures: '0 in use for a weight of 1' }, {}],
  });
});

t.test('a server that has come back gets its share little by little', async (t) => {
  const warming = { sinceMs: 1000, untilMs: 11_000 };
  t.strictSame(
    [0, 1000, 1500, 3000, 6000, 10_999, 11_000].map((now) => rampOf(warming, now)),
    [1, 0.1, 0.1, 0.2, 0.5, 0.9999, 1],
  );
  t.equal(rampOf(null, 5), 1);
  const now = Date.now();
  const [warm, cold] = [pool(0), pool(3)];
  const half = { sinceMs: now - 300_000, untilMs: now + 900_000 };
  const two = group([of(warm), of(cold, { warming: half })]);
  for (let turn = 0; turn < 500; turn++) two.choose(turn, NO_NEEDS)!.reads++;
  t.ok(Math.abs(cold.reads - 100) < 3, `${cold.reads} of 500 at a quarter of its weight`);
});
