/** SWITCHOVER on real servers of both flavours: the checks, the way there and back, and everything undone. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';
import { APP_ACCOUNT, REPLICATION_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

interface Row extends RowDataPacket {
  readonly part: string;
  readonly name: string;
  readonly result: string;
  readonly text: string;
}

async function rowsOf(admin: Connection, sql: string): Promise<Row[]> {
  const [rows] = await admin.query<Row[]>(sql);
  return rows;
}

async function errorOf(admin: Connection, sql: string): Promise<string> {
  try {
    await admin.query(sql);
    return 'no error';
  } catch (error) {
    return (error as Error).message;
  }
}

const directory = makeTemporaryDirectory('hooks');
t.teardown(() => removeTemporaryDirectory(directory));

for (const flavor of Object.values(ServerFlavor)) {
  t.test(flavor, async (t) => {
    const set = await new ReplicationSet({
      flavor,
      replicas: 2,
      sql: ['CREATE TABLE app.t (a INT PRIMARY KEY)'],
    }).start();
    t.teardown(() => set.dispose());
    const [first, second] = [set.replicas[0]!, set.replicas[1]!];
    // MySQL replicas tell the account that they replicate with, MariaDB's do not.
    const replication = flavor === 'mysql' ? {} : { replication: REPLICATION_ACCOUNT };
    const told = join(directory, `${flavor}.told`);
    const refuse = join(directory, `${flavor}.refuse`);
    const hook = join(directory, `${flavor}.sh`);
    // Says no while somebody has asked it to.
    writeFileSync(
      hook,
      `#!/bin/sh\necho "$1 $SLUICE_HOOK_OPERATION $SLUICE_HOOK_FROM $SLUICE_HOOK_TO $SLUICE_HOOK_OUTCOME" >> ${told}\n` +
        `test "$1" = after || ! test -e ${refuse}\n`,
      { mode: 0o755 },
    );
    const hooks = { before: hook, after: hook };
    const addresses = { servers: [set.primary.address], users: [APP_ACCOUNT] };
    // No switchover of this file is to be refused because the machine is slow.
    const config = { failover: { ...replication, maxLagMs: 60_000, hooks } };
    const sluice = await SluiceProcess.startFor(set, { config });
    t.teardown(() => sluice.dispose());
    const admin = await sluice.adminConnection();
    t.teardown(() => admin.end());
    const client = await sluice.connect();
    t.teardown(() => client.end());
    const allKnown = async () => {
      const [servers] = await admin.query<RowDataPacket[]>('SHOW TOPOLOGY');
      return servers.filter(({ role }) => role === 'replica').length === 2;
    };
    await waitUntil('both replicas are known', allKnown);
    const isReadOnly = async (server: DatabaseServer) =>
      (await server.queryValue('SELECT @@global.read_only')) === '1';
    const to = (server: DatabaseServer) => `SWITCHOVER TO '${server.address}'`;
    const allowLag = async (ms: number): Promise<void> => {
      const since = sluice.log.length;
      sluice.writeConfig({ ...addresses, failover: { ...config.failover, maxLagMs: ms } });
      sluice.signal('SIGHUP');
      await waitUntil('the limit is in force', () =>
        sluice.log.slice(since).some(({ msg }) => msg === 'configuration changed'),
      );
    };

    await t.test('refused with the reason, and nothing is touched', async (t) => {
      t.match(await errorOf(admin, "SWITCHOVER TO '127.0.0.1:1'"), /there is no server 127\.0\.0\.1:1/);
      t.match(await errorOf(admin, to(set.primary)), /is the primary already/);
      t.match(await errorOf(admin, "SWITCHOVER TO 'nonsense:port'"), /Expected 'host:port'/);
      t.match(await errorOf(admin, `${to(first)} TIMEOUT 0`), /TIMEOUT takes/);

      await first.query('STOP SLAVE SQL_THREAD');
      t.match(await errorOf(admin, to(first)), /is broken \(IO thread Yes, SQL thread No\)/);
      await first.query('START SLAVE SQL_THREAD');

      await first.query('STOP SLAVE');
      await first.query('CHANGE MASTER TO MASTER_DELAY=60');
      await first.query('START SLAVE');
      await waitUntil('the delayed replica runs', async () => {
        const [status] = await first.query<Record<string, string>>('SHOW SLAVE STATUS');
        return status?.Slave_IO_Running === 'Yes';
      });
      await set.primary.query('INSERT INTO app.t VALUES (0)');
      t.match(await errorOf(admin, to(first)), /delayed on purpose, by 60 s/);
      await first.query('STOP SLAVE');
      await first.query('CHANGE MASTER TO MASTER_DELAY=0');
      await first.query('START SLAVE');

      // Its applier waits for the lock: it lags without a word.
      const blocker = await first.rootConnection();
      await set.waitForSync([first]);
      await blocker.query('LOCK TABLES app.t READ');
      await set.primary.query('INSERT INTO app.t VALUES (-1)');
      await allowLag(1000);
      t.match(await errorOf(admin, to(first)), /is lagging: after \d+ ms it has not got/);
      await allowLag(60_000);
      await blocker.query('UNLOCK TABLES');
      await blocker.end();
      await set.waitForSync();

      await second.query('SET GLOBAL read_only=0');
      t.match(await errorOf(admin, to(second)), /is writable already/);
      await second.query('SET GLOBAL read_only=1');

      await set.primary.query("REVOKE RELOAD ON *.* FROM monitor@'%'");
      await set.waitForSync();
      t.match(
        await errorOf(admin, to(first)),
        /lacks privileges on .*: GRANT RELOAD ON \*\.\* TO 'monitor'@/,
      );
      await set.primary.query("GRANT RELOAD ON *.* TO monitor@'%'");
      await set.primary.query(`REVOKE REPLICATION SLAVE ON *.* FROM '${REPLICATION_ACCOUNT.username}'@'%'`);
      await set.waitForSync();
      t.match(await errorOf(admin, to(first)), /the account 'replication' lacks REPLICATION SLAVE/);
      await set.primary.query(`GRANT REPLICATION SLAVE ON *.* TO '${REPLICATION_ACCOUNT.username}'@'%'`);
      await set.waitForSync();
      t.equal(await isReadOnly(set.primary), false);
      const begun = await rowsOf(admin, 'SHOW EVENTS');
      t.strictSame(
        begun.filter(({ event }) => String(event).startsWith('operation')),
        [],
      );
    });

    await t.test('DRY RUN shows each check and each step', async (t) => {
      const rows = await rowsOf(admin, `${to(first)} TIMEOUT 5 DRY RUN`);
      const checks = rows.filter(({ part }) => part === 'check');
      t.strictSame(new Set(checks.map(({ result }) => result)), new Set(['ok']), JSON.stringify(checks));
      const steps = rows.filter(({ part }) => part === 'step').map(({ name }) => name);
      t.strictSame(steps, [
        'lock',
        'hook',
        'record',
        'near',
        'hold',
        'heartbeat',
        'read-only',
        'catch-up',
        'stop',
        'promote',
        'follow',
        'reset',
        'measure',
        'release',
        'followed',
        'end',
      ]);
      await first.query('STOP SLAVE');
      const refused = await rowsOf(admin, `${to(first)} DRY RUN`);
      t.match(refused.find(({ result }) => result === 'refused')?.text, /is broken/);
      await first.query('START SLAVE');
      await waitUntil('it replicates again', async () => {
        const [status] = await first.query<Record<string, string>>('SHOW SLAVE STATUS');
        return status?.Slave_IO_Running === 'Yes';
      });
      t.equal(await isReadOnly(set.primary), false);
    });

    await t.test('a program of the operator that says no', async (t) => {
      writeFileSync(refuse, '');
      t.match(await errorOf(admin, to(first)), /It was undone.*hook: .* ended with exit code 1/);
      rmSync(refuse);
      t.equal(
        readFileSync(told, 'utf8'),
        `before switchover ${set.primary.address} ${first.address} \n` +
          `after switchover ${set.primary.address} ${first.address} undone\n`,
      );
      const [tables] = await set.primary.query("SHOW DATABASES LIKE 'sluice'");
      t.equal(tables === undefined || (await set.primary.query('SHOW TABLES IN sluice')).length < 2, true);
    });

    await t.test('an open transaction that does not end undoes it, and goes on', async (t) => {
      await client.query('BEGIN');
      await client.query('INSERT INTO t VALUES (100)');
      const running = errorOf(admin, `${to(first)} TIMEOUT 5`);
      const operator = await sluice.adminConnection();
      await waitUntil('it runs', async () => {
        const events = await rowsOf(operator, 'SHOW EVENTS');
        return events.some(({ detail }) => String(detail).includes('step=near'));
      });
      t.match(await errorOf(operator, to(second)), /Nothing was changed: a switchover is running/);
      t.match(await errorOf(operator, `REJOIN '${second.address}'`), /a switchover is running/);
      await operator.end();
      const undone = await running;
      t.match(undone, /It was undone, everything is as before: hold: not all has ended within 5000 ms/);
      t.match(undone, /of 'app' at .* is in the way: /);
      await client.query('COMMIT');
      await client.query('INSERT INTO t VALUES (101)');
      t.equal(await isReadOnly(set.primary), false);
      t.equal(await isReadOnly(first), true);
      const [record] = await set.primary.query<{ outcome: string; running: number | null }>(
        'SELECT outcome, running FROM sluice.operation',
      );
      t.match(record, { outcome: 'undone', running: null });
    });

    await t.test('another Sluice that has an operation running, or has left one', async (t) => {
      const other = await set.primary.rootConnection();
      await other.query("DO GET_LOCK('sluice.operation', 0)");
      t.match(await errorOf(admin, to(first)), /another Sluice has an operation running/);
      await other.end();
      await set.primary.query(
        `INSERT INTO sluice.operation (id, kind, old_primary, new_primary, began_at, running)
          VALUES ('x', 'switchover', 'a:1', 'b:2', '2026-01-02 03:04:05', 1)`,
      );
      t.match(
        await errorOf(admin, to(first)),
        /a switchover from a:1 to b:2, begun at 2026-01-02 .* has not ended/,
      );
      await set.primary.query("DELETE FROM sluice.operation WHERE id = 'x'");
      t.equal(await isReadOnly(set.primary), false);
    });

    await t.test('a lock on the old primary that does not go away undoes it', async (t) => {
      const blocker = await set.primary.rootConnection();
      // On MySQL a lock for reading keeps nobody from read_only.
      await blocker.query('LOCK TABLES app.t WRITE');
      t.match(await errorOf(admin, `${to(first)} TIMEOUT 3`), /It was undone.*read-only: /);
      await blocker.query('UNLOCK TABLES');
      await blocker.end();
      await client.query('INSERT INTO t VALUES (102)');
      t.equal(await isReadOnly(set.primary), false);
    });

    await t.test('there and back again, under writes: no error, nothing lost, nothing twice', async (t) => {
      let next = 1000;
      let stopped = false;
      const errors: Error[] = [];
      const writer = async () => {
        const connection = await sluice.connect();
        while (!stopped) {
          const value = next++;
          await connection
            .query('INSERT INTO t VALUES (?)', [value])
            .catch((error: Error) => errors.push(error));
        }
        await connection.end();
      };
      const writers = Array.from({ length: 8 }, writer);
      t.teardown(() => {
        stopped = true;
      });
      for (const [target, source] of [
        [first, set.primary],
        [set.primary, first],
      ] as const) {
        const before = next;
        await waitUntil('writes go on', () => next > before + 50);
        const rows = await rowsOf(admin, to(target));
        t.strictSame(
          rows.filter(({ result }) => result !== 'done'),
          [],
        );
        t.comment(rows.map(({ name, duration_ms, text }) => `${name} ${duration_ms} ${text}`).join('\n'));
        t.equal(await isReadOnly(target), false);
        t.equal(await isReadOnly(source), true);
        await waitUntil('both others are replicas', allKnown);
      }
      const before = next;
      await waitUntil('writes go on', () => next > before + 50);
      stopped = true;
      await Promise.all(writers);
      t.strictSame(errors, []);
      await set.waitForSync();
      for (const server of set.servers) {
        const count = await server.queryValue('SELECT COUNT(*) FROM app.t WHERE a >= 1000');
        t.equal(Number(count), next - 1000, server.name);
      }
      const done = await set.primary.query<{ outcome: string }>(
        "SELECT outcome FROM sluice.operation WHERE outcome = 'done'",
      );
      t.equal(done.length, 2);
    });

    await t.test('killed while the old primary waits to be read-only [B5]', async (t) => {
      const blocker = await set.primary.rootConnection();
      await blocker.query('LOCK TABLES app.t WRITE');
      const lost = errorOf(admin, `${to(first)} TIMEOUT 60`);
      await waitUntil('the order waits for the lock', async () => {
        const sql =
          "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SET GLOBAL %read_only%'";
        return (await set.primary.queryValue(sql)) === '1';
      });
      await sluice.kill();
      await lost;
      const again = await SluiceProcess.startFor(set, { config });
      t.teardown(() => again.dispose());
      await waitUntil('the operation has ended', async () => {
        const sql = 'SELECT COUNT(*) FROM sluice.operation WHERE running = 1';
        return (await set.primary.queryValue(sql)) === '0';
      });
      await blocker.query('UNLOCK TABLES');
      await blocker.end();
      const writer = await again.connect();
      await writer.query('INSERT INTO t VALUES (200)');
      await writer.end();
      t.equal(await isReadOnly(set.primary), false);
      const operator = await again.adminConnection();
      const events = await rowsOf(operator, 'SHOW EVENTS');
      await operator.end();
      t.match(
        events.filter(({ event }) => event === 'operation-ended').map(({ detail }) => String(detail)),
        [/operation=recovery .*outcome=done/],
      );

      await t.test(
        'REJOIN: a replica that has lost its source, and one with a transaction of its own',
        async (t) => {
          const operator = await again.adminConnection();
          t.teardown(() => operator.end());
          t.match(await errorOf(operator, `REJOIN '${set.primary.address}'`), /is the primary/);
          await second.query('STOP SLAVE');
          await second.query('RESET SLAVE ALL');
          const planned = await rowsOf(operator, `REJOIN '${second.address}' DRY RUN`);
          t.strictSame(
            planned.filter(({ part }) => part === 'step').map(({ name }) => name),
            ['read-only', 'compare', 'follow', 'measure'],
          );
          await rowsOf(operator, `REJOIN '${second.address}'`);
          await set.waitForSync();
          await second.query('STOP SLAVE');
          await second.query(
            'SET GLOBAL read_only=0; INSERT INTO app.t VALUES (300); SET GLOBAL read_only=1',
          );
          await set.primary.query('INSERT INTO app.t VALUES (301)');
          const refused = await errorOf(operator, `REJOIN '${second.address}'`);
          t.match(refused, /has transactions that the primary .* has not: /);
          t.equal(await isReadOnly(second), true);
        },
      );
    });
  });
}
