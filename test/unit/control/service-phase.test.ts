import t from 'tap';
import { IllegalTransitionError } from '../../../src/common/state-machine.ts';
import { ServicePhase } from '../../../src/control/service-phase.ts';

t.test('one that serves leaves before it closes', async (t) => {
  const phase = new ServicePhase();
  phase.started();
  t.notOk(phase.isStopping);
  const left = phase.leave(1);
  t.ok(phase.isStopping, 'at once');
  t.notOk(phase.isClosing, 'but it is served on');
  await left;
  t.ok(phase.isStopping);
  t.ok(phase.isClosing);
});

t.test('one that has not started has nobody to wait for', async (t) => {
  const phase = new ServicePhase();
  const left = phase.leave(2 ** 31 - 1);
  t.ok(phase.isClosing);
  await left;
  t.throws(() => phase.started(), IllegalTransitionError);
});
