/** Signals, reload and the ends that a process can come to. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { waitUntil } from '../../support/wait-until.ts';

const FIXTURE = fileURLToPath(new URL('./fixture-service.ts', import.meta.url));
const BASE = 'servers: [a]\nmonitor: { username: m, password: hunter2 }\nusers: [{ username: u }]\n';

class RunningService {
  readonly directory = mkdtempSync(join(tmpdir(), 'sluice-service-'));
  readonly file = join(this.directory, 'sluice.yaml');
  readonly #child: ChildProcess;
  readonly exited: Promise<unknown[]>;
  output = '';
  calls = '';

  constructor(behaviour = '') {
    this.write('');
    this.#child = spawn(process.execPath, [FIXTURE, this.file, behaviour], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.exited = once(this.#child, 'close');
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.calls += text;
    });
  }

  write(text: string): void {
    writeFileSync(this.file, BASE + text);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  get records(): Record<string, unknown>[] {
    return this.output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  }

  async logged(message: string): Promise<Record<string, unknown>> {
    return waitUntil(`"${message}" is logged`, () => this.records.findLast(({ msg }) => msg === message), {
      timeoutMs: 25_000,
    });
  }

  async end(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
    rmSync(this.directory, { recursive: true, force: true });
  }
}

t.test('says where it can be reached, and stops on SIGTERM and SIGINT', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const service = new RunningService();
    t.teardown(() => service.end());
    t.match(await service.logged('ready'), {
      level: 'info',
      listen: '127.0.0.1:6033',
      http: '127.0.0.1:6080',
      version: '0.0.0',
    });
    service.signal(signal);
    t.strictSame(await service.exited, [0, null], signal);
    t.equal(service.calls, `stop ${signal}\n`);
    t.ok(await service.logged('stopped'));
  }
});

t.test('a second signal does not wait for a stop that hangs', async (t) => {
  const service = new RunningService('hang');
  t.teardown(() => service.end());
  await service.logged('ready');
  service.signal('SIGTERM');
  await service.logged('stopping');
  service.signal('SIGINT');
  t.strictSame(await service.exited, [130, null]);
});

t.test('SIGHUP applies what can change, and names what cannot', async (t) => {
  const service = new RunningService();
  t.teardown(() => service.end());
  await service.logged('ready');
  service.write('pool: { maxConnections: 7 }\nlisten: { port: 7000 }\n');
  service.signal('SIGHUP');
  t.match(await service.logged('changed settings need a restart'), { settings: ['listen.port'] });
  t.match(await service.logged('configuration read again'), { changed: ['pool.maxConnections'] });
  t.equal(service.calls, 'reload maxConnections=7 port=6033\n');
});

t.test('a bad file on SIGHUP changes nothing and says why; a good one later is taken', async (t) => {
  const service = new RunningService();
  t.teardown(() => service.end());
  await service.logged('ready');
  service.write('pool: { maxConnections: none }\n');
  service.signal('SIGHUP');
  const record = await service.logged('configuration not changed');
  t.match(record, { level: 'error' });
  t.match((record.problems as string[])[0], /sluice\.yaml:4: pool\.maxConnections: expected a whole number/);
  t.equal(service.calls, '');
  service.write('log: { level: debug }\n');
  service.signal('SIGHUP');
  t.match(await service.logged('configuration read again'), { changed: ['log.level'] });
  t.notOk(service.output.includes('hunter2'));
});

t.test('a start that fails, and a fault later on, end with 1 and a reason', async (t) => {
  const failing = new RunningService('fail');
  t.teardown(() => failing.end());
  t.strictSame(await failing.exited, [1, null]);
  t.match(await failing.logged('could not start'), { level: 'fatal', error: { message: 'address in use' } });
  const faulty = new RunningService('throw-later');
  t.teardown(() => faulty.end());
  t.strictSame(await faulty.exited, [1, null]);
  t.match(await faulty.logged('internal error'), { level: 'fatal', error: { type: 'SyntaxError' } });
});

t.test('SIGUSR2 has another process take over, and this one ends behind it', async (t) => {
  const service = new RunningService();
  t.teardown(() => service.end());
  await service.logged('ready');
  service.signal('SIGUSR2');
  t.strictSame(await service.exited, [0, null]);
  t.strictSame(service.calls.trim().split('\n'), ['hand over SIGUSR2', 'stop handed over']);
  t.match(await service.logged('another process has taken over, this one ends when its clients have'), {
    pid: 4711,
    version: '0.0.1',
  });
});

t.test('SIGHUP changes nothing in a process that another one has succeeded', async (t) => {
  const service = new RunningService('clients-stay');
  t.teardown(() => service.end());
  await service.logged('ready');
  service.signal('SIGUSR2');
  await service.logged('another process has taken over, this one ends when its clients have');
  service.signal('SIGHUP');
  await service.logged('the configuration is not read again: another process has taken over');
  service.signal('SIGTERM');
  t.strictSame(await service.exited, [0, null]);
  t.strictSame(service.calls.trim().split('\n'), ['hand over SIGUSR2', 'stop SIGTERM']);
});

t.test('SIGUSR2 that leads to nothing leaves all as it was', async (t) => {
  const service = new RunningService('no-handover');
  t.teardown(() => service.end());
  await service.logged('ready');
  service.signal('SIGUSR2');
  t.match(await service.logged('not restarted, all is as before'), {
    level: 'error',
    by: 'SIGUSR2',
    reason: 'there is no room',
  });
  service.signal('SIGTERM');
  t.strictSame(await service.exited, [0, null]);
});
