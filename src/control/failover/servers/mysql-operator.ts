/**
 * MySQL from 5.7 on.
 *
 * - `super_read_only=1` sets `read_only` too, and `read_only=0` takes both back: one statement each, nothing between.
 * - GTIDs that were executed are one set, whoever wrote them.
 * - A replica's password stands in mysql.slave_master_info where master_info_repository is TABLE (8.0's default).
 *   https://dev.mysql.com/doc/refman/5.7/en/replication-administration.html
 */

import type { ServerVersion } from '../../monitor/server-version.ts';
import { BaseOperator, isOn } from './base-operator.ts';
import { quote } from './replication-statements.ts';
import type { ServerLink } from './server-link.ts';
import type { ReplicationCredentials, ReplicationSource, ServerOperator } from './server-operator.ts';
import type { ServerState } from './server-state.ts';

/** Since 8.0 SUPER is taken apart. */
const FIRST_DYNAMIC_PRIVILEGES = 80_000;

const NEEDED_BEFORE_8: readonly (readonly string[])[] = [['SUPER'], ['RELOAD'], ['REPLICATION CLIENT']];
const NEEDED: readonly (readonly string[])[] = [
  ['SYSTEM_VARIABLES_ADMIN', 'SUPER'],
  ['REPLICATION_SLAVE_ADMIN', 'SUPER'],
  ['RELOAD'],
  ['REPLICATION CLIENT'],
];

export class MysqlOperator extends BaseOperator implements ServerOperator {
  constructor(link: ServerLink, version: ServerVersion) {
    super(link, version, version.id >= FIRST_DYNAMIC_PRIVILEGES ? NEEDED : NEEDED_BEFORE_8);
  }

  async readState(): Promise<ServerState> {
    const variables = await this.variables(
      'server_id',
      'server_uuid',
      'read_only',
      'super_read_only',
      'log_bin',
      'log_slave_updates',
      'log_replica_updates',
      'gtid_mode',
    );
    const get = (name: string): string => variables.get(name) ?? '';
    // SHOW VARIABLES cuts long values.
    const [row] = await this.link.query(
      'SELECT @@global.gtid_executed AS executed, @@global.gtid_purged AS purged',
    );
    return {
      address: this.address,
      version: this.version,
      serverId: Number(get('server_id')),
      serverUuid: get('server_uuid').toLowerCase(),
      reported: this.reportedOf(variables),
      readOnly: isOn(get('read_only')),
      superReadOnly: isOn(get('super_read_only')),
      logBin: isOn(get('log_bin')),
      logReplicaUpdates: isOn(get('log_replica_updates')) || isOn(get('log_slave_updates')),
      gtids: get('gtid_mode') === 'ON',
      executed: (row?.executed ?? '').replace(/\s+/g, ''),
      purged: (row?.purged ?? '').replace(/\s+/g, ''),
      binlogState: '',
      channels: await this.channels(),
      semiSync: this.semiSyncOf(variables),
    };
  }

  async executedGtids(): Promise<string> {
    const [row] = await this.link.query('SELECT @@global.gtid_executed AS executed');
    return (row?.executed ?? '').replace(/\s+/g, '');
  }

  async waitForGtids(gtids: string, timeoutMs: number): Promise<boolean> {
    const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
    const sql = `SELECT WAIT_FOR_EXECUTED_GTID_SET(${quote(gtids)}, ${seconds}) AS late`;
    return (await this.waited(sql, seconds * 1000))?.late === '0';
  }

  async setReadOnly(timeoutMs?: number): Promise<void> {
    await this.link.query('SET GLOBAL super_read_only=1', timeoutMs === undefined ? {} : { timeoutMs });
  }

  async setWritable(): Promise<void> {
    await this.link.query('SET GLOBAL read_only=0');
  }

  async follow(source: ReplicationSource, channel = ''): Promise<void> {
    await this.stopReplication(channel).catch(ignoreUnknownChannel);
    await this.changeSource(source, channel);
    await this.startReplication(channel);
  }

  async replicationCredentials(channel: string): Promise<ReplicationCredentials | null> {
    const sql = `SELECT User_name AS username, User_password AS password FROM mysql.slave_master_info
      WHERE Channel_name = ${quote(channel)}`;
    const [row] = await this.link.query(sql);
    if (row?.username == null || row.username === '') return null;
    return { username: row.username, password: row.password ?? '' };
  }
}

/** ER_SLAVE_CHANNEL_DOES_NOT_EXIST: nothing to stop. */
function ignoreUnknownChannel(error: unknown): void {
  if (!(error instanceof Error && 'errno' in error && error.errno === 3074)) throw error;
}
