import t from 'tap';
import {
  ALL_UNCHECKED,
  type CheckHealth,
  type CheckOutcome,
  CheckState,
  type HealthByCheck,
  moveStatus,
  statusOf,
  stepCheck,
  UNCHECKED,
} from '../../../src/topology/server-health.ts';

const thresholds = { failureThreshold: 3, recoveryThreshold: 2 };

const OUTCOMES: Readonly<Record<string, CheckOutcome>> = {
  '+': { ok: true },
  '-': { ok: false, reason: 'refused', confirmed: false },
  '!': { ok: false, reason: 'refused twice', confirmed: true },
};

function play(steps: string, limits = thresholds): CheckHealth {
  let health = UNCHECKED;
  for (const step of steps) health = stepCheck(health, OUTCOMES[step]!, limits);
  return health;
}

t.test('a check with failure threshold 3 and recovery threshold 2', (t) => {
  // + good, - failed, ! failed and confirmed by a second observer
  for (const [steps, state, count] of [
    ['', 'unknown', 0],
    ['+', 'up', 0],
    ['-', 'down', 1],
    ['-+', 'recovering', 1],
    ['-++', 'up', 0],
    ['+-', 'failing', 1],
    ['+--', 'failing', 2],
    ['+---', 'down', 3],
    ['+----', 'down', 4],
    ['+--+', 'up', 0],
    ['+--+--', 'failing', 2],
    ['+---+', 'recovering', 1],
    ['+---+-', 'down', 1],
    ['+---+-+', 'recovering', 1],
    ['+---++', 'up', 0],
    ['+---++-', 'failing', 1],
    ['+!', 'down', 1],
    ['+-!', 'down', 2],
    ['!', 'down', 1],
    ['+!++', 'up', 0],
  ] as const) {
    const health = play(steps);
    t.equal(health.state, state, `"${steps}": state`);
    t.equal(health.count, count, `"${steps}": count`);
  }
  t.end();
});

t.test('thresholds of 1 act at once', (t) => {
  const limits = { failureThreshold: 1, recoveryThreshold: 1 };
  t.equal(play('+-', limits).state, CheckState.down);
  t.equal(play('+-+', limits).state, CheckState.up);
  t.end();
});

t.test('the reason is the last failure, and goes when the check is up', (t) => {
  t.equal(play('+-').reason, 'refused');
  t.equal(play('+-!').reason, 'refused twice');
  t.equal(play('+---+').reason, 'refused', 'while recovering it says from what');
  t.equal(play('+---++').reason, '');
  t.end();
});

function healthOf(states: Partial<Record<keyof HealthByCheck, string>>): HealthByCheck {
  const result: Record<string, CheckHealth> = { ...ALL_UNCHECKED };
  for (const [name, steps] of Object.entries(states)) result[name] = play(steps);
  return result as unknown as HealthByCheck;
}

t.test('the server is as good as the checks that it needs', (t) => {
  const up = { connect: '+', ping: '+', read_only: '+', replication: '+' };
  for (const [states, status, reason] of [
    [{}, 'SHUNNED', 'connect: not checked yet'],
    [up, 'ONLINE', ''],
    [{ ...up, replication: '-' }, 'ONLINE', ''],
    [{ ...up, ping: '+--' }, 'ONLINE', ''],
    [{ ...up, ping: '+---' }, 'SHUNNED', 'ping failed: refused'],
    [{ ...up, read_only: '+---+' }, 'SHUNNED', 'read_only: recovering from: refused'],
    [{ ...up, connect: '+!' }, 'SHUNNED', 'connect failed: refused twice'],
    [{ ping: '-' }, 'SHUNNED', 'ping failed: refused'],
  ] as const) {
    const decision = statusOf(healthOf(states), 'ONLINE');
    t.strictSame(decision, { status, reason }, JSON.stringify(states));
  }
  t.end();
});

t.test('what the operator ordered comes before what the checks say', (t) => {
  for (const status of ['OFFLINE_SOFT', 'OFFLINE_HARD'] as const) {
    t.equal(statusOf(healthOf({ connect: '+', ping: '+', read_only: '+' }), status).status, status);
    t.equal(statusOf(ALL_UNCHECKED, status).status, status);
  }
  t.end();
});

t.test('OFFLINE_HARD does not lead to ONLINE', (t) => {
  t.throws(() => moveStatus('OFFLINE_HARD', 'ONLINE'), /allowed: OFFLINE_HARD, SHUNNED, OFFLINE_SOFT$/);
  t.equal(moveStatus('OFFLINE_HARD', 'SHUNNED'), 'SHUNNED');
  t.end();
});
