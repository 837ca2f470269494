import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { SharedAnswer, SharedAnswers } from '../../../../src/control/statistics/shared-answer.ts';
import { waitUntil } from '../../../support/wait-until.ts';

// The pauses keep no process alive.
const alive = setInterval(() => undefined, 1000);
t.teardown(() => clearInterval(alive));

t.test('all who ask before the question is put share it; who asks later gets a later one', async (t) => {
  const asked: ((answer: string) => void)[] = [];
  const shared = new SharedAnswer<string>(
    () =>
      new Promise((resolve) => {
        asked.push(resolve);
      }),
    () => 0,
  );
  const first = [shared.get(), shared.get()];
  await nextTurn();
  t.equal(asked.length, 1);
  const second = [shared.get(), shared.get(), shared.get()];
  await nextTurn();
  t.equal(asked.length, 1, 'one at a time');
  asked[0]!('one');
  t.strictSame(await Promise.all(first), ['one', 'one']);
  await waitUntil('the next one is put', () => asked.length === 2);
  asked[1]!('two');
  t.strictSame(await Promise.all(second), ['two', 'two', 'two']);
});

t.test('a question that fails is the failure of those who have asked it', async (t) => {
  let questions = 0;
  const shared = new SharedAnswer(
    async () => {
      if (++questions === 1) throw new Error('nobody answers');
      return questions;
    },
    () => 1,
  );
  await t.rejects(shared.get(), /nobody answers/);
  t.equal(await shared.get(), 2);
});

t.test('after a long answer there is a pause', async (t) => {
  const shared = new SharedAnswer(
    async () => performance.now(),
    () => 5000,
  );
  const first = await shared.get();
  t.ok((await shared.get()) - first >= 199, 'of 40 µs for each record');
});

t.test('different questions do not wait for each other', async (t) => {
  const asked: string[] = [];
  const answers = new SharedAnswers<string>(() => 0, 2);
  const ask = (kind: string) =>
    answers.get(kind, async () => {
      asked.push(kind);
      return kind;
    });
  t.strictSame(await Promise.all([ask('a'), ask('b'), ask('a')]), ['a', 'b', 'a']);
  t.strictSame(asked, ['a', 'b']);
  t.equal(await ask('c'), 'c', 'more kinds than are remembered');
  t.equal(await ask('a'), 'a');
});
