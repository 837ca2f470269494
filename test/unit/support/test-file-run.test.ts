import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runTestFile } from '../../support/test-file-run.ts';

const FAST_TIMEOUT_MS = 20_000;

function run(t: Test, source: string, timeoutMs = FAST_TIMEOUT_MS, signal = new AbortController().signal) {
  const cwd = t.testdir({ 'x.test.ts': source });
  return runTestFile({ file: 'x.test.ts', cwd, timeoutMs, env: process.env, signal });
}

t.test('what passes and fails is counted', async (t) => {
  const result = await run(t, "import t from 'tap';\nt.equal(1, 1);\nt.equal(1, 2, 'one is two');");
  t.strictSame([result.passed, result.failed], [1, 1]);
  t.strictSame(result.failures[0]?.path, ['one is two']);
});

t.test('a file fails that breaks, prints nothing, or dies', async (t) => {
  const cases = [
    { source: "console.error('why'); throw new Error('broken');", name: 'crash' },
    { source: "import t from 'tap';", name: 'no test' },
    { source: "import t from 'tap';\nt.ok(1);\nprocess.kill(process.pid, 'SIGKILL');", name: 'crash' },
    { source: "console.log('TAP version 14\\n1..2\\nok 1 - a');", name: 'plan' },
    { source: "console.log('TAP version 14\\nok 1 - a\\n1..1'); process.exitCode = 3;", name: 'crash' },
  ];
  for (const { source, name } of cases) {
    const result = await run(t, source);
    t.equal(result.failed, 1, source);
    t.strictSame(result.failures[0]?.path, [name], source);
  }
});

t.test('stderr is kept', async (t) => {
  const result = await run(t, "console.error('the reason'); process.exit(1);");
  t.match(result.stderr, /the reason/);
});

t.test('a file that does not end is stopped, with its children', async (t) => {
  const source = [
    "import { spawn } from 'node:child_process';",
    "import { writeFileSync } from 'node:fs';",
    "const child = spawn('sleep', ['600'], { stdio: 'ignore' });",
    "writeFileSync('pid', String(child.pid));",
    "process.on('SIGTERM', () => {});",
    "console.log('TAP version 14');",
    'setInterval(() => {}, 1000);',
  ].join('\n');
  const cwd = t.testdir({ 'x.test.ts': source });
  const result = await runTestFile({
    file: 'x.test.ts',
    cwd,
    timeoutMs: 1500,
    env: process.env,
    signal: new AbortController().signal,
  });
  t.equal(result.failed, 1);
  t.strictSame(result.failures[0]?.path, ['time-out']);
  const pid = readFileSync(join(cwd, 'pid'), 'utf8');
  t.notOk(isRunning(pid), 'the child is gone');
});

t.test('processes left behind are killed, and fail the file; its temporary folder is removed', async (t) => {
  const source = [
    "import t from 'tap';",
    "import { spawn } from 'node:child_process';",
    "import { mkdtempSync, writeFileSync } from 'node:fs';",
    "import { tmpdir } from 'node:os';",
    "import { join } from 'node:path';",
    "const child = spawn('sleep', ['600'], { stdio: 'ignore' });",
    'child.unref();',
    "writeFileSync('left', child.pid + ' ' + mkdtempSync(join(tmpdir(), 'x-')));",
    "t.pass('fine');",
  ].join('\n');
  const cwd = t.testdir({ 'x.test.ts': source });
  const signal = new AbortController().signal;
  const result = await runTestFile({
    file: 'x.test.ts',
    cwd,
    timeoutMs: FAST_TIMEOUT_MS,
    env: process.env,
    signal,
  });
  t.strictSame([result.passed, result.failed], [1, 1]);
  t.strictSame(result.failures[0]?.path, ['processes left behind']);
  t.match(result.failures[0]?.detail, { reason: /sleep 600/ });
  const [pid = '', directory = ''] = readFileSync(join(cwd, 'left'), 'utf8').split(' ');
  t.notOk(isRunning(pid), 'the process is gone');
  t.notOk(existsSync(directory), 'the folder is gone');
});

t.test('a file is stopped when the run is', async (t) => {
  const abort = new AbortController();
  const running = run(t, 'setInterval(() => {}, 1000);', FAST_TIMEOUT_MS, abort.signal);
  abort.abort();
  const result = await running;
  t.strictSame(result.failures[0]?.path, ['stopped']);
});

/** A killed process may be a zombie for a while, where nobody waits for it. */
function isRunning(pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '');
  } catch {
    return false;
  }
}
