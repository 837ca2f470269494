/** The figures of consistent hashing: how many keys move, how even the load is, for random weights and loads. */

import t from 'tap';
import { mixedBits } from '../../../../../src/common/mixed-bits.ts';
import type { BalancedMember } from '../../../../../src/data/backend/balancing/balanced-member.ts';
import { ConsistentHash, LOAD_BOUND } from '../../../../../src/data/backend/balancing/consistent-hash.ts';
import { HashRing, hashText } from '../../../../../src/data/backend/balancing/hash-ring.ts';
import { StatementNeeds } from '../../../../../src/data/backend/balancing/read-needs.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { type MadePool, member, members, withKey } from './made-pools.ts';

const NO_NEEDS = new StatementNeeds();

const random = SeededRandom.fromEnvironment();
t.comment(`SLUICE_TEST_SEED=${random.seed}`);

const KEYS = Array.from({ length: 20_000 }, (_, index) => mixedBits(hashText(`key ${random.seed} ${index}`)));

class Hashed {
  now = 0;
  readonly policy = new ConsistentHash<MadePool>(() => this.now);
  servers: readonly BalancedMember<MadePool>[];

  constructor(servers: readonly BalancedMember<MadePool>[]) {
    this.servers = servers;
    this.update(servers);
  }

  update(servers: readonly BalancedMember<MadePool>[]): void {
    this.servers = servers;
    this.policy.update(servers, Math.max(...servers.map(({ settings }) => settings.weight)));
  }

  /** Where the key belongs while nobody has too much to do. */
  home(key: number): string {
    return this.policy.foresee(this.servers, withKey(key)).pool.server.address;
  }

  read(key: number): BalancedMember<MadePool> {
    const chosen = this.policy.choose(this.servers, withKey(key));
    chosen.pool.reads++;
    return chosen;
  }
}

t.test(
  'one of four leaves: its keys move, at most 30 % of all, and nobody else’s; it comes back to its own',
  async (t) => {
    for (let round = 0; round < 10; round++) {
      const four = [0, 1, 2, 3].map((slot) => member(slot + round * 10));
      const hashed = new Hashed(four);
      const before = KEYS.map((key) => hashed.home(key));
      const gone = random.pick(four);
      hashed.update(four.filter((server) => server !== gone));
      const after = KEYS.map((key) => hashed.home(key));
      let moved = 0;
      let others = 0;
      for (const [index, home] of before.entries()) {
        if (home !== after[index]) moved++;
        if (home !== after[index] && home !== gone.pool.server.address) others++;
      }
      t.equal(others, 0, 'a key moves only when its server leaves');
      t.ok(moved <= 0.3 * KEYS.length, `${moved} of ${KEYS.length} keys have moved`);
      hashed.update(four);
      t.strictSame(
        KEYS.map((key) => hashed.home(key)),
        before,
      );
    }
  },
);

t.test('shares follow the weights, within a tenth of the whole', async (t) => {
  for (let round = 0; round < 20; round++) {
    const weights = Array.from({ length: 2 + random.below(6) }, () => 1 + random.below(9));
    const hashed = new Hashed(members(weights));
    const counts = new Map<string, number>();
    for (const key of KEYS) counts.set(hashed.home(key), (counts.get(hashed.home(key)) ?? 0) + 1);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const { pool, weight } of hashed.servers) {
      const share = (counts.get(pool.server.address) ?? 0) / KEYS.length;
      t.ok(Math.abs(share - weight / total) < 0.1, `${share} for ${weight} of ${total}`);
    }
  }
});

t.test('load: nobody gets more than 1.25 of the mean, however uneven the keys are', async (t) => {
  for (const hot of [0, 0.3, 0.9, 1]) {
    const hashed = new Hashed(members([1, 1, 1, 1]));
    const reads = 200_000;
    for (let read = 0; read < reads; read++) {
      hashed.now = read / 50;
      hashed.read(random.below(1000) < hot * 1000 ? KEYS[0]! : random.pick(KEYS));
    }
    const most = Math.max(...hashed.servers.map(({ pool }) => pool.reads)) / (reads / 4);
    t.ok(most <= LOAD_BOUND + 0.01, `${most} of the mean where ${hot} of the reads are for one key`);
  }
});

