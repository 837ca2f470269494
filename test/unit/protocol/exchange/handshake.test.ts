/** Every kind of stored credential, plugin and transport, with the right, a wrong and no password. */

import t from 'tap';
import {
  type Account,
  type CachedSecret,
  Capability,
  type ClientPassword,
  createNonce,
  nativeHashOf,
  sha1,
  sha2HashOf,
  uniteCapabilities,
  withoutCapabilities,
} from '../../../../protocol/index.ts';
import { CAPABILITIES, type Conversation, converse } from './conversation.ts';

const PASSWORD = 'sécret';
const right: ClientPassword = { kind: 'plain', value: PASSWORD };
const wrong: ClientPassword = { kind: 'plain', value: 'wrong' };
const none: ClientPassword = { kind: 'none' };
const PLUGINS = ['mysql_native_password', 'caching_sha2_password'] as const;

const accounts: Readonly<Record<string, Account>> = {
  plain: { password: PASSWORD },
  native: { password: nativeHashOf(PASSWORD) },
  sha2: { password: sha2HashOf(PASSWORD, createNonce()) },
  open: { password: null },
};

function login(
  account: Account | null,
  defaultPlugin: string,
  password: ClientPassword,
  secureTransport: boolean,
  secretCache = new Map<string, CachedSecret>(),
): Conversation {
  return converse(
    {
      lookup: (username) => (username === 'app' ? account : null),
      defaultPlugin,
      secureTransport,
      secretCache,
    },
    { password, secureTransport },
  );
}

function denied(usingPassword: boolean) {
  return {
    kind: 'failed',
    errno: 1045,
    sqlState: '28000',
    fromServer: true,
    message: `Access denied for user 'app'@'app.example' (using password: ${usingPassword ? 'YES' : 'NO'})`,
  };
}

for (const [kind, account] of Object.entries(accounts)) {
  for (const plugin of PLUGINS) {
    for (const secure of [false, true]) {
      t.test(`${kind} account, ${plugin} offered, ${secure ? 'secure' : 'bare'} transport`, async (t) => {
        const opens = kind === 'open' ? none : right;
        const { outcome, accepted, client } = login(account, plugin, opens, secure);
        t.equal(outcome.kind, 'done');
        t.match(accepted, {
          username: 'app',
          database: 'shop',
          collationId: 45,
          maxPacketBytes: 2 ** 24,
          capabilities: client.capabilities,
          plugin: client.authPlugin,
        });
        t.strictSame({ ...accepted?.connectAttributes }, { program_name: 'test' });
        t.match(client, {
          state: 'done',
          threadId: 7,
          serverVersion: '8.0.40',
          versionId: 80_040,
          serverStatus: 2,
        });

        t.match(login(account, plugin, wrong, secure).outcome, denied(true));
        if (kind === 'open') t.match(login(account, plugin, right, secure).outcome, denied(true));
        else t.match(login(account, plugin, none, secure).outcome, denied(false));
        t.match(login(null, plugin, right, secure).outcome, denied(true), 'unknown user');
        t.match(login(null, plugin, none, secure).outcome, denied(false), 'unknown user without a password');
      });
    }
  }
}

t.test('what a login tells, for use towards the servers', async (t) => {
  const secrets = (kind: string, plugin: string) => {
    const { accepted } = login(accounts[kind]!, plugin, right, false);
    const { clearPassword, sha1Stage1 } = accepted!;
    return { clearPassword, sha1Stage1 };
  };
  const everything = { clearPassword: PASSWORD, sha1Stage1: sha1(PASSWORD) };
  for (const plugin of PLUGINS) t.strictSame(secrets('plain', plugin), everything);
  t.strictSame(secrets('native', 'mysql_native_password'), {
    clearPassword: null,
    sha1Stage1: sha1(PASSWORD),
  });
  t.strictSame(
    secrets('sha2', 'caching_sha2_password'),
    everything,
    'full authentication brings the password',
  );
  const open = login(accounts.open!, 'mysql_native_password', none, false).accepted;
  t.match(open, { clearPassword: null, sha1Stage1: null, sha256Stage1: null });
});

t.test('SHA1(password) alone opens native accounts', async (t) => {
  const password: ClientPassword = { kind: 'nativeSha1', sha1Stage1: sha1(PASSWORD) };
  t.equal(login(accounts.native!, 'caching_sha2_password', password, false).outcome.kind, 'done');
  t.equal(login(accounts.plain!, 'mysql_native_password', password, false).outcome.kind, 'done');
  t.match(login(accounts.sha2!, 'mysql_native_password', password, false).outcome, {
    kind: 'failed',
    errno: 2061,
    fromServer: false,
  });
});

