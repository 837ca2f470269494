import t from 'tap';
import { TapCounter } from '../../support/tap-summary.ts';

function count(text: string) {
  const counter = new TapCounter();
  // In pieces, as a pipe gives it.
  for (let at = 0; at < text.length; at += 7) counter.write(text.slice(at, at + 7));
  return counter.end();
}

t.test('assertions are counted, the lines that end subtests are not', async (t) => {
  const summary = count(
    [
      'TAP version 14',
      '# Subtest: outer',
      '    ok 1 - first',
      '    # Subtest: inner',
      '        ok 1 - second',
      '        not ok 2 - third',
      '          ---',
      '          found: 3',
      '          ...',
      '        1..2',
      '    not ok 2 - inner',
      '    1..2',
      'not ok 1 - outer',
      'ok 2 - alone',
      '1..2',
      '',
    ].join('\n'),
  );
  t.equal(summary.passed, 3);
  t.equal(summary.failed, 1);
  t.strictSame(summary.failures, [{ path: ['outer', 'inner', 'third'], detail: { found: 3 } }]);
  t.equal(summary.planProblem, null);
});

t.test('a subtest that failed by itself counts, and so does one without assertions', async (t) => {
  const summary = count(
    [
      'TAP version 14',
      '# Subtest: late',
      '    ok 1 - first',
      '    1..1',
      'not ok 1 - late # time=1ms',
      '  ---',
      '  reason: timeout',
      '  ...',
      '# Subtest: empty',
      '    1..0',
      'ok 2 - empty',
      '1..2',
      '',
    ].join('\n'),
  );
  t.equal(summary.passed, 2);
  t.equal(summary.failed, 1);
  t.strictSame(summary.failures[0]?.path, ['late']);
});

t.test('skipped and to-do tests are neither passed nor failed', async (t) => {
  const summary = count(
    'TAP version 14\nok 1 - a # SKIP no server\nnot ok 2 - b # TODO later\nok 3 - c\n1..3\n',
  );
  t.strictSame([summary.passed, summary.failed, summary.skipped, summary.todo], [1, 0, 1, 1]);
});

t.test('output that ends too early is noticed', async (t) => {
  t.equal(count('TAP version 14\nok 1 - a\n').planProblem, 'the output ends without a plan');
  t.equal(count('TAP version 14\n1..3\nok 1 - a\n').planProblem, 'planned 3 tests, saw 1');
  t.strictSame([count('').passed, count('').failed], [0, 0]);
  const bailed = count('TAP version 14\nok 1 - a\nBail out! no disk\n');
  t.strictSame(bailed.failures, [{ path: ['bail out'], detail: { reason: 'no disk' } }]);
});