t.test('few reads, or evenly spread ones, stay at home', async (t) => {
  const few = new Hashed(members([1, 1, 1, 1]));
  const home = few.home(KEYS[0]!);
  for (let read = 0; read < 250; read++) t.equal(few.read(KEYS[0]!).pool.server.address, home);
  const even = new Hashed(members([1, 1, 1, 1]));
  let away = 0;
  const homes = new Map(KEYS.map((key) => [key, even.home(key)]));
  for (let read = 0; read < 100_000; read++) {
    even.now = read / 50;
    const key = random.pick(KEYS);
    if (even.read(key).pool.server.address !== homes.get(key)) away++;
  }
  t.ok(away < 1000, `${away} of 100000 reads were not at home`);
});

t.test('a server that does not get done with its reads gives them away', async (t) => {
  const hashed = new Hashed(members([1, 1, 1, 1]));
  const [stuck, ...others] = hashed.servers;
  stuck!.pool.inUse = 40;
  for (const { pool } of others) pool.inUse = 2;
  for (const key of KEYS.slice(0, 1000)) hashed.read(key);
  t.equal(stuck!.pool.reads, 0);
});

t.test(
  'a server with cold caches gets part of its keys, always the same ones, and more as time passes',
  async (t) => {
    const hashed = new Hashed(members([1, 1, 1, 1]));
    const [cold] = hashed.servers;
    const address = cold!.pool.server.address;
    const own = KEYS.filter((key) => hashed.home(key) === address);
    let before = new Set<number>();
    for (const ramp of [0.1, 0.5, 0.9, 1]) {
      cold!.counts(ramp);
      const now = new Set(KEYS.filter((key) => hashed.home(key) === address));
      t.ok(
        Math.abs(now.size - ramp * own.length) < 0.05 * own.length,
        `${now.size} of ${own.length} at ${ramp}`,
      );
      for (const key of before) if (!now.has(key)) t.fail('it keeps those that it has');
      before = now;
    }
    t.strictSame([...before], own);
  },
);

t.test('only candidates are chosen, the same for a key as long as they are the same', async (t) => {
  const hashed = new Hashed(members([1, 2, 3, 1, 1]));
  for (let round = 0; round < 2000; round++) {
    const candidates = hashed.servers.filter(() => random.below(2) === 0);
    if (candidates.length === 0) continue;
    const key = withKey(random.pick(KEYS));
    const chosen = hashed.policy.foresee(candidates, key);
    if (!candidates.includes(chosen)) t.fail('not a candidate');
    if (hashed.policy.foresee([...candidates].reverse(), key) !== chosen) t.fail('the order matters');
  }
  const keyless = hashed.policy.choose(hashed.servers, NO_NEEDS);
  t.ok(hashed.servers.includes(keyless), 'reads without a key go somewhere as well');
});

t.test('the ring: addresses alone decide, and every place is found', async (t) => {
  const servers = ['a:1', 'b:1', 'c:1'].map((address) => ({ address, weight: 2 }));
  const ring = new HashRing();
  ring.build(servers, 4);
  t.equal(ring.size, 3 * 256);
  const other = new HashRing();
  other.build([servers[2]!, servers[0]!, servers[1]!], 4);
  for (let index = 0; index < 5000; index++) {
    const key = random.below(2 ** 32);
    const one = servers[ring.ownerAt(ring.placeOf(key))]!.address;
    const two = [servers[2]!, servers[0]!, servers[1]!][other.ownerAt(other.placeOf(key))]!.address;
    if (one !== two) t.fail('the order of the servers matters');
  }
  t.equal(ring.placeOf(0), 0);
  t.equal(ring.placeOf(2 ** 32 - 1), 0);
  const many = new HashRing();
  many.build(
    Array.from({ length: 256 }, (_, index) => ({ address: `h${index}:3306`, weight: 1 })),
    10_000_000,
  );
  t.equal(many.size, 256, 'a weight next to nothing is still a place');
  // Another process, another worker, another Sluice must agree.
  t.equal(hashText('10.0.0.1:3306'), 1940072210);
});
