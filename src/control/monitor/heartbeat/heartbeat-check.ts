/** Asks a server which heartbeat of the primary has reached it. */

import { ER_BAD_DB_ERROR, ER_NO_SUCH_TABLE } from '../../../common/server-errno.ts';
import type { MonitorConnection } from '../monitor-connection.ts';
import { errnoOf, isDenied } from '../server-error.ts';
import type { HeartbeatTable } from './heartbeat-table.ts';

export function isTableMissing(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === ER_NO_SUCH_TABLE || errno === ER_BAD_DB_ERROR;
}

/** A table that could not be read is not asked for again at once: each trial costs a statement. */
const RETRY_MS = 1000;
const RETRY_DENIED_MS = 10_000;

/** The heartbeat to ask for. */
export interface HeartbeatQuestion {
  readonly table: HeartbeatTable;
  /** `@@server_id` of the primary, whose heartbeat it is. */
  readonly serverId: number;
}

export class HeartbeatCheck {
  #retryAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param nowMs of a clock that never goes back
   * @returns its `ts`; null where there is none
   */
  async run(
    connection: MonitorConnection,
    { table, serverId }: HeartbeatQuestion,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<string | null> {
    if (nowMs < this.#retryAtMs) return null;
    try {
      const [row] = await connection.query(table.read(serverId), signal);
      return row?.ts ?? null;
    } catch (error) {
      if (!isTableMissing(error) && !isDenied(error)) throw error;
      this.#retryAtMs = nowMs + (isDenied(error) ? RETRY_DENIED_MS : RETRY_MS);
      return null;
    }
  }
}
