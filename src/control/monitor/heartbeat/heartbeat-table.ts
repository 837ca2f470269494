/**
 * The heartbeat table and its statements. Its columns are pt-heartbeat's, so that either can read what the other writes.
 * https://docs.percona.com/percona-toolkit/pt-heartbeat.html
 */

export class HeartbeatTable {
  readonly schema: string;
  readonly #quoted: string;

  /** @param name `schema.table`, without backticks */
  constructor(name: string) {
    const [schema = '', table = ''] = name.split('.');
    this.schema = schema;
    this.#quoted = `\`${schema}\`.\`${table}\``;
  }

  createSchema(): string {
    return `CREATE DATABASE IF NOT EXISTS \`${this.schema}\``;
  }

  create(): string {
    return (
      `CREATE TABLE IF NOT EXISTS ${this.#quoted} (ts VARCHAR(26) NOT NULL, server_id INT UNSIGNED NOT NULL PRIMARY KEY, ` +
      'file VARCHAR(255) DEFAULT NULL, position BIGINT UNSIGNED DEFAULT NULL, ' +
      'relay_master_log_file VARCHAR(255) DEFAULT NULL, exec_master_log_pos BIGINT UNSIGNED DEFAULT NULL) ENGINE=InnoDB'
    );
  }

  /**
   * One heartbeat. The account may be one that `read_only` does not stop, so the statement asks for itself: a server
   * that was set read-only a moment ago gets nothing.
   */
  write(serverId: number, timestamp: string): string {
    return (
      `INSERT INTO ${this.#quoted} (ts, server_id) SELECT '${timestamp}', ${serverId} FROM DUAL ` +
      'WHERE @@global.read_only = 0 ON DUPLICATE KEY UPDATE ts = VALUES(ts)'
    );
  }

  /** The newest heartbeat that was written on the server with this id. */
  read(serverId: number): string {
    return `SELECT ts FROM ${this.#quoted} WHERE server_id = ${serverId}`;
  }
}
