/** Clients that others wrote log in to the library's server side: the stock command-line client and mysql2. */

import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { promisify } from 'node:util';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import {
  type Account,
  CACHING_SHA2_PASSWORD,
  type CachedSecret,
  Capability,
  createNonce,
  MYSQL_NATIVE_PASSWORD,
  nativeHashOf,
  type RsaKeyPair,
  sha2HashOf,
  withoutCapabilities,
} from '../../../protocol/index.ts';
import { ORDINARY_CAPABILITIES } from './wire-client.ts';
import { WireServer } from './wire-server.ts';

const execFileAsync = promisify(execFile);
const PASSWORD = 'sécret';
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const rsaKeyPair: RsaKeyPair = {
  publicKeyPem: keys.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  privateKey: keys.privateKey,
};

const accounts: Record<string, { readonly password: string | null }> = {
  plain: { password: PASSWORD },
  native: { password: nativeHashOf(PASSWORD) },
  sha2: { password: sha2HashOf(PASSWORD, createNonce()) },
  open: { password: null },
};

/** MySQL's server sets CLIENT_LONG_PASSWORD; MariaDB's leaves it out. */
const servers = [
  { serverVersion: '8.0.40', defaultPlugin: CACHING_SHA2_PASSWORD, capabilities: ORDINARY_CAPABILITIES },
  {
    serverVersion: '5.5.5-10.11.6-MariaDB',
    defaultPlugin: MYSQL_NATIVE_PASSWORD,
    capabilities: withoutCapabilities(ORDINARY_CAPABILITIES, Capability.CLIENT_LONG_PASSWORD),
  },
];

async function startServer(settings: (typeof servers)[number]): Promise<WireServer> {
  const lookup = (username: string): Account | null => accounts[username] ?? null;
  return new WireServer({
    ...settings,
    lookup,
    rsaKeyPair,
    secretCache: new Map<string, CachedSecret>(),
  }).start();
}

async function byCommandLine(port: number, user: string, password: string): Promise<string> {
  const options = ['--no-defaults', '--skip-ssl', '-h127.0.0.1', `-P${port}`, `-u${user}`, '-N', '-B'];
  try {
    const env = { ...process.env, MYSQL_PWD: password };
    const { stdout } = await execFileAsync('mariadb', [...options, '-e', 'SELECT 1', 'wire'], {
      env,
      timeout: 10_000,
    });
    return stdout.trim();
  } catch (error) {
    return String((error as { stderr?: string }).stderr).trim();
  }
}

async function byMysql2(port: number, user: string, password: string): Promise<string> {
  try {
    const connection = await createConnection({ host: '127.0.0.1', port, user, password, database: 'wire' });
    const [rows] = await connection.query<RowDataPacket[]>('SELECT 1');
    await connection.changeUser({ user: 'plain', password: PASSWORD, database: 'other' });
    const [again] = await connection.query<RowDataPacket[]>('SELECT 2');
    connection.destroy();
    return [...rows, ...again].map((row) => Object.values(row).join('\t')).join('\n');
  } catch (error) {
    return `ERROR ${(error as { errno?: number }).errno}: ${(error as Error).message}`;
  }
}

for (const settings of servers) {
  t.test(`a server that says ${settings.serverVersion}`, async (t) => {
    const server = await startServer(settings);
    t.teardown(() => server.stop());
    for (const [user, { password }] of Object.entries(accounts)) {
      const right = password === null ? '' : PASSWORD;
      const plugins =
        user === 'sha2' ? [CACHING_SHA2_PASSWORD] : [MYSQL_NATIVE_PASSWORD, CACHING_SHA2_PASSWORD];
      for (const round of ['first', 'second']) {
        const [name, schema, plugin, query] = (await byCommandLine(server.port, user, right)).split('\t');
        t.strictSame(
          [name, schema, query],
          [user, 'wire', 'SELECT 1'],
          `${user}, command line, ${round} time`,
        );
        t.ok(plugins.includes(plugin ?? ''), `by ${plugin}`);
        const [first, second] = (await byMysql2(server.port, user, right)).split('\n');
        t.match(first, new RegExp(`^${user}\twire\t.*\tSELECT 1$`), `${user}, mysql2, ${round} time`);
        t.match(second, /^plain\tother\t.*\tSELECT 2$/, 'COM_CHANGE_USER');
      }
      const message = `Access denied for user '${user}'@'localhost' (using password: YES)`;
      t.match(await byCommandLine(server.port, user, 'wrong'), `ERROR 1045 (28000): ${message}`);
      t.match(await byMysql2(server.port, user, 'wrong'), `ERROR 1045: ${message}`);
    }
    t.match(
      await byCommandLine(server.port, 'nobody', PASSWORD),
      "user 'nobody'@'localhost' (using password: YES)",
    );
    t.match(await byCommandLine(server.port, 'plain', ''), "user 'plain'@'localhost' (using password: NO)");
    t.match(await byMysql2(server.port, 'plain', ''), "user 'plain'@'localhost' (using password: NO)");
  });
}
