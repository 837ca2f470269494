/** Records as workers send them. */

import type { ErrorRecord, RouteRecord, SessionRecord } from '../../../../src/common/inspection.ts';

export const FIRST_ID = 2 ** 30 + 5;

export function sessionRecord(overrides: Partial<SessionRecord> = {}): SessionRecord {
  return {
    worker: 0,
    connectionId: FIRST_ID,
    username: 'app',
    client: '10.1.2.3:50000',
    schema: 'shop',
    state: 'idle',
    stateSinceMs: 1_700_000_002_000,
    connectedSinceMs: 1_700_000_000_000,
    inTransaction: false,
    transactionSinceMs: null,
    pins: [],
    server: null,
    serverThreadId: null,
    statements: 3,
    preparedStatements: 0,
    unsentBytes: 0,
    target: 'replica',
    reason: 'proven-read',
    digestText: 'SELECT ?',
    ...overrides,
  };
}

export function routeRecord(overrides: Partial<RouteRecord> = {}): RouteRecord {
  return {
    worker: 0,
    sequence: 1,
    timeMs: 1_700_000_000_250.5,
    connectionId: FIRST_ID,
    username: 'app',
    client: '10.1.2.3:50000',
    schema: null,
    command: 'COM_QUERY',
    target: 'replica',
    reason: 'proven-read',
    classReason: 'proven-read',
    detail: '',
    rules: [],
    hostgroup: 1,
    server: '10.0.0.2:3306',
    serverThreadId: 41,
    connection: 'pipelined',
    aligned: false,
    reprepared: false,
    attempts: 1,
    waitMicros: 0,
    durationMicros: 812,
    rowsSent: 1,
    rowsAffected: null,
    bytes: 62,
    errno: 0,
    abandoned: false,
    pins: [],
    digest: '0x0123456789ABCDEF',
    digestText: 'SELECT ?',
    ...overrides,
  };
}

export function errorRecord(overrides: Partial<ErrorRecord> = {}): ErrorRecord {
  return {
    hostgroup: 0,
    server: '10.0.0.1:3306',
    username: 'app',
    clientAddress: '10.1.2.3',
    schema: 'shop',
    errno: 1146,
    count: 1,
    firstSeen: 1_700_000_000,
    lastSeen: 1_700_000_000,
    message: "Table '?' doesn't exist",
    ...overrides,
  };
}
