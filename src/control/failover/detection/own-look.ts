/** One look of Sluice's own at a primary that may be dead: a new connection, a log-in, a statement. */

import { OwnSign } from '../../../topology/primary-death.ts';
import {
  MonitorConnection,
  type MonitorCredentials,
  type MonitorTarget,
} from '../../monitor/monitor-connection.ts';
import { errnoOf } from '../../monitor/server-error.ts';

/** Nobody listens at a port, or at a socket, of a machine that answers. */
const REFUSED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT']);

export async function lookAtPrimary(
  target: MonitorTarget,
  credentials: MonitorCredentials,
  timeoutMs: number,
): Promise<OwnSign> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const connection = await MonitorConnection.open(target, credentials, signal);
    try {
      await connection.query('SELECT 1', signal);
    } finally {
      connection.destroy();
    }
    return OwnSign.answers;
  } catch (error) {
    return signOf(error, signal.aborted);
  }
}

/** A server that refuses a log-in, or is full, lives. */
function signOf(error: unknown, isLate: boolean): OwnSign {
  if (errnoOf(error) > 0) return OwnSign.answers;
  if (isLate) return OwnSign.silent;
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : null;
  return typeof code === 'string' && REFUSED.has(code) ? OwnSign.refused : OwnSign.failed;
}
