/** Asks a server how far it is: by GTIDs, or by the primary's binlog where there are none. */

import { ER_UNKNOWN_SYSTEM_VARIABLE } from '../../common/server-errno.ts';
import { formatServerAddress } from '../../topology/server-address.ts';
import { ServerFlavor } from '../../topology/server-description.ts';
import type { MonitorConnection, Row } from '../monitor/monitor-connection.ts';
import { errnoOf } from '../monitor/server-error.ts';
import type { ServerVersion } from '../monitor/server-version.ts';

export interface GtidSample {
  readonly flavor: 'mysql' | 'mariadb';
  /** False where commits get no GTIDs, or none that are known. */
  readonly hasGtids: boolean;
  /** What is in front of the sequence number in GTIDs that the server makes. */
  readonly prefix: string;
  /** All that it has, in its own dialect. */
  readonly executed: string;
  /** More than one thread applies what it replicates, so that one transaction may be shown before one in front of it is. */
  readonly appliesInParallel: boolean;
  /** Where there are no GTIDs: how far it is in whose binlog; null where it is in none. */
  readonly binlog: BinlogPlace | null;
}

export interface BinlogPlace {
  /** The server that has written it; '' for itself. */
  readonly of: string;
  /** The number of the file in the upper, the place in it in the lower 32 bits. */
  readonly place: bigint;
}

/** On MariaDB what is in the binlog is not necessarily committed yet: the position of a replica is another one. */
const MARIADB =
  'SELECT @@global.gtid_current_pos AS executed, @@global.log_bin AS logs, @@global.gtid_domain_id AS domain, @@global.server_id AS id';
const MYSQL =
  'SELECT @@global.gtid_executed AS executed, @@global.gtid_mode AS mode, @@global.server_uuid AS uuid';
/** The first version that has `replica_parallel_workers`; MySQL 8.4 has nothing else. */
const FIRST_REPLICA_WORKERS = 80_026;

/** MariaDB shows what is executed: how its threads apply it makes no difference. */
function statementFor({ flavor, id }: ServerVersion): string {
  if (flavor === ServerFlavor.mariadb) return MARIADB;
  const workers = id >= FIRST_REPLICA_WORKERS ? 'replica_parallel_workers' : 'slave_parallel_workers';
  return `${MYSQL}, @@global.${workers} AS workers`;
}

export async function sampleGtids(
  connection: MonitorConnection,
  isPrimary: boolean,
  signal: AbortSignal,
): Promise<GtidSample> {
  const isMariadb = connection.version.flavor === ServerFlavor.mariadb;
  const flavor = isMariadb ? 'mariadb' : 'mysql';
  try {
    const [row] = await connection.query(statementFor(connection.version), signal);
    const prefix = isMariadb ? `${row?.domain}-${row?.id}-` : `${(row?.uuid ?? '').toLowerCase()}:`;
    const executed = (row?.executed ?? '').replace(/\s+/g, '');
    const hasGtids = isMariadb ? row?.logs === '1' : row?.mode === 'ON';
    const binlog = hasGtids || isMariadb ? null : await samplePlace(connection, isPrimary, signal);
    const appliesInParallel = Number(row?.workers ?? 0) > 1;
    return { flavor, hasGtids, prefix, executed, appliesInParallel, binlog };
  } catch (error) {
    if (errnoOf(error) !== ER_UNKNOWN_SYSTEM_VARIABLE) throw error;
    return { flavor, hasGtids: false, prefix: '', executed: '', appliesInParallel: false, binlog: null };
  }
}

async function samplePlace(
  connection: MonitorConnection,
  isPrimary: boolean,
  signal: AbortSignal,
): Promise<BinlogPlace | null> {
  const [row] = await connection.query(isPrimary ? 'SHOW MASTER STATUS' : 'SHOW SLAVE STATUS', signal);
  return row === undefined ? null : isPrimary ? ownPlace(row) : appliedPlace(row);
}

function ownPlace(row: Row): BinlogPlace | null {
  const place = placeOf(row.File, row.Position);
  return place === null ? null : { of: '', place };
}

function appliedPlace(row: Row): BinlogPlace | null {
  const place = placeOf(row.Relay_Master_Log_File, row.Exec_Master_Log_Pos);
  const of = formatServerAddress(row.Master_Host ?? '', Number(row.Master_Port));
  return place === null ? null : { of, place };
}

/** Files are numbered behind the last dot. */
function placeOf(file: string | null | undefined, position: string | null | undefined): bigint | null {
  const number = /\.(\d{1,9})$/.exec(file ?? '')?.[1];
  if (number === undefined || !/^\d{1,10}$/.test(position ?? '')) return null;
  return (BigInt(number) << 32n) + BigInt(position ?? '');
}
