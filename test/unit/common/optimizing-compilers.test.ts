import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { mayHoldCompilers } from '../../../src/common/optimizing-compilers.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../../support/held-compilers.ts', import.meta.url));

/** The functions of this name that V8 wanted compiled, each in a thread of its own. */
async function compiled(...args: string[]): Promise<number> {
  const { stdout } = await run(process.execPath, ['--trace-opt', program, ...args]);
  const marked = stdout.matchAll(/marking .*hotFunction \(sfi = (\w+)\).* for optimization/g);
  return new Set([...marked].map(([, functionInfo]) => functionInfo)).size;
}

t.test('nothing is compiled while they are held, and then all that is called often', async (t) => {
  t.equal(await compiled(), 0);
  t.equal(
    await compiled('release'),
    3,
    'of the main thread, of one that was there before, and of one that came meanwhile',
  );
});

t.test('where the start of Node says something of compilers it stays so', async (t) => {
  t.ok(mayHoldCompilers(['--max-old-space-size=64', '--import', '/opt/hook.mjs', '']));
  for (const option of [
    '--jitless',
    '--no-opt',
    '--noopt',
    '--no_maglev',
    '--max-opt=1',
    '--turbofan',
    '--lite-mode',
  ])
    t.notOk(mayHoldCompilers(['--enable-source-maps', option]), option);
});
