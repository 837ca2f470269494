// sluice-test: long timeout=240
/**
 * `npm run demo -- --once` as a newcomer runs it: in a fresh clone. (The clone borrows node_modules: that a bare
 * machine gets its own is what continuous integration shows with every run.)
 */

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { OwnedChild } from '../../support/child-process.ts';
import { makeTemporaryDirectory } from '../../support/owned-resources.ts';
import { checkoutDirectory } from '../../support/sluice-script.ts';
import { waitUntil } from '../../support/wait-until.ts';

const execFileAsync = promisify(execFile);
const START_TIMEOUT_MS = 90_000;

/** A clone of HEAD with dependencies, and an empty folder for everything temporary. */
async function freshClone(): Promise<{ clone: string; temporary: string; output: string }> {
  const directory = makeTemporaryDirectory('clone');
  const clone = join(directory, 'sluice');
  const temporary = join(directory, 'tmp');
  mkdirSync(temporary);
  await execFileAsync('git', ['clone', '--quiet', '--no-hardlinks', checkoutDirectory, clone]);
  symlinkSync(join(checkoutDirectory, 'node_modules'), join(clone, 'node_modules'));
  return { clone, temporary, output: join(directory, 'output') };
}

function startDemo(
  place: Awaited<ReturnType<typeof freshClone>>,
  args: readonly string[],
): Promise<OwnedChild> {
  const { SLUICE_TEST_TEMPLATES: _, SLUICE_TEST_SCRIPT: __, ...env } = process.env;
  return OwnedChild.spawn({
    command: 'npm',
    args: ['run', 'demo', ...args],
    cwd: place.clone,
    env: { ...env, TMPDIR: place.temporary },
    outputFile: place.output,
    ownGroup: true,
  });
}

/** Command lines of processes that have anything to do with the clone or its temporary folder. */
function processesOf({ clone, temporary }: { clone: string; temporary: string }): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const directory = readlinkSync(`/proc/${pid}/cwd`);
      if ([clone, temporary].some((path) => commandLine.includes(path) || directory.startsWith(path))) {
        found.push(`${pid} ${commandLine}`);
      }
    } catch {
      // Ended while we looked, or somebody else's.
    }
  }
  return found;
}

async function checkNothingIsLeft(t: Test, place: Awaited<ReturnType<typeof freshClone>>): Promise<void> {
  t.strictSame(processesOf(place), [], 'no process is left');
  // Node and npm keep caches of their own there.
  const left = readdirSync(place.temporary).filter((name) => name.startsWith('sluice'));
  t.strictSame(left, [], 'no temporary folder is left');
  const { stdout } = await execFileAsync('git', ['status', '--porcelain'], { cwd: place.clone });
  t.equal(stdout.replace(/^\?\? node_modules\n/, ''), '', 'the clone is clean');
}

t.test('npm run demo -- --once shows the tour and leaves nothing behind', async (t) => {
  const place = await freshClone();
  const demo = await startDemo(place, ['--', '--once']);
  t.teardown(() => demo.signal('SIGKILL'));
  const { code } = await demo.exited;
  const output = readFileSync(place.output, 'utf8');
  t.equal(code, 0, 'the exit code is 0', { output });
  t.match(output, /All \d+ steps were as expected\./);
  t.notMatch(output, /FAIL/);
  await checkNothingIsLeft(t, place);
});

t.test('npm run demo stays up until Ctrl-C, which leaves nothing behind', async (t) => {
  const place = await freshClone();
  const demo = await startDemo(place, []);
  t.teardown(() => demo.signal('SIGKILL'));
  const dsn = await waitUntil(
    'the demo names its DSN',
    () => {
      const output = existsSync(place.output) ? readFileSync(place.output, 'utf8') : '';
      if (demo.exit !== null) return output;
      return /mysql:\/\/\S+/.exec(output)?.[0];
    },
    { timeoutMs: START_TIMEOUT_MS, intervalMs: 200 },
  );
  t.match(dsn, /^mysql:\/\/app:app-secret@127\.0\.0\.1:\d+\/app$/);
  t.equal(demo.exit, null, 'it stays up');
  t.ok(processesOf(place).length >= 4, 'the servers and Sluice run');
  // As a terminal does it: to the whole group.
  process.kill(-demo.pid, 'SIGINT');
  await demo.exited;
  await waitUntil('every process has ended', () => processesOf(place).length === 0, { timeoutMs: 30_000 });
  t.match(readFileSync(place.output, 'utf8'), /Stopped; nothing is left behind\./);
  await checkNothingIsLeft(t, place);
});
