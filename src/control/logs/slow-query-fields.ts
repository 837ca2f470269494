/** One line of the slow-query log. */

import type { SlowQueryRecord } from '../../common/worker-report.ts';

const MICROS = 1000;

/** Without literals, unless `slowQueryLog.literals` wants them. */
export function slowQueryFields({ route, text }: SlowQueryRecord): Record<string, unknown> {
  return {
    startedAt: new Date(route.timeMs).toISOString(),
    durationMs: route.durationMicros / MICROS,
    waitMs: route.waitMicros / MICROS,
    user: route.username,
    client: route.client,
    connectionId: route.connectionId,
    schema: route.schema,
    command: route.command,
    digest: route.digest,
    digestText: route.digestText,
    ...(text === null ? {} : { text }),
    target: route.target,
    reason: route.reason,
    classReason: route.classReason,
    detail: route.detail,
    server: route.server,
    hostgroup: route.hostgroup,
    serverThreadId: route.serverThreadId,
    connection: route.connection,
    attempts: route.attempts,
    rowsSent: route.rowsSent,
    rowsAffected: route.rowsAffected,
    bytes: route.bytes,
    errno: route.errno,
    abandoned: route.abandoned,
    pins: route.pins,
    worker: route.worker,
  };
}
