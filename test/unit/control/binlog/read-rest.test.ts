/** When the follower lets bytes gather, and when it reads at once. */

import t from 'tap';
import { ReadRest } from '../../../../src/control/binlog/read-rest.ts';

t.test('reads that follow one another rest, single ones do not', async (t) => {
  let nowMs = 0;
  let resumed: () => void = () => {};
  const rest = new ReadRest(
    () => resumed(),
    () => nowMs,
  );
  const end = (): Promise<void> =>
    new Promise((resolve) => {
      resumed = resolve;
    });
  const beginsAt = (atMs: number): boolean => {
    nowMs = atMs;
    return rest.begins();
  };
  t.notOk(beginsAt(0), 'the first');
  t.notOk(beginsAt(1), 'a millisecond later');
  t.notOk(beginsAt(50));
  t.ok(beginsAt(50.9), 'a moment later');
  t.ok(rest.isResting);
  nowMs = 55;
  await end();
  t.notOk(rest.isResting);
  t.ok(beginsAt(55.5), 'something has waited, or comes soon');
  nowMs = 60;
  await end();
  t.notOk(beginsAt(61.5), 'nothing has waited');
});

t.test('a stopped one does not resume', async (t) => {
  let resumed = 0;
  const rest = new ReadRest(
    () => resumed++,
    () => 0,
  );
  rest.begins();
  t.ok(rest.begins());
  rest.stop();
  t.notOk(rest.isResting);
  // A timer that is set later, for as long, fires later.
  const other = await new Promise<string>((resolve) => {
    const one = new ReadRest(
      () => resolve('resumed'),
      () => 0,
    );
    one.begins();
    one.begins();
  });
  t.equal(other, 'resumed');
  t.equal(resumed, 0);
});
