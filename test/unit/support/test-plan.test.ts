import t from 'tap';
import { planFile, planTests } from '../../support/test-plan.ts';

t.test('files are found, sorted and filtered by the beginning of their path', async (t) => {
  const root = t.testdir({
    test: {
      'run.ts': '',
      unit: { sql: { 'lexer.test.ts': '', 'lexer.ts': '' }, 'a.test.ts': '' },
      integration: {
        'first.test.ts': '// sluice-test: long',
        routing: { 'reads.test.ts': '// sluice-test: alone' },
      },
    },
  });
  const files = (filters: string[]) => planTests(root, filters).map(({ file }) => file);
  t.strictSame(files([]), [
    'test/integration/first.test.ts',
    'test/integration/routing/reads.test.ts',
    'test/unit/a.test.ts',
    'test/unit/sql/lexer.test.ts',
  ]);
  t.strictSame(files(['unit/sql']), ['test/unit/sql/lexer.test.ts']);
  t.strictSame(files(['test/integration/routing', './test/unit/a']), [
    'test/integration/routing/reads.test.ts',
    'test/unit/a.test.ts',
  ]);
  t.throws(() => files(['unit/sqll']), { message: 'no test file begins with test/unit/sqll' });
});

t.test('a file says how it wants to be run', async (t) => {
  t.match(planFile('test/unit/a.test.ts', 'x'), {
    heavy: false,
    alone: false,
    long: false,
    nightly: false,
    timeoutMs: 60_000,
  });
  t.match(planFile('test/fault/a.test.ts', '// sluice-test: alone timeout=300\n'), {
    heavy: true,
    alone: true,
    timeoutMs: 300_000,
  });
  t.match(planFile('test/fuzz/a.test.ts', 'x\n// sluice-test: nightly\n'), { nightly: true });
  t.throws(() => planFile('test/unit/a.test.ts', '// sluice-test: allone'), {
    message: /unknown word "allone"/,
  });
});
