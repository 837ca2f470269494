/** What ADVISE CACHE finds out by looking. */

import t from 'tap';
import { CacheAdvisor } from '../../../../src/data/cache/cache-advisor.ts';
import type { Plan } from '../../../../src/data/router/plan.ts';

function plan(text: string): Plan {
  return { normalized: Buffer.from(text), aloneMs: 2, cacheTally: null } as unknown as Plan;
}

function stop(advisor: CacheAdvisor) {
  return advisor.stop(3, String, (normalized) => `text ${normalized}`);
}

t.test('repeats, and those that come before a write', (t) => {
  let nowMs = 0;
  const advisor = new CacheAdvisor(() => nowMs);
  const a = plan('a');
  advisor.seen(a, 1, 0);
  t.notOk(advisor.isWatching);
  t.same(stop(advisor), [], 'nothing is watched before');
  advisor.start();
  t.ok(advisor.isWatching);
  for (const [key, epochs] of [
    [1, 5],
    [1, 5],
    [2, 5],
    [1, 6],
    [1, 6],
    [2, 6],
    [3, 8],
  ] as const)
    advisor.seen(a, key, epochs);
  advisor.seen(plan('b'), 1, 0);
  nowMs = 500;
  const [first, second] = stop(advisor);
  t.same(first, {
    worker: 3,
    digest: 'a',
    digestText: 'text a',
    watchedMs: 500,
    statements: 7,
    distinct: 3,
    repeats: 4,
    hits: 2,
    writes: 3,
    serverMs: 2,
    cachedBy: '',
  });
  t.match(second, { digest: 'b', statements: 1, repeats: 0, hits: 0, writes: 0 });
  t.notOk(advisor.isWatching);
  t.end();
});

t.test('epochs may wrap around', (t) => {
  const advisor = new CacheAdvisor(() => 0);
  advisor.start();
  const a = plan('a');
  advisor.seen(a, 1, 2 ** 31 - 1);
  advisor.seen(a, 1, -(2 ** 31));
  t.equal(stop(advisor)[0]!.writes, 1);
  t.end();
});

t.test('it is bounded in digests, keys and time', (t) => {
  let nowMs = 0;
  const advisor = new CacheAdvisor(() => nowMs);
  advisor.start();
  for (let count = 0; count < 1000; count++) advisor.seen(plan(String(count)), 1, 0);
  t.equal(stop(advisor).length, 500);
  advisor.start();
  const a = plan('a');
  for (let key = 0; key < 150_000; key++) advisor.seen(a, key, 0);
  advisor.seen(a, 1, 0);
  t.match(stop(advisor), [{ statements: 150_001, distinct: 100_000, repeats: 1 }]);
  advisor.start();
  nowMs = 10 * 60_000 + 1;
  advisor.seen(a, 1, 0);
  t.notOk(advisor.isWatching, 'who began it has gone');
  t.end();
});
