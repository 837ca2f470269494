import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import type { SnapshotWrites } from '../../../../src/common/snapshot.ts';
import type { DrainingSession } from '../../../../src/common/thread-messages.ts';
import { type GateHost, WriteGate } from '../../../../src/control/failover/write-gate.ts';

const LONG = { drainMs: 60_000, holdMs: 60_000 };
const SOON = { drainMs: 20, holdMs: 60_000 };

/** Two workers, whose part the test plays. */
class Host implements GateHost {
  readonly gate: WriteGate;
  readonly published: SnapshotWrites[] = [];
  readonly asked: number[] = [];
  workers = [0, 1];
  /** Called when workers are asked who is left. */
  onAsked: () => void = () => undefined;

  constructor() {
    this.gate = new WriteGate(this);
  }

  publish(): void {
    this.published.push(this.gate.snapshot('a:1'));
  }

  async publishedTo(): Promise<boolean> {
    this.publish();
    return true;
  }

  running(): readonly number[] {
    return this.workers;
  }

  tellAll({ hold }: { hold: number }): void {
    this.asked.push(hold);
    this.onAsked();
  }

  report(worker: number, left: number, hold = 1): void {
    const sessions = Array.from({ length: left }, (_, index) => session(worker, index));
    this.gate.received(worker, { type: 'draining', hold, left, sessions });
  }
}

function session(worker: number, connectionId: number): DrainingSession {
  const rest = { user: 'app', client: '', reasons: ['transaction'], sinceMs: null, serverThreadId: 7 };
  return { worker, connectionId, ...rest };
}

t.test('a hold is over when every worker has said that nothing is left', async (t) => {
  const host = new Host();
  let result: unknown = null;
  const held = host.gate.hold(LONG).then((found) => {
    result = found;
  });
  t.match(host.published, [{ state: 'held', hold: 1, term: 1 }]);
  t.ok((host.published[0]?.holdUntil ?? 0) > Date.now() + 50_000);
  host.report(0, 0);
  host.report(1, 3);
  await setImmediate();
  t.equal(result, null, 'worker 1 has three');
  host.report(1, 0, 7);
  await setImmediate();
  t.equal(result, null, 'what is said of another hold does not count');
  host.report(1, 0);
  await held;
  t.match(result, { drained: true });
  t.ok(host.gate.isHeld, 'and goes on until it is released');
  host.gate.release();
  t.notOk(host.gate.isHeld);
  t.match(host.published.at(-1), { state: 'open', hold: 1, holdUntil: 0 });
});

t.test('at the deadline it says who is in the way, and who has said nothing', async (t) => {
  const host = new Host();
  host.onAsked = () => host.report(0, 2);
  const asked = host.gate.hold(SOON);
  host.report(0, 0, 0);
  host.workers = [0, 1, 2];
  host.report(2, 0);
  const result = await asked;
  t.match(result, { drained: false, left: 2, silent: [1] });
  t.same(
    (result.drained ? [] : result.sessions).map(({ connectionId }) => connectionId),
    [0, 1],
  );
  t.same(host.asked, [1]);
  t.ok(host.gate.isHeld);
});

t.test('held twice', async (t) => {
  const host = new Host();
  host.workers = [];
  t.match(await host.gate.hold(LONG), { drained: true }, 'without workers there is nothing to wait for');
  await t.rejects(host.gate.hold(LONG), /held already/);
  host.gate.release();
  host.gate.release();
  t.equal(host.published.length, 2, 'the second release changes nothing');
  t.match(await host.gate.hold(LONG), { drained: true });
  t.equal(host.published.at(-1)?.hold, 2);
});

t.test('a release ends the wait', async (t) => {
  const host = new Host();
  const held = host.gate.hold(LONG);
  host.gate.release();
  t.match(await held, { drained: false });
});

t.test('a hold ends by itself', async (t) => {
  const host = new Host();
  t.match(await host.gate.hold({ drainMs: 60_000, holdMs: 10 }), { drained: false });
  t.notOk(host.gate.isHeld);
  host.gate.extend(60_000);
  t.notOk(host.gate.isHeld, 'and is over then');
});

t.test('terms', async (t) => {
  const { gate } = new Host();
  t.equal(gate.snapshot(null).term, 0);
  t.equal(gate.snapshot('a:1').term, 1);
  t.equal(gate.snapshot(null).term, 1, 'without a primary the last one counts');
  t.equal(gate.snapshot('a:1').term, 1);
  t.equal(gate.snapshot('b:1').term, 2);
  t.equal(gate.snapshot('a:1').term, 3);
  gate.raiseTerm(10);
  t.equal(gate.snapshot('b:1').term, 10);
  gate.raiseTerm(4);
  t.equal(gate.snapshot('a:1').term, 11);
});

t.test('a fence begins a term without a primary', async (t) => {
  const { gate } = new Host();
  gate.snapshot('a:1');
  t.ok(await gate.fence('a:1', { timeoutMs: 1000, holdMs: 60_000 }));
  t.match(gate.snapshot('a:1'), { term: 2, fenced: 'a:1', state: 'held' }, 'whatever it says of itself');
  t.match(gate.snapshot('b:1'), { term: 2 }, 'the heir has the term that the fence has begun');
  t.match(gate.snapshot('a:1'), { term: 2 }, 'and the old one is none');
  await gate.fence('a:1', { timeoutMs: 1000, holdMs: 60_000 });
  gate.release();
  t.match(gate.snapshot('b:1'), { term: 2, state: 'open' }, 'fenced twice is one term');
  gate.unfence('c:1');
  t.equal(gate.fenced, 'a:1');
  gate.unfence('a:1');
  t.match(gate.snapshot('a:1'), { term: 3, fenced: null });
});
