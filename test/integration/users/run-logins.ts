/** A table of accounts, passwords and hosts: whoever logs in straight hears the same through Sluice, and only he. */

import { createConnection } from 'mysql2/promise';
import type { Test } from 'tap';
import type { DatabaseServer } from '../../support/database-server.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { type Login, logIn } from './login-probe.ts';

export const MONITOR = { username: 'monitor', password: 'monitor-secret' };

/** Of both servers; what only one has comes from its test. */
const ACCOUNTS = [
  "CREATE USER native@'%' IDENTIFIED BY 'pw'",
  "CREATE USER open@'%'",
  "CREATE USER locked@'%' IDENTIFIED BY 'pw' ACCOUNT LOCK",
  "CREATE USER lockedopen@'%' ACCOUNT LOCK",
  "CREATE USER expired@'%' IDENTIFIED BY 'pw' PASSWORD EXPIRE",
  "CREATE USER lasting@'%' IDENTIFIED BY 'pw' PASSWORD EXPIRE INTERVAL 10 DAY",
  "CREATE USER never@'%' IDENTIFIED BY 'pw' PASSWORD EXPIRE NEVER",
  "CREATE USER atlocal@'localhost' IDENTIFIED BY 'pw'",
  "CREATE USER elsewhere@'10.%' IDENTIFIED BY 'pw'",
  "CREATE USER secured@'%' IDENTIFIED BY 'pw' REQUIRE SSL",
  "CREATE USER certified@'%' IDENTIFIED BY 'pw' REQUIRE X509",
  "CREATE USER 'Ünicode ''x'@'%' IDENTIFIED BY 'pässwörd'",
  "CREATE USER 'CaseD'@'%' IDENTIFIED BY 'pw'",
];
const NAMES = [
  'native',
  'open',
  'locked',
  'lockedopen',
  'expired',
  'lasting',
  'never',
  'atlocal',
  'elsewhere',
  'secured',
  'certified',
  'CaseD',
  'cased',
  'nobody',
];

/** At 127.0.0.1. */
const UNKNOWN: ReadonlySet<string> = new Set(['atlocal', 'elsewhere', 'cased', 'nobody', 'somerole']);
const ODD_PLUGINS: ReadonlySet<string> = new Set(['ed', 'edornative', 'socketornative']);

export async function startSluice(
  server: DatabaseServer,
  users: object = {},
  more: object = {},
): Promise<SluiceProcess> {
  // By its address: an anonymous account for it would come before `%`.
  await server.query(`CREATE USER IF NOT EXISTS monitor@'127.0.0.1' IDENTIFIED BY '${MONITOR.password}'`);
  await server.query(
    server.flavor === 'mariadb'
      ? "GRANT SLAVE MONITOR, SELECT, SHOW VIEW ON *.* TO monitor@'127.0.0.1'"
      : "GRANT REPLICATION CLIENT, SELECT, SHOW VIEW ON *.* TO monitor@'127.0.0.1'",
  );
  return SluiceProcess.start({
    config: {
      servers: [server.address],
      monitor: { ...MONITOR, discovery: false },
      users: { source: 'backend', refreshIntervalMs: 60_000, ...users },
      limits: { loginDelayMs: 0 },
      ...more,
    },
  });
}

export async function loadUsers(sluice: SluiceProcess): Promise<void> {
  const admin = await sluice.adminConnection();
  try {
    await admin.query('LOAD MYSQL USERS FROM BACKEND');
  } finally {
    admin.destroy();
  }
}

/**
 * For unknown users MariaDB takes the plugin of some account at random, and says what that one says; and some plugins
 * count an empty password as one.
 */
function withoutPretence(outcome: string): string {
  return withoutPassword(outcome.replace('1698', '1045'));
}

function withoutPassword(outcome: string): string {
  return outcome.replace(/ \(using password: (?:YES|NO)\)$/, '');
}

async function compare(
  t: Test,
  server: DatabaseServer,
  sluice: SluiceProcess,
  login: Login,
  pretends = false,
): Promise<void> {
  const [straight, through] = await Promise.all([logIn(server, login), logIn(sluice, login)]);
  const form = pretends ? withoutPretence : (outcome: string) => outcome;
  t.equal(form(through), form(straight), `${JSON.stringify(login)}: ${straight}`);
}

