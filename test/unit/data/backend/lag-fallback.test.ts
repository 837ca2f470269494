/** The bound of what the primary takes over while all replicas lag. */

import t from 'tap';
import { TimerWheel } from '../../../../src/common/timer-wheel.ts';
import { LeastLagged } from '../../../../src/data/backend/balancing/least-lagged.ts';
import { LagFallback } from '../../../../src/data/backend/lag-fallback.ts';
import { madeSnapshot } from '../../../integration/data/made-snapshot.ts';

const { settings } = madeSnapshot();

function fallback(lagFallbackMaxReads: number, workers: number, more = {}) {
  let nowMs = 0;
  const wheel = new TimerWheel(() => nowMs);
  const subject = new LagFallback(wheel, workers);
  const routing = { ...settings.routing, lagFallbackMaxReads, ...more };
  const pool = { ...settings.pool, waitTimeoutMs: 100, waitQueueLength: 2 };
  subject.apply({ routing, pool });
  const told: string[] = [];
  const wait = (name: string): object => {
    const owner = {};
    subject.wait(
      owner,
      () => told.push(`${name} granted`),
      () => told.push(`${name} refused`),
    );
    return owner;
  };
  const pass = (ms: number): void => {
    for (const end = nowMs + ms; nowMs < end; nowMs += 10) wheel.advance();
    wheel.advance();
  };
  return { subject, told, wait, pass };
}

t.test('each worker has its part, and at least one', async (t) => {
  t.equal(fallback(64, 4).subject.limit, 16);
  t.equal(fallback(3, 2).subject.limit, 1);
  t.equal(fallback(1, 8).subject.limit, 1);
  t.equal(fallback(0, 8).subject.limit, Number.POSITIVE_INFINITY);
  t.equal(fallback(64, 4, { whenAllLag: 'error' }).subject.limit, 0);
});

t.test('who comes when all places are taken waits, first come, first served', async (t) => {
  const { subject, told, wait } = fallback(2, 1);
  t.ok(subject.enter());
  t.ok(subject.enter());
  t.notOk(subject.enter());
  wait('a');
  const b = wait('b');
  wait('c');
  subject.cancel(b);
  subject.leave();
  t.strictSame(told, ['a granted']);
  t.notOk(subject.enter(), 'c was there before');
  subject.leave();
  t.strictSame(told, ['a granted', 'c granted']);
  t.equal(subject.taken, 2);
  subject.leave();
  subject.leave();
  t.equal(subject.taken, 0);
  t.equal(subject.waiting, 0);
});

t.test('nobody waits longer than he may, and no more than may', async (t) => {
  const { subject, told, wait, pass } = fallback(1, 1);
  subject.enter();
  wait('a');
  wait('b');
  wait('too many');
  t.strictSame(told, []);
  pass(60);
  t.strictSame(told, ['too many refused']);
  pass(150);
  t.strictSame(told.toSorted(), ['a refused', 'b refused', 'too many refused']);
  subject.leave();
  t.equal(subject.taken, 0);
});

t.test('a limit that is raised lets those in who wait', async (t) => {
  const { subject, told, wait } = fallback(1, 1);
  subject.enter();
  wait('a');
  subject.apply({ routing: { ...settings.routing, lagFallbackMaxReads: 2 }, pool: settings.pool });
  t.strictSame(told, ['a granted']);
});

t.test('the one that is the least behind', async (t) => {
  const lags = [700, 300, -1, 300];
  const policy = new LeastLagged({ lagMs: (slot) => lags[slot]!, appliedGtid: () => 0 });
  const members = [0, 1, 2, 3].map((slot) => ({ pool: { server: { slot }, inUse: slot === 1 ? 5 : 0 } }));
  const choose = (...slots: number[]): number =>
    policy.choose(slots.map((slot) => members[slot]!) as never).pool.server.slot;
  t.equal(choose(0, 1), 1);
  t.equal(choose(0, 1, 2, 3), 3, 'of equals the one with less to do');
  t.equal(choose(2, 0), 0, 'one that is not measured comes last');
  t.equal(choose(2), 2);
});
