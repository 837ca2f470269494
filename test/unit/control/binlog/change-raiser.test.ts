/** Which transactions through this Sluice the follower passes over, and which it raises all the same. */

import t from 'tap';
import { gtidPosition } from '../../../../src/common/gtid-position.ts';
import { ANY_WRITE_SLOT, SharedGtids } from '../../../../src/common/shared-gtids.ts';
import { TableEpochs } from '../../../../src/common/table-epochs.ts';
import { TableRelations } from '../../../../src/common/table-relations.ts';
import { ChangeRaiser, type ChangeRaiserOptions } from '../../../../src/control/binlog/change-raiser.ts';

const source = { index: 1, base: 0n, end: null, address: 'p:1', prefix: '0-1-', flavor: 'mariadb' } as const;
const position = (sequence: number): number => gtidPosition(source, BigInt(sequence));

function make() {
  const epochs = new TableEpochs(1);
  const gtids = new SharedGtids();
  let next = 0;
  const nothing = (): void => undefined;
  const raiser = new ChangeRaiser({
    epochs,
    gtids,
    place: { place: { file: 'log.1', offset: 4 } },
    rows: { ended: nothing, settled: nothing, dropped: nothing, forget: nothing },
    tally: { transactions: 0, foreignTransactions: 0, raises: 0, everythingRaises: 0 },
    relations: () => new TableRelations(null),
    positionOf: () => next,
    changesOf: () => ({ slots: new Set<number>(), changesCatalog: true, changesDefinitions: true }),
    catalogChanged: nothing,
    definitionsChanged: nothing,
    gtidsWanted: nothing,
    seen: nothing,
  } as unknown as ChangeRaiserOptions);
  return {
    epochs,
    takeOwnRows: () => raiser.takeOwnRows(),
    settle: () => raiser.settle(() => true),
    /** A worker has raised what it knew of, and told the position. */
    acknowledges(sequence: number): void {
      gtids.raise(ANY_WRITE_SLOT, position(sequence));
      epochs.noteOwn(position(sequence));
    },
    /** @returns whether the table was raised by the follower. */
    comes(sequence: number, slot: number, isLookedAt = true): boolean {
      const before = epochs.epoch(slot);
      next = position(sequence);
      raiser.rowsChanged('app', 't', slot, isLookedAt);
      raiser.ended(null, false);
      return epochs.epoch(slot) !== before;
    },
    schemaChanges(sequence: number): void {
      next = position(sequence);
      raiser.statement(null);
      raiser.ended(null, false);
    },
  };
}

t.test('what its worker has raised is passed over', async (t) => {
  const rig = make();
  rig.acknowledges(5);
  t.notOk(rig.comes(5, 7));
  t.ok(rig.comes(6, 7), 'of somebody else');
});

t.test('what was acknowledged before somebody else’s trigger was known is raised', async (t) => {
  const rig = make();
  // The trigger is number 4; the write behind it has run it, and its worker knew nothing of that.
  rig.acknowledges(5);
  rig.schemaChanges(4);
  t.ok(rig.comes(5, 8), 'the table of the trigger');
  rig.acknowledges(6);
  t.notOk(rig.comes(6, 8), 'from then on its worker takes it to change anything');
});

t.test(
  'what several transactions have changed is raised for each, and again when they are visible',
  async (t) => {
    const rig = make();
    const epochs = (): number[] => [rig.epochs.epoch(7), rig.epochs.epoch(8)];
    for (const [sequence, slot] of [7, 7, 7, 8, 7].entries()) t.ok(rig.comes(sequence + 1, slot));
    t.strictSame(epochs(), [4, 1]);
    rig.settle();
    t.strictSame(epochs(), [8, 2]);
    rig.settle();
    t.strictSame(epochs(), [8, 2], 'none are left');
  },
);

t.test('whether own rows come that somebody looks at', async (t) => {
  const rig = make();
  rig.comes(1, 7);
  rig.settle();
  t.notOk(rig.takeOwnRows(), 'those of somebody else');
  rig.acknowledges(2);
  rig.comes(2, 7, false);
  t.notOk(rig.takeOwnRows(), 'those of a table without entries of rows');
  rig.acknowledges(3);
  rig.comes(3, 7);
  t.ok(rig.takeOwnRows());
  t.notOk(rig.takeOwnRows(), 'nothing since');
  rig.comes(4, 7);
  rig.acknowledges(4);
  t.notOk(rig.takeOwnRows());
  rig.settle();
  t.ok(rig.takeOwnRows(), 'acknowledged behind its event');
});
