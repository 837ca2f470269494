/**
 * Writes of sysbench's kinds over connections that stay open, in slices of a fixed number of statements: so short that what
 * disturbs a machine for a second disturbs all that are compared, and with nothing but statements in them.
 */

import { LoadConnection, queryPacket } from '../e2e/load/load-connection.ts';
import type { SysbenchEndpoint } from '../e2e/sysbench.ts';

export const WriteKind = {
  /** One autocommitted UPDATE by primary key, as `oltp_update_non_index`. */
  update: 'update',
  /** BEGIN, two UPDATEs, a DELETE and an INSERT of the same row, COMMIT, as `oltp_write_only`. */
  transaction: 'transaction',
} as const;
export type WriteKind = (typeof WriteKind)[keyof typeof WriteKind];

/** Of the columns c and pad. */
const C_GROUPS = 10;
const PAD_GROUPS = 5;
const BEGIN = queryPacket('BEGIN');
const COMMIT = queryPacket('COMMIT');
const TABLE = 'sbtest1';

export class WriteLoad {
  readonly #connections: readonly LoadConnection[];
  readonly #rows: number;

  private constructor(connections: readonly LoadConnection[], rows: number) {
    this.#connections = connections;
    this.#rows = rows;
  }

  static async open(endpoint: SysbenchEndpoint, clients: number, rows: number): Promise<WriteLoad> {
    const connections: LoadConnection[] = [];
    for (let i = 0; i < clients; i++) {
      const connection = await LoadConnection.open(endpoint);
      connections.push(connection);
      await connection.query(`USE ${endpoint.database}`);
    }
    return new WriteLoad(connections, rows);
  }

  /** @returns how many statements there were, which is a little more than was asked for. */
  async run(kind: WriteKind, atLeast: number): Promise<number> {
    let done = 0;
    const client = (
      connection: LoadConnection,
      resolve: () => void,
      reject: (error: Error) => void,
    ): void => {
      let queue: Buffer[] = [];
      const next = (error: Error | null): void => {
        if (error !== null) {
          reject(error);
          return;
        }
        if (queue.length === 0) {
          if (done >= atLeast) {
            resolve();
            return;
          }
          queue = this.#packets(kind);
          done += queue.length;
        }
        connection.execute(queue.shift()!, next);
      };
      next(null);
    };
    await Promise.all(
      this.#connections.map(
        (connection) => new Promise<void>((resolve, reject) => client(connection, resolve, reject)),
      ),
    );
    return done;
  }

  #packets(kind: WriteKind): Buffer[] {
    const update = queryPacket(`UPDATE ${TABLE} SET c='${digits(C_GROUPS)}' WHERE id=${this.#row()}`);
    if (kind === WriteKind.update) return [update];
    const row = this.#row();
    const indexed = queryPacket(`UPDATE ${TABLE} SET k=k+1 WHERE id=${this.#row()}`);
    const removal = queryPacket(`DELETE FROM ${TABLE} WHERE id=${row}`);
    const values = `(${row}, ${this.#row()}, '${digits(C_GROUPS)}', '${digits(PAD_GROUPS)}')`;
    const insertion = queryPacket(`INSERT INTO ${TABLE} (id, k, c, pad) VALUES ${values}`);
    return [BEGIN, indexed, update, removal, insertion, COMMIT];
  }

  #row(): number {
    return 1 + Math.floor(Math.random() * this.#rows);
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) await connection.close();
  }
}

/** e.g. `12345678901-98765432109`. */
function digits(groups: number): string {
  const group = (): string => String(Math.floor(1e10 + Math.random() * 9e10));
  return Array.from({ length: groups }, group).join('-');
}
