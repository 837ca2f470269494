/** What ends the proof of a single row, and what does not. */

import t from 'tap';
import { SharedGtids, UNKNOWN_TABLES_SLOT } from '../../../../src/common/shared-gtids.ts';
import { EVERYTHING, FollowState, TableEpochs } from '../../../../src/common/table-epochs.ts';
import { Freshness } from '../../../../src/data/cache/freshness.ts';
import { RowProofs } from '../../../../src/data/cache/row-proof.ts';

const TABLE = 7;
const TERM = 1;
/** By a key other than the primary one: which rows were written the binlog tells. */
const PIN = {
  table: TABLE,
  row: 100,
  key: 200,
  isLone: false,
  newRows: 300,
  needsRow: true,
  definitions: 0,
  keysVersion: 1,
};

function make() {
  const epochs = new TableEpochs(1);
  const gtids = new SharedGtids();
  epochs.beginTerm(TERM);
  epochs.followState = FollowState.following;
  epochs.confirmedAtMs = 1000;
  const freshness = new Freshness(epochs, () => 1000, new RowProofs(epochs, gtids));
  freshness.apply({ term: TERM, maxLagMs: 500 });
  /** A write through this Sluice, up to its answer; the binlog comes later. */
  const writes = (position: number) => {
    epochs.enter(0, TABLE);
    gtids.raise(TABLE, position);
    epochs.raise(TABLE);
    epochs.leave(0, TABLE);
  };
  return { epochs, gtids, freshness, writes };
}

const SLOTS = Int32Array.of(TABLE);

t.test('a write to another row', async (t) => {
  const { epochs, freshness, writes } = make();
  const proof = freshness.note(SLOTS, PIN)!;
  t.ok(epochs.hasInterest(TABLE), 'its rows are looked at from now on');
  writes(50);
  t.notOk(freshness.isUnchanged(proof), 'nothing that was read meanwhile is stored');
  t.notOk(freshness.holds(proof), 'which row it was is not known yet');
  epochs.raiseRow(101);
  epochs.appliedPosition = 49;
  t.notOk(freshness.holds(proof), 'an earlier write has come');
  epochs.appliedPosition = 50;
  t.ok(freshness.holds(proof));
  t.notOk(freshness.isOutdated(proof));
});

t.test('while something is in flux nothing is proven', async (t) => {
  const { epochs, freshness, writes } = make();
  const proof = freshness.note(SLOTS, PIN)!;
  writes(50);
  epochs.appliedPosition = 60;
  for (const slot of [TABLE, EVERYTHING]) {
    epochs.hold(slot);
    t.notOk(freshness.holds(proof));
    epochs.release(slot);
    t.ok(freshness.holds(proof));
  }
});

const ENDS: readonly (readonly [string, (epochs: TableEpochs) => void])[] = [
  ['its row', (epochs) => epochs.raiseRow(PIN.row)],
  ['all rows of its key', (epochs) => epochs.raiseRow(PIN.key)],
  ['the structure of its table', (epochs) => epochs.raiseStructure(TABLE)],
  ['everything', (epochs) => epochs.raiseEverything()],
];

for (const [what, raise] of ENDS) {
  t.test(`${what} is raised`, async (t) => {
    const { epochs, freshness, writes } = make();
    const proof = freshness.note(SLOTS, PIN)!;
    writes(50);
    raise(epochs);
    epochs.appliedPosition = 60;
    t.notOk(freshness.holds(proof));
    t.ok(freshness.isOutdated(proof));
    t.ok(freshness.holds(freshness.note(SLOTS, PIN)!), 'what is read anew holds');
  });
}

t.test('nobody can say at which position it was written', async (t) => {
  const { epochs, gtids, freshness, writes } = make();
  const proof = freshness.note(SLOTS, PIN)!;
  writes(50);
  epochs.appliedPosition = 60;
  gtids.setUnknown(TABLE);
  t.notOk(freshness.holds(proof));
  gtids.resolve(gtids.beginResolving(), 70);
  t.notOk(freshness.holds(proof));
  epochs.appliedPosition = 70;
  t.ok(freshness.holds(proof));
});

t.test('a write to tables that nobody knows', async (t) => {
  const { epochs, gtids, freshness, writes } = make();
  const proof = freshness.note(SLOTS, PIN)!;
  writes(50);
  gtids.raise(UNKNOWN_TABLES_SLOT, 60);
  epochs.appliedPosition = 50;
  t.notOk(freshness.holds(proof), 'may have made another table of it');
  epochs.appliedPosition = 60;
  t.ok(freshness.holds(proof));
  gtids.setUnknown(UNKNOWN_TABLES_SLOT);
  t.notOk(freshness.holds(proof));
});

t.test('the follower', async (t) => {
  const { epochs, freshness, writes } = make();
  const proof = freshness.note(SLOTS, PIN)!;
  writes(50);
  epochs.appliedPosition = 50;
  for (const state of [FollowState.off, FollowState.suspended]) {
    epochs.followState = state;
    t.notOk(freshness.holds(proof), `state ${state}`);
  }
  epochs.followState = FollowState.following;
  epochs.confirmedAtMs = 499;
  t.notOk(freshness.holds(proof), 'it is too late');
  epochs.confirmedAtMs = 500;
  t.ok(freshness.holds(proof));
  epochs.beginTerm(TERM + 1);
  freshness.apply({ term: TERM + 1, maxLagMs: 500 });
  t.notOk(freshness.holds(proof), 'another primary');
});

t.test('a proof that is of tables only', async (t) => {
  const { epochs, freshness, writes } = make();
  epochs.redefine();
  const proofs = [
    freshness.note(SLOTS, PIN),
    freshness.note(SLOTS),
    freshness.note(Int32Array.of(TABLE, 8), { ...PIN, definitions: 1 }),
    freshness.note(Int32Array.of(8), { ...PIN, definitions: 1 }),
  ];
  for (const proof of proofs)
    t.equal(proof?.row, null, 'keys that are out of date, no row, several tables, another table');
  t.not(freshness.note(SLOTS, { ...PIN, definitions: 1 })?.row, null);
  writes(50);
  epochs.appliedPosition = 50;
  t.notOk(freshness.holds(proofs[0]!));
});

t.test('what is read in which order', async (t) => {
  const { epochs } = make();
  const order: string[] = [];
  const says =
    (word: string, result = 0) =>
    () => {
      order.push(word);
      return result;
    };
  const seen = Object.create(epochs, {
    setInterest: { value: says('interest') },
    flux: { value: says('flux') },
    rows: { value: { table: says('rows in flux') } },
    structure: { value: says('structure') },
    rowEpoch: { value: says('row') },
    definitions: { get: says('definitions') },
    appliedPosition: { get: says('applied', 9) },
  }) as TableEpochs;
  const gtids = { isUnknown: () => says('unknown')() !== 0, written: says('written', 9) };
  const rows = new RowProofs(seen, gtids);
  const proof = rows.note(PIN, false)!;
  t.strictSame(order.splice(0), ['interest', 'structure', 'structure', 'row', 'row', 'definitions']);
  t.ok(rows.holds(proof));
  t.equal(order.lastIndexOf('flux') < order.indexOf('unknown'), true, 'flux before what was written');
  t.equal(order.indexOf('applied') < order.indexOf('row'), true, 'what has come before the rows');
});
