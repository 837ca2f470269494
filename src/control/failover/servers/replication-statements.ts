/** The statements that steer replication, in the words that a version understands. Pure. */

import { ServerFlavor } from '../../../topology/server-description.ts';
import type { ServerVersion } from '../../monitor/server-version.ts';
import type { ReplicationSource, ReplicationThread } from './server-operator.ts';

/** The first version that has all of the new words; MySQL 8.4 has no others. */
const FIRST_NEW_WORDS = 80_023;

/** A text of SQL; the session's sql_mode is empty. */
export function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\0', '\\0')}'`;
}

export class ReplicationStatements {
  readonly #isMariadb: boolean;
  readonly #hasNewWords: boolean;

  constructor(version: ServerVersion) {
    this.#isMariadb = version.flavor === ServerFlavor.mariadb;
    this.#hasNewWords = !this.#isMariadb && version.id >= FIRST_NEW_WORDS;
  }

  get status(): string {
    if (this.#isMariadb) return 'SHOW ALL SLAVES STATUS';
    return this.#hasNewWords ? 'SHOW REPLICA STATUS' : 'SHOW SLAVE STATUS';
  }

  start(channel: string, thread: ReplicationThread): string {
    return this.#threads('START', channel, thread);
  }

  stop(channel: string, thread: ReplicationThread): string {
    return this.#threads('STOP', channel, thread);
  }

  reset(channel: string): string {
    if (this.#isMariadb) return `RESET SLAVE ${channel === '' ? '' : `${quote(channel)} `}ALL`;
    return `RESET ${this.#replica} ALL${this.#forChannel(channel)}`;
  }

  /** MariaDB's position is `gtid_slave_pos`. */
  change(source: ReplicationSource, channel: string): string {
    const word = this.#hasNewWords ? 'SOURCE' : 'MASTER';
    const settings = [`${word}_HOST=${quote(source.host)}`, `${word}_PORT=${source.port}`];
    if (source.credentials !== null) {
      const { username, password } = source.credentials;
      settings.push(`${word}_USER=${quote(username)}`, `${word}_PASSWORD=${quote(password)}`);
      // A new channel would wait for a minute before it tries again.
      settings.push(`${word}_CONNECT_RETRY=1`);
    }
    if (source.tls !== null) settings.push(`${word}_SSL=${source.tls ? 1 : 0}`);
    settings.push(this.#isMariadb ? 'MASTER_USE_GTID=slave_pos' : `${word}_AUTO_POSITION=1`);
    // Otherwise caching_sha2_password needs TLS.
    if (this.#hasNewWords) settings.push('GET_SOURCE_PUBLIC_KEY=1');
    const list = settings.join(', ');
    if (this.#isMariadb) return `CHANGE MASTER ${channel === '' ? '' : `${quote(channel)} `}TO ${list}`;
    const order = this.#hasNewWords ? 'CHANGE REPLICATION SOURCE TO' : 'CHANGE MASTER TO';
    return `${order} ${list}${this.#forChannel(channel)}`;
  }

  get #replica(): string {
    return this.#hasNewWords ? 'REPLICA' : 'SLAVE';
  }

  #forChannel(channel: string): string {
    return channel === '' ? '' : ` FOR CHANNEL ${quote(channel)}`;
  }

  #threads(order: 'START' | 'STOP', channel: string, thread: ReplicationThread): string {
    const which = thread === 'all' ? '' : thread === 'io' ? ' IO_THREAD' : ' SQL_THREAD';
    if (!this.#isMariadb) return `${order} ${this.#replica}${which}${this.#forChannel(channel)}`;
    return `${order} SLAVE${channel === '' ? '' : ` ${quote(channel)}`}${which}`;
  }
}
