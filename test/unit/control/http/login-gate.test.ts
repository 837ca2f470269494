import t from 'tap';
import { nativeHashOf } from '../../../../protocol/index.ts';
import { LoginGate } from '../../../../src/control/http/access/login-gate.ts';

const OPS = { username: 'ops', password: 'secret' };
const WATCHER = { username: 'watcher', password: nativeHashOf('look'), role: 'stats' } as const;

class Fixture {
  nowMs = 0;
  readonly delays: number[] = [];
  readonly #waiting: (() => void)[] = [];
  isHolding = false;
  readonly gate = new LoginGate([OPS, WATCHER], {
    now: () => this.nowMs,
    wait: (delayMs) => {
      this.delays.push(delayMs);
      return this.isHolding ? new Promise<void>((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
    },
  });

  login(username: string, password: string, address = '10.0.0.9') {
    return this.gate.attempt({ username, password, address });
  }

  async kind(username: string, password: string, address?: string): Promise<string> {
    return (await this.login(username, password, address)).kind;
  }

  release(): void {
    for (const done of this.#waiting.splice(0)) done();
  }
}

t.test('right and wrong passwords, plain and hashed', async (t) => {
  const fixture = new Fixture();
  t.match(await fixture.login('ops', 'secret'), {
    kind: 'accepted',
    account: { username: 'ops', role: 'admin' },
  });
  t.match(await fixture.login('watcher', 'look'), { kind: 'accepted', account: { role: 'stats' } });
  t.match(await fixture.login('watcher', 'look'), { kind: 'accepted' }, 'a proven one again');
  for (const [username, password] of [
    ['ops', 'Secret'],
    ['ops', ''],
    ['watcher', WATCHER.password],
    ['nobody', 'secret'],
    ['', ''],
  ] as const)
    t.equal(await fixture.kind(username, password), 'refused', `${username} ${password}`);
});

t.test('from the fourth failure of a user from an address on refusals take longer and longer', async (t) => {
  const fixture = new Fixture();
  for (let failure = 0; failure < 12; failure++) await fixture.kind('ops', 'wrong');
  t.strictSame(fixture.delays, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
  await fixture.kind('ops', 'wrong', '10.0.0.8');
  await fixture.kind('watcher', 'wrong');
  t.equal(fixture.delays.length, 9, 'others are not slowed down');
  t.equal(await fixture.kind('ops', 'secret'), 'accepted');
  await fixture.kind('ops', 'wrong');
  t.equal(fixture.delays.length, 9, 'a right password makes all of it forgotten');
});

t.test('while a refusal is held back nothing is tried, however right', async (t) => {
  const fixture = new Fixture();
  for (let failure = 0; failure < 3; failure++) await fixture.kind('ops', 'wrong');
  fixture.isHolding = true;
  const held = fixture.login('ops', 'wrong');
  t.strictSame(await fixture.login('ops', 'secret'), { kind: 'busy', retryAfterMs: 200 });
  t.equal(await fixture.kind('ops', 'secret', '10.0.0.8'), 'accepted', 'from elsewhere it is');
  fixture.release();
  t.strictSame(await held, { kind: 'refused' });
  t.equal(await fixture.kind('ops', 'secret'), 'accepted');
});

t.test('refusals that are held back are bounded', async (t) => {
  const fixture = new Fixture();
  const held: Promise<unknown>[] = [];
  for (let address = 0; address < 65; address++) {
    for (let failure = 0; failure < 3; failure++) await fixture.kind('ops', 'wrong', `10.1.0.${address}`);
  }
  fixture.isHolding = true;
  for (let address = 0; address < 64; address++)
    held.push(fixture.login('ops', 'wrong', `10.1.0.${address}`));
  t.equal(await fixture.kind('ops', 'wrong', '10.1.0.64'), 'busy');
  t.equal(await fixture.kind('ops', 'secret', '10.2.0.1'), 'accepted');
  fixture.release();
  await Promise.all(held);
});

t.test('failures are forgotten after a while', async (t) => {
  const fixture = new Fixture();
  for (let failure = 0; failure < 3; failure++) await fixture.kind('ops', 'wrong');
  fixture.nowMs = 15 * 60_000;
  await fixture.kind('ops', 'wrong');
  t.strictSame(fixture.delays, []);
});

t.test('new users, passwords and roles hold at once', async (t) => {
  const fixture = new Fixture();
  const before = await fixture.login('ops', 'secret');
  if (before.kind !== 'accepted') throw new Error('not accepted');
  t.ok(fixture.gate.isCurrent(before.account));
  fixture.gate.updateUsers([OPS]);
  t.ok(fixture.gate.isCurrent(before.account), 'nothing has changed for this one');
  fixture.gate.updateUsers([{ ...OPS, role: 'stats' }]);
  t.notOk(fixture.gate.isCurrent(before.account), 'another role');
  fixture.gate.updateUsers([{ ...OPS, password: 'new' }]);
  t.notOk(fixture.gate.isCurrent(before.account), 'another password');
  t.equal(await fixture.kind('ops', 'secret'), 'refused');
  t.equal(await fixture.kind('ops', 'new'), 'accepted');
  fixture.gate.updateUsers([]);
  t.equal(await fixture.kind('ops', 'new'), 'refused');
});
