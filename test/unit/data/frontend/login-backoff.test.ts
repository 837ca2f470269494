/** Guessing gets slower, for the one who guesses only. */

import t from 'tap';
import { LoginBackoff } from '../../../../src/data/frontend/login-backoff.ts';

const SETTINGS = { loginDelayMs: 100, loginDelayMaxMs: 1000 };

t.test('delays double, up to the limit', async (t) => {
  let now = 0;
  const backoff = new LoginBackoff(() => now);
  const fail = (host = '10.0.0.1', user = 'app') => backoff.failed(host, user, SETTINGS);
  const delays = Array.from({ length: 9 }, () => fail());
  t.strictSame(delays, [0, 0, 0, 100, 200, 400, 800, 1000, 1000]);
  t.equal(fail('10.0.0.2'), 0, 'the user from another host');
  t.equal(fail('10.0.0.1', 'other'), 0, 'another user from that host');
  now += 59_000;
  t.equal(fail(), 1000);
  now += 60_000;
  t.equal(fail(), 0, 'forgotten after a minute');
  fail();
  fail();
  t.equal(fail(), 100);
  backoff.succeeded('10.0.0.1', 'app');
  t.equal(fail(), 0, 'and by the right password');
});

t.test('it can be turned off', async (t) => {
  const backoff = new LoginBackoff(() => 0);
  const delays = Array.from({ length: 6 }, () =>
    backoff.failed('h', 'u', { loginDelayMs: 0, loginDelayMaxMs: 1000 }),
  );
  t.strictSame(delays, [0, 0, 0, 0, 0, 0]);
});

t.test('only so many answers are held back at once', async (t) => {
  const backoff = new LoginBackoff(() => 0);
  const fail = () => backoff.failed('h', 'u', SETTINGS);
  for (let i = 0; i < 3; i++) fail();
  let held = 0;
  while (fail() > 0) held++;
  t.equal(held, 500);
  backoff.answered();
  t.ok(fail() > 0);
  t.equal(fail(), 0);
});

t.test('memory is bounded: who failed the longest ago is forgotten', async (t) => {
  const backoff = new LoginBackoff(() => 0);
  for (let i = 0; i < 3; i++) backoff.failed('h', 'first', SETTINGS);
  for (let i = 0; i < 10_000; i++) backoff.failed('h', `guess ${i}`, SETTINGS);
  t.equal(backoff.failed('h', 'first', SETTINGS), 0);
});
