/** Small histories, right ones and wrong ones of each kind. Times are those of an imagined clock. */

import t from 'tap';
import type { Cell } from '../../cache/model/cell.ts';
import { Chain, type Change } from '../../cache/model/chain.ts';
import { checkRead, type Observation, type ReadRecord, ViolationKind } from '../../cache/model/check-read.ts';

function put(cell: Cell, stamp: number): Change {
  return { cell, stamp, absent: false };
}

function remove(cell: Cell, stamp: number): Change {
  return { cell, stamp, absent: true };
}

function write(chain: Chain, changes: readonly Change[], sentAt: number, answeredAt: number): void {
  chain.acknowledge(chain.send(changes, sentAt), answeredAt);
}

function read(
  startedAt: number,
  endedAt: number,
  values: readonly (readonly [Cell, number | null])[],
  more: Partial<ReadRecord> = {},
): string {
  const observations: Observation[] = values.map(([cell, stamp]) => ({ cell, stamp }));
  const { violation } = checkRead({ startedAt, endedAt, observations, boundMs: () => 0, ...more });
  return violation?.kind ?? 'right';
}

/** One row with the values 1 (10 to 20), 2 (30 to 40) and none (50 to 60). */
function threeVersions(): { chain: Chain; cell: Cell } {
  const chain = new Chain('writer', 'own');
  const cell = chain.cell('a:1');
  for (const stamp of [1, 2, 3]) t.equal(chain.nextStamp(), stamp);
  write(chain, [put(cell, 1)], 10, 20);
  write(chain, [put(cell, 2)], 30, 40);
  write(chain, [remove(cell, 3)], 50, 60);
  return { chain, cell };
}

t.test('one row', async (t) => {
  const cases: readonly (readonly [string, number, number, number | null, string])[] = [
    ['before everything', 1, 2, null, 'right'],
    ['during the first write, without it', 12, 15, null, 'right'],
    ['during the first write, with it', 12, 15, 1, 'right'],
    ['begun before the write, with it', 1, 12, 1, 'right'],
    ['ended before the write, with it', 1, 9, 1, ViolationKind.fractured],
    ['after the first write', 21, 25, 1, 'right'],
    ['after the first write, without it', 21, 25, null, ViolationKind.stale],
    ['over the second write, with the old value', 25, 100, 1, 'right'],
    ['over both, with the new value', 25, 100, 2, 'right'],
    ['begun when the second write was acknowledged', 41, 42, 1, ViolationKind.stale],
    ['the removed row', 61, 62, 2, ViolationKind.stale],
    ['the removed row is not there', 61, 62, null, 'right'],
    ['no row, while there certainly was one', 42, 45, null, ViolationKind.stale],
    ['a value that nobody has written', 61, 62, 77, ViolationKind.unwritten],
  ];
  for (const [name, from, to, stamp, expected] of cases) {
    const { cell } = threeVersions();
    t.equal(read(from, to, [[cell, stamp]]), expected, name);
  }
});

t.test('what a read has seen, the next one sees', async (t) => {
  const chain = new Chain('writer', 'own');
  const cell = chain.cell('a:1');
  chain.nextStamp();
  chain.nextStamp();
  write(chain, [put(cell, 1)], 10, 20);
  chain.send([put(cell, 2)], 30);
  t.equal(read(31, 40, [[cell, 1]]), 'right', 'the write is under way');
  t.equal(read(31, 41, [[cell, 2]]), 'right');
  t.equal(read(32, 50, [[cell, 1]]), 'right', 'at the same time as the one that saw it');
  t.equal(read(42, 51, [[cell, 1]]), ViolationKind.backwards);
  t.equal(read(42, 51, [[cell, 2]]), 'right');
});

