import t from 'tap';
import { SharedCounters, WorkerCounter } from '../../../../src/common/shared-counters.ts';
import { SessionPins } from '../../../../src/data/frontend/session-pins.ts';
import { pinSlot, pinsOf } from '../../../../src/sql/route-reason.ts';
import { PinReason } from '../../../../src/sql/statement-class.ts';

t.test('pins are counted by reason, and sessions once', async (t) => {
  const counters = new SharedCounters().worker(1);
  const count = (reason: PinReason): number[] => Object.values(counters.getPins(pinSlot(reason)));
  const sessions = (): number => counters.get(WorkerCounter.pinnedSessions);
  const [one, other] = [new SessionPins(counters), new SessionPins(counters)];
  const earliest = Date.now();
  one.start(PinReason.cursor);
  one.start(PinReason.cursor);
  one.start(PinReason.xa);
  other.start(PinReason.cursor);
  t.strictSame([count(PinReason.cursor), count(PinReason.xa), sessions()], [[2, 2], [1, 1], 2]);
  t.strictSame(pinsOf(one.bits).toSorted(), ['cursor', 'xa']);
  const since = one.since.get(PinReason.cursor) ?? 0;
  t.ok(since >= earliest && since <= Date.now());
  one.end(PinReason.cursor);
  one.end(PinReason.cursor);
  t.strictSame([count(PinReason.cursor), sessions(), pinsOf(one.bits)], [[1, 2], 2, ['xa']]);
  one.endAll();
  one.endAll();
  t.strictSame([count(PinReason.xa), sessions(), one.bits, one.since.size], [[0, 1], 1, 0, 0]);
  counters.clearPins();
  t.strictSame(count(PinReason.cursor), [0, 2], 'a worker that has gone has no pins, but had some');
});
