import t from 'tap';
import {
  CheckInterval,
  type CheckRunResult,
  CheckTimeoutError,
  MIN_GAP_MS,
} from '../../../../src/control/monitor/check-interval.ts';
import { FakeClock, settle } from './fake-clock.ts';

/** A check whose runs the test ends by hand. */
class Subject {
  readonly clock = new FakeClock();
  readonly runs: { signal: AbortSignal; resolve: (value: string) => void; reject: (error: Error) => void }[] =
    [];
  readonly results: CheckRunResult<string>[] = [];
  periodMs = 1000;
  readonly interval = new CheckInterval<string>({
    periodMs: () => this.periodMs,
    timeoutMs: 400,
    check: (signal) => new Promise((resolve, reject) => this.runs.push({ signal, resolve, reject })),
    report: (result) => this.results.push(result),
    clock: this.clock,
  });

  async end(value = 'fine'): Promise<void> {
    this.runs.at(-1)!.resolve(value);
    await settle();
  }

  /** As a check does that obeys its signal. */
  async stop(): Promise<void> {
    const stopped = this.interval.stop();
    for (const { reject } of this.runs) reject(new Error('aborted'));
    await stopped;
  }
}

/** Whether a promise has resolved by now. */
async function isDone(promise: Promise<void>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await settle();
  return done;
}

t.test('runs at once, then from start to start', async (t) => {
  const subject = new Subject();
  const first = subject.interval.start();
  t.equal(subject.runs.length, 1);
  await subject.clock.advance(300);
  t.equal(await isDone(first), false);
  await subject.end();
  t.equal(await isDone(first), true);
  t.strictSame(subject.results, [{ ok: true, value: 'fine' }]);
  await subject.clock.advance(699);
  t.equal(subject.runs.length, 1);
  await subject.clock.advance(1);
  t.equal(subject.runs.length, 2);
  await subject.end();
  await subject.stop();
  t.equal(subject.clock.pending, 0);
});

t.test('the period is asked for before each wait', async (t) => {
  const subject = new Subject();
  void subject.interval.start();
  subject.periodMs = 200;
  await subject.end();
  await subject.clock.advance(200);
  t.equal(subject.runs.length, 2);
  subject.periodMs = 5000;
  await subject.end();
  await subject.clock.advance(4999);
  t.equal(subject.runs.length, 2);
  await subject.clock.advance(1);
  t.equal(subject.runs.length, 3);
  await subject.stop();
});

t.test('an error is reported and the loop goes on', async (t) => {
  const subject = new Subject();
  void subject.interval.start();
  subject.runs[0]!.reject(new Error('refused'));
  await settle();
  t.match(subject.results, [{ ok: false, error: { message: 'refused' } }]);
  await subject.clock.advance(1000);
  t.equal(subject.runs.length, 2);
  await subject.stop();
});

t.test('a check that hangs is reported at its time-out, once, and never overlaps', async (t) => {
  const subject = new Subject();
  const first = subject.interval.start();
  await subject.clock.advance(400);
  t.equal(subject.results.length, 1);
  t.match(subject.results, [{ ok: false, error: new CheckTimeoutError(400) }]);
  t.equal(subject.runs[0]!.signal.aborted, true);
  t.equal(await isDone(first), true, 'who waits for the outcome has it');
  await subject.clock.advance(10_000);
  t.equal(subject.runs.length, 1, 'it has not ended yet');
  await subject.end('too late');
  t.equal(subject.results.length, 1);
  await subject.clock.advance(MIN_GAP_MS);
  t.equal(subject.runs.length, 2);
  await subject.stop();
});

t.test('wake() while waiting brings the next run forward, but keeps the gap', async (t) => {
  const subject = new Subject();
  void subject.interval.start();
  await subject.end();
  const woken = subject.interval.wake();
  await subject.clock.advance(MIN_GAP_MS - 1);
  t.equal(subject.runs.length, 1);
  await subject.clock.advance(1);
  t.equal(subject.runs.length, 2);
  t.equal(await isDone(woken), false);
  await subject.end();
  t.equal(await isDone(woken), true);
  await subject.stop();
});

t.test('wake() while running asks for another run, which answers everybody', async (t) => {
  const subject = new Subject();
  const first = subject.interval.start();
  const woken = Promise.all(Array.from({ length: 100 }, () => subject.interval.wake())).then(() => {});
  await subject.end();
  t.equal(await isDone(first), true);
  t.equal(await isDone(woken), false, 'what was asked before does not count');
  await subject.clock.advance(MIN_GAP_MS);
  t.equal(subject.runs.length, 2);
  await subject.end();
  t.equal(await isDone(woken), true);
  await subject.clock.advance(MIN_GAP_MS);
  t.equal(subject.runs.length, 2, 'a hundred calls, one run');
  await subject.stop();
});

t.test('stop() while running aborts the run, reports nothing, and waits for its end', async (t) => {
  const subject = new Subject();
  const first = subject.interval.start();
  const stopped = subject.interval.stop();
  t.equal(subject.runs[0]!.signal.aborted, true);
  t.equal(await isDone(first), true);
  t.equal(await isDone(stopped), false);
  subject.runs[0]!.reject(new Error('aborted'));
  t.equal(await isDone(stopped), true);
  await subject.clock.advance(10_000);
  t.strictSame(subject.results, []);
  t.equal(subject.runs.length, 1);
  t.equal(subject.clock.pending, 0);
});

t.test('stop() while waiting, twice, and before start', async (t) => {
  const subject = new Subject();
  void subject.interval.start();
  await subject.end();
  const woken = subject.interval.wake();
  await subject.interval.stop();
  await subject.interval.stop();
  t.equal(await isDone(woken), true, 'nobody waits for ever');
  t.equal(subject.clock.pending, 0);
  await subject.interval.wake();
  await subject.interval.start();
  t.equal(subject.runs.length, 1);
  const never = new Subject();
  await never.interval.stop();
  await never.interval.start();
  t.equal(never.runs.length, 0);
});
