/** Two Sluices in a row, the inner one as a server whose accounts have caching_sha2_password hashes. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import t from 'tap';
import { createNonce, sha2HashOf } from '../../../protocol/index.ts';
import { MariadbServer } from '../../support/mariadb-server.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { logIn } from './login-probe.ts';

const execFileAsync = promisify(execFile);
const PASSWORD = 'sécret';
const server = await new MariadbServer().start();
await server.query(
  `CREATE USER app@'%' IDENTIFIED BY '${PASSWORD}'; CREATE USER monitor@'%' IDENTIFIED BY 'pw';` +
    "GRANT SLAVE MONITOR, REPLICATION MASTER ADMIN, PROCESS, SELECT, SHOW VIEW ON *.* TO monitor@'%'",
);
const monitor = { username: 'monitor', password: 'pw', discovery: false };
const app = { username: 'app', password: sha2HashOf(PASSWORD, createNonce()) };
const inner = await SluiceProcess.start({
  config: { servers: [server.address], monitor, users: [app, { username: 'monitor', password: 'pw' }] },
});
const outer = await SluiceProcess.start({
  config: { servers: [`127.0.0.1:${inner.port}`], monitor, users: [app] },
});
t.teardown(async () => {
  await outer.dispose();
  await inner.dispose();
  await server.dispose();
});

t.test('the password goes under the RSA key, once, then by the fast path', async (t) => {
  for (const sluice of [inner, outer]) {
    for (let round = 0; round < 4; round++) {
      const login = { user: 'app', password: PASSWORD, query: 'SELECT CURRENT_USER()' };
      t.equal(await logIn(sluice, login), 'ok, answered');
      const bad = await logIn(sluice, { ...login, password: 'secret' });
      t.equal(bad, "1045 28000 Access denied for user 'app'@'127.0.0.1' (using password: YES)");
    }
  }
});

t.test('drivers', async (t) => {
  for (const { port } of [inner, outer]) {
    const connection = await createConnection({ host: '127.0.0.1', port, user: 'app', password: PASSWORD });
    const [rows] = await connection.query('SELECT CURRENT_USER() AS who');
    t.strictSame(rows, [{ who: 'app@%' }], 'mysql2');
    connection.destroy();
    const args = ['--no-defaults', '--skip-ssl', '-h127.0.0.1', `-P${port}`, '-uapp', '-N', '-e', 'SELECT 7'];
    const env = { ...process.env, MYSQL_PWD: PASSWORD };
    const { stdout } = await execFileAsync('mariadb', args, { env, timeout: 20_000 });
    t.equal(stdout.trim(), '7', 'the stock client');
    const script = `$c = new mysqli('127.0.0.1', 'app', '${PASSWORD}', '', ${port}); echo $c->query('SELECT 8')->fetch_row()[0];`;
    const php = await execFileAsync('php', ['-r', script], { timeout: 20_000 });
    t.equal(php.stdout.trim(), '8', 'mysqlnd');
  }
});
