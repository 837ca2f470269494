import t from 'tap';
import { IllegalTransitionError, makeTransitions } from '../../../src/common/state-machine.ts';

const move = makeTransitions<'red' | 'green' | 'off'>('lamp', {
  red: ['green', 'off'],
  green: ['red'],
  off: [],
});

t.test('a legal transition returns the new state', (t) => {
  t.equal(move('red', 'green'), 'green');
  t.equal(move('green', 'red'), 'red');
  t.end();
});

t.test('an illegal one throws from, to and what was allowed', (t) => {
  try {
    move('green', 'off');
    t.fail('it was allowed');
  } catch (error) {
    t.match(error, {
      name: 'IllegalTransitionError',
      machine: 'lamp',
      from: 'green',
      to: 'off',
      allowed: ['red'],
      message: 'lamp: illegal transition from green to off, allowed: red',
    });
  }
  t.throws(() => move('off', 'red'), IllegalTransitionError);
  t.throws(() => move('green', 'green'), IllegalTransitionError, 'staying is a transition like any other');
  t.end();
});

t.test('a state that is not in the table allows nothing', (t) => {
  t.throws(() => move('blue' as 'red', 'red'), /allowed: none$/);
  t.end();
});
