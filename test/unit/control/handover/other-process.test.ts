/** Nothing is vouched for as long as another process writes past this one, and nothing of before holds afterwards. */
import t from 'tap';
import { ANY_WRITE_SLOT, SharedGtids, UNKNOWN_TABLES_SLOT } from '../../../../src/common/shared-gtids.ts';
import { EVERYTHING, TableEpochs } from '../../../../src/common/table-epochs.ts';
import { OtherProcess } from '../../../../src/control/handover/other-process.ts';
import { Freshness } from '../../../../src/data/cache/freshness.ts';

const SLOTS = new Int32Array([17]);

function make() {
  const epochs = new TableEpochs(1);
  const gtids = new SharedGtids();
  const asked: number[] = [];
  const fluxAtSchema: number[] = [];
  const other = new OtherProcess({
    epochs,
    gtids,
    schemaChanged: () => fluxAtSchema.push(epochs.flux(EVERYTHING)),
    gtidsWanted: () => asked.push(gtids.epoch),
  });
  const freshness = new Freshness(epochs);
  freshness.apply({ term: epochs.term, maxLagMs: 500 });
  return { epochs, gtids, asked, other, freshness, fluxAtSchema };
}

t.test('what was proven is not while it is there, nor afterwards; what is read then is', (t) => {
  const { other, freshness } = make();
  const before = freshness.note(SLOTS);
  if (before === null) throw new Error('nothing is in flux');
  t.equal(freshness.holds(before), true);
  other.comes();
  t.equal(freshness.holds(before), false);
  t.equal(freshness.note(SLOTS), null, 'nor is anything proven now');
  other.goes();
  t.equal(freshness.holds(before), false, 'it may have written anything');
  const after = freshness.note(SLOTS);
  if (after === null) throw new Error('nothing is in flux any more');
  t.equal(freshness.holds(after), true);
  t.end();
});

t.test('what has been written is unknown, whatever the primary is asked meanwhile', (t) => {
  const { gtids, other, asked } = make();
  other.comes();
  for (const slot of [UNKNOWN_TABLES_SLOT, ANY_WRITE_SLOT]) {
    gtids.setUnknown(slot);
    gtids.resolve(gtids.beginResolving(), 1000);
    t.equal(gtids.isUnknown(slot), true);
  }
  const asking = gtids.beginResolving();
  other.goes();
  t.strictSame(asked, [gtids.epoch], 'the primary is asked');
  gtids.resolve(asking, 2000);
  t.equal(gtids.isUnknown(ANY_WRITE_SLOT), true, 'an answer from before tells nothing');
  gtids.resolve(gtids.beginResolving(), 3000);
  for (const slot of [UNKNOWN_TABLES_SLOT, ANY_WRITE_SLOT]) {
    t.equal(gtids.isUnknown(slot), false);
    t.equal(gtids.written(slot), 3000);
  }
  t.end();
});

t.test('it comes and goes once', (t) => {
  const { epochs, other, fluxAtSchema } = make();
  other.goes();
  t.equal(epochs.flux(EVERYTHING), 0);
  other.comes();
  other.comes();
  t.equal(epochs.flux(EVERYTHING), 1);
  t.equal(other.isThere, true);
  other.goes();
  other.goes();
  t.equal(epochs.flux(EVERYTHING), 0);
  t.strictSame(fluxAtSchema, [1], 'definitions are to be read before anything is proven');
  t.end();
});
