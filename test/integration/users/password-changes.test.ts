/** Passwords that change under sessions of both servers. */

import t, { type Test } from 'tap';
import type { DatabaseServer } from '../../support/database-server.ts';
import { MariadbServer } from '../../support/mariadb-server.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { startSluice } from './run-logins.ts';
import {
  COMMON_FORMS,
  type PasswordForm,
  runExpired,
  runListedPassword,
  runOwnPasswords,
  runUnseenPassword,
} from './run-password-changes.ts';

async function runAll(t: Test, server: DatabaseServer, forms: readonly PasswordForm[]): Promise<void> {
  const listed = [{ username: 'listed', password: 'pw' }];
  const sluice = await startSluice(server, { listed }, { workers: 1 });
  t.teardown(async () => {
    await sluice.stop();
    await sluice.dispose();
    await server.dispose();
  });
  await t.test('the own password', (t) => runOwnPasswords(t, server, sluice, [...COMMON_FORMS, ...forms]));
  await t.test('a password that nobody shows', (t) => runUnseenPassword(t, server, sluice));
  await t.test('an expired password', (t) => runExpired(t, server, sluice));
  await t.test('a listed user', (t) => runListedPassword(t, server, sluice));
}

/** Of `two`. */
const HASH = '*A41BEE51488264C01B96DE959A9142AF1A75205E';

t.test('MariaDB', async (t) => {
  const server = await new MariadbServer().start();
  await server.query("INSTALL SONAME 'auth_ed25519'");
  await runAll(t, server, [
    { sql: "ALTER USER me@'%' IDENTIFIED VIA ed25519 USING PASSWORD('?')" },
    { sql: `SET PASSWORD = '${HASH}'`, isHidden: true },
  ]);
});

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, async (t) => {
  await runAll(t, await new Mysql57Server().start(), [
    { sql: "SET PASSWORD = '?'" },
    { sql: "ALTER USER USER() IDENTIFIED WITH mysql_native_password BY '?'" },
    { sql: `ALTER USER me@'%' IDENTIFIED WITH mysql_native_password AS '${HASH}'`, isHidden: true },
  ]);
});
