/** Many sessions that read what the others write, and count what they should not have been shown. */

import type { Connection } from 'mysql2/promise';
import type { DatabaseServer } from '../../support/database-server.ts';
import { type CausalStage, numberOf } from './causal-stage.ts';

const TABLES = ['t', 'other', 'simple'];

interface Crowd {
  reads: number;
  stale: number;
}

/** The tables as a crowd takes them to be, everywhere: before one begins, and before a replica is held up. */
export async function clearForCrowd(stage: CausalStage): Promise<void> {
  for (const table of TABLES) await stage.set.primary.query(`UPDATE app.${table} SET n = 0 WHERE id = 1`);
  await stage.set.waitForSync();
}

/** Sessions that update and read, until `goesOn` says no: a read must see what was acknowledged to anybody before it began. */
export async function crowd(
  connections: readonly Connection[],
  goesOn: (operations: number) => boolean,
): Promise<Crowd> {
  const acknowledged = new Map(TABLES.map((table) => [table, 0]));
  const seen: Crowd = { reads: 0, stale: 0 };
  const session = async (connection: Connection, number: number): Promise<void> => {
    for (let n = 0; goesOn(n); n++) {
      const table = TABLES[(number + (n >> 1)) % TABLES.length]!;
      if ((number * 7 + n) % 3 === 0) {
        await connection.query(`UPDATE ${table} SET n = n + 1 WHERE id = 1`);
        acknowledged.set(table, acknowledged.get(table)! + 1);
        continue;
      }
      const least = acknowledged.get(table)!;
      seen.reads++;
      if ((await numberOf(connection, `SELECT n FROM ${table} WHERE id = 1`)) < least) seen.stale++;
    }
  };
  await Promise.all(connections.map((connection, number) => session(connection, number)));
  return seen;
}

/** How many of a crowd's updates a server has. */
export async function updatesOn(server: DatabaseServer): Promise<number> {
  const terms = TABLES.map((table) => `(SELECT n FROM app.${table} WHERE id = 1)`);
  return Number(await server.queryValue(`SELECT ${terms.join(' + ')}`));
}