t.test('round trips, and how caching saves them', async (t) => {
  const trips = (kind: string, plugin: string, secure: boolean, cache?: Map<string, CachedSecret>) =>
    login(accounts[kind]!, plugin, right, secure, cache).roundTrips;
  t.equal(trips('plain', 'mysql_native_password', false), 1);
  t.equal(trips('plain', 'caching_sha2_password', false), 1);
  t.equal(trips('native', 'caching_sha2_password', false), 2, 'a switch');
  t.equal(trips('sha2', 'caching_sha2_password', false), 3, 'the key, the password');
  t.equal(trips('sha2', 'caching_sha2_password', true), 2, 'the password');
  t.equal(trips('sha2', 'mysql_native_password', false), 4, 'a switch, the key, the password');
  const cache = new Map<string, CachedSecret>();
  t.equal(trips('sha2', 'caching_sha2_password', false, cache), 3);
  t.equal(trips('sha2', 'caching_sha2_password', false, cache), 1, 'cached');
  const cached = login(accounts.sha2!, 'caching_sha2_password', right, false, cache).accepted;
  t.equal(cached?.clearPassword, PASSWORD, 'for servers that ask for it');
  t.equal(cached?.sha256Stage1?.length, 32);
  const byHash: ClientPassword = { kind: 'sha2Stage1', sha256Stage1: cached!.sha256Stage1! };
  t.equal(login(accounts.sha2!, 'caching_sha2_password', byHash, false, cache).outcome.kind, 'done');
  t.match(login(accounts.sha2!, 'caching_sha2_password', wrong, false, cache).outcome, denied(true));
  const changed = { password: sha2HashOf('new', createNonce()) };
  t.match(
    login(changed, 'caching_sha2_password', right, false, cache).outcome,
    denied(true),
    'a new password misses',
  );
  t.equal(cache.size, 1, 'refused passwords are not cached');
});

t.test('an unknown user takes as many round trips as the decoy that stands for all users', async (t) => {
  for (const [kind, decoy] of Object.entries(accounts)) {
    for (const plugin of PLUGINS) {
      const known = converse({ lookup: () => decoy, defaultPlugin: plugin }, { password: wrong });
      const unknown = converse(
        { lookup: () => null, decoy: () => decoy, defaultPlugin: plugin },
        { password: wrong },
      );
      t.strictSame(unknown.log, known.log, `${kind}, ${plugin}`);
      t.match(unknown.outcome, denied(true));
    }
  }
  const withRightPassword = converse(
    { lookup: () => null, decoy: () => accounts.plain! },
    { password: right },
  );
  t.match(withRightPassword.outcome, denied(true), "the decoy's own password opens nothing");
  const secretCache = new Map<string, CachedSecret>();
  const full = {
    lookup: () => null,
    decoy: () => accounts.sha2!,
    defaultPlugin: 'caching_sha2_password',
    secretCache,
  };
  t.match(converse(full, { password: right }).outcome, denied(true));
  t.equal(secretCache.size, 0);
});

t.test('TLS', async (t) => {
  const withTls = uniteCapabilities(CAPABILITIES, Capability.CLIENT_SSL);
  const lookup = () => accounts.sha2!;
  const server = { capabilities: withTls, lookup, defaultPlugin: 'caching_sha2_password' };
  const { outcome, roundTrips, client, accepted } = converse(server, {
    capabilities: withTls,
    password: right,
    allowRsa: false,
  });
  t.equal(outcome.kind, 'done');
  t.equal(roundTrips, 3, 'SSLRequest, response, password');
  t.ok(client.capabilities & Capability.CLIENT_SSL);
  t.equal(accepted?.clearPassword, PASSWORD);
  t.match(converse({ lookup }, { capabilities: withTls }).outcome, {
    kind: 'failed',
    errno: 2026,
    fromServer: false,
  });
  t.equal(converse(server, { password: right }).outcome.kind, 'done', 'a client that does not want it');
});

t.test('a password is not sent where it could be read', async (t) => {
  const lookup = () => accounts.sha2!;
  const { outcome } = converse(
    { lookup, defaultPlugin: 'caching_sha2_password' },
    { password: right, allowRsa: false },
  );
  t.match(outcome, { kind: 'failed', errno: 2061, message: /requires secure connection/ });
  const withoutKey = converse({ lookup, defaultPlugin: 'caching_sha2_password' }, { password: right }, false);
  t.match(withoutKey.outcome, denied(true), 'a server without a key cannot ask for it');
});

t.test('capabilities are those that both have', async (t) => {
  const some = withoutCapabilities(CAPABILITIES, Capability.CLIENT_SESSION_TRACK);
  const other = withoutCapabilities(CAPABILITIES, Capability.CLIENT_DEPRECATE_EOF);
  const { client, accepted } = converse(
    { capabilities: some, lookup: () => accounts.plain! },
    { capabilities: other, password: right },
  );
  t.equal(client.capabilities, accepted?.capabilities);
  t.notOk(client.capabilities & Capability.CLIENT_SESSION_TRACK);
  t.notOk(client.capabilities & Capability.CLIENT_DEPRECATE_EOF);
  t.ok(client.capabilities & Capability.CLIENT_CONNECT_WITH_DB);
});

t.test('neither schema nor attributes', async (t) => {
  const { accepted } = converse(
    { lookup: () => accounts.plain! },
    { password: right, database: null, connectAttributes: {} },
  );
  t.equal(accepted?.database, null);
  t.strictSame({ ...accepted?.connectAttributes }, {});
  t.notOk(accepted!.capabilities & Capability.CLIENT_CONNECT_WITH_DB);
});

t.test("MariaDB's extended capabilities", async (t) => {
  const capabilities = withoutCapabilities(CAPABILITIES, Capability.CLIENT_LONG_PASSWORD);
  const { accepted, client } = converse(
    {
      capabilities,
      mariadbCapabilities: 0x1c,
      lookup: () => accounts.plain!,
      serverVersion: '5.5.5-10.11.6-MariaDB',
    },
    { password: right, mariadbCapabilities: 0x15 },
  );
  t.equal(accepted?.mariadbCapabilities, 0x14);
  t.match(client, { mariadbCapabilities: 0x14, isMariadb: true, versionId: 101_106 });
});
