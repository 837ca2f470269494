/** What a server says of the history that its GTIDs are of (`gtid-history.ts`). */

import type { GtidHistory } from '../../common/gtid-history.ts';
import type { MonitorConnection } from '../monitor/monitor-connection.ts';

/** @returns null where the server does not say so. */
export async function readHistory(
  connection: MonitorConnection,
  signal: AbortSignal,
): Promise<GtidHistory | null> {
  const rows = await connection.query(
    "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_reset', 'Uptime')",
    signal,
  );
  const [clock] = await connection.query('SELECT UNIX_TIMESTAMP() AS now', signal);
  const of = (name: string): number =>
    Number(rows.find((row) => row.Variable_name?.toLowerCase() === name)?.Value ?? Number.NaN);
  const startedAtS = Math.floor(Number(clock?.now)) - of('uptime');
  const resets = of('com_reset');
  return Number.isSafeInteger(startedAtS) && Number.isSafeInteger(resets) ? { startedAtS, resets } : null;
}

/**
 * How often the server has executed RESET since its start; NaN where it does not say so. It counts before it resets: whoever asks
 * behind something else knows that it was of the same history. Costs the server 0.2 to 0.3 ms.
 */
export async function readResets(connection: MonitorConnection, signal: AbortSignal): Promise<number> {
  const [row] = await connection.query("SHOW GLOBAL STATUS LIKE 'Com_reset'", signal);
  return Number(row?.Value ?? Number.NaN);
}
