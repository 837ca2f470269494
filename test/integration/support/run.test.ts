import { join } from 'node:path';
import t from 'tap';
import { runProgram } from '../../support/run-program.ts';
import { checkoutDirectory } from '../../support/sluice-script.ts';

async function run(args: readonly string[]): Promise<{ code: number; lines: string[] }> {
  const { code, stdout } = await runProgram(process.execPath, [
    join(checkoutDirectory, 'test/run.ts'),
    ...args,
  ]);
  return { code, lines: stdout.trimEnd().split('\n') };
}

t.test('the last line is the count, the exit code tells whether all is well', async (t) => {
  const { code, lines } = await run(['unit/support/test-plan']);
  t.equal(code, 0);
  t.match(lines[0], /^ok {3}test\/unit\/support\/test-plan\.test\.ts \(8 passed, 0 failed/);
  t.equal(lines.at(-1), '8 passed, 0 failed');
});

t.test('a filter that fits no file fails', async (t) => {
  const { code, lines } = await run(['unit/no-such-folder']);
  t.equal(code, 1);
  t.equal(lines[0], 'FAIL no test file begins with test/unit/no-such-folder');
  t.equal(lines.at(-1), '0 passed, 1 failed');
});
