import { readFileSync } from 'node:fs';
import t from 'tap';
import { EventRing, levelOf, type MonitorEventKind } from '../../../../src/control/monitor/monitor-event.ts';
import {
  describeError,
  errnoOf,
  isDenied,
  isServerFull,
} from '../../../../src/control/monitor/server-error.ts';

const ADDED = { kind: 'server-added', address: 'a:1', origin: 'seed', via: null } as const;

t.test('the ring keeps the last events and numbers all of them', (t) => {
  const ring = new EventRing(3);
  t.strictSame(ring.list(), []);
  for (let index = 0; index < 5; index++) ring.add(ADDED, 1000 + index);
  t.strictSame(ring.list(), [
    { ...ADDED, sequence: 3, atMs: 1002 },
    { ...ADDED, sequence: 4, atMs: 1003 },
    { ...ADDED, sequence: 5, atMs: 1004 },
  ]);
  const list = ring.list();
  ring.add(ADDED, 1005);
  t.equal(list.length, 3, 'a list that was handed out does not change');
  t.equal(list.at(-1)?.sequence, 5);
  t.end();
});

t.test('what is bad news is said louder', (t) => {
  const status = { kind: 'status-changed', address: 'a:1', reason: '' } as const;
  t.equal(levelOf({ ...status, from: 'ONLINE', to: 'SHUNNED' }), 'warn');
  t.equal(levelOf({ ...status, from: 'SHUNNED', to: 'ONLINE' }), 'info');
  t.equal(levelOf({ kind: 'primary-changed', from: 'a:1', to: null, reason: 'not-writable' }), 'error');
  t.equal(levelOf({ kind: 'primary-changed', from: null, to: 'a:1', reason: 'measured' }), 'info');
  t.equal(levelOf({ kind: 'two-primaries', kept: 'a:1', others: ['b:1'] }), 'error');
  t.equal(levelOf({ kind: 'replication-changed', address: 'a:1', running: false, error: '' }), 'warn');
  t.equal(
    levelOf({
      kind: 'catalog-changed',
      complete: false,
      reason: 'x',
      views: 0,
      unsafeViews: 0,
      tablesReason: '',
    }),
    'warn',
  );
  t.equal(levelOf({ kind: 'server-removed', address: 'a:1', reason: 'unreachable' }), 'warn');
  t.equal(levelOf({ kind: 'server-removed', address: 'a:1', reason: 'configuration' }), 'info');
  t.equal(levelOf(ADDED), 'info');
  t.end();
});

const errorWith = (message: string, fields: object): Error => Object.assign(new Error(message), fields);

t.test('errors in one line', (t) => {
  for (const [error, text] of [
    [new Error('plain'), 'plain'],
    [
      errorWith('connect ECONNREFUSED 1.2.3.4:3306', { code: 'ECONNREFUSED' }),
      'connect ECONNREFUSED 1.2.3.4:3306',
    ],
    [errorWith('gone', { code: 'PROTOCOL_CONNECTION_LOST' }), 'gone (PROTOCOL_CONNECTION_LOST)'],
    [errorWith('', { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new Error(''), 'an error without a message'],
    ['a string', 'a string'],
    [new Error('two\nlines\u0000\u001b[31m'), 'two?lines?[31m'],
    [new Error('x'.repeat(1000)), `${'x'.repeat(300)}…`],
  ] as const) {
    t.equal(describeError(error), text);
  }
  t.end();
});

t.test('what a server means', (t) => {
  t.equal(errnoOf(errorWith('', { errno: 1040 })), 1040);
  t.equal(errnoOf(errorWith('', { errno: -111 })), 0, 'of the system, not of a server');
  t.equal(errnoOf(null), 0);
  for (const errno of [1040, 1203, 1226]) t.equal(isServerFull(errorWith('', { errno })), true);
  for (const errno of [1044, 1142, 1227]) t.equal(isDenied(errorWith('', { errno })), true);
  t.equal(isServerFull(errorWith('', { errno: 1045 })), false);
  t.equal(isDenied(errorWith('', { errno: 1045 })), false, 'a wrong password is a failure');
  t.end();
});

/** The compiler sees to it that none is missing here. */
const KINDS: Readonly<Record<MonitorEventKind, true>> = {
  'server-added': true,
  'server-removed': true,
  'server-replaced': true,
  'duplicate-server': true,
  'status-changed': true,
  'role-changed': true,
  'primary-changed': true,
  'two-primaries': true,
  'two-primaries-resolved': true,
  'read-only-changed': true,
  'source-changed': true,
  'replication-changed': true,
  'version-changed': true,
  'lag-changed': true,
  'heartbeat-changed': true,
  'privilege-missing': true,
  'privilege-granted': true,
  'check-failed': true,
  'check-recovered': true,
  'discovery-rejected': true,
  'discovery-failed': true,
  'binlog-follower-changed': true,
  'catalog-changed': true,
  'accounts-changed': true,
  'operation-started': true,
  'operation-step': true,
  'operation-ended': true,
  'operation-waits': true,
  'primary-suspected': true,
  'primary-answers': true,
  'primary-dead': true,
  'failover-refused': true,
  'server-fenced': true,
  'server-kept-out': true,
  'transactions-killed': true,
  'transactions-left': true,
  'transactions-gone': true,
  'agreement-changed': true,
  'handover-started': true,
  'handover-failed': true,
  'handover-taken': true,
  'handover-ended': true,
};

t.test('the page of the monitor names every kind of event, and no other', (t) => {
  const page = readFileSync(new URL('../../../../src/control/monitor/README.md', import.meta.url), 'utf8');
  const list = page.slice(page.indexOf('## Events'), page.indexOf('The fields are in'));
  const named = [...list.matchAll(/`([a-z-]+)`/g)].map((match) => match[1]);
  t.strictSame(named.sort(), Object.keys(KINDS).sort());
  t.end();
});
