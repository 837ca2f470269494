import t from 'tap';
import { type InspectAnswer, type Inspection, NO_RECORDS } from '../../../src/common/inspection.ts';
import type { ToWorker } from '../../../src/common/thread-messages.ts';
import { WorkerInquiries } from '../../../src/control/worker-inquiries.ts';
import { errorRecord, routeRecord, sessionRecord } from './admin/made-records.ts';

const WANTED = { subject: 'sessions', connectionId: null, limit: 10 } as const;
const LONG_MS = 60_000;
const NOTHING = { ...NO_RECORDS, missing: [] };

class Rig {
  readonly sent: [number, ToWorker][] = [];
  readonly inquiries: WorkerInquiries;

  constructor(timeoutMs: number) {
    this.inquiries = new WorkerInquiries(timeoutMs);
  }

  ask(workers: readonly number[], wanted: Inspection = WANTED) {
    return this.inquiries.ask(wanted, workers, (worker, message) => this.sent.push([worker, message]));
  }

  answer(worker: number, requestId: number, isLast: boolean, more: Partial<InspectAnswer> = {}): void {
    const base = { type: 'inspected', requestId, ...NO_RECORDS, isLast } as const;
    this.inquiries.received(worker, { ...base, ...more });
  }
}

t.test('parts of all workers make one answer', async (t) => {
  const rig = new Rig(LONG_MS);
  const asked = rig.ask([0, 2]);
  t.strictSame(rig.sent, [
    [0, { type: 'inspect', requestId: 1, ...WANTED }],
    [2, { type: 'inspect', requestId: 1, ...WANTED }],
  ]);
  rig.answer(0, 1, false, { sessions: [sessionRecord()] });
  rig.answer(2, 1, true, { routes: [routeRecord({ worker: 2 })] });
  rig.answer(2, 1, true, { sessions: [sessionRecord({ worker: 2 })] });
  rig.answer(0, 1, true, { sessions: [sessionRecord({ connectionId: 9 })] });
  const { sessions, routes, missing } = await asked;
  t.strictSame(
    sessions.map(({ connectionId }) => connectionId),
    [sessionRecord().connectionId, 9],
    'what comes behind the last part is nobody’s',
  );
  t.equal(routes.length, 1);
  t.strictSame(missing, []);
});

t.test('a worker that ends, or is late, is missing', async (t) => {
  const rig = new Rig(20);
  const first = rig.ask([0, 1, 2]);
  rig.answer(0, 1, true, { sessions: [sessionRecord()] });
  rig.inquiries.workerEnded(1);
  rig.answer(2, 1, false, { sessions: [sessionRecord({ worker: 2 })] });
  const late = await first;
  t.strictSame(
    [late.missing, late.sessions.length, late.asked],
    [[1, 2], 2, 3],
    'with what it has said so far',
  );
  const second = rig.ask([0]);
  rig.answer(0, 1, true, { sessions: [sessionRecord()] });
  rig.inquiries.workerEnded(0);
  t.strictSame(await second, { ...NOTHING, missing: [0], asked: 1 }, 'not the first one’s answer');
});

t.test('what a late worker has forgotten by telling it is in the next answer, once', async (t) => {
  const rig = new Rig(20);
  const wanted = { subject: 'errors', connectionId: null, limit: 10, reset: true } as const;
  const countsOf = async (asked: ReturnType<Rig['ask']>) => (await asked).errors.map(({ count }) => count);
  const told = (count: number) => ({ errors: [errorRecord({ count })] });
  const first = rig.ask([0, 1], wanted);
  rig.answer(0, 1, true, told(1));
  rig.answer(1, 1, false, told(2));
  t.strictSame(await countsOf(first), [1, 2]);
  rig.answer(1, 1, false, told(3));
  const other = rig.ask([0], { ...wanted, reset: false });
  rig.answer(0, 2, true);
  t.strictSame(await countsOf(other), [], 'who resets nothing is told nothing of it');
  rig.answer(1, 1, true, told(4));
  rig.answer(1, 1, true, told(5));
  for (const [requestId, expected] of [
    [3, [3, 4]],
    [4, []],
  ] as const) {
    const next = rig.ask([0], wanted);
    rig.answer(0, requestId, true);
    t.strictSame(await countsOf(next), expected, 'what comes behind the last part is nobody’s');
  }
  const lost = rig.ask([0], wanted);
  await lost;
  rig.inquiries.workerEnded(0);
  rig.answer(0, 5, true, told(6));
  const last = rig.ask([1], wanted);
  rig.answer(1, 6, true);
  t.strictSame(await countsOf(last), [], 'its successor has not been asked');
});

t.test('nobody to ask', async (t) => {
  t.strictSame(await new Rig(LONG_MS).ask([]), { ...NOTHING, asked: 0 });
});
