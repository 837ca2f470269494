/** What is the same in both dialects. */

import { formatServerAddress } from '../../../topology/server-address.ts';
import type { ServerAddress } from '../../../topology/server-description.ts';
import type { Row } from '../../monitor/monitor-connection.ts';
import type { ServerVersion } from '../../monitor/server-version.ts';
import { globalPrivileges, missingOf, schemaPrivileges } from './granted-privileges.ts';
import { readChannels } from './read-channels.ts';
import { ReplicationStatements } from './replication-statements.ts';
import type { ServerLink } from './server-link.ts';
import type { ReplicationSource, ReplicationThread } from './server-operator.ts';
import type { ReplicationChannelState, SemiSyncState } from './server-state.ts';

/** Over the time that the server itself is told to wait. */
const WAIT_MARGIN_MS = 500;

/** Names of semi-synchronous replication's variables; MySQL 8.0.26 has others for a plugin of another name. */
export interface SemiSyncNames {
  readonly source: string;
  readonly replica: string;
  readonly timeout: string;
}

const OLD_SEMI_SYNC: SemiSyncNames = {
  source: 'rpl_semi_sync_master_enabled',
  replica: 'rpl_semi_sync_slave_enabled',
  timeout: 'rpl_semi_sync_master_timeout',
};

const NEW_SEMI_SYNC: SemiSyncNames = {
  source: 'rpl_semi_sync_source_enabled',
  replica: 'rpl_semi_sync_replica_enabled',
  timeout: 'rpl_semi_sync_source_timeout',
};

/** For `sluice.operation`. */
const RECORD_SCHEMA = 'sluice';
const RECORD_PRIVILEGES = [['CREATE'], ['SELECT'], ['INSERT'], ['UPDATE'], ['DELETE']] as const;

/** Where a server says that it is found. */
const PLACE = ['report_host', 'report_port', 'port'] as const;

export class BaseOperator {
  readonly link: ServerLink;
  protected readonly version: ServerVersion;
  protected readonly statements: ReplicationStatements;
  /** What a privilege is called, with others that include it. */
  readonly #needed: readonly (readonly string[])[];

  constructor(link: ServerLink, version: ServerVersion, needed: readonly (readonly string[])[]) {
    this.link = link;
    this.version = version;
    this.statements = new ReplicationStatements(version);
    this.#needed = needed;
  }

  get address(): ServerAddress {
    return this.link.address;
  }

  async stopReplication(channel: string, thread: ReplicationThread = 'all'): Promise<void> {
    await this.link.query(this.statements.stop(channel, thread));
  }

  async startReplication(channel: string, thread: ReplicationThread = 'all'): Promise<void> {
    await this.link.query(this.statements.start(channel, thread));
  }

  async resetReplication(channel: string): Promise<void> {
    await this.link.query(this.statements.reset(channel));
  }

  async missingPrivileges(): Promise<readonly string[]> {
    return missingOf(globalPrivileges(await this.#grants()), this.#needed);
  }

  async missingRecordPrivileges(): Promise<readonly string[]> {
    return missingOf(schemaPrivileges(await this.#grants(), RECORD_SCHEMA), RECORD_PRIVILEGES);
  }

  async #grants(): Promise<readonly string[]> {
    const rows = await this.link.query('SHOW GRANTS');
    return rows.flatMap((row) => Object.values(row)[0] ?? []);
  }

  async setSemiSync(source: boolean | null, replica: boolean | null, timeoutMs?: number): Promise<void> {
    const names = await this.#semiSyncNames();
    if (names === null) return;
    const settings: string[] = [];
    if (timeoutMs !== undefined) settings.push(`${names.timeout}=${timeoutMs}`);
    if (source !== null) settings.push(`${names.source}=${source ? 1 : 0}`);
    if (replica !== null) settings.push(`${names.replica}=${replica ? 1 : 0}`);
    for (const setting of settings) await this.link.query(`SET GLOBAL ${setting}`);
  }

  close(): void {
    this.link.close();
  }

  protected async channels(): Promise<readonly ReplicationChannelState[]> {
    return readChannels(await this.link.query(this.statements.status));
  }

  protected async variables(...names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const semiSync = [OLD_SEMI_SYNC, NEW_SEMI_SYNC].flatMap((each) => Object.values(each));
    const list = [...names, ...PLACE, ...semiSync].map((name) => `'${name}'`).join(',');
    const rows = await this.link.query(`SHOW GLOBAL VARIABLES WHERE Variable_name IN (${list})`);
    return new Map(rows.map((row) => [(row.Variable_name ?? '').toLowerCase(), row.Value ?? '']));
  }

  protected semiSyncOf(variables: ReadonlyMap<string, string>): SemiSyncState {
    const names = variables.has(NEW_SEMI_SYNC.source) ? NEW_SEMI_SYNC : OLD_SEMI_SYNC;
    return {
      available: variables.has(names.source),
      sourceEnabled: isOn(variables.get(names.source)),
      replicaEnabled: isOn(variables.get(names.replica)),
      timeoutMs: Number(variables.get(names.timeout) ?? 0),
    };
  }

  protected reportedOf(variables: ReadonlyMap<string, string>): ServerAddress | null {
    const host = variables.get('report_host') ?? '';
    const port = Number(variables.get('report_port') ?? 0);
    return host === '' ? null : formatServerAddress(host, port > 0 ? port : Number(variables.get('port')));
  }

  /** Stops what runs: a source can only be changed while it stands. */
  protected async changeSource(source: ReplicationSource, channel: string): Promise<void> {
    const secret = source.credentials?.password;
    const sql = this.statements.change(source, channel);
    await this.link.query(sql, secret === undefined ? {} : { secret });
  }

  /** `sql` waits by itself for at most `timeoutMs`. */
  protected async waited(sql: string, timeoutMs: number): Promise<Row | undefined> {
    const [row] = await this.link.query(sql, { timeoutMs: timeoutMs + WAIT_MARGIN_MS });
    return row;
  }

  async #semiSyncNames(): Promise<SemiSyncNames | null> {
    const variables = await this.variables();
    if (variables.has(NEW_SEMI_SYNC.source)) return NEW_SEMI_SYNC;
    return variables.has(OLD_SEMI_SYNC.source) ? OLD_SEMI_SYNC : null;
  }
}

export function isOn(value: string | undefined): boolean {
  return value === 'ON' || value === '1';
}
