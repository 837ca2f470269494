/** Who counts as having come back cold: by the verdicts that a server has had in its hostgroup, and when. */

import t from 'tap';
import { SlowStart } from '../../../src/control/slow-start.ts';
import type { Hostgroup, MemberVerdict } from '../../../src/topology/hostgroup-membership.ts';

function hostgroup(verdicts: Readonly<Record<string, MemberVerdict>>): Hostgroup {
  const members = Object.entries(verdicts).map(([address, verdict]) => ({
    address,
    weight: 1,
    status: 'ONLINE' as const,
    verdict,
    zone: '',
  }));
  return { id: 1, kind: 'reader', pair: null, members };
}

const SLOW_MS = 1000;

/** Since when b warms up, after each step. */
function course(steps: readonly (readonly [number, Readonly<Record<string, MemberVerdict>>])[]) {
  const slowStart = new SlowStart();
  return steps.map(([now, verdicts]) => {
    const members = slowStart.update(hostgroup(verdicts), SLOW_MS, now);
    return members.find(({ address }) => address === 'b')?.warming?.sinceMs ?? null;
  });
}

t.test('at the start all are equally cold', async (t) => {
  const steps = [
    [0, { a: 'shunned', b: 'shunned' }],
    [10, { a: 'fit', b: 'shunned' }],
    [30, { a: 'fit', b: 'fit' }],
    [5000, { a: 'fit', b: 'fit' }],
  ] as const;
  t.strictSame(course(steps), [null, null, null, null]);
});

t.test('a server that was down comes back cold, once for each time', async (t) => {
  const both = { a: 'fit', b: 'fit' } as const;
  const down = { a: 'fit', b: 'shunned' } as const;
  t.strictSame(
    course([
      [0, both],
      [2000, down],
      [3000, both],
      [3500, both],
      [9000, both],
      [9100, down],
      [9200, { a: 'fit', b: 'not-replicating' }],
      [9300, both],
    ]),
    [null, null, 3000, 3000, 3000, null, null, 9300],
  );
});

t.test('one that was left out while it went on replicating is as warm as before', async (t) => {
  for (const verdict of ['lagging', 'lag-unknown', 'too-slow', 'no-weight'] as const)
    t.strictSame(
      course([
        [0, { a: 'fit', b: 'fit' }],
        [2000, { a: 'fit', b: verdict }],
        [2500, { a: 'fit', b: 'fit' }],
      ]),
      [null, null, null],
      verdict,
    );
  t.strictSame(
    course([
      [0, { a: 'fit', b: 'shunned' }],
      [2000, { a: 'fit', b: 'fit' }],
      [2100, { a: 'fit', b: 'lagging' }],
      [2500, { a: 'fit', b: 'fit' }],
    ]),
    [null, 2000, null, 2000],
    'it goes on warming up where it was',
  );
});

t.test('a new server is cold; when all have been away they are equally cold', async (t) => {
  t.strictSame(
    course([
      [0, { a: 'fit' }],
      [2000, { a: 'fit', b: 'fit' }],
    ]),
    [null, 2000],
  );
  t.strictSame(
    course([
      [0, { a: 'fit', b: 'fit' }],
      [2000, { a: 'shunned', b: 'shunned' }],
      [3000, { a: 'fit', b: 'shunned' }],
      [3100, { a: 'fit', b: 'fit' }],
    ]),
    [null, null, null, null],
  );
});
