/** `stats_mysql_query_digest` and `stats_mysql_errors`, each with its twin that begins anew with every look. */

import type { SqlRow } from '../../../common/admin-tables/admin-table.ts';
import type { ErrorRecord } from '../../../common/inspection.ts';
import type { DigestRow } from '../../statistics/merge-digests.ts';
import type { AdminState } from '../admin-state.ts';
import type { VirtualTable } from './virtual-table.ts';

export function digestRow(row: DigestRow): SqlRow {
  return [
    row.hostgroup,
    row.schema,
    row.username,
    row.clientAddress,
    row.digest,
    row.digestText,
    row.count,
    row.firstSeen,
    row.lastSeen,
    row.sumMicros,
    row.minMicros,
    row.maxMicros,
    row.rowsAffected,
    row.rowsSent,
  ];
}

async function* digestRows({ statistics }: AdminState, reset: boolean): AsyncGenerator<SqlRow> {
  const { rows } = await statistics.digests(reset);
  for (const row of rows) yield digestRow(row);
}

function errorRow(error: ErrorRecord): SqlRow {
  const { host, port } = hostAndPort(error.server);
  return [
    error.hostgroup,
    host,
    port,
    error.username,
    error.clientAddress,
    error.schema,
    error.errno,
    error.count,
    error.firstSeen,
    error.lastSeen,
    error.message,
  ];
}

async function* errorRows({ statistics }: AdminState, reset: boolean): AsyncGenerator<SqlRow> {
  const { rows } = await statistics.errors(reset);
  for (const row of rows) yield errorRow(row);
}

/** Of `host:port`, where the host may be IPv6 in brackets; nothing of nothing. */
export function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  if (colon < 0) return { host: address, port: 0 };
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}

async function resetDigests({ statistics }: AdminState): Promise<void> {
  await statistics.digests(true);
}

async function resetErrors({ statistics }: AdminState): Promise<void> {
  await statistics.errors(true);
}

export const statsQueryDigest: VirtualTable = {
  table: 'stats_mysql_query_digest',
  rows: (state) => digestRows(state, false),
  reset: resetDigests,
};

export const statsQueryDigestReset: VirtualTable = {
  table: 'stats_mysql_query_digest_reset',
  rows: (state) => digestRows(state, true),
  reset: resetDigests,
};

export const statsErrors: VirtualTable = {
  table: 'stats_mysql_errors',
  rows: (state) => errorRows(state, false),
  reset: resetErrors,
};

export const statsErrorsReset: VirtualTable = {
  table: 'stats_mysql_errors_reset',
  rows: (state) => errorRows(state, true),
  reset: resetErrors,
};
