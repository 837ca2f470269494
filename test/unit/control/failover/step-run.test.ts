import t from 'tap';
import type { OperationEvent } from '../../../../src/control/failover/operation-event.ts';
import {
  type OperationStep,
  runSteps,
  UnknownOutcomeError,
} from '../../../../src/control/failover/step-run.ts';

interface Script {
  readonly name: string;
  readonly fails?: Error | string;
  readonly undo?: 'works' | 'fails';
  readonly final?: boolean;
}

async function run(script: readonly Script[]) {
  const done: string[] = [];
  const events: OperationEvent[] = [];
  const steps = script.map(({ name, fails, undo, final }): OperationStep => {
    const step: OperationStep = {
      name,
      plan: '',
      run: async () => {
        done.push(name);
        if (fails !== undefined) throw fails;
        return `${name} went well`;
      },
      ...(final === undefined ? {} : { final }),
    };
    if (undo === undefined) return step;
    return {
      ...step,
      undo: async () => {
        done.push(`-${name}`);
        if (undo === 'fails') throw new Error('too late');
        return '';
      },
    };
  });
  const options = {
    operation: 'switchover',
    id: 'x',
    note: (event: OperationEvent) => events.push(event),
  } as const;
  return { report: await runSteps(steps, options), done, events };
}

t.test('all steps, in their order, each an event with its duration', async (t) => {
  const { report, done, events } = await run([
    { name: 'a', undo: 'works' },
    { name: 'b', final: true },
    { name: 'c' },
  ]);
  t.strictSame(done, ['a', 'b', 'c']);
  t.match(report, {
    outcome: 'done',
    reason: '',
    steps: [{ step: 'a', ok: true, text: 'a went well' }, {}, {}],
  });
  t.match(events[2], {
    kind: 'operation-step',
    operation: 'switchover',
    id: 'x',
    step: 'c',
    direction: 'do',
    ok: true,
  });
  t.ok(report.steps.every(({ durationMs }) => durationMs >= 0));
});

t.test('a step that fails is undone with those before it, the last first', async (t) => {
  const { report, done } = await run([
    { name: 'a', undo: 'works' },
    { name: 'b' },
    { name: 'c', undo: 'works', fails: new Error('no') },
    { name: 'd', undo: 'works' },
  ]);
  t.strictSame(done, ['a', 'b', 'c', '-c', '-a']);
  t.match(report, { outcome: 'undone', reason: 'c: no' });
});

t.test('an undo that fails keeps nobody from the others, and is told', async (t) => {
  const { report, done } = await run([
    { name: 'a', undo: 'works' },
    { name: 'b', undo: 'fails' },
    { name: 'c', fails: 'a text' },
  ]);
  t.strictSame(done, ['a', 'b', 'c', '-b', '-a']);
  t.match(report, { outcome: 'failed', reason: 'c: a text; undoing b: too late' });
});

t.test('behind the point of no return nothing is undone, and the rest is done', async (t) => {
  const { report, done } = await run([
    { name: 'a', undo: 'works' },
    { name: 'b', final: true, undo: 'works' },
    { name: 'c', fails: new Error('late'), undo: 'works' },
    { name: 'd' },
  ]);
  t.strictSame(done, ['a', 'b', 'c', 'd']);
  t.match(report, { outcome: 'done', reason: 'c: late' });
});

t.test('where nobody knows what was done, nothing is', async (t) => {
  const { report, done } = await run([
    { name: 'a', undo: 'works' },
    { name: 'b', final: true, fails: new UnknownOutcomeError('lost', null) },
    { name: 'c' },
  ]);
  t.strictSame(done, ['a', 'b']);
  t.match(report, { outcome: 'failed', reason: 'b: lost' });
});
