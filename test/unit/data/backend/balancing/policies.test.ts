/** What each policy promises, for random weights and loads; a failure is repeated by its SLUICE_TEST_SEED. */

import t from 'tap';
import type { BalancedMember } from '../../../../../src/data/backend/balancing/balanced-member.ts';
import type { BalancingPolicy } from '../../../../../src/data/backend/balancing/balancing-policy.ts';
import { LatencyAverage } from '../../../../../src/data/backend/balancing/latency-average.ts';
import { LeastConnections } from '../../../../../src/data/backend/balancing/least-connections.ts';
import { PeakEwma } from '../../../../../src/data/backend/balancing/peak-ewma.ts';
import { StatementNeeds } from '../../../../../src/data/backend/balancing/read-needs.ts';
import { Weighted } from '../../../../../src/data/backend/balancing/weighted.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { type MadePool, member, members } from './made-pools.ts';

const NO_NEEDS = new StatementNeeds();

const random = SeededRandom.fromEnvironment();
t.comment(`SLUICE_TEST_SEED=${random.seed}`);

const weights = (count: number) => Array.from({ length: count }, () => 1 + random.below(20));

t.test('least connections: nobody that was passed over had less to do for its weight', async (t) => {
  for (let round = 0; round < 500; round++) {
    const servers = members(weights(1 + random.below(6)));
    const policy = new LeastConnections<MadePool>();
    policy.update(servers);
    for (let turn = 0; turn < 20; turn++) {
      for (const { pool } of servers) pool.inUse = random.below(5);
      const foreseen = policy.foresee(servers);
      const chosen = policy.choose(servers);
      if (chosen !== foreseen) t.fail('what was foreseen is chosen');
      const load = ({ pool, weight }: BalancedMember<MadePool>) => pool.inUse / weight;
      const least = Math.min(...servers.map(load));
      if (load(chosen) !== least) t.fail(`${load(chosen)} is more than ${least}`);
    }
  }
});

t.test('least connections: of idle servers one after the other has its turn, each for a while', async (t) => {
  const servers = members([1, 1, 1]);
  const policy = new LeastConnections<MadePool>();
  policy.update(servers);
  let changes = 0;
  let last: unknown = null;
  for (let turn = 0; turn < 330; turn++) {
    const chosen = policy.choose(servers);
    if (chosen !== last) changes++;
    last = chosen;
    chosen.pool.reads++;
  }
  t.equal(changes, 10);
  t.ok(servers.filter(({ pool }) => pool.reads > 0).length >= 2);
});

t.test(
  'weighted: after a whole round each has had exactly its weight, and never waits for long',
  async (t) => {
    for (let round = 0; round < 200; round++) {
      const servers = members(weights(1 + random.below(6)));
      const policy = new Weighted<MadePool>();
      policy.update(servers);
      const total = servers.reduce((sum, { weight }) => sum + weight, 0);
      for (let turn = 1; turn <= total * 3; turn++) {
        const foreseen = policy.foresee(servers);
        const chosen = policy.choose(servers);
        if (chosen !== foreseen) t.fail('what was foreseen is chosen');
        chosen.pool.reads++;
        for (const { pool, weight } of servers) {
          const due = (turn * weight) / total;
          if (Math.abs(pool.reads - due) >= servers.length) t.fail(`${pool.reads} of ${due} after ${turn}`);
        }
      }
      t.strictSame(
        servers.map(({ pool }) => pool.reads),
        servers.map(({ weight }) => weight * 3),
      );
    }
    const [a, b, c] = members([5, 1, 1]);
    const policy = new Weighted<MadePool>();
    policy.update([a!, b!, c!]);
    const order = Array.from({ length: 7 }, () => policy.choose([a!, b!, c!]).pool.server.slot);
    t.strictSame(order, [0, 0, 1, 0, 2, 0, 0]);
  },
);

t.test('weighted: a snapshot that changes nothing here does not begin anew', async (t) => {
  const servers = members([5, 1, 1]);
  const policy = new Weighted<MadePool>();
  for (let turn = 0; turn < 700; turn++) {
    policy.update([...servers]);
    policy.choose(servers).pool.reads++;
  }
  t.strictSame(
    servers.map(({ pool }) => pool.reads),
    [500, 100, 100],
  );
});

t.test('weighted: a server that is left out of some choices is not owed them', async (t) => {
  const servers = members([1, 1, 1]);
  const policy = new Weighted<MadePool>();
  policy.update(servers);
  for (let turn = 0; turn < 300; turn++) policy.choose(servers.slice(0, 2)).pool.reads++;
  t.strictSame(
    servers.map(({ pool }) => pool.reads),
    [150, 150, 0],
  );
  for (let turn = 0; turn < 30; turn++) policy.choose(servers).pool.reads++;
  t.strictSame(
    servers.map(({ pool }) => pool.reads),
    [160, 160, 10],
  );
});

