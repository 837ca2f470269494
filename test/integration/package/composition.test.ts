/**
 * What docker/compose.yaml puts together, without an engine: its servers' options and accounts on real servers, Sluice
 * with its settings, HAProxy with its configuration. Of the files only addresses, ports, places and a time are changed.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import t from 'tap';
import { parse } from 'yaml';
import { OwnedChild } from '../../support/child-process.ts';
import { findProgram } from '../../support/find-program.ts';
import { MariadbServer } from '../../support/mariadb-server.ts';
import { freePort } from '../../support/ports.ts';
import { freeSluicePorts, mergeConfig, SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const DOCKER = fileURLToPath(new URL('../../../docker', import.meta.url));
const SECRETS = join(DOCKER, 'compose/secrets');
const { services } = parse(readFileSync(join(DOCKER, 'compose.yaml'), 'utf8'), { merge: true });
const run = promisify(execFile);

function secret(name: string): string {
  return readFileSync(join(SECRETS, `${name}-password`), 'utf8').trim();
}

/** server.cnf and `command` of a service as options, but for the name that others reach it by. */
function optionsOf(service: string): string[] {
  const lines = readFileSync(join(DOCKER, 'compose/mariadb/server.cnf'), 'utf8').split('\n');
  const settings = lines
    .filter((line) => /^\w+ = /.test(line))
    .map((line) => `--${line.replace(' = ', '=')}`);
  const command: string[] = services[service].command;
  return [...settings, ...command.filter((option) => !option.startsWith('--report-host'))];
}

const names = ['primary', 'replica-1', 'replica-2'];
const servers = names.map(
  (name, index) =>
    new MariadbServer({ name, serverId: index + 1, args: [...optionsOf(name), '--report-host=127.0.0.1'] }),
);
const [primary, ...replicas] = servers as [MariadbServer, ...MariadbServer[]];

/** What the image does for MARIADB_REPLICATION_USER and MARIADB_MASTER_HOST, and its run of accounts.sh. */
async function initialise(): Promise<void> {
  await Promise.all(servers.map((server) => server.start()));
  const account = `'replication'@'%' IDENTIFIED BY '${secret('replication')}'`;
  await primary.query(`CREATE USER ${account}`);
  await primary.query("GRANT REPLICATION REPLICA ON *.* TO 'replication'@'%'");
  const entrypoint = `docker_process_sql() { "$CLIENT" --no-defaults -uroot --socket="$SOCKET" "$@"; }
set -eo pipefail
source <(sed "s|/run/secrets|$SECRETS|" "$SCRIPT")`;
  const { APP_USER, APP_SCHEMA } = services.primary.environment;
  const CLIENT = await findProgram(['mariadb', 'mysql']);
  const SCRIPT = join(DOCKER, 'compose/mariadb/accounts.sh');
  const env = { ...process.env, APP_USER, APP_SCHEMA, CLIENT, SOCKET: primary.socket, SECRETS, SCRIPT };
  await run('bash', ['-c', entrypoint], { env });
  for (const replica of replicas) {
    await replica.query(
      `CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_USER='replication', ` +
        `MASTER_PASSWORD='${secret('replication')}', MASTER_PORT=${primary.port}, MASTER_CONNECT_RETRY=10`,
    );
    await replica.query('START REPLICA');
  }
}

t.before(initialise);
t.teardown(() => Promise.all(servers.map((server) => server.dispose())));

async function startSluice(): Promise<SluiceProcess> {
  const text = readFileSync(join(DOCKER, 'compose/sluice.yaml'), 'utf8').replaceAll('/run/secrets', SECRETS);
  const [ports, metrics] = await Promise.all([freeSluicePorts(), freePort()]);
  const here = {
    servers: [primary.address],
    workers: 1,
    listen: { host: '127.0.0.1', port: ports.clients },
    admin: { host: '127.0.0.1', port: ports.admin },
    http: { host: '127.0.0.1', port: ports.http, metricsAddress: `127.0.0.1:${metrics}` },
    proxyProtocol: { networks: ['127.0.0.0/8'] },
    limits: { shutdownDelayMs: 0 },
  };
  const sluice = await SluiceProcess.start({
    ports,
    config: mergeConfig(parse(text), here),
    readyUrl: `http://127.0.0.1:${metrics}/readyz`,
  });
  t.teardown(() => sluice.dispose());
  return sluice;
}

t.test('clients are served through HAProxy, and the primary can be changed', async (t) => {
  const sluice = await startSluice();
  const config = parse(readFileSync(sluice.configFile, 'utf8'));
  const entry = await freePort();
  // On a busy machine an answer may take longer than the file allows, and HAProxy then ends the clients of that Sluice.
  const patient = readFileSync(join(DOCKER, 'ha/haproxy.cfg'), 'utf8').replace(
    'timeout check 500ms',
    'timeout check 20s',
  );
  writeFileSync(join(sluice.directory, 'haproxy.cfg'), patient);
  const haproxy = await OwnedChild.spawn({
    command: await findProgram(['haproxy']),
    args: ['-db', '-f', join(sluice.directory, 'haproxy.cfg')],
    env: {
      ...process.env,
      ...services.haproxy.environment,
      // The second one is not there.
      SLUICE_1: '127.0.0.1',
      SLUICE_2: '127.0.0.2',
      SLUICE_PORT: String(sluice.port),
      SLUICE_HEALTH_PORT: config.http.metricsAddress.split(':')[1],
      ENTRY_BIND: `127.0.0.1:${entry}`,
      ENTRY_MAX_CLIENTS: '100',
    },
  });
  t.teardown(() => haproxy.end('SIGTERM', 5000));
  const account = { user: 'app', password: secret('app'), database: 'app' };
  const client = await waitUntil('HAProxy lets a client in', () =>
    createConnection({ host: '127.0.0.1', port: entry, ...account }).catch(() => null),
  );
  await client.query('CREATE TABLE composed (id INT PRIMARY KEY)');
  await client.query('INSERT INTO composed VALUES (7)');
  t.strictSame((await client.query('SELECT id FROM composed'))[0], [{ id: 7 }]);
  for (const replica of replicas) {
    await waitUntil(`${replica.name} has it`, async () => {
      const there = await replica.queryValue(
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_name='composed'",
      );
      return there === '1' && (await replica.queryValue('SELECT COUNT(*) FROM app.composed')) === '1';
    });
    t.match((await replica.query('SHOW SLAVE STATUS'))[0], { Using_Gtid: 'Slave_Pos', Last_SQL_Error: '' });
    t.equal(await replica.queryValue('SELECT @@read_only'), '1');
  }

  const operator = await sluice.adminConnection({ password: secret('admin') });
  await waitUntil('all servers are known', async () => {
    const [rows] = await operator.query("SELECT hostname FROM runtime_mysql_servers WHERE status='ONLINE'");
    return (rows as unknown[]).length >= servers.length;
  });
  const [heir] = replicas as [MariadbServer];
  await operator.query(`SWITCHOVER TO '${heir.address}' TIMEOUT 20`);
  await client.query('INSERT INTO composed VALUES (8)');
  t.equal(
    await heir.queryValue('SELECT @@read_only'),
    '0',
    'the accounts have what a change of the primary needs',
  );
  t.equal(await heir.queryValue('SELECT COUNT(*) FROM app.composed'), '2');
  await operator.end();
  await client.end();
});
