/** SAVE MYSQL DIGEST TO DISK: what has been counted of digests goes into the history, and is counted anew. */

import type { SqlRow } from '../../common/admin-tables/admin-table.ts';
import type { StoreClient } from '../store/store-client.ts';

/** Rows in one statement: as JSON, so that a thousand cost as much as one. */
const CHUNK = 500;

/** @param rows of `stats_mysql_query_digest`. */
export async function saveDigests(
  store: Pick<StoreClient, 'internal'>,
  rows: readonly SqlRow[],
  seconds: number,
): Promise<void> {
  for (let start = 0; start < rows.length; start += CHUNK) {
    const chunk = rows.slice(start, start + CHUNK);
    const columns = Array.from({ length: chunk[0]!.length }, (_, index) => `value ->> ${index}`);
    await store.internal([
      {
        sql: `INSERT OR REPLACE INTO stats_history.history_mysql_query_digest
          SELECT ?, ${columns.join(', ')} FROM json_each(?)`,
        parameters: [seconds, JSON.stringify(chunk)],
      },
    ]);
  }
}
