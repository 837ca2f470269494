/** What a session that reads or writes heartbeats sets first. */

import type { MonitorConnection } from '../monitor-connection.ts';

/**
 * A server may start sessions without autocommit: every read would be of the moment of the first one. And what waits
 * for a lock (of a backup, of an ALTER TABLE) gives up before the monitor does, so that no statements pile up there.
 */
export async function makeSteady(connection: MonitorConnection, signal: AbortSignal): Promise<void> {
  await connection.execute(
    'SET SESSION autocommit = 1, lock_wait_timeout = 1, innodb_lock_wait_timeout = 1',
    signal,
  );
}
