import fc from 'fast-check';
import t from 'tap';
import { BYTES_PER_BLOCK, TextArena } from '../../../../src/data/statistics/text-arena.ts';

t.test('texts come out as they went in, whatever came and went between', async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ put: fc.integer({ min: 0, max: 700 }) }) },
    { weight: 2, arbitrary: fc.record({ drop: fc.nat(30) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const arena = new TextArena(64 * BYTES_PER_BLOCK);
      const kept: { readonly place: number; readonly text: Buffer }[] = [];
      let value = 0;
      for (const each of steps) {
        if ('drop' in each) {
          const [gone] = kept.splice(each.drop, 1);
          if (gone !== undefined) arena.free(gone.place);
          continue;
        }
        const blocks = kept.reduce((sum, { text }) => sum + Math.max(1, Math.ceil(text.length / 64)), 0);
        const fits = blocks + Math.max(1, Math.ceil(each.put / 64)) <= 64;
        if (arena.hasRoomFor(each.put) !== fits) return false;
        if (!fits) continue;
        const text = Buffer.alloc(each.put, ++value);
        kept.push({ place: arena.put(Buffer.concat([text, Buffer.from('rest')]), text.length), text });
      }
      return kept.every(({ place, text }) => arena.read(place, text.length).equals(text));
    }),
    { seed: 20_261_121, numRuns: 500 },
  );
});

t.test('it grows up to its limit, and no further', async (t) => {
  const arena = new TextArena(100 * BYTES_PER_BLOCK);
  t.equal(arena.bytes, 64 * BYTES_PER_BLOCK);
  t.ok(arena.hasRoomFor(100 * 64));
  t.notOk(arena.hasRoomFor(100 * 64 + 1));
  t.equal(arena.bytes, 100 * BYTES_PER_BLOCK);
  t.equal(arena.longest, 6400);
});
