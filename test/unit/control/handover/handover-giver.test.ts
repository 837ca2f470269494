/** The old process's side, with real processes on the other side that behave as they are told. */

import t from 'tap';
import { HandoverError } from '../../../../src/control/handover/handover-error.ts';
import type { HandoverEvent } from '../../../../src/control/handover/handover-event.ts';
import { HandoverGiver } from '../../../../src/control/handover/handover-giver.ts';
import type { HandoverHost } from '../../../../src/control/handover/handover-host.ts';
import { isAlive } from '../../../support/succession.ts';

/** What a process says by itself, and on "yours"; it ends on "cancelled", or when the channel closes. */
const GOOD = `
  const say = (message) => process.send(message);
  process.on('disconnect', () => process.exit(0));
  process.on('message', ({ type }) => {
    if (type === 'offer') { say({ type: 'hello', protocol: 1, version: '9.9.9' }); say({ type: 'ready' }); }
    if (type === 'yours') say({ type: 'taken' });
    if (type === 'released') say({ type: 'announced' });
    if (type === 'cancelled') process.exit(1);
  });
`;

class Host implements HandoverHost {
  readonly version = '0.1.0';
  readonly said: string[] = [];
  readonly events: HandoverEvent[] = [];
  configuration = 1;
  isShared = false;
  why: string | null = null;
  startTimeoutMs = 20_000;
  unsavedTables: readonly string[] = [];
  drained: () => void = () => undefined;

  settings() {
    return { startTimeoutMs: this.startTimeoutMs, idleMs: 1, drainMs: 1 };
  }
  obstacle() {
    return this.why;
  }
  configurationNumber() {
    return this.configuration;
  }
  unsaved() {
    return Promise.resolve(this.unsavedTables);
  }
  sockets() {
    return Promise.resolve([]);
  }
  administered() {
    return [];
  }
  nextConnectionId() {
    return 5;
  }
  clients() {
    return 2;
  }
  suspendRoles() {
    this.said.push('suspended');
    return Promise.resolve();
  }
  sharesLog(isShared: boolean) {
    this.isShared = isShared;
  }
  resumeRoles() {
    this.said.push('resumed');
  }
  drain() {
    this.said.push('draining');
    return new Promise<void>((resolve) => {
      this.drained = resolve;
    });
  }
  endRoles() {
    this.said.push('ended roles');
    return Promise.resolve();
  }
  note(event: HandoverEvent) {
    this.events.push(event);
  }
  warn(message: string, fields: object) {
    this.said.push(`${message} ${JSON.stringify(fields)}`);
  }

  get lastPid(): number {
    const started = this.events.findLast(({ kind }) => kind === 'handover-started');
    return started?.kind === 'handover-started' ? started.pid : 0;
  }
}

function make(script: string): { host: Host; giver: HandoverGiver } {
  const host = new Host();
  const program = () => ({ program: process.execPath, args: ['-e', script] });
  return { host, giver: new HandoverGiver({ host, before: { done: 0, failed: 0 }, program }) };
}

function nobody(): void {
  throw new Error('it has not drained');
}

t.test('sockets are given away, and then clients end', async (t) => {
  const { host, giver } = make(GOOD);
  host.unsavedTables = ['mysql_users'];
  let isDrained: () => void = () => undefined;
  const drained = new Promise<void>((resolve) => {
    isDrained = resolve;
  });
  const { pid, version } = await giver.request('somebody', isDrained);
  t.equal(version, '9.9.9');
  t.equal(pid, host.lastPid);
  t.equal(giver.isGiven, true);
  t.equal(host.isShared, true);
  t.match(host.said[0], /starts without it.*mysql_users/);
  t.strictSame(host.said.slice(1, 3), ['suspended', 'draining']);
  await t.rejects(giver.request('again', nobody), /another process has taken over already/);
  host.drained();
  await drained;
  t.equal(host.said.at(-1), 'ended roles');
  t.strictSame(
    host.events.map(({ kind }) => kind),
    ['handover-started'],
  );
});

t.test('nothing is begun where something is in the way', async (t) => {
  const { host, giver } = make(GOOD);
  host.why = 'a switchover is running';
  await t.rejects(giver.request('somebody', nobody), new HandoverError('a switchover is running'));
  t.strictSame(host.events, []);
  t.equal(giver.failed, 0);
});

const FAILURES: readonly [name: string, script: string, reason: RegExp, said: readonly string[]][] = [
  ['it ends', 'process.exit(3)', /it ended with exit code 3/, []],
  ['it is killed', "process.kill(process.pid, 'SIGKILL')", /it was ended by SIGKILL/, []],
  [
    'it ends when it was to take',
    GOOD.replace(
      "say({ type: 'taken' })",
      "{ say({ type: 'words', text: 'no port\\n' }); process.exit(1); }",
    ),
    /it ended with exit code 1/,
    ['suspended', 'resumed'],
  ],
];
for (const [name, script, reason, said] of FAILURES) {
  t.test(`${name}: all is as before, and another one may be tried`, async (t) => {
    const { host, giver } = make(script);
    await t.rejects(giver.request('somebody', nobody), reason);
    t.strictSame(host.said, said);
    t.equal(giver.isGiven, false);
    t.equal(giver.failed, 1);
    t.equal(host.isShared, false);
    t.match(host.events.at(-1), { kind: 'handover-failed', reason });
    if (said.length > 0) t.match(host.events.at(-1), { lastWords: 'no port' });
    await t.rejects(giver.request('somebody', nobody), reason, 'tried again');
  });
}

t.test('one that is late is ended, and says what it waited for', async (t) => {
  const waits = GOOD.replace(
    "say({ type: 'ready' })",
    "say({ type: 'waiting', reasons: ['no primary is known'] })",
  );
  const { host, giver } = make(waits);
  host.startTimeoutMs = 1500;
  const request = giver.request('somebody', nobody);
  await t.rejects(giver.request('another', nobody), /a handover is under way already/);
  await t.rejects(request, /not ready within handover.startTimeoutMs \(1500 ms\): no primary is known/);
  t.equal(isAlive(host.lastPid), false, 'it is gone before anybody is told');
});

t.test('a configuration that has changed meanwhile is not what the new process has', async (t) => {
  const { host, giver } = make(GOOD);
  // Asked for when the process is started, and when it is ready.
  host.configurationNumber = () => host.configuration++;
  await t.rejects(
    giver.request('somebody', nobody),
    /the configuration was changed while the new process started/,
  );
  t.strictSame(host.said, []);
});

t.test('a stop comes first', async (t) => {
  const { host, giver } = make(GOOD.replace("say({ type: 'ready' })", ''));
  const request = giver.request('somebody', nobody);
  const rejected = t.rejects(request, /Sluice stops/);
  while (host.lastPid === 0) await new Promise(setImmediate);
  await giver.cancel('Sluice stops: SIGTERM');
  await rejected;
  t.equal(isAlive(host.lastPid), false);
  await giver.cancel('again');
});
