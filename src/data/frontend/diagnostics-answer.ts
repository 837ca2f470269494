/**
 * SHOW WARNINGS and SHOW ERRORS from a list that was read from the connection before somebody else got it. The
 * columns are as both kinds of servers describe them.
 */

import { ColumnType, encodeTextResultset } from '../../../protocol/index.ts';
import type { DiagnosticRow } from './residue.ts';

const PLAIN = /^\s*show\s+(warnings|errors)(?:\s+limit\s+(\d+)(?:\s*(,|offset)\s*(\d+))?)?\s*;?\s*$/i;
const NOT_NULL = 1;
const UNSIGNED_NOT_NULL = 33;

/** What servers say of texts without a number of decimals; they differ. */
const TEXT_DECIMALS = { mysql: 31, mariadb: 39 } as const;

function columnsOf(flavor: 'mysql' | 'mariadb') {
  const text = { type: ColumnType.MYSQL_TYPE_VAR_STRING, flags: NOT_NULL, decimals: TEXT_DECIMALS[flavor] };
  return [
    { ...text, name: 'Level', length: 28 },
    { name: 'Code', type: ColumnType.MYSQL_TYPE_LONG, length: 4, flags: UNSIGNED_NOT_NULL },
    { ...text, name: 'Message', length: 2048 },
  ];
}

export interface DiagnosticsClient {
  readonly capabilities: number;
  /** MARIADB_CLIENT_EXTENDED_METADATA is negotiated. */
  readonly extendedMetadata: boolean;
  readonly statusFlags: number;
  readonly flavor: 'mysql' | 'mariadb';
}

/** @returns the framed answer, or null if the statement is not one of these in its plain form. */
export function answerDiagnostics(
  statement: string,
  rows: readonly DiagnosticRow[],
  client: DiagnosticsClient,
): Buffer | null {
  const match = PLAIN.exec(statement);
  if (match === null) return null;
  const [, what, first, separator, second] = match;
  const wanted = what?.toLowerCase() === 'errors' ? rows.filter(([level]) => level === 'Error') : [...rows];
  const offset = separator === ',' ? Number(first) : Number(second ?? 0);
  const count = separator === ',' ? Number(second) : Number(first ?? wanted.length);
  const shown = wanted.slice(offset, offset + count).map((row) => [...row]);
  const { capabilities, statusFlags, extendedMetadata } = client;
  const mariadbMetadata = { extendedMetadata, cacheMetadata: false };
  const context = { capabilities, statusFlags, warnings: 0, sequenceId: 1, mariadbMetadata };
  return encodeTextResultset(columnsOf(client.flavor), shown, context);
}
