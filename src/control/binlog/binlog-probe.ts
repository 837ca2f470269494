/** What a primary says about its binlog, beside sending it. */

import { ER_PARSE_ERROR } from '../../common/server-errno.ts';
import type { GtidInterval } from '../../topology/mysql-gtid-set.ts';
import { parseMysqlGtidSet } from '../../topology/mysql-gtid-set.ts';
import { ServerFlavor } from '../../topology/server-description.ts';
import type { MonitorConnection, Row } from '../monitor/monitor-connection.ts';
import { errnoOf } from '../monitor/server-error.ts';
import { missingGrants, readGrants } from '../monitor/view-grants.ts';
import { type BinlogPlace, parsePlace } from './binlog-place.ts';
import { FollowerSuspension } from './suspension.ts';

/** Where the binlog ended when the server was asked: whatever was visible to anybody then is in front of it. */
export interface BinlogEnd {
  readonly place: BinlogPlace;
  /** MySQL: what is visible; null on MariaDB. */
  readonly executed: ReadonlyMap<string, readonly GtidInterval[]> | null;
  readonly executedText: string;
}

/** MySQL 8.4 has no other; those before 8.2 have not got this one. */
const FIRST_BINARY_LOG_STATUS = 80_200;
/** The first MariaDB that has taken privileges apart. */
const FIRST_BINLOG_MONITOR = 100_502;

export async function readBinlogEnd(connection: MonitorConnection, signal: AbortSignal): Promise<BinlogEnd> {
  const [row] = await showStatus(connection, signal);
  if (row === undefined) throw new FollowerSuspension('no-binlog', 'the server writes no binlog');
  const filter = [row.Binlog_Do_DB, row.Binlog_Ignore_DB].find((value) => (value ?? '') !== '');
  if (filter !== undefined)
    throw new FollowerSuspension(
      'binlog-filtered',
      `the server leaves schemas out of its binlog (${filter})`,
    );
  const place = parsePlace(row.File, row.Position);
  if (place === null) throw new FollowerSuspension('no-binlog', `the binlog file ${row.File} has no number`);
  const executedText = (row.Executed_Gtid_Set ?? '').replace(/\s+/g, '');
  const isMysql = connection.version.flavor === ServerFlavor.mysql;
  return { place, executedText, executed: isMysql ? parseMysqlGtidSet(executedText).sources : null };
}

async function showStatus(connection: MonitorConnection, signal: AbortSignal): Promise<readonly Row[]> {
  const { flavor, id } = connection.version;
  const isNew = flavor === ServerFlavor.mysql && id >= FIRST_BINARY_LOG_STATUS;
  try {
    return await connection.query(isNew ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS', signal);
  } catch (error) {
    if (errnoOf(error) !== ER_PARSE_ERROR) throw error;
    return await connection.query(isNew ? 'SHOW MASTER STATUS' : 'SHOW BINARY LOG STATUS', signal);
  }
}

/**
 * MariaDB: up to where everything is visible. Commits are made visible, and this is set, under one lock, in the order of the
 * binlog. null before the first commit since the server's start.
 */
export async function readVisiblePlace(
  connection: MonitorConnection,
  signal: AbortSignal,
): Promise<BinlogPlace | null> {
  const rows = await connection.query("SHOW GLOBAL STATUS LIKE 'Binlog_snapshot_%'", signal);
  const values = new Map(rows.map((row) => [(row.Variable_name ?? '').toLowerCase(), row.Value]));
  return parsePlace(values.get('binlog_snapshot_file'), values.get('binlog_snapshot_position'));
}

/**
 * MySQL: whether somebody is in an XA COMMIT. In one phase it is executed, for whoever asks for GTIDs, shortly before it is visible
 * (5.7: 12 of 22,868 reads behind the question lacked it). When its statement has ended it is.
 */
export async function isXaCommitting(connection: MonitorConnection, signal: AbortSignal): Promise<boolean> {
  const [row] = await connection.query(
    "SELECT COUNT(*) AS count FROM information_schema.PROCESSLIST WHERE INFO LIKE '%XA%COMMIT%' AND ID <> CONNECTION_ID()",
    signal,
  );
  return row?.count !== '0';
}

/** @throws FollowerSuspension, if it cannot be followed as it is set up now */
export async function checkPrimary(connection: MonitorConnection, signal: AbortSignal): Promise<void> {
  const isMysql = connection.version.flavor === ServerFlavor.mysql;
  await checkPrivileges(connection, signal);
  const gtids = isMysql ? '@@global.gtid_mode' : "'ON'";
  const [row] = await connection.query(
    `SELECT @@global.log_bin AS logs, @@global.binlog_format AS format, ${gtids} AS gtids`,
    signal,
  );
  if (row?.logs !== '1') throw new FollowerSuspension('no-binlog', 'the server writes no binlog');
  if (row.gtids !== 'ON') throw new FollowerSuspension('no-gtids', `the server has gtid_mode=${row.gtids}`);
  if (row.format === 'STATEMENT')
    throw new FollowerSuspension('statement-format', 'the server has binlog_format=STATEMENT');
}

/** All are needed: for the events, for where the binlog ends, and on MySQL to see who is in an XA COMMIT. */
export function neededPrivileges(isMysql: boolean, versionId: number): readonly string[] {
  if (isMysql) return ['REPLICATION SLAVE', 'REPLICATION CLIENT', 'PROCESS'];
  return ['REPLICATION SLAVE', versionId < FIRST_BINLOG_MONITOR ? 'REPLICATION CLIENT' : 'BINLOG MONITOR'];
}

async function checkPrivileges(connection: MonitorConnection, signal: AbortSignal): Promise<void> {
  const { flavor, id } = connection.version;
  const needed = neededPrivileges(flavor === ServerFlavor.mysql, id);
  const grants = await readGrants(connection, signal, needed);
  const missing = needed.filter((privilege) => missingGrants(grants, [privilege], 'the binlog') !== '');
  if (missing.length === 0) return;
  const [row] = await connection.query('SELECT CURRENT_USER() AS account', signal);
  throw privilegeMissing(missing, row?.account ?? '');
}

export function privilegeMissing(privileges: readonly string[], account: string): FollowerSuspension {
  const list = privileges.join(', ');
  const at = account.lastIndexOf('@');
  const to = at < 0 ? `'${account}'` : `'${account.slice(0, at)}'@'${account.slice(at + 1)}'`;
  return new FollowerSuspension(
    'missing-privilege',
    `the monitor account lacks ${list} ON *.*`,
    `GRANT ${list} ON *.* TO ${to}`,
  );
}
