/** Those who read the primary's binlog through Sluice: the stock tool, and real replicas. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { findProgram } from '../../support/find-program.ts';
import { Mysql57Server } from '../../support/mysql57-server.ts';
import { type Account, REPLICATION_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const execFileAsync = promisify(execFile);
const READER: Account = { username: 'reader', password: 'reader-secret' };
/** An event of more than one frame. */
const LONG_ROW_BYTES = 17 * 1_048_576;

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

interface Subject {
  readonly set: ReplicationSet;
  readonly sluice: SluiceProcess;
}

function readerArgs({ host, port }: Endpoint, ...more: string[]): string[] {
  const { username, password } = READER;
  return [
    '--read-from-remote-server',
    `--host=${host}`,
    `--port=${port}`,
    `--user=${username}`,
    `--password=${password}`,
    ...more,
    'binlog.000001',
  ];
}

async function readBinlog(endpoint: Endpoint, ...more: string[]): Promise<string> {
  const program = await findProgram(['mariadb-binlog', 'mysqlbinlog']);
  const { stdout } = await execFileAsync(program, readerArgs(endpoint, ...more), { maxBuffer: 2 ** 28 });
  return stdout;
}

function dumpThreads(set: ReplicationSet, user: string): Promise<number> {
  const sql = `SELECT COUNT(*) FROM information_schema.processlist WHERE user = '${user}' AND command LIKE 'Binlog Dump%'`;
  return set.primary.queryValue(sql).then(Number);
}

async function readsAsStraight({ set, sluice }: Subject, t: Test): Promise<void> {
  for (const more of [[], ['--to-last-log'], ['--start-position=4', '--stop-position=900']]) {
    const straight = await readBinlog(set.primary, ...more);
    const proxied = await readBinlog(sluice, ...more);
    t.ok(straight.length > 1000, `${straight.length} characters`);
    t.ok(straight === proxied, `the same through Sluice, ${more.join(' ')}`);
  }
  await t.rejects(readBinlog(sluice, '--start-position=999999999'), /error 1236|impossible position|ERROR/i);
  await waitUntil('nobody reads any more', async () => (await dumpThreads(set, READER.username)) === 0);
}

async function neverStops({ set, sluice }: Subject, t: Test): Promise<void> {
  const program = await findProgram(['mariadb-binlog', 'mysqlbinlog']);
  const args = readerArgs(
    sluice,
    '--stop-never',
    '--stop-never-slave-server-id=77',
    '--base64-output=never',
    '-v',
  );
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  let output = '';
  let seen = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    output = (output + chunk.toString('latin1')).slice(-200_000);
  });
  try {
    await waitUntil('it reads', async () => (await dumpThreads(set, READER.username)) === 1);
    for (const number of [1, 2, 3]) {
      const before = seen;
      await set.primary.query(`CREATE TABLE app.live_${number} (a INT)`);
      await waitUntil(
        `event ${number} has come`,
        () => seen > before && output.includes(`app.live_${number}`),
      );
    }
  } finally {
    child.kill();
    await ended;
  }
  t.pass('events come as they happen');
  await waitUntil('its connection to the primary is gone', async () => {
    // A source notices when it next writes.
    await set.primary.query('DROP TABLE IF EXISTS app.gone');
    return (await dumpThreads(set, READER.username)) === 0;
  });
}

async function replicates(
  set: ReplicationSet,
  replica: DatabaseServer,
  t: Test,
  text: string,
): Promise<void> {
  await set.primary.query('INSERT INTO app.t (v) VALUES (?)', [text]);
  await waitUntil(`${replica.name} has ${text}`, async () => {
    const [status] = await replica.query<Record<string, string>>('SHOW SLAVE STATUS');
    if (status?.Last_IO_Error) throw new Error(status.Last_IO_Error);
    return (await replica.queryValue('SELECT COUNT(*) FROM app.t WHERE v = ?', [text])) === '1';
  });
  t.pass(text);
}

async function byPosition({ set, sluice }: Subject, replica: DatabaseServer): Promise<void> {
  const { username, password } = REPLICATION_ACCOUNT;
  await set.waitForSync([replica]);
  const [status] = await set.primary.query<Record<string, string>>('SHOW MASTER STATUS');
  await replica.query('STOP SLAVE');
  const noGtid = set.flavor === ServerFlavor.mariadb ? 'MASTER_USE_GTID=no' : 'MASTER_AUTO_POSITION=0';
  await replica.query(
    `CHANGE MASTER TO MASTER_HOST='${sluice.host}', MASTER_PORT=${sluice.port}, MASTER_USER='${username}', ` +
      `MASTER_PASSWORD='${password}', MASTER_LOG_FILE='${status?.File}', MASTER_LOG_POS=${status?.Position}, ${noGtid}`,
  );
  await replica.query('START SLAVE');
}

