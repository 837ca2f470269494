import t from 'tap';
import { sha1 } from '../../../../protocol/index.ts';
import type { PlacedAccount } from '../../../../src/common/account.ts';
import { AccountCredentials } from '../../../../src/data/backend/account-credentials.ts';
import { makeCredentials } from '../../../../src/data/backend/credentials.ts';

const account = (username: string, host: string, more: Partial<PlacedAccount> = {}): PlacedAccount => ({
  username,
  host,
  source: 'backend',
  credentials: [],
  plugins: ['mysql_native_password'],
  defaultSchema: null,
  defaultHostgroup: null,
  causalReads: null,
  fastForward: false,
  maxConnections: 0,
  maxUserConnections: 0,
  locked: false,
  expiresAtMs: null,
  requireTls: 'NONE',
  slot: 1,
  ...more,
});
const native = (user: string, password: string) =>
  makeCredentials(user, { kind: 'nativeSha1', sha1Stage1: sha1(password) });
const plain = (user: string, password: string) => makeCredentials(user, { kind: 'plain', value: password });

t.test('a newer login of the same account serves the older ones, and not the reverse', async (t) => {
  const all = new AccountCredentials();
  const older = all.join(account('u', '%'), native('u', 'one'));
  t.equal(older.takeNewer(), null);
  const newer = all.join(account('u', '%'), native('u', 'two'));
  t.strictSame(older.takeNewer(), native('u', 'two'));
  t.equal(older.takeNewer(), null, 'once');
  t.equal(newer.takeNewer(), null);
  all.join(account('u', '%'), native('u', 'two'));
  t.equal(older.takeNewer(), null, 'the same are not newer');
});

t.test('no other account does', async (t) => {
  const all = new AccountCredentials();
  const session = all.join(account('u', '%'), native('u', 'one'));
  const anonymous = all.join(account('', '%'), native('x', 'one'));
  all.join(account('u', '10.%'), native('u', 'two'));
  all.join(account('v', '%'), native('v', 'two'));
  all.join(account('u', '%', { source: 'config' }), native('u', 'two'));
  all.join(account('', '%'), native('y', 'two'));
  t.equal(session.takeNewer(), null);
  t.equal(anonymous.takeNewer(), null, 'the anonymous account is several users');
});

t.test('what a statement shows', async (t) => {
  const all = new AccountCredentials();
  const session = all.join(account('u', '%'), native('u', 'one'));
  const other = all.join(account('u', '%'), native('u', 'one'));
  for (const [username, host] of [
    ['u', '10.%'],
    ['v', '%'],
  ] as const)
    session.learn({ account: { username, host }, password: 'two', plugin: null });
  t.equal(session.takeNewer(), null, "another account's");
  session.learn({ account: { username: 'u', host: '%' }, password: 'two', plugin: null });
  t.strictSame(session.takeNewer(), native('u', 'two'), 'no more than its hash');
  t.strictSame(other.takeNewer(), native('u', 'two'));
  session.learn({ account: null, password: 'three', plugin: 'caching_sha2_password' });
  t.strictSame(session.takeNewer(), plain('u', 'three'));
  session.learn({ account: null, password: 'four', plugin: null });
  t.strictSame(session.takeNewer(), plain('u', 'four'), 'the plugin stays');
  session.learn({ account: null, password: 'five', plugin: 'MYSQL_native_password' });
  t.strictSame(session.takeNewer(), native('u', 'five'));
  session.learn({ account: null, password: '', plugin: null });
  t.strictSame(session.takeNewer(), makeCredentials('u', { kind: 'none' }));
  session.learn({ account: null, password: 'six', plugin: null });
  t.strictSame(session.takeNewer(), native('u', 'six'));
});

t.test('nothing is kept of an account without sessions', async (t) => {
  const all = new AccountCredentials();
  const first = all.join(account('u', '%'), native('u', 'one'));
  const second = all.join(account('u', '%'), native('u', 'two'));
  second.leave();
  second.leave();
  t.strictSame(first.takeNewer(), native('u', 'two'), 'the first is still there');
  first.leave();
  const third = all.join(account('u', '%'), native('u', 'three'));
  t.equal(third.takeNewer(), null);
  t.equal(first.takeNewer(), null, 'and hears nothing of later ones');
});
