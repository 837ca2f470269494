/** What has been written and who has it, as all threads see it. */

import { Worker } from 'node:worker_threads';
import t from 'tap';
import { gtidPosition, sequenceOf, sourceIndexOf } from '../../../src/common/gtid-position.ts';
import { ANY_WRITE_SLOT, SharedGtids, UNKNOWN_TABLES_SLOT } from '../../../src/common/shared-gtids.ts';

const source = (index: number, base: bigint) =>
  ({ index, base, end: null, address: 'p:1', prefix: '0-1-', flavor: 'mariadb' }) as const;

t.test('a position is above all those before it, over changes of the primary too', async (t) => {
  const first = source(1, 100n);
  const second = source(2, 2n ** 63n);
  const ordered = [
    gtidPosition(first, 0n),
    gtidPosition(first, 101n),
    gtidPosition(first, 2n ** 39n),
    gtidPosition(second, 1n),
    gtidPosition(second, 2n ** 63n + 1n),
    gtidPosition(source(8191, 0n), 2n ** 40n - 1n),
  ];
  t.strictSame(
    ordered,
    [...ordered].sort((a, b) => a - b),
  );
  t.ok(ordered.every(Number.isSafeInteger));
  t.equal(new Set(ordered).size, ordered.length);
  t.equal(gtidPosition(first, 7n), gtidPosition(first, 100n), 'what was before its base is its beginning');
  t.equal(sequenceOf(second, ordered[4]!), 2n ** 63n + 1n);
  t.equal(sourceIndexOf(ordered[4]!), 2);
  t.equal(sourceIndexOf(gtidPosition(first, 2n ** 60n)), 1, 'beyond its end it does not become the next one');
});

t.test('slots and servers only grow, each for itself', async (t) => {
  const gtids = new SharedGtids();
  const other = new SharedGtids(gtids.buffers);
  for (const position of [5, 3, 9, 8]) gtids.raise(17, position);
  for (const position of [2 ** 52, 1]) gtids.raise(UNKNOWN_TABLES_SLOT, position);
  t.equal(other.written(17), 9);
  t.equal(other.written(16), 0);
  t.equal(other.written(ANY_WRITE_SLOT), 0);
  t.equal(other.written(UNKNOWN_TABLES_SLOT), 2 ** 52);
  t.equal(other.applied(0), 0, 'the first server lies behind the last slot');
  other.raiseApplied(255, 7, other.incarnation(255));
  t.equal(gtids.applied(255), 7);
  t.equal(gtids.resolvedPosition, 0);
});

t.test('what a server had counts no more once it may have lost it', async (t) => {
  const gtids = new SharedGtids();
  const before = gtids.incarnation(3);
  gtids.raiseApplied(3, 10, before);
  gtids.forgetApplied(3);
  t.equal(gtids.applied(3), 0);
  gtids.raiseApplied(3, 11, before);
  t.equal(gtids.applied(3), 0, 'an answer that was asked for before');
  gtids.raiseApplied(3, 4, gtids.incarnation(3));
  t.equal(gtids.applied(3), 4);
});

t.test('what is unknown stays so until the primary was asked afterwards', async (t) => {
  const gtids = new SharedGtids();
  gtids.setUnknown(5);
  const epoch = gtids.beginResolving();
  gtids.setUnknown(6);
  gtids.resolve(epoch, 100);
  t.notOk(gtids.isUnknown(5));
  t.equal(gtids.written(5), 100);
  t.ok(gtids.isUnknown(6), 'it was written after the question');
  t.equal(gtids.written(6), 0);
  t.equal(gtids.resolvedEpoch, epoch);
  const waits = gtids.epoch;
  gtids.setUnknown(5);
  const next = gtids.beginResolving();
  t.equal(next, waits);
  gtids.resolve(next, 90);
  t.notOk(gtids.isUnknown(6));
  t.equal(gtids.written(6), 90);
  t.equal(gtids.written(5), 100);
  t.equal(gtids.resolvedPosition, 100);
  t.equal(gtids.written(7), 0, 'nothing else is raised');
});

t.test('a later mark is not taken back by an earlier one', async (t) => {
  const gtids = new SharedGtids();
  const epoch = gtids.beginResolving();
  gtids.setUnknown(5);
  gtids.resolve(epoch, 1);
  t.ok(gtids.isUnknown(5));
});

t.test('threads that raise the same slot leave the highest', async (t) => {
  const gtids = new SharedGtids();
  const threads = [1, 2].map(
    (thread) =>
      new Promise((resolve, reject) => {
        const script = new URL('./shared-gtids-racer.ts', import.meta.url);
        const worker = new Worker(script, { workerData: { thread, buffers: gtids.buffers } });
        worker.on('exit', resolve);
        worker.on('error', reject);
      }),
  );
  await Promise.all(threads);
  t.equal(gtids.written(1), 2 * 100_000 + 2);
  t.ok(gtids.isUnknown(2));
});
