/** The set-up script where nothing is to do, and where something is (installing for real is what every CI run does). */

import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runProgram } from '../../support/run-program.ts';
import { checkoutDirectory } from '../../support/sluice-script.ts';

interface Outcome {
  readonly code: number;
  readonly output: string;
}

async function runSetup(
  root: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Outcome> {
  const { code, stdout, stderr } = await runProgram('sh', [join(root, 'test/support/setup.sh'), ...args], {
    env,
  });
  return { code, output: `${stdout}${stderr}` };
}

/** A checkout of which only what the script looks at is there, and an npm that only tells how it was called. */
function bareCheckout(t: Test): { root: string; env: NodeJS.ProcessEnv; npmCalls: () => string[] } {
  const root = t.testdir({ bin: { npm: '#!/bin/sh\necho "$@" >>"$NPM_CALLS"\n' } });
  const support = join(root, 'test/support');
  mkdirSync(support, { recursive: true });
  for (const file of ['setup.sh', 'dependencies-current.mjs']) {
    cpSync(join(checkoutDirectory, 'test/support', file), join(support, file));
  }
  chmodSync(join(root, 'bin/npm'), 0o755);
  writeLock(root, 'package-lock.json', '1.0.0');
  const calls = join(root, 'npm-calls');
  writeFileSync(calls, '');
  return {
    root,
    env: { ...process.env, PATH: `${join(root, 'bin')}:${process.env.PATH}`, NPM_CALLS: calls },
    npmCalls: () => readFileSync(calls, 'utf8').split('\n').filter(Boolean),
  };
}

function writeLock(root: string, file: string, version: string): void {
  const packages = { '': {}, 'node_modules/a': { version, integrity: `sha-${version}` } };
  mkdirSync(join(root, 'node_modules/a'), { recursive: true });
  writeFileSync(join(root, 'node_modules/a/package.json'), '{}');
  writeFileSync(join(root, file), JSON.stringify({ packages }));
}

function installNode(root: string, version: string): void {
  const program = join(root, 'node_modules/.bin/node');
  mkdirSync(join(root, 'node_modules/.bin'), { recursive: true });
  writeFileSync(program, `#!/bin/sh\necho ${version}\n`);
  chmodSync(program, 0o755);
}

t.test('where all is there it says nothing', async (t) => {
  t.strictSame(await runSetup(checkoutDirectory, ['servers']), { code: 0, output: '' });
});

t.test('an unknown word is an error', async (t) => {
  t.strictSame(await runSetup(checkoutDirectory, ['everything']), {
    code: 1,
    output: 'setup: usage: setup.sh node|servers|tests|bench\n',
  });
});

t.test('dependencies are installed when they are missing or others', async (t) => {
  const { root, env, npmCalls } = bareCheckout(t);
  const missing = await runSetup(root, ['node'], env);
  t.match(missing.output, 'setup: installing npm dependencies: there is no node_modules');
  t.match(npmCalls(), [/^ci --include=dev/]);

  writeLock(root, 'node_modules/.package-lock.json', '1.0.0');
  installNode(root, 'v24.1.0');
  t.strictSame(await runSetup(root, ['node'], env), { code: 0, output: '' });
  t.equal(npmCalls().length, 1, 'npm is not called when nothing has changed');

  writeLock(root, 'package-lock.json', '1.1.0');
  const stale = await runSetup(root, ['node'], env);
  t.match(stale.output, 'node_modules/a is 1.0.0, package-lock.json names 1.1.0');
  t.equal(npmCalls().length, 2);
});

t.test('a Node that does not run, or is too old, is named', async (t) => {
  const { root, env } = bareCheckout(t);
  writeLock(root, 'node_modules/.package-lock.json', '1.0.0');
  const without = await runSetup(root, ['node'], env);
  t.equal(without.code, 1);
  t.match(without.output, 'node_modules/.bin/node does not run');
  installNode(root, 'v20.20.2');
  const old = await runSetup(root, ['node'], env);
  t.equal(old.code, 1);
  t.match(old.output, 'node_modules/.bin/node is v20.20.2, 24 or later is needed');
});