async function followsThrough(subject: Subject, t: Test): Promise<void> {
  const { set, sluice } = subject;
  const replica = set.replicas[0]!;
  await set.replicateFrom(replica, { name: 'Sluice', host: sluice.host, port: sluice.port });
  await replicates(set, replica, t, 'by GTID');
  await replica.query('STOP SLAVE IO_THREAD');
  await set.primary.query("INSERT INTO app.t (v) VALUES ('while away')");
  await replica.query('START SLAVE IO_THREAD');
  await replicates(set, replica, t, 'after a pause');
  await byPosition(subject, replica);
  await replicates(set, replica, t, 'by file and position');
  if (set.flavor === ServerFlavor.mariadb) await semiSynchronously(set, replica, t);
  await replica.query('STOP SLAVE');
  await waitUntil('its connection to the primary is gone', async () => {
    await set.primary.query('DROP TABLE IF EXISTS app.gone');
    return (await dumpThreads(set, REPLICATION_ACCOUNT.username)) === 0;
  });
}

/** The replica acknowledges while the answer to its command goes on. */
async function semiSynchronously(set: ReplicationSet, replica: DatabaseServer, t: Test): Promise<void> {
  const acknowledged = async (): Promise<number> => {
    const [row] = await set.primary.query<{ Value: string }>(
      "SHOW STATUS LIKE 'Rpl_semi_sync_master_yes_tx'",
    );
    return Number(row?.Value);
  };
  await set.primary.query(
    'SET GLOBAL rpl_semi_sync_master_enabled = 1, rpl_semi_sync_master_timeout = 20000',
  );
  await replica.query('STOP SLAVE');
  await replica.query('SET GLOBAL rpl_semi_sync_slave_enabled = 1');
  await replica.query('START SLAVE');
  await waitUntil('the source has a semi-synchronous replica', async () => {
    const [row] = await set.primary.query<{ Value: string }>(
      "SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'",
    );
    return row?.Value === '1';
  });
  const before = await acknowledged();
  for (const number of [1, 2, 3]) await replicates(set, replica, t, `acknowledged ${number}`);
  t.equal((await acknowledged()) - before, 3, 'each was acknowledged through Sluice');
  await set.primary.query('SET GLOBAL rpl_semi_sync_master_enabled = 0');
}

async function runBinlog(t: Test, flavor: ServerFlavor): Promise<void> {
  const set = new ReplicationSet({
    flavor,
    replicas: 1,
    args: ['--max-allowed-packet=64M', '--innodb-log-file-size=192M'],
    sql: [
      `CREATE USER ${READER.username} IDENTIFIED BY '${READER.password}'`,
      `GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO ${READER.username}`,
      'CREATE TABLE app.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(100))',
      'CREATE TABLE app.long_rows (v LONGTEXT)',
      `INSERT INTO app.long_rows VALUES (REPEAT('x', ${LONG_ROW_BYTES}))`,
      ...Array.from({ length: 50 }, (_, row) => `INSERT INTO app.t (v) VALUES ('row ${row}')`),
      'FLUSH BINARY LOGS',
      "INSERT INTO app.t (v) VALUES ('in the next log')",
    ],
  });
  t.teardown(() => set.dispose());
  await set.start();
  const sluice = await SluiceProcess.startFor(set, {
    // Heartbeats would make the binlog longer between two readings.
    config: { users: [READER, REPLICATION_ACCOUNT], monitor: { heartbeat: { write: false } } },
  });
  t.teardown(() => sluice.dispose());
  const subject = { set, sluice };
  await t.test('mariadb-binlog reads what it reads straight', (t) => readsAsStraight(subject, t));
  await t.test('mariadb-binlog --stop-never', (t) => neverStops(subject, t));
  await t.test('a replica that follows Sluice', (t) => followsThrough(subject, t));
  t.equal(sluice.exit, null, 'Sluice still runs');
}

t.test('MariaDB', (t) => runBinlog(t, ServerFlavor.mariadb));

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, (t) => runBinlog(t, ServerFlavor.mysql));
