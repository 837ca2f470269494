/** Asks a server how far it is. One statement, so that the numbers are those of one moment. */

import { ServerFlavor } from '../../topology/server-description.ts';
import type { MonitorConnection } from '../monitor/monitor-connection.ts';
import { ER_UNKNOWN_SYSTEM_VARIABLE, errnoOf } from '../monitor/server-error.ts';

export interface GtidSample {
  readonly flavor: 'mysql' | 'mariadb';
  /** False where commits get no GTIDs, or none that are known. */
  readonly hasGtids: boolean;
  /** What is in front of the sequence number in GTIDs that the server makes. */
  readonly prefix: string;
  /** All that it has, in its own dialect. */
  readonly executed: string;
}

/** On MariaDB what is in the binlog is not necessarily committed yet: the position of a replica is another one. */
const MARIADB =
  'SELECT @@global.gtid_current_pos AS executed, @@global.log_bin AS logs, @@global.gtid_domain_id AS domain, @@global.server_id AS id';
const MYSQL =
  'SELECT @@global.gtid_executed AS executed, @@global.gtid_mode AS mode, @@global.server_uuid AS uuid';

export async function sampleGtids(connection: MonitorConnection, signal: AbortSignal): Promise<GtidSample> {
  const isMariadb = connection.version.flavor === ServerFlavor.mariadb;
  const flavor = isMariadb ? 'mariadb' : 'mysql';
  try {
    const [row] = await connection.query(isMariadb ? MARIADB : MYSQL, signal);
    const prefix = isMariadb ? `${row?.domain}-${row?.id}-` : `${(row?.uuid ?? '').toLowerCase()}:`;
    const executed = (row?.executed ?? '').replace(/\s+/g, '');
    const hasGtids = isMariadb ? row?.logs === '1' : row?.mode === 'ON';
    return { flavor, hasGtids, prefix, executed };
  } catch (error) {
    if (errnoOf(error) !== ER_UNKNOWN_SYSTEM_VARIABLE) throw error;
    return { flavor, hasGtids: false, prefix: '', executed: '' };
  }
}
