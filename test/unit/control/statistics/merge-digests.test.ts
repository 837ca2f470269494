import fc from 'fast-check';
import t from 'tap';
import type { DigestRecord } from '../../../../src/common/inspection.ts';
import { DIGEST_SCALE } from '../../../../src/common/log-linear-scale.ts';
import { mergeDigests, mergeErrors } from '../../../../src/control/statistics/merge-digests.ts';
import { routeSlot } from '../../../../src/sql/route-reason.ts';
import { errorRecord } from '../admin/made-records.ts';

const SEED = 20_261_121;

function record(more: Partial<DigestRecord> = {}): DigestRecord {
  return {
    worker: 0,
    hostgroup: 1,
    schema: 'shop',
    username: 'app',
    clientAddress: '',
    digest: '0x1',
    digestText: 'SELECT ?',
    count: 2,
    countError: 0,
    firstSeen: 100,
    lastSeen: 200,
    sumMicros: 300,
    minMicros: 100,
    maxMicros: 200,
    waitMicros: 1,
    rowsAffected: 2,
    rowsSent: 3,
    bytes: 4,
    errors: 1,
    routeSlot: routeSlot('replica', 'proven-read'),
    histogram: [DIGEST_SCALE.stepOf(100), 1, DIGEST_SCALE.stepOf(200), 1],
    ...more,
  };
}

t.test('what two workers have counted of a digest is one row', async (t) => {
  const later = record({
    worker: 1,
    firstSeen: 50,
    lastSeen: 300,
    minMicros: 90,
    maxMicros: 9000,
    routeSlot: routeSlot('primary', 'no-replica'),
    histogram: [DIGEST_SCALE.stepOf(9000), 2],
  });
  const [row, ...others] = await mergeDigests([record(), later], new Map());
  t.equal(others.length, 0);
  t.match(row, {
    count: 4,
    firstSeen: 50,
    lastSeen: 300,
    sumMicros: 600,
    minMicros: 90,
    maxMicros: 9000,
    waitMicros: 2,
    rowsAffected: 4,
    rowsSent: 6,
    bytes: 8,
    errors: 2,
    target: 'primary',
    reason: 'no-replica',
    p99Micros: 9000,
  });
});

t.test('what differs in anything that names it stays apart', async (t) => {
  const others = [
    { hostgroup: 0 },
    { schema: 'other' },
    { username: 'report' },
    { clientAddress: '10.0.0.1' },
    { digest: '0x2' },
  ];
  t.equal((await mergeDigests([record(), ...others.map(record)], new Map())).length, 6);
});

t.test('a worker that does not know a digest may have forgotten it', async (t) => {
  const floors = new Map([
    [0, 5],
    [1, 7],
    [2, 0],
  ]);
  const [row] = await mergeDigests([record({ countError: 2 })], floors);
  t.equal(row!.countError, 9, 'its own error, and the floors of the others');
});

t.test('percentiles of the parts together are those of all values', async () => {
  const values = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(fc.array(values, { minLength: 1, maxLength: 4 }), async (parts) => {
      const records = parts.map((part, worker) =>
        record({
          worker,
          minMicros: Math.min(...part),
          maxMicros: Math.max(...part),
          histogram: part.flatMap((value) => [DIGEST_SCALE.stepOf(value), 1]),
        }),
      );
      const [row] = await mergeDigests(records, new Map());
      const all = parts.flat().sort((a, b) => a - b);
      const exact = (share: number): number => all[Math.ceil(share * all.length) - 1]!;
      const isNear = (told: number, share: number): boolean =>
        Math.abs(told - exact(share)) <= Math.max(1, exact(share) / 8);
      return isNear(row!.p50Micros, 0.5) && isNear(row!.p95Micros, 0.95) && isNear(row!.p99Micros, 0.99);
    }),
    { seed: SEED, numRuns: 300 },
  );
});

t.test('errors of two workers', async (t) => {
  const [row, other] = mergeErrors([
    errorRecord({ count: 3, firstSeen: 100, lastSeen: 200, message: 'old' }),
    errorRecord({ count: 4, firstSeen: 90, lastSeen: 300, message: 'new' }),
    errorRecord({ errno: 1062 }),
  ]);
  t.match(row, { count: 7, firstSeen: 90, lastSeen: 300, message: 'new' });
  t.equal(other!.errno, 1062);
});
