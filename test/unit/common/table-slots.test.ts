import t from 'tap';
import { TABLE_SLOTS, tableSlot } from '../../../src/common/table-slots.ts';

t.test('names that a server may take for the same table have the same slot', async (t) => {
  const same: readonly [string, string][] = [
    ['orders', 'Orders'],
    ['ORDERS_2', 'orders_2'],
    ['größe', 'GRÖßE'],
    ['éa', 'Éa'],
    // The Kelvin sign and the dotted capital I become ASCII letters.
    ['\u212Aey', 'key'],
    ['\u0130d', 'id'],
    ['\u{1F600}', '\u{1F600}'],
  ];
  for (const [one, other] of same)
    t.equal(tableSlot('Shop', one), tableSlot('sHOP', other), `${one} ${other}`);
});

t.test('slots are spread, and what stands left and right of the dot counts', async (t) => {
  const slots = new Set<number>();
  for (let i = 0; i < 1000; i++) slots.add(tableSlot('shop', `sbtest${i}`));
  for (const slot of slots) t.ok(slot >= 0 && slot < TABLE_SLOTS && Number.isInteger(slot), `${slot}`);
  // A thousand of 65,536 at random: 992 different ones are to be expected.
  t.ok(slots.size > 970, `${slots.size}`);
  t.not(tableSlot('ab', 'c'), tableSlot('a', 'bc'));
  t.not(tableSlot('a', 'b'), tableSlot('b', 'a'));
});
