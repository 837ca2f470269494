/** From what the pool and the connections report to what a client is told. */

import { type ClientError, clientError } from '../../common/errors.ts';
import type { Snapshot } from '../../common/snapshot.ts';
import { type PoolFailure, PoolFailureKind } from '../backend/pool-request.ts';

export function errorOfPoolFailure(failure: PoolFailure, snapshot: Snapshot, user: string): ClientError {
  const { address, message, refusal } = failure;
  const { pool } = snapshot.settings;
  switch (failure.kind) {
    case PoolFailureKind.refused:
      // Access denied to a schema, unknown schema, too many connections …: the server's own words.
      if (refusal !== null && refusal.errno !== 1045)
        return { errno: refusal.errno, sqlState: refusal.sqlState, message: refusal.message };
      return clientError('PROXY_BACKEND_ACCESS_DENIED', {
        address,
        user,
        reason: refusal?.message ?? message,
      });
    case PoolFailureKind.timeout:
      return clientError('PROXY_POOL_TIMEOUT', {
        address,
        waitMs: pool.waitTimeoutMs,
        limit: pool.maxConnections,
      });
    case PoolFailureKind.queueFull:
      return clientError('PROXY_POOL_QUEUE_FULL', { address, limit: pool.waitQueueLength });
    case PoolFailureKind.closed:
      return clientError('PROXY_SHUTDOWN', {});
    default:
      return clientError('PROXY_BACKEND_CONNECT', { address, reason: message });
  }
}
