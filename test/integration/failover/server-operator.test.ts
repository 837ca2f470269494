/** The orders of an operation on real servers of both flavours, with the privileges that the README asks for. */

import t from 'tap';
import { divergenceOf } from '../../../src/control/failover/rejoin/divergence.ts';
import { openOperator } from '../../../src/control/failover/servers/open-operator.ts';
import { ServerLink, ServerOrderError } from '../../../src/control/failover/servers/server-link.ts';
import type { ServerOperator } from '../../../src/control/failover/servers/server-operator.ts';
import { ServerFlavor, WITHOUT_TLS } from '../../../src/topology/server-description.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { GeneralLog } from '../../support/general-log.ts';
import { MONITOR_ACCOUNT, REPLICATION_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';

const STATEMENT_TIMEOUT_MS = 20_000;

for (const flavor of Object.values(ServerFlavor)) {
  t.test(flavor, async (t) => {
    const set = await new ReplicationSet({ flavor, replicas: 2, semiSync: flavor === 'mariadb' }).start();
    t.teardown(() => set.dispose());
    const open = async (server: DatabaseServer): Promise<ServerOperator> => {
      const target = { host: server.host, port: server.port, tls: WITHOUT_TLS };
      const operator = await openOperator(target, MONITOR_ACCOUNT, STATEMENT_TIMEOUT_MS);
      t.teardown(() => operator.close());
      return operator;
    };
    const [primary, first, second] = await Promise.all([
      open(set.primary),
      open(set.replicas[0]!),
      open(set.replicas[1]!),
    ]);
    const sourceOf = (server: DatabaseServer, known: boolean) => ({
      host: server.host,
      port: server.port,
      credentials: known ? REPLICATION_ACCOUNT : null,
      tls: null,
    });

    await t.test('what is read of a primary and of a replica', async (t) => {
      t.match(await primary.readState(), {
        address: set.primary.address,
        serverId: 1,
        readOnly: false,
        logBin: true,
        logReplicaUpdates: true,
        gtids: true,
        executed: await set.gtidPosition(),
        channels: [],
      });
      const state = await first.readState();
      t.match(state, {
        serverId: 2,
        readOnly: true,
        superReadOnly: false,
        executed: await set.gtidPosition(),
      });
      t.match(state.channels, [
        {
          name: '',
          source: set.primary.address,
          user: REPLICATION_ACCOUNT.username,
          byGtid: true,
          ioRunning: 'Yes',
          sqlRunning: 'Yes',
          delaySeconds: 0,
          tls: false,
        },
      ]);
      t.equal(state.semiSync.available, flavor === 'mariadb');
      t.equal(state.semiSync.replicaEnabled, flavor === 'mariadb');
      t.equal((await primary.readState()).semiSync.sourceEnabled, flavor === 'mariadb');
      const account = await first.replicationCredentials('');
      t.strictSame(account, flavor === 'mysql' ? REPLICATION_ACCOUNT : null);
    });

    await t.test('the privileges are enough, and what is missing is named', async (t) => {
      t.strictSame(await primary.missingPrivileges(), []);
      await set.primary.query("REVOKE RELOAD ON *.* FROM monitor@'%'");
      t.strictSame(await primary.missingPrivileges(), ['RELOAD']);
      await set.primary.query("GRANT RELOAD ON *.* TO monitor@'%'");
    });

    await t.test('transactions are waited for', async (t) => {
      await first.stopReplication('', 'sql');
      await set.primary.query('CREATE TABLE app.t (a INT PRIMARY KEY)');
      const gtids = await primary.executedGtids();
      t.equal(await first.waitForGtids(gtids, 100), false);
      await first.startReplication('', 'sql');
      t.equal(await first.waitForGtids(gtids, 30_000), true);
      t.equal((await first.readState()).executed, gtids);
    });

    await t.test('an order that is not carried out in time is not carried out late either', async (t) => {
      const blocker = await set.primary.rootConnection();
      // Whoever holds a table locked holds up read_only.
      await blocker.query('LOCK TABLES app.t WRITE');
      const target = { host: set.primary.host, port: set.primary.port, tls: WITHOUT_TLS };
      const link = new ServerLink(target, MONITOR_ACCOUNT, 60_000);
      t.teardown(() => link.close());
      const [row] = await link.query('SELECT CONNECTION_ID() AS id');
      const log = await GeneralLog.start([set.primary]);
      const late = link.query('SET GLOBAL read_only=1', { timeoutMs: 300 });
      await t.rejects(late, ServerOrderError);
      // After a KILL MySQL 5.7 may leave an idle thread, which this one may be by now, until its wait_timeout is over.
      const verb = flavor === 'mysql' ? 'KILL QUERY' : 'KILL';
      await waitUntil('the KILL', async () => (await log.executedBy('KILL')).length > 0);
      const kills = (await log.entries()).filter(({ argument }) => argument.startsWith('KILL'));
      t.strictSame(
        kills.map(({ argument }) => argument),
        [`${verb} ${row?.id}`],
      );
      await waitUntil('the end of its thread', async () => {
        const sql = `SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = ${row?.id}`;
        return (await set.primary.queryValue(sql)) === '0';
      });
      await blocker.query('UNLOCK TABLES');
      await blocker.end();
      // It would have had the lock by now: this one has to wait for it.
      await set.primary.query('INSERT INTO app.t VALUES (1)');
      t.equal((await primary.readState()).readOnly, false);
      t.strictSame(await link.query('SELECT 1 AS one'), [{ one: '1' }], 'the link goes on');
    });

    await t.test('primary and replica change places', async (t) => {
      await primary.setReadOnly();
      const app = await set.connect(set.primary);
      await t.rejects(app.query('INSERT INTO t VALUES (2)'), { code: 'ER_OPTION_PREVENTS_STATEMENT' });
      await app.end();
      const all = await primary.executedGtids();
      t.equal(await first.waitForGtids(all, 30_000), true);
      await first.stopReplication('');
      await first.setSemiSync(true, false, 10_000);
      await first.setWritable();
      await first.resetReplication('');
      await first.resetReplication('');
      await primary.setSemiSync(false, true);
      await Promise.all([
        primary.follow(sourceOf(set.replicas[0]!, true)),
        second.follow(sourceOf(set.replicas[0]!, false)),
      ]);
      const promoted = await set.connect(set.replicas[0]!);
      await promoted.query('INSERT INTO t VALUES (3)');
      await promoted.end();
      const now = await first.executedGtids();
      t.equal(await primary.waitForGtids(now, 30_000), true);
      t.equal(await second.waitForGtids(now, 30_000), true);
      t.match(await primary.readState(), {
        readOnly: true,
        superReadOnly: flavor === 'mysql',
        executed: now,
        channels: [{ source: set.replicas[0]!.address, ioRunning: 'Yes', sqlRunning: 'Yes', byGtid: true }],
      });
      t.match(await first.readState(), { readOnly: false, superReadOnly: false, channels: [] });
    });

    await t.test('what a server has of its own is found', async (t) => {
      const [old, current] = await Promise.all([primary.readState(), first.readState()]);
      t.strictSame(divergenceOf(old, current), { extra: '', purged: '' });
      // Both write at the same time; on MariaDB these have the same sequence number.
      await set.primary.query('SET GLOBAL read_only=0');
      await set.primary.query('INSERT INTO app.t VALUES (10)');
      await set.replicas[0]!.query('INSERT INTO app.t VALUES (11)');
      const state = await primary.readState();
      const { extra } = divergenceOf(state, await first.readState());
      if (flavor === 'mysql') t.match(extra, `${state.serverUuid}:`);
      else t.match(extra, /^0-1-\d+$/);
    });
  });
}

t.test('a server that cannot be reached, and a password that an error would quote', async (t) => {
  const target = { host: '127.0.0.1', port: 1, tls: WITHOUT_TLS };
  await t.rejects(openOperator(target, MONITOR_ACCOUNT, 1000), {
    name: 'ServerOrderError',
    address: '127.0.0.1:1',
    errno: 0,
  });
});
