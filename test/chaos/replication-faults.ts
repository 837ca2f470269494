/** What can go wrong with replication, done to real servers. */

import type { DatabaseServer } from '../support/database-server.ts';
import type { ReplicationSet } from '../support/replication-set.ts';
import { waitUntil } from '../support/wait-until.ts';

/** For semi-synchronous replication, which `turnOnSemiSync` begins. MariaDB only: it needs no plugin. */
export const SEMI_SYNC_ARGS: readonly string[] = [
  '--rpl-semi-sync-slave-enabled=1',
  '--rpl-semi-sync-master-wait-point=AFTER_SYNC',
  // Longer than any test waits: it never falls back to acknowledging alone.
  '--rpl-semi-sync-master-timeout=600000',
];

/**
 * From now on the primary acknowledges a commit only when a replica has it. Not from the start: without replicas it would
 * wait for them at the first statement. And not on replicas: their SQL threads would wait for replicas of their own.
 */
export async function turnOnSemiSync(set: ReplicationSet): Promise<void> {
  await set.primary.query('SET GLOBAL rpl_semi_sync_master_enabled = 1');
  await waitUntil(`replicas acknowledge commits of ${set.primary.name}`, async () => {
    const rows = await set.primary.query<{ Variable_name: string; Value: string }>(
      "SHOW STATUS LIKE 'Rpl_semi_sync_master_%'",
    );
    const status = new Map(rows.map((row) => [row.Variable_name, row.Value]));
    const clients = Number(status.get('Rpl_semi_sync_master_clients') ?? 0);
    return status.get('Rpl_semi_sync_master_status') === 'ON' && clients === set.replicas.length;
  });
}

/** A row that the replica has already: its SQL thread stops with a duplicate key when the primary's comes. */
export async function breakReplication(set: ReplicationSet, replica: DatabaseServer): Promise<void> {
  await set.primary.query('CREATE TABLE IF NOT EXISTS app.bank_break (id INT PRIMARY KEY)');
  await set.waitForSync([replica]);
  await withoutBinlog(replica, 'INSERT INTO app.bank_break VALUES (1)');
  await set.primary.query('INSERT INTO app.bank_break VALUES (1)');
  await waitUntil(`${replica.name} has stopped replicating`, async () => {
    const [status] = await replica.query<Record<string, string>>('SHOW SLAVE STATUS');
    return status?.Slave_SQL_Running === 'No';
  });
}

/** A transaction of the server's own, in its binlog, that no other server has. */
export async function diverge(server: DatabaseServer): Promise<void> {
  await server.query('SET GLOBAL read_only = 0');
  await server.query('CREATE TABLE IF NOT EXISTS app.bank_diverged (id INT PRIMARY KEY)');
  await server.query('INSERT INTO app.bank_diverged VALUES (1)');
}

async function withoutBinlog(server: DatabaseServer, statement: string): Promise<void> {
  const connection = await server.rootConnection();
  try {
    await connection.query('SET SESSION sql_log_bin = 0');
    await connection.query(statement);
  } finally {
    await connection.end();
  }
}
