/**
 * HAProxy, with the configuration that comes with Sluice, in front of two Sluices that fail in every way: what clients
 * see, to the last connection. Long series of the same: bench/ha.
 */

// Who does not answer within a quarter of a second counts as gone here, as he would in service.
// sluice-test: alone

import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { skipByDay } from '../../support/nightly.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { isLost, LONG_LIVED, underLoad } from './entry-load.ts';
import { EntryStage, type NodeName } from './entry-stage.ts';
import { HaproxyEntry } from './haproxy-entry.ts';

const skip = (await EntryStage.unavailableReason('haproxy')) ?? false;
/** Long enough for HAProxy to see that it is leaving: two checks, half a second apart. */
const SHUTDOWN_DELAY_MS = 2500;

t.test('HAProxy in front of two Sluices', { skip }, async (t) => {
  t.match(await HaproxyEntry.check(), /Configuration file is valid/);
  const stage = await EntryStage.startFor(t, {
    replicas: 1,
    sql: ['INSERT INTO app.t (value) VALUES (0)'],
    config: { limits: { shutdownDelayMs: SHUTDOWN_DELAY_MS }, auditLog: { clients: true } },
  });
  const entry = await HaproxyEntry.start(stage);
  t.teardown(() => entry.stop());

  t.test('the client is who it was', async (t) => {
    const list = await stage.stockClient('client', entry, 'SHOW PROCESSLIST');
    const { host } = stage.hostOf('client');
    const [own = ''] = list.split('\n').filter((line) => line.includes('SHOW PROCESSLIST'));
    t.match(own, new RegExp(`\\t${host.replaceAll('.', '\\.')}:\\d+\\t`), 'in the process list');
    await waitUntil('the login is in the audit log', () =>
      (['sluice1', 'sluice2'] as const).some((name) =>
        stage.sluice(name).log.some((line) => JSON.stringify(line).includes(`"${host}`)),
      ),
    );
  });

  t.test('all use one Sluice', async (t) => {
    const connections = await Promise.all(Array.from({ length: 20 }, () => connect()));
    t.strictSame(await clients(), { sluice1: 20, sluice2: 0 });
    await Promise.all(connections.map((connection) => connection.end()));
  });

  t.test('what was written through one is read through the other', async (t) => {
    const [writer, besides, reader] = await Promise.all([
      stage.sluice('sluice1').connect(),
      stage.sluice('sluice1').connect(),
      stage.sluice('sluice2').connect(),
    ]);
    const [replica] = stage.set.replicas;
    for (const one of [besides, reader])
      await waitUntil('a replica answers', async () => {
        const [rows] = await one.query<RowDataPacket[]>('SELECT @@server_id AS id FROM t LIMIT 1');
        return rows[0]?.id === replica!.serverId;
      });
    await stage.set.waitForSync();
    const lock = await replica!.rootConnection();
    const count = async (connection: Connection, hint = ''): Promise<number> => {
      const sql = `SELECT ${hint} COUNT(*) AS n FROM t WHERE value = 4711`;
      return (await connection.query<RowDataPacket[]>(sql))[0][0]?.n;
    };
    try {
      await lock.query('FLUSH TABLES WITH READ LOCK');
      await writer.query('INSERT INTO t (value) VALUES (4711)');
      const [rows] = await writer.query<RowDataPacket[]>('SELECT @@sluice.last_gtid AS gtid');
      t.equal(await count(besides), 1, 'by anybody, through the same one');
      t.equal(await count(reader), 0, 'not at once, through the other one');
      t.equal(await count(reader, `/* sluice:min_gtid=${rows[0]?.gtid} */`), 1, "with the writer's GTID");
      await reader.query('BEGIN');
      t.equal(await count(reader), 1, 'in a transaction');
      await reader.query('COMMIT');
    } finally {
      await lock.end();
    }
    for (const connection of [writer, besides, reader]) await connection.end();
  });

  t.test('its host is gone: no error for who comes, and nobody goes back', async (t) => {
    const { fresh, long } = await underLoad(entry, async () => stage.network.setLink('sluice1', 'down'));
    const seen = entry.log.length;
    stage.network.setLink('sluice1', 'up');
    t.strictSame(fresh.failedAfter, []);
    t.strictSame([...long.caught, ...long.failedAfter].map(isLost), Array(LONG_LIVED).fill(true));
    t.comment(`new again after ${fresh.recoveryMs} ms, sessions after ${long.recoveryMs} ms`);
    await entry.waitForLog(/Server ready\/sluice1 is UP/, seen);
    // What the lost host still takes for clients is no matter.
    await waitUntil('those of the load have gone', async () => (await clients()).sluice2 === 0);
    const connections = await Promise.all(Array.from({ length: 5 }, () => connect()));
    t.equal((await clients()).sluice2, 5);
    await Promise.all(connections.map((connection) => connection.end()));
  });

  t.test('killed: no error for who comes then', async (t) => {
    const { fresh, long } = await underLoad(entry, () => stage.sluice('sluice2').kill());
    t.strictSame(fresh.failedAfter, []);
    t.strictSame([...fresh.failedBefore, ...long.failedBefore], []);
    t.ok(fresh.caught.every(isLost), `in their login: ${fresh.caught}`);
    t.strictSame([...long.caught, ...long.failedAfter].map(isLost), Array(LONG_LIVED).fill(true));
    t.comment(`new again after ${fresh.recoveryMs} ms, sessions after ${long.recoveryMs} ms`);
  });

  t.test('it is started again', { skip: skipByDay }, async (t) => {
    const seen = entry.log.length;
    await stage.sluice('sluice2').startAgain();
    t.ok(await entry.waitForLog(/Server ready\/sluice2 is UP/, seen));
  });

  t.test('frozen: it fails for those who come until HAProxy knows', { skip: skipByDay }, async (t) => {
    let noticedMs = 0;
    const seen = entry.log.length;
    const { fresh, long } = await underLoad(entry, async () => {
      stage.sluice('sluice1').signal('SIGSTOP');
      const atMs = performance.now();
      await entry.waitForLog(/Server sluice1\/sluice1 is DOWN/, seen);
      noticedMs = performance.now() - atMs;
    });
    await entry.waitForLog(/Server ready\/sluice1 is DOWN/, seen);
    stage.sluice('sluice1').signal('SIGCONT');
    t.strictSame(fresh.failedAfter, [], 'nobody when it knows');
    t.ok(fresh.caught.length > 0 && fresh.caught.every(isLost), `${fresh.caught.length} were told so`);
    t.strictSame([...long.caught, ...long.failedAfter].map(isLost), Array(LONG_LIVED).fill(true));
    t.comment(`noticed after ${noticedMs} ms, ${fresh.caught.length} connections lost`);
    await entry.waitForLog(/Server ready\/sluice1 is UP/, seen);
  });

  t.test('stopped: no error for who comes, transactions end', { skip: skipByDay }, async (t) => {
    const open = await connect();
    await open.query('BEGIN');
    await open.query('INSERT INTO t (value) VALUES (77)');
    const { fresh, long } = await underLoad(entry, async () => {
      const seen = entry.log.length;
      stage.sluice('sluice2').signal('SIGTERM');
      await entry.waitForLog(/Server ready\/sluice2 is stopping/, seen);
    });
    t.strictSame([...fresh.failedBefore, ...fresh.caught, ...fresh.failedAfter], []);
    t.strictSame([...long.failedBefore, ...long.caught, ...long.failedAfter].length, LONG_LIVED);
    await open.query('INSERT INTO t (value) VALUES (78)');
    await open.query('COMMIT');
    t.equal(await stage.set.primary.queryValue('SELECT COUNT(*) FROM app.t WHERE value IN (77, 78)'), '2');
    t.equal((await stage.sluice('sluice2').exited).code, 0);
  });

  t.test('no primary: clients are let in all the same', async (t) => {
    await stage.set.waitForSync();
    const seen = entry.log.length;
    const old = await connect();
    await stage.set.primary.stop();
    await entry.waitForLog(/backend 'ready' has no server available/, seen);
    for (const connection of [old, await connect()]) {
      const [rows] = await connection.query('SELECT COUNT(*) > 0 AS some FROM t');
      t.strictSame(rows, [{ some: 1 }], 'a replica answers');
      await connection.end();
    }
  });

  function connect() {
    return stage.sluice('sluice1').connect({ host: entry.host, port: entry.port });
  }

  async function clients(): Promise<Record<NodeName, number>> {
    return { sluice1: await stage.clientsOf('sluice1'), sluice2: await stage.clientsOf('sluice2') };
  }
});
