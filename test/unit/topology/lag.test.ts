/** [B1] One bad sample shuns no replica, and a check that hangs brings none back. */

import t from 'tap';
import {
  judgeLag,
  type LagReport,
  LagSource,
  type LagState,
  stepLag,
  UNMEASURED_LAG,
} from '../../../src/topology/lag.ts';
import { coarseLagOf } from '../../../src/topology/replication-state.ts';
import { at, channel, good, server, TopologyUnderTest } from './topology-builder.ts';

const THRESHOLDS = { leaveAfter: 2, returnAfter: 3, silenceMs: 1500 };
const LIMITS = [100, 1000];

/** Samples of a heartbeat each 250 ms: milliseconds of lag, `fail`, or null for an answer without one. */
function after(
  samples: readonly (number | 'fail' | null)[],
  state: LagState = UNMEASURED_LAG,
  limits: readonly number[] = LIMITS,
): LagState {
  let atMs = (state.knownAtMs ?? 0) + 250;
  let next = state;
  for (const sample of samples) {
    const report: LagReport =
      sample === 'fail'
        ? { ok: false, atMs }
        : { ok: true, atMs, lagMs: sample, source: LagSource.heartbeat };
    next = stepLag(next, report, limits, THRESHOLDS);
    atMs += 250;
  }
  return next;
}

const TABLE: readonly (readonly [string, readonly (number | 'fail' | null)[], readonly number[] | null])[] = [
  ['nothing was measured', [], null],
  ['only failures', ['fail', 'fail', 'fail'], null],
  ['the server knows of no lag', [null, null], null],
  ['the first sample decides at once, good', [10], []],
  ['the first sample decides at once, bad', [500], [100]],
  ['on the limit is not over it', [100, 1000, 1000], [100]],
  ['one bad sample', [10, 5000], []],
  ['two bad ones in a row', [10, 5000, 5000], [100, 1000]],
  ['two bad ones that are not in a row', [10, 5000, 10, 5000], []],
  ['a failure between two bad ones is neither', [10, 5000, 'fail', 5000], [100, 1000]],
  ['bad for one limit only', [10, 400, 400], [100]],
  ['two good ones bring nobody back', [10, 500, 500, 10, 10], [100]],
  ['three good ones do', [10, 500, 500, 10, 10, 10], []],
  ['a bad one between them starts anew', [10, 500, 500, 10, 10, 500, 10, 10], [100]],
  ['failures heal nobody', [10, 500, 500, 'fail', 'fail', 'fail', 'fail'], [100]],
  ['a failure between good ones is neither', [500, 10, 10, 'fail', 10], []],
  ['an answer without a lag heals nobody', [500, null, null, null, null], [100]],
  ['silence up to the limit', [10, 'fail', 'fail', 'fail', 'fail', 'fail', 'fail'], []],
  [
    'silence for longer than the limits',
    [10, ...Array.from({ length: 7 }, () => 'fail' as const)],
    [100, 1000],
  ],
  ['answers without a lag are silence too', [10, ...Array.from({ length: 7 }, () => null)], [100, 1000]],
];

for (const [name, samples, over] of TABLE) {
  t.test(name, async (t) => t.strictSame(after(samples).over, over));
}

t.test('a limit longer than the silence counts by itself', async (t) => {
  const silence = Array.from({ length: 40 }, () => 'fail' as const);
  t.strictSame(after([10, ...silence.slice(0, 20)], UNMEASURED_LAG, [5000, 9000]).over, []);
  t.strictSame(after([10, ...silence.slice(0, 21)], UNMEASURED_LAG, [5000, 9000]).over, [5000]);
  t.strictSame(after([10, ...silence], UNMEASURED_LAG, [5000, 9000]).over, [5000, 9000]);
});

t.test('the list is the same object while it says the same', async (t) => {
  const one = after([500]);
  t.equal(after([500, 600], one).over, one.over);
  t.not(after([500, 600, 5000, 5000], one).over, one.over);
});

t.test('other limits are judged by what is known, known ones keep their verdict', async (t) => {
  const state = after([10, 500, 500]);
  t.strictSame(judgeLag(state, [50, 100, 700]).over, [50, 100]);
  t.strictSame(judgeLag(state, []).over, []);
  t.strictSame(judgeLag(UNMEASURED_LAG, LIMITS).over, null);
  const leaving = after([10, 5000]);
  t.strictSame(after([5000], judgeLag(leaving, LIMITS)).over, [100, 1000], 'the count goes on');
});

t.test('of several channels the worst counts, and one that does not know', async (t) => {
  t.equal(coarseLagOf([channel('p', { lagMs: 1000 }), channel('q', { lagMs: 5000 })]), 5000);
  t.equal(coarseLagOf([channel('p', { lagMs: 1000 }), channel('q', { lagMs: null })]), null);
  t.equal(coarseLagOf([]), null);
});

function lag(name: string, lagMs: number | null, atMs: number) {
  const report: LagReport = { ok: true, atMs, lagMs, source: LagSource.heartbeat };
  return { kind: 'lag', address: at(name), report } as const;
}

t.test('in a topology: shown of replicas, and told when it crosses a limit', async (t) => {
  const limited = { lagLimitsMs: [200] };
  const topology = new TopologyUnderTest(server('p', limited), server('r', limited)).apply(
    good('p'),
    good('r', { readOnly: true, sources: [channel('p')] }),
    lag('p', 0, 1),
  );
  t.match(topology.value.find(at('p')), { lagMs: null, lagSource: null, laggingOver: null });
  t.match(topology.value.find(at('r')), { lagMs: null, laggingOver: null });
  topology.apply(lag('r', 12.5, 1));
  t.match(topology.value.find(at('r')), { lagMs: 12.5, lagSource: 'heartbeat', laggingOver: [] });
  t.strictSame(topology.kinds(), []);
  const before = topology.value.find(at('r'))?.laggingOver;
  topology.apply(lag('r', 700, 2));
  t.equal(topology.value.find(at('r'))?.laggingOver, before);
  topology.apply(lag('r', 800, 3));
  t.strictSame(topology.events, [
    { kind: 'lag-changed', address: at('r'), lagging: true, limitMs: 200, lagMs: 800 },
  ]);
  t.equal(topology.status('r'), 'ONLINE', 'it keeps its connections');
  topology.apply(lag('r', 1, 4), lag('r', 2, 5), lag('r', 3, 6));
  t.strictSame(topology.events, [
    { kind: 'lag-changed', address: at('r'), lagging: false, limitMs: 200, lagMs: 3 },
  ]);
});
