/**
 * While two processes serve clients, what a client of one of them has written is seen at once by clients of the other: with
 * a replica that lags, and with cached results that only a write through the same process would end.
 */

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { waitForReplicaReads } from '../../support/replica-reads.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import type { SluiceProcess } from '../../support/sluice-process.ts';
import { Succession } from '../../support/succession.ts';
import { waitUntil } from '../../support/wait-until.ts';

const ROUNDS = 20;
const SELECT = 'SELECT n FROM cached WHERE n IS NOT NULL';
const LAGGING = 'SELECT n FROM lagging';

const set = new ReplicationSet({
  replicas: 1,
  sql: [
    'CREATE TABLE app.cached (n INT NOT NULL)',
    'CREATE TABLE app.lagging (n INT NOT NULL)',
    'INSERT INTO app.cached VALUES (0)',
    'INSERT INTO app.lagging VALUES (0)',
  ],
});
let sluice: SluiceProcess;
let succession: Succession;

t.before(async () => {
  await set.start();
  succession = await Succession.startFor(set, {
    config: {
      workers: 1,
      handover: { startTimeoutMs: 60_000, idleMs: 600_000, drainMs: 600_000 },
      monitor: { lag: { leaveAfter: 1000 } },
      causalReads: { waitMs: 0 },
      // Without a follower a hit is proven of writes through the same process only.
      cache: {
        follower: { mode: 'off' },
        rules: [{ ruleId: 1, matchDigest: 'FROM cached', class: 'strong' }],
      },
    },
  });
  ({ sluice } = succession);
});
t.teardown(async () => {
  await succession?.dispose();
  await set.dispose();
});

async function read(connection: Connection, sql: string): Promise<number> {
  const [rows] = await connection.query<RowDataPacket[]>(sql);
  return Number(rows[0]?.n);
}

/** Read in two ways by `reader` after each write by `writer`: how often it was not what had been written. */
async function oldReads(writer: Connection, reader: Connection, from: number): Promise<number> {
  let old = 0;
  for (let n = from; n < from + ROUNDS; n++) {
    for (const [table, sql] of [
      ['cached', SELECT],
      ['lagging', LAGGING],
    ] as const) {
      await read(reader, sql);
      await writer.query(`UPDATE ${table} SET n = ?`, [n]);
      if ((await read(reader, sql)) !== n) old++;
    }
  }
  return old;
}

t.test('neither process serves what may be older than a write through the other', async (t) => {
  const replica = set.replicas[0];
  if (replica === undefined) throw new Error('there is a replica');
  await waitForReplicaReads(sluice, set, 'lagging');
  const inOld = await sluice.connect();
  await waitUntil('the cache serves', async () => {
    await read(inOld, SELECT);
    return (await sluice.metric('sluice_cache_hits_total')) > 0;
  });
  const old = succession.pid;
  await succession.handOver();
  const inNew = await sluice.connect();
  t.equal(await sluice.metric('sluice_handover_predecessor'), 1);
  await waitUntil('its clients are counted', async () => {
    return (await sluice.metric('sluice_handover_predecessor_clients')) === 1;
  });
  await replica.query('STOP SLAVE SQL_THREAD');
  t.equal(await oldReads(inNew, inOld, 1000), 0, 'written through the new process, read through the old one');
  t.equal(await oldReads(inOld, inNew, 2000), 0, 'written through the old process, read through the new one');
  t.equal(await sluice.metric('sluice_cache_hits_total'), 0, 'nothing was proven meanwhile');
  const admin = await sluice.adminConnection();
  const [status] = await admin.query<RowDataPacket[]>('SHOW CACHE STATUS');
  const freshness = status.find(({ Variable_name: name }) => name === 'freshness');
  t.match(freshness?.Value, new RegExp(`not served: process ${old}`));
  await admin.end();

  await inOld.query('UPDATE cached SET n = 3000');
  await inOld.query('UPDATE lagging SET n = 3000');
  inOld.destroy();
  await succession.untilGone(old);
  await sluice.waitForLog('"handover-ended"');
  t.equal(await read(inNew, SELECT), 3000, 'what the old process has written last');
  t.equal(await read(inNew, LAGGING), 3000);
  await waitUntil('the cache serves again', async () => {
    if ((await read(inNew, SELECT)) !== 3000) throw new Error('an old result');
    return (await sluice.metric('sluice_cache_hits_total')) > 0;
  });
  await replica.query('START SLAVE SQL_THREAD');
  await waitUntil('replicas answer again', async () => {
    const [rows] = await inNew.query<RowDataPacket[]>('SELECT @@server_id AS id, n FROM lagging');
    if (rows[0]?.n !== 3000) throw new Error('an old row');
    return rows[0]?.id === replica.serverId;
  });
  await inNew.end();
});
