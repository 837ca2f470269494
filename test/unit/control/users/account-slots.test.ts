/** Places in the shared counts: an account's own, and another's only when nobody can mistake them. */

import t from 'tap';
import { AccountSlots } from '../../../../src/control/users/account-slots.ts';

t.test('places', async (t) => {
  let now = 0;
  const loggedIn = new Set<number>();
  const slots = new AccountSlots(
    3,
    () => now,
    (slot) => (loggedIn.has(slot) ? 1 : 0),
  );
  t.strictSame(slots.assign(['a', 'b']), [0, 1]);
  t.strictSame(slots.assign(['b', 'a', 'c']), [1, 0, 2]);
  t.throws(() => slots.assign(['a', 'b', 'c', 'd']), /4 accounts, and places for 3 only/);
  t.strictSame(slots.assign(['a', 'b', 'c']), [0, 1, 2], 'nothing has changed');
  t.strictSame(slots.assign(['a', 'c']), [0, 2]);
  t.throws(() => slots.assign(['a', 'c', 'd']), RangeError, 'a worker may not know yet');
  t.strictSame(slots.assign(['a', 'b', 'c']), [0, 1, 2], 'who comes back has his old place');
  slots.assign(['a', 'c']);
  loggedIn.add(1);
  now += 60_000;
  t.throws(() => slots.assign(['a', 'c', 'd']), RangeError, 'somebody is still logged in');
  loggedIn.clear();
  t.strictSame(slots.assign(['a', 'c', 'd']), [0, 2, 1]);
});
