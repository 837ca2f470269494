import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { type HookFacts, isExecutable, runHook } from '../../../../src/control/failover/hooks/run-hook.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const directory = mkdtempSync(join(tmpdir(), 'sluice-hook-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));

function script(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

const FACTS: HookFacts = {
  phase: 'before',
  operation: 'switchover',
  id: 'an-id',
  from: 'a:1',
  to: 'b:2',
  outcome: '',
  reason: "it's $(so)",
};

t.test(
  'it is told everything, as variables, as an argument and as JSON; the last line is its answer',
  async (t) => {
    const out = join(directory, 'out');
    const told = script(
      'told',
      `cat > ${out}\necho "$1 $SLUICE_HOOK_FROM $SLUICE_HOOK_TO $SLUICE_HOOK_REASON" >> ${out}
echo first; echo last`,
    );
    t.equal(await runHook(told, FACTS, 10_000), 'last');
    const [json, line] = readFileSync(out, 'utf8').split('\n');
    t.strictSame(JSON.parse(json!), FACTS);
    t.equal(line, "before a:1 b:2 it's $(so)");
  },
);

t.test('what Sluice was configured by is not handed down', async (t) => {
  process.env.SLUICE_MONITOR_PASSWORD = 'secret';
  t.teardown(() => delete process.env.SLUICE_MONITOR_PASSWORD);
  t.equal(await runHook(script('env', 'env | grep -c MONITOR_PASSWORD; true'), FACTS, 10_000), '0');
});

t.test('failures', async (t) => {
  await t.rejects(runHook(script('fails', 'echo no >&2; exit 3'), FACTS, 10_000), {
    message: /fails ended with exit code 3: no$/,
  });
  await t.rejects(runHook(join(directory, 'missing'), FACTS, 10_000), { message: /cannot be run/ });
  t.equal(await isExecutable(script('yes', '')), true);
  t.equal(await isExecutable(directory.concat('/missing')), false);
});

t.test('one that does not end is killed, with what it has started', async (t) => {
  const pidFile = join(directory, 'pid');
  const slow = script('slow', `sleep 600 &\necho $! > ${pidFile}.new; mv ${pidFile}.new ${pidFile}\nwait`);
  const ended = runHook(slow, FACTS, 1000);
  await t.rejects(ended, { message: /did not end within 1000 ms and was killed/ });
  const isAlive = () => {
    const stat = `/proc/${readFileSync(pidFile, 'utf8').trim()}/stat`;
    return existsSync(stat) && !/\) Z /.test(readFileSync(stat, 'utf8'));
  };
  if (existsSync(pidFile)) await waitUntil('its child is gone', () => !isAlive());
});

t.test('one that reads nothing and leaves somebody with its pipes', async (t) => {
  const leaves = script('leaves', 'sleep 5 & echo done');
  t.equal(await runHook(leaves, FACTS, 10_000), 'done');
});
