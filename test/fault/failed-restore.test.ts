/**
 * A replica that refuses what the primary has accepted for a session: the session's read must not be answered there.
 * The SET goes out in one write with the read behind it, so that the read does run; its answer is nobody's.
 */

import type { RowDataPacket } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { ServerFlavor } from '../../src/topology/server-description.ts';
import { Mysql57Server } from '../support/mysql57-server.ts';
import { waitForReplicaReads } from '../support/replica-reads.ts';
import { ReplicationSet } from '../support/replication-set.ts';
import { SluiceProcess } from '../support/sluice-process.ts';

const CLIENTS = 6;
const ROUNDS = 40;
const OWN_ERROR = 9006;

/** A time zone five hours ahead that the replicas do not know. */
const ZONE_OF_PRIMARY = `
  SET sql_log_bin = 0;
  INSERT INTO mysql.time_zone (Time_zone_id, Use_leap_seconds) VALUES (77, 'N');
  INSERT INTO mysql.time_zone_name (Name, Time_zone_id) VALUES ('Test/Five', 77);
  INSERT INTO mysql.time_zone_transition_type VALUES (77, 0, 18000, 0, 'FIVE');
  SET sql_log_bin = 1`;

async function runFailedRestore(t: Test, flavor: ServerFlavor): Promise<void> {
  const set = new ReplicationSet({
    flavor,
    replicas: 1,
    args: ['--default-time-zone=+00:00'],
    sql: ['CREATE TABLE app.t (a INT)', 'INSERT INTO app.t VALUES (1)'],
  });
  t.teardown(() => set.dispose());
  await set.start();
  await set.primary.query(ZONE_OF_PRIMARY);
  const sluice = await SluiceProcess.startFor(set, { config: { workers: 1, pool: { maxConnections: 3 } } });
  t.teardown(() => sluice.dispose());
  await waitForReplicaReads(sluice, set, 't');
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => sluice.connect()));
  const isShifted = (index: number): boolean => index % 2 === 1;
  for (const [index, client] of clients.entries()) {
    if (isShifted(index)) await client.query("SET time_zone = 'Test/Five'");
  }
  const wrong: string[] = [];
  let errors = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(
      clients.map(async (client, index) => {
        const expected = isShifted(index) ? 5 : 0;
        await client.query<RowDataPacket[]>('SELECT HOUR(FROM_UNIXTIME(0)) AS hour, a FROM t').then(
          ([rows]) => rows[0]?.hour !== expected && wrong.push(`client ${index}: hour ${rows[0]?.hour}`),
          (error: { errno?: number; message: string }) => {
            errors++;
            if (!isShifted(index) || error.errno !== OWN_ERROR)
              wrong.push(`client ${index}: ${error.message}`);
          },
        );
      }),
    );
  }
  t.same(wrong.slice(0, 10), [], `no answer in another time zone, ${errors} errors to the session itself`);
  await Promise.all(clients.map((client) => client.end()));
}

t.test('MariaDB', (t) => runFailedRestore(t, ServerFlavor.mariadb));

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, (t) => runFailedRestore(t, ServerFlavor.mysql));
