import t from 'tap';
import { TimerWheel } from '../../../../src/common/timer-wheel.ts';
import type { PoolRequest } from '../../../../src/data/backend/pool-request.ts';
import { WaitQueue } from '../../../../src/data/backend/wait-queue.ts';

/** The queue never looks into them. */
function request(name: string): PoolRequest {
  return { name } as unknown as PoolRequest;
}

function rig() {
  const state = { now: 0, expired: [] as PoolRequest[] };
  const wheel = new TimerWheel(() => state.now, 10, 16);
  const queue = new WaitQueue(wheel, (late) => state.expired.push(late));
  const pass = (ms: number): void => {
    for (let step = 0; step < ms; step += 10) {
      state.now += 10;
      wheel.advance();
    }
  };
  return { queue, state, pass };
}

const [a, b, c] = ['a', 'b', 'c'].map(request) as [PoolRequest, PoolRequest, PoolRequest];

t.test('first come, first served, as far as they are accepted', async (t) => {
  const { queue } = rig();
  for (const one of [a, b, c]) queue.push(one, 100);
  t.equal(queue.length, 3);
  t.same([...queue.values()], [a, b, c]);
  t.equal(
    queue.shift((one) => one !== a),
    b,
  );
  t.equal(
    queue.shift(() => false),
    null,
  );
  t.equal(
    queue.shift(() => true),
    a,
  );
  t.equal(
    queue.shift(() => true),
    c,
  );
  t.equal(
    queue.shift(() => true),
    null,
  );
});

t.test('each has its own deadline; who has left has none', async (t) => {
  const { queue, state, pass } = rig();
  queue.push(a, 50);
  pass(30);
  queue.push(b, 50);
  queue.push(c, 50);
  t.ok(queue.remove(c));
  t.notOk(queue.remove(c));
  pass(30);
  t.same(state.expired, [a]);
  t.same([...queue.values()], [b]);
  t.equal(
    queue.shift(() => true),
    b,
  );
  pass(200);
  t.same(state.expired, [a]);
});

t.test('everybody leaves', async (t) => {
  const { queue, state, pass } = rig();
  for (const one of [a, b, c]) queue.push(one, 50);
  t.same(queue.drain(), [a, b, c]);
  t.equal(queue.length, 0);
  pass(200);
  t.same(state.expired, []);
});
