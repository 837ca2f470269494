/** What a worker tells of the prepared statements of its clients and of its idle connections, in parts. */

import type { IdleConnectionRecord, PreparedRecord } from '../../common/inspection.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { WorkerContext } from '../worker-context.ts';
import { Digests } from './route-record.ts';
import type { Session } from './session.ts';

/** Sessions, connections or records of one turn of the event loop. */
const PART = 200;

type Counted = { -readonly [Key in keyof PreparedRecord]: PreparedRecord[Key] };

/** By digest, user and schema: clients of one program have the same ones. */
export function* preparedParts(
  sessions: readonly Session[],
  worker: number,
): Generator<{ prepared?: PreparedRecord[] }, void> {
  const digests = new Digests();
  const found = new Map<string, Counted>();
  for (const [index, session] of sessions.entries()) {
    if (index % PART === PART - 1) yield {};
    for (const { plan, prepared, parameterCount } of session.prepared.list()) {
      const schema = prepared.schema ?? '';
      const { username } = session;
      const digest = digests.nameOf(plan.normalized);
      const key = `${digest} ${username}\0${schema}`;
      const known = found.get(key);
      if (known !== undefined) {
        known.clientStatements++;
        continue;
      }
      found.set(key, {
        worker,
        schema,
        username,
        digest,
        digestText: digests.textOf(plan.normalized),
        clientStatements: 1,
        parameters: parameterCount,
      });
    }
  }
  const records = [...found.values()];
  for (let start = 0; start < records.length; start += PART)
    yield { prepared: records.slice(start, start + PART) };
}

export function* idleConnectionParts({
  backends,
  workerIndex,
}: WorkerContext): Generator<{ idleConnections: IdleConnectionRecord[] }, void> {
  const now = Date.now();
  const idle = backends.idleConnections();
  for (let start = 0; start < idle.length; start += PART) {
    const part = idle.slice(start, start + PART);
    yield { idleConnections: part.map((connection) => idleRecord(connection, workerIndex, now)) };
  }
}

function idleRecord(connection: BackendConnection, worker: number, now: number): IdleConnectionRecord {
  const { server, variables } = connection;
  return {
    worker,
    serverThreadId: connection.threadId,
    server: server.address,
    hostgroup: server.hostgroup,
    username: connection.key.credentials.username,
    schema: connection.schema ?? '',
    timeZone: variables?.values.get('time_zone') ?? '',
    sqlMode: variables?.sqlMode ?? '',
    autocommit: variables?.autocommit ?? true,
    idleMs: Math.max(0, now - connection.idleSince),
    ageMs: Math.max(0, now - connection.createdAt),
    statements: connection.statements.size,
  };
}