t.test('what was not committed is not seen', async (t) => {
  const chain = new Chain('writer', 'own');
  const cell = chain.cell('a:1');
  for (let n = 1; n <= 4; n++) chain.nextStamp();
  write(chain, [put(cell, 1)], 10, 20);
  chain.discard([put(cell, 2)]);
  t.equal(read(30, 31, [[cell, 2]]), ViolationKind.rolledBack);
  t.equal(read(30, 31, [[cell, 3]]), ViolationKind.uncommitted, 'given, and not sent yet');
  const unit = chain.send([put(cell, 4)], 40);
  t.equal(read(41, 42, [[cell, 4]]), 'right', 'it may be visible');
  t.equal(chain.takeBack(unit), 42, 'but it has failed, and somebody had seen it');
  t.equal(read(43, 44, [[cell, 4]]), ViolationKind.rolledBack);
  t.equal(read(43, 44, [[cell, 1]]), 'right');
  const unseen = chain.send([put(cell, 5)], 50);
  t.equal(chain.takeBack(unseen), Number.POSITIVE_INFINITY);
});

t.test('of an unknown outcome either is right, but not one after the other', async (t) => {
  const chain = new Chain('writer', 'own');
  const cell = chain.cell('a:1');
  chain.nextStamp();
  chain.nextStamp();
  write(chain, [put(cell, 1)], 10, 20);
  chain.send([put(cell, 2)], 30);
  chain.end();
  t.equal(read(1000, 1001, [[cell, 1]]), 'right');
  t.equal(read(2000, 2001, [[cell, 2]]), 'right', 'late, and not impossible');
  t.equal(read(3000, 3001, [[cell, 1]]), ViolationKind.backwards);
  t.throws(() => chain.send([put(cell, 3)], 3002), { message: /has ended/ });
});

t.test('rows that are written together are seen together', async (t) => {
  const chain = new Chain('writer', 'own');
  const [one, two] = [chain.cell('a:1'), chain.cell('b:1')];
  for (let n = 1; n <= 6; n++) chain.nextStamp();
  write(chain, [put(one, 1), put(two, 2)], 10, 20);
  chain.send([put(one, 3), put(two, 4)], 30);
  const cases: readonly (readonly [number, number, string])[] = [
    [1, 2, 'right'],
    [3, 4, 'right'],
    [3, 2, ViolationKind.fractured],
    [1, 4, ViolationKind.fractured],
  ];
  for (const [first, second, expected] of cases)
    t.equal(read(25, 100, [[one, first], [two, second]]), expected, `${first} and ${second}`); // biome-ignore format: a pair
});

t.test('rows of two writers are of one moment', async (t) => {
  const [left, right] = [new Chain('left', 'own'), new Chain('right', 'own')];
  const [one, two] = [left.cell('a:1'), right.cell('a:2')];
  for (const chain of [left, right]) for (let n = 1; n <= 2; n++) chain.nextStamp();
  write(left, [put(one, 1)], 10, 20);
  write(right, [put(two, 1)], 30, 40);
  t.equal(read(5, 100, [[one, 1], [two, 1]]), 'right'); // biome-ignore format: a pair
  t.equal(read(5, 100, [[one, 1], [two, null]]), 'right'); // biome-ignore format: a pair
  t.equal(read(5, 100, [[one, null], [two, null]]), 'right'); // biome-ignore format: a pair
  t.equal(
    read(5, 100, [[one, null], [two, 1]]), // biome-ignore format: a pair
    ViolationKind.fractured,
    'the first was acknowledged before the second was sent',
  );
});

