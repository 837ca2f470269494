/** Which proofs hold, word by word. */

import t from 'tap';
import { EVERYTHING, FollowState, TableEpochs } from '../../../../src/common/table-epochs.ts';
import { Freshness } from '../../../../src/data/cache/freshness.ts';

const TERM = 4;
const MAX_LAG_MS = 500;

function make() {
  let now = 10_000;
  const epochs = new TableEpochs(1);
  epochs.beginTerm(TERM);
  const freshness = new Freshness(epochs, () => now);
  freshness.apply({ term: TERM, maxLagMs: MAX_LAG_MS });
  return { epochs, freshness, passes: (ms: number) => (now += ms) };
}

for (const slots of [[], [7], [7, 8], [7, 8, 9]]) {
  const tables = Int32Array.from(slots);
  const named = `${slots.length} tables`;

  t.test(`${named}: nothing happens`, async (t) => {
    const { freshness, epochs } = make();
    const proof = freshness.note(tables);
    t.not(proof, null);
    epochs.raise(100);
    epochs.hold(101);
    t.ok(freshness.holds(proof!));
    t.strictSame([...tables], slots, 'the slots are their plan’s');
  });

  for (const slot of [...slots, EVERYTHING]) {
    t.test(`${named}: ${slot} is written`, async (t) => {
      const { freshness, epochs } = make();
      const proof = freshness.note(tables)!;
      epochs.enter(0, slot);
      t.notOk(freshness.holds(proof), 'in flux');
      t.equal(freshness.note(tables), null, 'nothing that is read now is kept');
      epochs.leave(0, slot);
      t.ok(freshness.holds(proof), 'it has written nothing');
      epochs.raise(slot);
      t.notOk(freshness.holds(proof));
      t.ok(freshness.holds(freshness.note(tables)!));
    });
  }

  t.test(`${named}: another primary`, async (t) => {
    const { freshness, epochs } = make();
    const before = freshness.note(tables)!;
    epochs.beginTerm(TERM + 1);
    t.notOk(freshness.holds(before));
    t.equal(freshness.note(tables), null, 'the worker goes by the old one still');
    freshness.apply({ term: TERM + 1, maxLagMs: MAX_LAG_MS });
    t.notOk(freshness.holds(before));
    t.ok(freshness.holds(freshness.note(tables)!));
  });
}

t.test('a proof of the new term is none to a worker of the old one', async (t) => {
  const { epochs, freshness } = make();
  const ahead = new Freshness(epochs, () => 0);
  ahead.apply({ term: TERM + 1, maxLagMs: MAX_LAG_MS });
  epochs.beginTerm(TERM + 1);
  const proof = ahead.note(Int32Array.of(1))!;
  t.ok(ahead.isUnchanged(proof));
  t.notOk(freshness.isUnchanged(proof));
});

t.test('flux is read before the epochs', async (t) => {
  const { epochs } = make();
  const order: string[] = [];
  const reads = (word: string) => ({ value: () => Number(order.push(word) < 0) });
  const seen = Object.create(epochs, {
    term: { get: () => TERM },
    flux: reads('flux'),
    epoch: reads('epoch'),
  }) as TableEpochs;
  const freshness = new Freshness(seen, () => 0);
  freshness.apply({ term: TERM, maxLagMs: MAX_LAG_MS });
  const proof = freshness.note(Int32Array.of(1, 2))!;
  const noted = order.splice(0);
  t.ok(freshness.isUnchanged(proof));
  for (const reading of [noted, order])
    t.strictSame(reading, ['flux', 'flux', 'flux', 'epoch', 'epoch', 'epoch']);
});

t.test('the follower has its bound', async (t) => {
  const { epochs, freshness, passes } = make();
  const proof = freshness.note(Int32Array.of(1))!;
  t.ok(freshness.holds(proof), 'there is none');
  t.notOk(freshness.holds(proof, 5), 'and nobody who knows of others’ writes');
  epochs.followState = FollowState.following;
  epochs.confirmedAtMs = 10_000;
  t.ok(freshness.holds(proof));
  passes(MAX_LAG_MS);
  t.ok(freshness.holds(proof));
  passes(0.5);
  t.notOk(freshness.holds(proof));
  t.ok(freshness.isUnchanged(proof), 'what is read now may be stored');
  epochs.confirmedAtMs = 10_001;
  t.ok(freshness.holds(proof));
  epochs.settledPosition = 4;
  t.ok(freshness.holds(proof, 4));
  t.notOk(freshness.holds(proof, 5));
  epochs.followState = FollowState.suspended;
  t.notOk(freshness.holds(proof));
});
