/** What systemd is told, by a program of systemd's name that writes down how it was called. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import t from 'tap';
import { ServiceManager, watchdogPeriodMs } from '../../../src/cli/service-manager.ts';
import { waitUntil } from '../../support/wait-until.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-notify-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const said = join(folder, 'said');

function standIn(exitCode = 0): NodeJS.ProcessEnv {
  const program = join(folder, 'systemd-notify');
  writeFileSync(
    program,
    `#!/bin/sh\nprintf '%s|' "$NOTIFY_SOCKET" "$@" >>${said}\necho >>${said}\nexit ${exitCode}\n`,
  );
  chmodSync(program, 0o755);
  writeFileSync(said, '');
  return { PATH: `${folder}:${process.env.PATH}`, NOTIFY_SOCKET: '/run/notify' };
}

const lines = () => readFileSync(said, 'utf8').split('\n').slice(0, -1);

interface Made {
  readonly env: NodeJS.ProcessEnv;
  readonly isSuccessor?: boolean;
  readonly beats?: () => readonly number[];
  readonly speaks?: () => boolean;
}

function make({ env, isSuccessor = false, beats = () => [], speaks = () => true }: Made) {
  const warnings: string[] = [];
  const manager = new ServiceManager({
    env,
    isSuccessor,
    beats,
    speaks,
    warn: (message) => warnings.push(message),
  });
  return { manager, warnings };
}

t.test('the watchdog is wanted from the process that it names', async (t) => {
  const limit = { WATCHDOG_USEC: '30000000' };
  t.equal(watchdogPeriodMs(limit, false), 15_000);
  t.equal(watchdogPeriodMs({ ...limit, WATCHDOG_PID: String(process.pid) }, false), 15_000);
  t.equal(watchdogPeriodMs({ ...limit, WATCHDOG_PID: '1' }, false), null);
  t.equal(watchdogPeriodMs({ ...limit, WATCHDOG_PID: '1' }, true), 15_000, 'the one before has gone');
  for (const WATCHDOG_USEC of ['', '0', '-1', 'x']) t.equal(watchdogPeriodMs({ WATCHDOG_USEC }, false), null);
  t.equal(watchdogPeriodMs({}, false), null);
});

t.test('ready and stopping, in this order', async (t) => {
  const { manager, warnings } = make({ env: standIn() });
  manager.ready('clients on 0.0.0.0:6033');
  manager.stopping('stopping', 40_000);
  await manager.told();
  t.same(lines(), [
    `/run/notify|MAINPID=${process.pid}|READY=1|STATUS=clients on 0.0.0.0:6033|`,
    '/run/notify|STOPPING=1|STATUS=stopping|EXTEND_TIMEOUT_USEC=40000000|',
  ]);
  t.same(warnings, []);
});

t.test('nobody is told where nobody asks, and by whom somebody else has succeeded', async (t) => {
  const { manager } = make({ env: { ...standIn(), NOTIFY_SOCKET: '' } });
  manager.ready('ready');
  manager.stopping('stopping', 1);
  await manager.told();
  t.same(lines(), []);
  const other = make({ env: standIn(), speaks: () => false }).manager;
  other.stopping('stopping', 1);
  await other.told();
  t.same(lines(), []);
});

t.test('a message that cannot be delivered is a warning', async (t) => {
  const { manager, warnings } = make({ env: standIn(1) });
  manager.ready('ready');
  await manager.told();
  t.same(warnings, ['systemd cannot be told where this process stands']);
});

t.test('signs of life come until another process speaks', async (t) => {
  let speaks = true;
  const { manager } = make({ env: { ...standIn(), WATCHDOG_USEC: '20000' }, speaks: () => speaks });
  manager.ready('ready');
  const alive = () => lines().filter((line) => line === '/run/notify|WATCHDOG=1|').length;
  const held = setInterval(() => undefined, 1000);
  t.teardown(() => clearInterval(held));
  await waitUntil('three signs of life', () => alive() >= 3);
  speaks = false;
  await manager.told();
  const before = lines().length;
  manager.stopping('stopping', 1);
  await manager.told();
  t.equal(lines().length, before);
});

t.test('a worker that stands still ends the signs of life', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.teardown(() => mock.timers.reset());
  const beats = [[4, 9], [8, 12], [8, 16], [9, 20], [9]];
  const env = { ...standIn(), WATCHDOG_USEC: '8000000' };
  const { manager, warnings } = make({ env, beats: () => beats.shift() ?? [] });
  manager.ready('ready');
  mock.timers.tick(4000);
  mock.timers.tick(4000);
  t.same(warnings, []);
  mock.timers.tick(4000);
  t.same(warnings, ['a worker stands still, the watchdog is not told that all is well']);
  mock.timers.tick(4000);
  mock.timers.tick(4000);
  await manager.told();
  t.equal(warnings.length, 1, 'it goes on, and then one has ended');
  t.equal(lines().filter((line) => line === '/run/notify|WATCHDOG=1|').length, 4);
});
