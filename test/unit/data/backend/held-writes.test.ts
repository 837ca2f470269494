import t from 'tap';
import type { SnapshotWrites } from '../../../../src/common/snapshot.ts';
import { HeldWrites } from '../../../../src/data/backend/held-writes.ts';

function held(forMs: number): SnapshotWrites {
  return { term: 1, state: 'held', hold: 1, holdUntil: Date.now() + forMs, fenced: null };
}

const OPEN: SnapshotWrites = { term: 1, state: 'open', hold: 1, holdUntil: 0, fenced: null };

t.test('who waits goes on when it is released, first come first served', async (t) => {
  const writes = new HeldWrites();
  const woken: string[] = [];
  writes.apply(held(60_000));
  t.ok(writes.isHeld);
  const [a, b, c] = [{}, {}, {}];
  writes.wait(a, () => {
    woken.push('a');
    writes.cancel(c);
  });
  writes.wait(b, () => woken.push('b'));
  writes.wait(c, () => woken.push('c'));
  writes.apply(held(60_000));
  t.same(woken, [], 'another snapshot of the same hold wakes nobody');
  writes.apply(OPEN);
  t.same(woken, ['a', 'b'], 'but not who was cancelled meanwhile');
  t.notOk(writes.isHeld);
  t.equal(writes.waiting, 0);
});

t.test('a hold that nobody ends, ends', async (t) => {
  const writes = new HeldWrites();
  writes.apply(held(5));
  await new Promise<void>((resolve) => writes.wait({}, resolve));
  t.notOk(writes.isHeld);
  writes.apply(held(0));
  t.notOk(writes.isHeld, 'one that is over already is none');
});
