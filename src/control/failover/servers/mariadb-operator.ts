/**
 * MariaDB from 10.2 on.
 *
 * - What a server wrote itself is in its `gtid_binlog_pos`, what it replicated in its `gtid_slave_pos`; it continues from
 *   the latter, so that a primary has to be told that it has its own transactions before it follows somebody.
 * - There is no super_read_only: accounts with READ ONLY ADMIN go on writing.
 * - The password of a replica stands in a file that no statement shows.
 *   https://mariadb.com/kb/en/gtid/
 */

import { formatGtidSet, parseGtidSet, uniteGtidSets } from '../../../topology/gtid.ts';
import { ServerFlavor } from '../../../topology/server-description.ts';
import type { ServerVersion } from '../../monitor/server-version.ts';
import { BaseOperator, isOn } from './base-operator.ts';
import { quote } from './replication-statements.ts';
import type { ServerLink } from './server-link.ts';
import type { ReplicationCredentials, ReplicationSource, ServerOperator } from './server-operator.ts';
import type { ServerState } from './server-state.ts';

/** Since 10.5 SUPER is taken apart, since 10.11 it includes READ ONLY ADMIN no more. */
const FIRST_FINE_PRIVILEGES = 100_500;
const FIRST_READ_ONLY_ADMIN = 101_100;

const NEEDED_BEFORE: readonly (readonly string[])[] = [['SUPER'], ['RELOAD'], ['REPLICATION CLIENT']];

function neededPrivileges({ id }: ServerVersion): readonly (readonly string[])[] {
  if (id < FIRST_FINE_PRIVILEGES) return NEEDED_BEFORE;
  const old = id < FIRST_READ_ONLY_ADMIN ? ['SUPER'] : [];
  return [
    // SHOW GRANTS spells it with an underscore, the manual and GRANT take both.
    ['READ_ONLY ADMIN', 'READ ONLY ADMIN', ...old],
    ['REPLICATION SLAVE ADMIN', 'SUPER'],
    ['REPLICATION MASTER ADMIN', 'SUPER'],
    ['SLAVE MONITOR', 'REPLICA MONITOR'],
    ['RELOAD'],
  ];
}

function unite(a: string, b: string): string {
  const flavor = ServerFlavor.mariadb;
  return formatGtidSet(uniteGtidSets(parseGtidSet(a, flavor), parseGtidSet(b, flavor)));
}

export class MariadbOperator extends BaseOperator implements ServerOperator {
  constructor(link: ServerLink, version: ServerVersion) {
    super(link, version, neededPrivileges(version));
  }

  async readState(): Promise<ServerState> {
    const variables = await this.variables('server_id', 'read_only', 'log_bin', 'log_slave_updates');
    const get = (name: string): string => variables.get(name) ?? '';
    const [row] = await this.link.query(
      `SELECT @@global.gtid_binlog_pos AS written, @@global.gtid_slave_pos AS replicated,
        @@global.gtid_binlog_state AS state`,
    );
    return {
      address: this.address,
      version: this.version,
      serverId: Number(get('server_id')),
      serverUuid: null,
      reported: this.reportedOf(variables),
      readOnly: isOn(get('read_only')),
      superReadOnly: false,
      logBin: isOn(get('log_bin')),
      logReplicaUpdates: isOn(get('log_slave_updates')),
      gtids: true,
      executed: unite(row?.written ?? '', row?.replicated ?? ''),
      purged: '',
      binlogState: row?.state ?? '',
      channels: await this.channels(),
      semiSync: this.semiSyncOf(variables),
    };
  }

  async executedGtids(): Promise<string> {
    const [row] = await this.link.query(
      'SELECT @@global.gtid_binlog_pos AS written, @@global.gtid_slave_pos AS replicated',
    );
    return unite(row?.written ?? '', row?.replicated ?? '');
  }

  async waitForGtids(gtids: string, timeoutMs: number): Promise<boolean> {
    if (gtids === '') return true;
    const sql = `SELECT MASTER_GTID_WAIT(${quote(gtids)}, ${(timeoutMs / 1000).toFixed(3)}) AS late`;
    return (await this.waited(sql, timeoutMs))?.late === '0';
  }

  async setReadOnly(timeoutMs?: number): Promise<void> {
    await this.link.query('SET GLOBAL read_only=1', timeoutMs === undefined ? {} : { timeoutMs });
  }

  async setWritable(): Promise<void> {
    await this.link.query('SET GLOBAL read_only=0');
  }

  async follow(source: ReplicationSource, channel = ''): Promise<void> {
    const channels = await this.channels();
    if (channels.some(({ name }) => name === channel)) await this.stopReplication(channel);
    // A replica knows where it is. Its own writes, if there are any, must not be taken for the source's.
    if (channels.length === 0) await this.#countOwnWrites();
    await this.changeSource(source, channel);
    await this.startReplication(channel);
  }

  async replicationCredentials(_channel: string): Promise<ReplicationCredentials | null> {
    return null;
  }

  async #countOwnWrites(): Promise<void> {
    const [row] = await this.link.query('SELECT @@global.gtid_slave_pos AS replicated');
    const executed = await this.executedGtids();
    if (executed === unite(row?.replicated ?? '', '')) return;
    await this.link.query(`SET GLOBAL gtid_slave_pos=${quote(executed)}`);
  }
}
