/** When a test may expect a replica to answer. */

import type { RowDataPacket } from 'mysql2/promise';
import type { ReplicationSet } from './replication-set.ts';
import type { SluiceProcess } from './sluice-process.ts';
import { waitUntil } from './wait-until.ts';

/**
 * Until a replica answers reads of this table. Sluice is ready before that: until views have been read, and what replicas
 * have applied is known, the primary answers.
 */
export async function waitForReplicaReads(
  sluice: SluiceProcess,
  set: ReplicationSet,
  table: string,
): Promise<void> {
  const connection = await sluice.connect();
  await waitUntil(`a replica answers reads of ${table}`, async () => {
    const [rows] = await connection.query<RowDataPacket[]>(
      `SELECT @@server_id AS id, (SELECT COUNT(*) FROM ${table}) AS n`,
    );
    return set.nameOf(rows[0]?.id).startsWith('replica');
  });
  await connection.end();
}