t.test('bounds', async (t) => {
  const { chain, cell } = threeVersions();
  const other = new Chain('other', 'foreign');
  const foreign = other.cell('a:2');
  other.nextStamp();
  other.nextStamp();
  write(other, [put(foreign, 1)], 10, 20);
  write(other, [put(foreign, 2)], 100, 110);
  const boundMs = (one: Chain): number => (one === other ? 50 : 0);
  t.equal(read(160, 161, [[foreign, 1]], { boundMs }), 'right', 'as late as it may be');
  t.equal(read(160.5, 161, [[foreign, 1]], { boundMs }), ViolationKind.stale);
  t.equal(read(90, 91, [[cell, 2], [foreign, 1]], { boundMs }), ViolationKind.stale, 'of the own one'); // biome-ignore format: a pair
  t.equal(read(150, 151, [[cell, null], [foreign, 1]], { boundMs }), 'right'); // biome-ignore format: a pair
  const { stalenessMs } = checkRead({
    startedAt: 150,
    endedAt: 151,
    observations: [{ cell: foreign, stamp: 1 }],
    boundMs,
  });
  t.equal(stalenessMs, 40);
  t.equal(read(150, 151, [[foreign, 1]], { boundMs, mustSee: { chain: other, unit: 1 } }), 'right');
  t.equal(
    read(150, 151, [[foreign, 1]], { boundMs, mustSee: { chain: other, unit: 2 } }),
    ViolationKind.belowToken,
  );
  t.equal(chain.length, 4);
});

t.test('rows that come and go', async (t) => {
  const chain = new Chain('writer', 'own');
  const cell = chain.cell('a:1');
  let at = 0;
  for (let n = 0; n < 300; n++) {
    const stamp = chain.nextStamp();
    write(chain, [n % 2 === 0 ? put(cell, stamp) : remove(cell, stamp)], ++at, ++at);
  }
  t.equal(read(at + 1, at + 2, [[cell, null]]), 'right');
  t.equal(read(at + 1, at + 2, [[cell, 299]]), ViolationKind.stale);
  t.equal(read(597, 597.5, [[cell, null]]), 'right');
});

t.test('a primary that dies with what was acknowledged last', async (t) => {
  const cases: readonly (readonly [string, number, number, number | null, string])[] = [
    ['before it dies, what will be lost', 61, 62, null, 'right'],
    ['before it dies, what was before that', 61, 62, 1, ViolationKind.stale],
    ['while nobody takes writes, what is lost', 75, 76, null, 'right'],
    ['while nobody takes writes, what is kept', 75, 76, 1, 'right'],
    ['on the new primary, what is kept', 90, 91, 1, 'right'],
    ['on the new primary, what is lost', 90, 91, null, ViolationKind.stale],
    ['on the new primary, something else that is lost', 90, 91, 2, ViolationKind.stale],
  ];
  for (const [name, from, to, stamp, expected] of cases) {
    const { chain, cell } = threeVersions();
    chain.end();
    t.equal(chain.restore(1, 70, 80), 2, 'two were lost');
    t.equal(read(from, to, [[cell, stamp]]), expected, name);
  }
  const { chain, cell } = threeVersions();
  chain.end();
  t.equal(chain.restore(3, 70, 80), 0, 'nothing was lost');
  t.equal(read(90, 91, [[cell, null]]), 'right');
});

t.test(
  'a write that waited while its primary died is on the new one, which lacks acknowledged ones before it',
  async (t) => {
    const { chain, cell } = threeVersions();
    const other = chain.cell('a:2');
    const stamp = chain.nextStamp();
    write(chain, [put(other, stamp)], 65, 85);
    chain.end();
    t.equal(chain.underWayAt(60), null, 'it had not been sent');
    t.equal(chain.underWayAt(90), null, 'it had been answered');
    const waiting = chain.underWayAt(70);
    t.equal(chain.restore(1, 70, 88, waiting), 2, 'those before it are lost, it is not');
    t.equal(read(90, 91, [[cell, 1]]), 'right');
    t.equal(read(90, 91, [[cell, null]]), ViolationKind.stale);
    t.equal(read(90, 91, [[other, stamp]]), 'right');
    t.equal(read(90, 91, [[other, null]]), ViolationKind.stale);
  },
);

t.test('where reads come from several servers only acknowledgements count', async (t) => {
  const { cell } = threeVersions();
  t.equal(read(32, 33, [[cell, 2]]), 'right');
  t.equal(read(34, 35, [[cell, 1]], { onlyAcknowledged: true }), 'right');
  t.equal(read(34, 35, [[cell, 1]]), ViolationKind.backwards);
  t.equal(read(41, 42, [[cell, 1]], { onlyAcknowledged: true }), ViolationKind.stale);
});