/** Each account with its password, a wrong one and none. */
export async function runTable(
  t: Test,
  server: DatabaseServer,
  sluice: SluiceProcess,
  more: readonly string[],
  names: readonly string[],
): Promise<void> {
  for (const sql of [...ACCOUNTS, ...more]) await server.query(sql);
  await loadUsers(sluice);
  for (const user of [...NAMES, ...names]) {
    for (const password of ['pw', 'wrong', '']) {
      const isUnknown = UNKNOWN.has(user) || (password === '' && ODD_PLUGINS.has(user));
      const pretends = server.flavor === 'mariadb' && isUnknown;
      for (const knowsExpiry of [false, true])
        await compare(t, server, sluice, { user, password, knowsExpiry }, pretends);
    }
  }
  await compare(t, server, sluice, { user: "Ünicode 'x", password: 'pässwörd' });
  await compare(t, server, sluice, { user: "Ünicode 'x", password: 'passwörd' });
  await compare(t, server, sluice, { user: 'native', password: 'pw', database: 'nowhere' });
  await compare(t, server, sluice, { user: 'native', password: 'pw', query: 'SELECT 1' });
  // Let in for nothing but to change the password.
  await compare(t, server, sluice, { user: 'expired', password: 'pw', knowsExpiry: true, query: 'SELECT 1' });
}

/** In groups of which a set has one at most: servers leave to chance which of two equally specific ones comes first. */
const PATTERNS = [
  ['%'],
  ['%.2', '%1%', '_27.0.0.1'],
  ['127.0.0._', '127.0.0.%'],
  ['127.%'],
  ['10.%'],
  ['127.0.0.1', '127.0.0.2', '127.0.0.0/255.255.255.0', '127.0.0.2/255.255.255.254', '10.0.0.0/255.0.0.0'],
  ['localhost'],
];
const CLIENTS = ['127.0.0.1', '127.0.0.2', '127.0.0.30'];
/**
 * Random sets of host patterns for one name and for the anonymous user, each account with a password of its own: the
 * password that opens tells which account the server has chosen.
 */
export async function runHosts(
  t: Test,
  server: DatabaseServer,
  sluice: SluiceProcess,
  rounds: number,
): Promise<void> {
  const random = SeededRandom.fromEnvironment();
  t.comment(`seed ${random.seed}`);
  for (let round = 0; round < rounds; round++) {
    const accounts = ['u', ''].flatMap((user) => {
      const hosts = PATTERNS.filter(() => random.next() < 0.4).map((group) => random.pick(group));
      return hosts.map((host) => ({ user, host, password: `${user}@${host}` }));
    });
    for (const { user, host, password } of accounts)
      await server.query(`CREATE USER '${user}'@'${host}' IDENTIFIED BY '${password}'`);
    // Servers remember that there was a `%` until they load their tables anew.
    await server.query('FLUSH PRIVILEGES');
    await loadUsers(sluice);
    for (const from of CLIENTS) {
      for (const { password } of [...accounts, { password: 'of nobody' }]) {
        const what = accounts.map(({ user, host }) => `${user}@${host}`).join(' ');
        const login = { user: 'u', password, from };
        const [straight, through] = await Promise.all([logIn(server, login), logIn(sluice, login)]);
        if (!t.equal(through, straight, `${password} from ${from}: ${what}`)) return;
      }
    }
    for (const { user, host } of accounts) await server.query(`DROP USER '${user}'@'${host}'`);
  }
}

/**
 * MySQL closes the connection after a refusal, MariaDB goes on with the user from before. To a MySQL server the driver
 * never shows the password in COM_CHANGE_USER, so that only refusals can be compared there.
 */
export async function runChangeUser(t: Test, server: DatabaseServer, sluice: SluiceProcess): Promise<void> {
  await server.query(
    "CREATE USER IF NOT EXISTS boss@'%' IDENTIFIED BY 'pw'; CREATE USER other@'%' IDENTIFIED BY 'pw'; CREATE USER shut@'%' IDENTIFIED BY 'pw' ACCOUNT LOCK",
  );
  await loadUsers(sluice);
  const isMariadb = server.flavor === 'mariadb';
  const refused = [
    ['other', 'bad'],
    ['nobody', 'pw'],
  ] as const;
  const others = [
    ['other', 'pw'],
    ['shut', 'pw'],
  ] as const;
  for (const [user, password] of isMariadb ? [...refused, ...others] : refused) {
    const outcomes = [];
    for (const { port } of [server, sluice]) {
      const connection = await createConnection({ host: '127.0.0.1', port, user: 'boss', password: 'pw' });
      connection.on('error', () => undefined);
      const changed = await connection.changeUser({ user, password }).then(
        () => 'ok',
        (error: Error & { errno: number }) => `${error.errno} ${error.message}`,
      );
      const after = await connection.query('SELECT 1').then(
        () => 'alive',
        () => 'closed',
      );
      outcomes.push(`${isMariadb ? changed : withoutPassword(changed)}, ${after}`);
      connection.destroy();
    }
    t.equal(outcomes[1], outcomes[0], `${user} ${password}: ${outcomes[0]}`);
  }
}
