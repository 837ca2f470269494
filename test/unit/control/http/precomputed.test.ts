import t from 'tap';
import { Precomputed, SharedWork } from '../../../../src/control/http/precomputed.ts';

t.test('one answer for all who ask within the interval', async (t) => {
  let made = 0;
  const answers = new Precomputed(60_000, async () => ({ made: ++made }));
  const bodies = await Promise.all(Array.from({ length: 100 }, () => answers.get()));
  t.equal(made, 1);
  t.ok(bodies.every((one) => one === bodies[0]));
  t.equal(bodies[0]?.body.toString(), '{"made":1}\n');
  answers.forget();
  const next = await answers.get();
  t.equal(next.body.toString(), '{"made":2}\n');
  t.not(next.etag, bodies[0]?.etag);
});

t.test('a failure is told, and the next who asks tries again', async (t) => {
  let made = 0;
  const answers = new Precomputed(60_000, () => {
    if (++made === 1) throw new Error('gone');
    return made;
  });
  await t.rejects(answers.get(), { message: 'gone' });
  t.equal((await answers.get()).body.toString(), '2\n');
});

t.test('shared work is never older than the question', async (t) => {
  let begun = 0;
  const ends: (() => void)[] = [];
  const work = new SharedWork(async () => {
    const number = ++begun;
    await new Promise<void>((resolve) => ends.push(resolve));
    if (number === 2) throw new Error('broken');
    return number;
  });
  const first = [work.get(), work.get()];
  await new Promise(setImmediate);
  t.equal(begun, 1, 'those who ask together share');
  const second = [work.get(), work.get(), work.get()];
  ends.shift()?.();
  t.strictSame(await Promise.all(first), [1, 1]);
  const failed = Promise.allSettled(second);
  while (begun < 2) await new Promise(setImmediate);
  ends.shift()?.();
  t.ok((await failed).every(({ status }) => status === 'rejected'));
  const third = work.get();
  while (begun < 3) await new Promise(setImmediate);
  ends.shift()?.();
  t.equal(await third, 3);
});
