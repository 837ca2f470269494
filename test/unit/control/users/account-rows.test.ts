/** What the rows of mysql.user and mysql.global_priv say of an account. */

import t from 'tap';
import { accountOfPrivilegeRow, accountOfUserRow } from '../../../../src/control/users/account-rows.ts';

const DEFAULTS = { passwordLifetimeDays: 0 };
const NATIVE = `*${'A'.repeat(40)}`;
const SHA2 = `$A$005$${'s'.repeat(20)}${'h'.repeat(43)}`;
const ED25519 = 'vRq+ROSzhW4MwhdoPvlkL1fHkT0w6ZDDbTpVQwSNQ90';

const userRow = (more: Record<string, string | null>) => ({
  host: '%',
  user: 'app',
  plugin: 'mysql_native_password',
  authentication_string: NATIVE,
  ...more,
});
const privilegeRow = (privileges: object, user = 'app') => ({
  host: '%',
  user,
  priv: JSON.stringify(privileges),
});

t.test('mysql.user', async (t) => {
  t.match(accountOfUserRow(userRow({}), DEFAULTS), {
    username: 'app',
    host: '%',
    source: 'backend',
    credentials: [{ kind: 'native', hash: NATIVE }],
    locked: false,
    expiresAtMs: null,
    requireTls: 'NONE',
    maxUserConnections: 0,
  });
  const of = (more: Record<string, string | null>) => accountOfUserRow(userRow(more), DEFAULTS);
  t.strictSame(of({ authentication_string: '' }).credentials, [{ kind: 'none' }]);
  t.strictSame(of({ plugin: '', authentication_string: '', password: NATIVE }).credentials, [
    { kind: 'native', hash: NATIVE },
  ]);
  t.strictSame(of({ plugin: 'caching_sha2_password', authentication_string: SHA2 }).credentials, [
    { kind: 'sha2', hash: SHA2 },
  ]);
  t.strictSame(
    of({ authentication_string: '*THISISNOTAVALIDPASSWORD' }).credentials,
    [],
    'no plain password',
  );
  t.strictSame(of({ plugin: 'caching_sha2_password' }).credentials, [], "another plugin's hash");
  t.match(of({ plugin: 'auth_socket', authentication_string: '' }), {
    credentials: [],
    plugins: ['auth_socket'],
  });
  t.equal(of({ account_locked: 'Y' }).locked, true);
  t.equal(of({ max_user_connections: '7' }).maxUserConnections, 7);
  t.equal(of({ ssl_type: 'ANY' }).requireTls, 'SSL');
  t.equal(of({ ssl_type: 'X509' }).requireTls, 'X509');
  t.match(of({ ssl_type: 'SPECIFIED' }), { requireTls: 'X509', credentials: [] }, 'a certain certificate');
  t.strictSame(
    of({ user_attributes: `{"additional_password":"${NATIVE.replaceAll('A', 'B')}"}` }).credentials,
    [
      { kind: 'native', hash: NATIVE },
      { kind: 'native', hash: `*${'B'.repeat(40)}` },
    ],
  );
  t.strictSame(of({ user_attributes: '{"multi_factor_authentication":[{}]}' }).credentials, []);
});

t.test('when a password expires', async (t) => {
  const changed = { password_last_changed: '1000' };
  const of = (more: Record<string, string | null>, passwordLifetimeDays = 0) =>
    accountOfUserRow(userRow(more), { passwordLifetimeDays }).expiresAtMs;
  t.equal(of({ ...changed, password_lifetime: null }), null);
  t.equal(of({ ...changed, password_lifetime: null }, 2), 1_000_000 + 2 * 86_400_000);
  t.equal(of({ ...changed, password_lifetime: '0' }, 2), null, 'NEVER');
  t.equal(of({ ...changed, password_lifetime: '1' }, 2), 1_000_000 + 86_400_000);
  t.equal(of({ ...changed, password_expired: 'Y' }), 0);
  const at = (privileges: object, days = 0) =>
    accountOfPrivilegeRow(privilegeRow(privileges), { passwordLifetimeDays: days })?.expiresAtMs;
  t.equal(at({ password_last_changed: 0 }), 0, 'PASSWORD EXPIRE on MariaDB');
  t.equal(at({ password_last_changed: 1000, password_lifetime: -1 }, 2), 1_000_000 + 2 * 86_400_000);
  t.equal(at({ password_last_changed: 1000, password_lifetime: 0 }, 2), null);
  t.equal(at({}), null);
});

t.test('mysql.global_priv', async (t) => {
  const of = (privileges: object) => accountOfPrivilegeRow(privilegeRow(privileges), DEFAULTS);
  t.equal(of({ is_role: true }), null);
  t.match(of({ plugin: 'ed25519', authentication_string: ED25519, account_locked: true, ssl_type: 2 }), {
    credentials: [{ kind: 'ed25519', hash: ED25519 }],
    locked: true,
    requireTls: 'X509',
  });
  const own = { plugin: 'mysql_native_password', authentication_string: NATIVE };
  const alternatives = of({ ...own, auth_or: [{ plugin: 'ed25519', authentication_string: ED25519 }, {}] });
  t.strictSame(alternatives?.plugins, ['ed25519', 'mysql_native_password'], 'in their order');
  t.strictSame(alternatives?.credentials, [
    { kind: 'ed25519', hash: ED25519 },
    { kind: 'native', hash: NATIVE },
  ]);
  t.match(
    of({
      plugin: 'mysql_native_password',
      authentication_string: 'invalid',
      auth_or: [{}, { plugin: 'unix_socket' }],
    }),
    {
      credentials: [],
    },
  );
  t.match(of({ plugin: 'ed25519', authentication_string: '' }), { credentials: [] });
  t.throws(
    () => accountOfPrivilegeRow({ host: '%', user: 'app', priv: '{' }, DEFAULTS),
    'nonsense is no account',
  );
});
