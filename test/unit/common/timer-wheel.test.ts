import fc from 'fast-check';
import t from 'tap';
import { TimerWheel, WheelTimer } from '../../../src/common/timer-wheel.ts';

const TICK = 50;
const SLOTS = 8;

class Rig {
  now = 1_000_003;
  readonly wheel = new TimerWheel(() => this.now, TICK, SLOTS);
  readonly fired: string[] = [];

  timer(name: string, more: () => void = () => undefined): WheelTimer {
    return new WheelTimer(() => {
      this.fired.push(`${name}@${this.now}`);
      more();
    });
  }

  /** Time passes as the interval sees it. */
  pass(ms: number, stepMs = TICK): void {
    const until = this.now + ms;
    while (this.now < until) {
      this.now = Math.min(until, this.now + stepMs);
      this.wheel.advance();
    }
  }

  get names(): string[] {
    return this.fired.map((entry) => entry.split('@')[0]!);
  }
}

t.test('fires not before its deadline, and within a tick after it', async (t) => {
  for (const delay of [0.5, 1, 49, 50, 51, 99, 100, 399, 400, 401, 1000, 4001]) {
    const rig = new Rig();
    const start = rig.now;
    rig.wheel.arm(rig.timer('a'), delay);
    rig.pass(delay + 2 * TICK, 1);
    t.equal(rig.fired.length, 1, `${delay} ms: once`);
    const late = Number(rig.fired[0]!.split('@')[1]) - start - delay;
    t.ok(late >= 0 && late <= TICK, `${delay} ms: ${late} ms late`);
  }
});

t.test('0 or less is no time-out', async (t) => {
  const rig = new Rig();
  const timer = rig.timer('a');
  rig.wheel.arm(timer, 0);
  rig.wheel.arm(timer, -5);
  rig.pass(2000);
  t.same(rig.fired, []);
  t.equal(timer.deadline, 0);
});

t.test('arming again moves the deadline, to later and to sooner', async (t) => {
  const rig = new Rig();
  const timer = rig.timer('a');
  rig.wheel.arm(timer, 100);
  rig.pass(60);
  rig.wheel.arm(timer, 100);
  rig.pass(60);
  t.same(rig.fired, []);
  rig.pass(100);
  t.equal(rig.fired.length, 1);
  rig.wheel.arm(timer, 1000);
  rig.wheel.arm(timer, 10);
  rig.pass(100);
  t.equal(rig.fired.length, 2);
  rig.pass(2000);
  t.equal(rig.fired.length, 2);
});

t.test(
  'cancelling: the first, the middle and the last of a slot, twice, and one that was never armed',
  async (t) => {
    for (const victim of ['a', 'b', 'c']) {
      const rig = new Rig();
      const timers = new Map(['a', 'b', 'c'].map((name) => [name, rig.timer(name)]));
      for (const timer of timers.values()) rig.wheel.arm(timer, 30);
      rig.wheel.cancel(timers.get(victim)!);
      rig.wheel.cancel(timers.get(victim)!);
      rig.wheel.cancel(rig.timer('never'));
      rig.pass(100);
      t.same(
        rig.names.sort(),
        ['a', 'b', 'c'].filter((name) => name !== victim),
      );
    }
  },
);

t.test('a callback may cancel, and may arm itself and others', async (t) => {
  const rig = new Rig();
  const doomed = rig.timer('doomed');
  const moved = rig.timer('moved');
  const again = rig.timer('again', () => {
    if (rig.fired.length < 3) rig.wheel.arm(again, 60);
  });
  const killer = rig.timer('killer', () => {
    rig.wheel.cancel(doomed);
    rig.wheel.arm(moved, 500);
    rig.wheel.arm(again, 20);
  });
  // In one slot the last one armed comes first.
  rig.wheel.arm(doomed, 30);
  rig.wheel.arm(moved, 30);
  rig.wheel.arm(killer, 30);
  rig.pass(200);
  t.same(rig.names, ['killer', 'again', 'again']);
  rig.pass(400);
  t.same(rig.names, ['killer', 'again', 'again', 'moved']);
});

t.test('a timer that arms itself for less than a tick does not hold up the rest', async (t) => {
  const rig = new Rig();
  const restless = rig.timer('restless', () => rig.wheel.arm(restless, 0.1));
  rig.wheel.arm(restless, 0.1);
  rig.pass(10 * TICK);
  t.ok(rig.fired.length >= 9 && rig.fired.length <= 11, `${rig.fired.length} times in 10 ticks`);
});

t.test('a thread that was held up for long fires everything once', async (t) => {
  const rig = new Rig();
  for (const delay of [10, 90, 390, 410, 3000, 6000]) rig.wheel.arm(rig.timer(String(delay)), delay);
  rig.now += 5000;
  rig.wheel.advance();
  t.same(rig.names.sort(), ['10', '3000', '390', '410', '90']);
  rig.pass(1100);
  t.same(rig.names.at(-1), '6000');
});

t.test('the interval of start() drives it', async (t) => {
  const wheel = new TimerWheel(() => performance.now(), 5, SLOTS);
  const begin = performance.now();
  await new Promise<void>((resolve) => {
    // The wheel's own interval does not keep a process alive.
    const alive = setInterval(() => undefined, 1000);
    const timer = new WheelTimer(() => {
      clearInterval(alive);
      resolve();
    });
    wheel.start();
    wheel.start();
    wheel.arm(timer, 12);
  });
  t.ok(performance.now() - begin >= 12);
  wheel.stop();
  wheel.stop();
});

t.test('any armings and cancellings: as a list of deadlines would have it', async () => {
  const action = fc.oneof(
    fc.record({
      kind: fc.constant('arm'),
      timer: fc.nat({ max: 5 }),
      delay: fc.integer({ min: 1, max: 1500 }),
    }),
    fc.record({ kind: fc.constant('cancel'), timer: fc.nat({ max: 5 }), delay: fc.constant(0) }),
    fc.record({ kind: fc.constant('pass'), timer: fc.constant(0), delay: fc.integer({ min: 1, max: 300 }) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const rig = new Rig();
      const timers = Array.from({ length: 6 }, (_, index) => rig.timer(String(index)));
      const deadlines = new Map<number, number>();
      for (const { kind, timer, delay } of actions) {
        if (kind === 'arm') {
          rig.wheel.arm(timers[timer]!, delay);
          deadlines.set(timer, rig.now + delay);
        } else if (kind === 'cancel') {
          rig.wheel.cancel(timers[timer]!);
          deadlines.delete(timer);
        } else {
          rig.fired.length = 0;
          const from = rig.now;
          rig.pass(delay);
          for (const entry of rig.fired) {
            const [name, at] = entry.split('@').map(Number) as [number, number];
            const deadline = deadlines.get(name);
            if (deadline === undefined || at < deadline) throw new Error(`${name} too early at ${at}`);
            deadlines.delete(name);
          }
          for (const deadline of deadlines.values())
            if (deadline <= Math.floor(rig.now / TICK) * TICK) throw new Error(`late since ${from}`);
        }
      }
    }),
    { numRuns: 300 },
  );
});
