/** Makes a replica the primary, as an operator would do it by hand. */

import { ServerFlavor } from '../../src/topology/server-description.ts';
import type { DatabaseServer } from './database-server.ts';
import { REPLICATION_ACCOUNT, type ReplicationSet } from './replication-set.ts';
import { waitUntil } from './wait-until.ts';

/** The old one refuses writes, the new one takes them; the old one follows it from then on. */
export async function movePrimary(
  set: ReplicationSet,
  from: DatabaseServer,
  to: DatabaseServer,
): Promise<void> {
  await from.query('SET GLOBAL read_only=1');
  await waitForAll(set, from, to);
  await promote(to);
  await follow(set, from, to);
}

/** Stops to be a replica, and takes writes. */
export async function promote(server: DatabaseServer): Promise<void> {
  await server.query('STOP SLAVE');
  await server.query('RESET SLAVE ALL');
  await server.query('SET GLOBAL read_only=0');
}

async function waitForAll(set: ReplicationSet, from: DatabaseServer, to: DatabaseServer): Promise<void> {
  const isMariadb = set.flavor === ServerFlavor.mariadb;
  const position = await from.queryValue(
    isMariadb ? 'SELECT @@global.gtid_binlog_pos' : 'SELECT @@global.gtid_executed',
  );
  const wait = isMariadb ? 'MASTER_GTID_WAIT' : 'WAIT_FOR_EXECUTED_GTID_SET';
  const result = await to.queryValue(`SELECT ${wait}(?, 20)`, [position]);
  if (result !== '0') throw new Error(`${to.name} did not reach ${position}`);
}

async function follow(set: ReplicationSet, replica: DatabaseServer, source: DatabaseServer): Promise<void> {
  const { username, password } = REPLICATION_ACCOUNT;
  const isMariadb = set.flavor === ServerFlavor.mariadb;
  if (isMariadb) await replica.query('SET GLOBAL gtid_slave_pos=@@global.gtid_current_pos');
  await replica.query(
    `CHANGE MASTER TO MASTER_HOST='${source.host}', MASTER_PORT=${source.port}, MASTER_USER='${username}', ` +
      `MASTER_PASSWORD='${password}', MASTER_CONNECT_RETRY=1, ` +
      (isMariadb ? 'MASTER_USE_GTID=slave_pos' : 'MASTER_AUTO_POSITION=1'),
  );
  await replica.query('START SLAVE');
  await waitUntil(`${replica.name} replicates from ${source.name}`, async () => {
    const [status] = await replica.query<Record<string, string>>('SHOW SLAVE STATUS');
    return status?.Slave_IO_Running === 'Yes' && status.Slave_SQL_Running === 'Yes';
  });
}