t.test('the average: a peak counts at once, and is forgotten as time passes', async (t) => {
  const average = new LatencyAverage();
  t.equal(average.at(0), 0);
  t.ok(average.isStale(0));
  average.observe(2, 0, 0);
  t.equal(average.at(0), 0, 'not before it is known what is usual');
  for (let ms = 0; ms < 5000; ms += 10) average.observe(1, 1, ms);
  t.ok(Math.abs(average.at(4990) - 1) < 0.02, `${average.at(4990)}`);
  average.observe(50, 1, 5000);
  t.equal(average.at(5000), 50);
  t.notOk(average.isStale(6000));
  t.ok(average.isStale(6001));
  t.ok(average.at(6000) < 20 && average.at(6000) > 15);
  t.ok(average.at(10_000) < 1);
  average.observe(1e9, 1, 10_000);
  t.equal(average.at(10_000), 1000, 'but for not longer than a peak may be');
  const before = average.at(10_000);
  t.equal(average.at(9000), before, 'a clock that goes back is no news');
});

/** Servers that take `slowness` ms each for one read, and reads that come one each `everyMs`. */
function simulated(slowness: readonly number[], everyMs: number, reads: number): BalancedMember<MadePool>[] {
  let now = 0;
  const servers = slowness.map((_, slot) => member(slot));
  const policy = new PeakEwma<MadePool>(
    () => random.next(),
    () => now,
  );
  const running: { readonly server: number; readonly since: number; readonly until: number }[] = [];
  for (let read = 0; read < reads; read++, now += everyMs) {
    for (const done of running.filter(({ until }) => until <= now)) {
      running.splice(running.indexOf(done), 1);
      const { pool } = servers[done.server]!;
      pool.inUse--;
      pool.latency.observe(done.until - done.since, 1, done.until);
    }
    const chosen = servers.indexOf(policy.choose(servers));
    servers[chosen]!.pool.inUse++;
    servers[chosen]!.pool.reads++;
    running.push({ server: chosen, since: now, until: now + slowness[chosen]! });
  }
  return servers;
}

t.test('peak EWMA: equal servers get equal parts, within a tenth', async (t) => {
  for (const { pool } of simulated([2, 2, 2, 2], 1, 20_000))
    t.ok(Math.abs(pool.reads - 5000) < 500, `${pool.reads} of 5000`);
});

t.test('peak EWMA: a server that is slow gets little, and some', async (t) => {
  const [fast, slow, other] = simulated([1, 200, 1], 0.5, 40_000).map(({ pool }) => pool.reads);
  t.ok(slow! < 400 && slow! > 2, `${slow} of 40000`);
  t.ok(Math.abs(fast! - other!) < 4000, `${fast}, ${other}`);
});

t.test('peak EWMA: a server that does not answer at all gets one read now and then', async (t) => {
  const servers = simulated([1, 1e9], 0.5, 20_000);
  t.ok(servers[1]!.pool.reads <= 10, `${servers[1]!.pool.reads}`);
});

t.test('peak EWMA: what is not known holds for one read, not for all of a turn', async (t) => {
  let now = 0;
  const servers = members([1, 1]);
  const policy = new PeakEwma<MadePool>(
    () => 0,
    () => now,
  );
  policy.choose(servers);
  t.equal(policy.isPerTurn, false);
  for (const { pool } of servers) pool.latency.observe(1, 1, 0);
  policy.choose(servers);
  t.equal(policy.isPerTurn, true);
  now = 2000;
  policy.choose(servers);
  t.equal(policy.isPerTurn, false);
});

t.test(
  'all: one candidate is chosen, weights may be small, and nothing is chosen that is no candidate',
  async (t) => {
    const policies: BalancingPolicy<MadePool>[] = [
      new LeastConnections<MadePool>(),
      new Weighted<MadePool>(),
      new PeakEwma<MadePool>(
        () => random.next(),
        () => 0,
      ),
    ];
    for (const policy of policies)
      for (let round = 0; round < 200; round++) {
        const servers = members(weights(6)).map((server) => {
          server.counts(0.1);
          return server;
        });
        policy.update(servers, 20);
        const candidates = servers.filter(() => random.below(2) === 0);
        if (candidates.length === 0) continue;
        for (let turn = 0; turn < 10; turn++)
          if (!candidates.includes(policy.choose(candidates, NO_NEEDS))) t.fail('not a candidate');
        const [only] = candidates;
        if (policy.choose([only!], NO_NEEDS) !== only) t.fail('not the only one');
        t.match(policy.describe(only!), /weight/);
      }
  },
);
