import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { SharedAnswer } from '../../../../src/control/statistics/shared-answer.ts';

t.test('all who ask before the question is put share it; who asks later gets a later one', async (t) => {
  const asked: ((answer: string) => void)[] = [];
  const shared = new SharedAnswer<string>(
    () =>
      new Promise((resolve) => {
        asked.push(resolve);
      }),
    0,
  );
  const first = [shared.get(), shared.get()];
  await nextTurn();
  t.equal(asked.length, 1);
  const second = [shared.get(), shared.get(), shared.get()];
  await nextTurn();
  t.equal(asked.length, 1, 'one at a time');
  asked[0]!('one');
  t.strictSame(await Promise.all(first), ['one', 'one']);
  while (asked.length < 2) await nextTurn();
  asked[1]!('two');
  t.strictSame(await Promise.all(second), ['two', 'two', 'two']);
});

t.test('a question that fails is the failure of those who have asked it', async (t) => {
  let questions = 0;
  const shared = new SharedAnswer(async () => {
    if (++questions === 1) throw new Error('nobody answers');
    return questions;
  }, 0);
  await t.rejects(shared.get(), /nobody answers/);
  t.equal(await shared.get(), 2);
});
