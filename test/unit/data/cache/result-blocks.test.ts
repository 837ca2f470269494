/** Blocks of results: none is anybody's twice, and none stays when it is not used. */

import t from 'tap';
import { ResultBlocks } from '../../../../src/data/cache/result-blocks.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

t.test('nothing is written over while it is used', (t) => {
  const random = SeededRandom.fromEnvironment();
  t.comment(`seed ${random.seed}`);
  const blocks = new ResultBlocks();
  const used: { readonly bytes: Buffer; readonly mark: number }[] = [];
  let broken = 0;
  for (let step = 0; step < 20_000; step++) {
    if (used.length < 50 || random.below(2) === 0) {
      const length = 1 + (random.below(10) === 0 ? random.below(9000) : random.below(600));
      const bytes = blocks.take(length);
      const mark = step & 0xff;
      if (bytes.length !== length) broken++;
      bytes.fill(mark);
      used.push({ bytes, mark });
    } else {
      const [one] = used.splice(random.below(used.length), 1);
      if (one === undefined) continue;
      if (!one.bytes.every((byte) => byte === one.mark)) broken++;
      // What is still being sent stays as it is, whatever is taken later.
      const isReferenced = random.below(20) === 0;
      blocks.give(one.bytes, isReferenced);
      if (isReferenced) used.push({ bytes: Buffer.from(one.bytes), mark: one.mark });
    }
  }
  t.equal(broken, 0);
  t.end();
});

t.test('a block that is still being sent is not used again', (t) => {
  const blocks = new ResultBlocks();
  const first = blocks.take(200);
  const second = blocks.take(200);
  first.fill(1);
  blocks.give(first, true);
  blocks.give(second, false);
  for (let n = 0; n < 3000; n++) blocks.take(200).fill(2);
  t.ok(first.every((byte) => byte === 1));
  t.end();
});

t.test('blocks are used again, and empty slabs go', (t) => {
  const blocks = new ResultBlocks();
  const fill = (length: number, count: number): Buffer[] =>
    Array.from({ length: count }, () => blocks.take(length));
  let before = fill(300, 10_000);
  const full = blocks.byteLength;
  for (let round = 0; round < 5; round++) {
    for (const bytes of before) blocks.give(bytes, false);
    before = fill(300, 10_000);
  }
  t.equal(blocks.byteLength, full, 'the same again takes no more');
  for (const bytes of before) blocks.give(bytes, false);
  t.ok(blocks.byteLength <= 2 * 64 * 1024, 'but for one that is kept');
  const others = fill(3000, 1000);
  t.ok(blocks.byteLength < 1.2 * 1000 * ResultBlocks.bytesFor(3000), 'another size has all the room');
  for (const bytes of others) blocks.give(bytes, true);
  t.ok(blocks.byteLength <= 2 * 64 * 1024);
  t.end();
});

t.test('a block is little longer than what is in it', (t) => {
  for (let length = 128; length < 8192; length += 7) {
    const taken = ResultBlocks.bytesFor(length);
    t.ok(taken >= length && taken <= length * 1.25 + 32, `${length} bytes`);
  }
  t.equal(ResultBlocks.bytesFor(100_000), 100_000);
  t.end();
});
