/** What is learnt of a digest from one of its answers: how long it takes, how much it sends, alone and in a batch. */

import type { ResponseTracker } from '../../../protocol/index.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { RunState } from './run-state.ts';

/** @param bytes of the answer. @param now of the monotonic clock. @param pipelineDepth the deepest batch allowed. */
export function learnFrom(
  { plan, sentAt, shared }: RunState,
  connection: BackendConnection,
  tracker: ResponseTracker,
  bytes: number,
  now: number,
  pipelineDepth: number,
): void {
  if (plan === null) return;
  if (tracker.errno === 0) {
    const elapsedMs = now - sentAt;
    const size = shared ? connection.batchSize : 1;
    if (connection.latency.isWatched && plan.statement.provenRead && connection.owed === 0)
      connection.latency.observe(elapsedMs, plan.aloneMs, now);
    if (size === 1) plan.learnAlone(elapsedMs, bytes);
    else {
      plan.learnBytes(bytes);
      if (connection.owed === 0) plan.learnBatch(elapsedMs, size, pipelineDepth);
    }
  }
  if (tracker.warnings > 0 || tracker.errno !== 0) plan.raisesDiagnostics = true;
}
