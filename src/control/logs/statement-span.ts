/**
 * One statement as a span, in the words of OpenTelemetry's conventions for databases: both the stable ones and those
 * before them, which many tools still look for. Never with a literal.
 */

import type { Attributes, Tracer } from '@opentelemetry/api';
import type { SpanRecord, TraceParent } from '../../common/worker-report.ts';

type Api = typeof import('@opentelemetry/api');

const MICROS_PER_MS = 1000;
const OPERATION = /^[a-z]+/i;
const PORT = /:(\d+)$/;

export function spanOf(api: Api, tracer: Tracer, record: SpanRecord): void {
  const { route, parent } = record;
  const span = tracer.startSpan(
    nameOf(record),
    { kind: api.SpanKind.SERVER, startTime: route.timeMs, attributes: attributesOf(record) },
    contextOf(api, parent),
  );
  if (route.errno !== 0) span.setStatus({ code: api.SpanStatusCode.ERROR, message: `error ${route.errno}` });
  span.end(route.timeMs + route.durationMicros / MICROS_PER_MS);
}

function contextOf(api: Api, parent: TraceParent | null) {
  if (parent === null) return api.ROOT_CONTEXT;
  return api.trace.setSpanContext(api.ROOT_CONTEXT, {
    traceId: parent.traceId,
    spanId: parent.spanId,
    traceFlags: parent.sampled ? api.TraceFlags.SAMPLED : api.TraceFlags.NONE,
    isRemote: true,
  });
}

function operationOf({ route }: SpanRecord): string {
  return OPERATION.exec(route.digestText)?.[0].toUpperCase() ?? route.command;
}

function nameOf(record: SpanRecord): string {
  const { schema } = record.route;
  return schema === null ? operationOf(record) : `${operationOf(record)} ${schema}`;
}

function attributesOf(record: SpanRecord): Attributes {
  const { route, flavor } = record;
  const port = PORT.exec(route.server ?? '')?.[1];
  const rows = route.rowsSent ?? undefined;
  return {
    'db.system': flavor,
    'db.system.name': flavor,
    'db.statement': route.digestText,
    'db.query.text': route.digestText,
    'db.operation': operationOf(record),
    'db.operation.name': operationOf(record),
    ...(route.schema === null ? {} : { 'db.name': route.schema, 'db.namespace': route.schema }),
    'db.user': route.username,
    'client.address': route.client,
    ...(route.server === null
      ? {}
      : { 'server.address': route.server.replace(PORT, ''), 'server.port': Number(port) }),
    ...(rows === undefined ? {} : { 'db.response.returned_rows': rows }),
    ...(route.errno === 0
      ? {}
      : { 'db.response.status_code': `${route.errno}`, 'error.type': `${route.errno}` }),
    'sluice.digest': route.digest,
    'sluice.route.target': route.target,
    'sluice.route.reason': route.reason,
    'sluice.class.reason': route.classReason,
    'sluice.wait_ms': route.waitMicros / MICROS_PER_MS,
    'sluice.attempts': route.attempts,
    'sluice.bytes': route.bytes,
    'sluice.connection_id': route.connectionId,
    ...(route.hostgroup === null ? {} : { 'sluice.hostgroup': route.hostgroup }),
    ...(route.pins.length === 0 ? {} : { 'sluice.pins': [...route.pins] }),
  };
}
