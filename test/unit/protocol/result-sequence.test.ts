/** Which result sets announce another result, for texts of several statements and for CALLs. */

import t from 'tap';
import { ResultSequence } from '../../../protocol/exchange/result-sequence.ts';

const OK = true;
const ROWS = false;

/** What `continues` says at each result of the answer. */
function announced(statementCount: number, calls: readonly number[], results: readonly boolean[]): boolean[] {
  const sequence = new ResultSequence();
  sequence.begin({ statementCount, calls });
  return results.map((isOk) => {
    const { continues } = sequence;
    sequence.resultEnded(isOk);
    return continues;
  });
}

t.test('one statement is the last one', async (t) => {
  t.same(announced(1, [], [ROWS]), [false]);
  t.same(announced(0, [], [OK]), [false]);
});

t.test('of several all but the last', async (t) => {
  t.same(announced(3, [], [ROWS, OK, ROWS]), [true, true, false]);
});

t.test('the OK of a CALL follows its result sets, however many', async (t) => {
  t.same(announced(1, [0], [ROWS, ROWS, OK]), [true, true, true]);
  t.same(announced(3, [1], [ROWS, ROWS, ROWS, OK, ROWS]), [true, true, true, true, false]);
  t.same(announced(3, [0, 1], [OK, ROWS, OK, ROWS]), [true, true, true, false]);
});

t.test('nothing is announced where the text is not known, nor of the answer before', async (t) => {
  const sequence = new ResultSequence();
  sequence.begin({ statementCount: 5, calls: [0] });
  sequence.begin(null);
  t.equal(sequence.continues, false);
});
