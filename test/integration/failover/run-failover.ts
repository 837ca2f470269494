/** The same story on both kinds of servers: a primary dies, comes back, the next one dies, one comes back changed. */

import type { RowDataPacket } from 'mysql2/promise';
import t from 'tap';
import type { ServerFlavor } from '../../../src/topology/server-description.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { FailoverStage } from './failover-stage.ts';

/** MySQL's binary that the tests have lacks the plugin for semi-synchronous replication. */
const stepsOf = (flavor: ServerFlavor) => [
  'fence',
  'stop-io',
  'apply',
  'stop',
  'promote',
  'reset',
  'measure',
  'follow',
  ...(flavor === 'mariadb' ? ['semi-sync'] : []),
  'release',
  'record',
  'followed',
];
const REJOIN_STEPS = ['read-only', 'compare', 'follow', 'measure'];

export function runFailover(flavor: ServerFlavor): void {
  t.test('[B5] primaries die in turns, and old ones come back', async (t) => {
    const stage = await FailoverStage.start({ flavor, semiSync: flavor === 'mariadb' });
    const steps = stepsOf(flavor);
    t.teardown(() => stage.dispose());
    const { primary, replicas } = stage.set;
    const [one, two] = [replicas[0]!, replicas[1]!];
    await stage.seeCalm();

    await t.test('a primary that lives is not failed over', async (t) => {
      const [rows] = await stage.admin.query<RowDataPacket[]>('FAILOVER DRY RUN');
      t.match(
        rows.find(({ name }) => name === 'dead'),
        { result: 'refused', text: new RegExp(`the primary ${primary.address}: it answers: see SWITCHOVER`) },
      );
      await t.rejects(stage.admin.query('FAILOVER'), /Nothing was changed: the primary .* it answers/);
      const told = (await stage.events()).filter((text) => !/^primary-(?:suspected|answers)/.test(text));
      t.same(told, ['primary-changed from=- to=primary']);
    });

    await t.test('kill -9: a replica takes its place', async (t) => {
      await stage.write(1);
      await stage.set.waitForSync();
      await primary.kill();
      await stage.write(2);
      t.same(await stage.steps('failover'), steps);
      await stage.see(one, { role: 'primary', status: 'ONLINE' });
      await stage.see(two, { role: 'replica', source: 'replica1', replication_running: 'YES' });
      t.equal((await stage.topology(primary)).status, 'SHUNNED');
      if (flavor === 'mariadb') t.equal(await one.queryValue('SELECT @@rpl_semi_sync_master_enabled'), '1');
      t.same(await one.queryValue('SELECT group_concat(a ORDER BY a) FROM app.t'), '1,2');
      const told = await stage.events();
      t.same(
        told.filter((text) => !/^primary-(?:suspected|answers)/.test(text)),
        [
          'primary-changed from=- to=primary',
          'primary-dead primary',
          'operation-started operation=failover from=primary to=replica1',
          'primary-changed from=primary to=replica1',
          'operation-ended operation=failover outcome=done',
        ],
      );
      const row =
        'SELECT CONCAT(kind, " ", old_primary, " ", new_primary, " ", outcome) FROM sluice.operation';
      t.equal(stage.named((await one.queryValue(row)) ?? ''), 'failover primary replica1 done');
    });

    await t.test('it comes back writable, and is a replica', async (t) => {
      await primary.start();
      t.same(await stage.steps('rejoin'), REJOIN_STEPS);
      await stage.see(primary, {
        role: 'replica',
        status: 'ONLINE',
        source: 'replica1',
        replication_running: 'YES',
      });
      t.equal(await stage.isReadOnly(primary), true);
      await stage.seeEvent('server-fenced primary');
      await stage.write(3);
      for (const replica of [primary, two])
        await waitUntil(
          `${replica.name} has what was written meanwhile`,
          async () => (await replica.queryValue('SELECT COUNT(*) FROM app.t')) === '3',
        );
    });

    await t.test('who has failed a moment ago is not promoted', async (t) => {
      await one.kill();
      await stage.write(4);
      t.same(await stage.steps('failover', 2), steps);
      await stage.see(two, { role: 'primary', status: 'ONLINE' });
      await stage.see(primary, { role: 'replica', source: 'replica2', replication_running: 'YES' });
      if (flavor === 'mariadb') {
        const sides = 'SELECT CONCAT(@@rpl_semi_sync_master_enabled, @@rpl_semi_sync_slave_enabled)';
        t.equal(await two.queryValue(sides), 'ONOFF');
        t.equal(await primary.queryValue(sides), 'OFFON');
      }
      t.same(await two.queryValue('SELECT group_concat(a ORDER BY a) FROM app.t'), '1,2,3,4');
    });

    await t.test('an old one with a transaction of its own is kept out, also by a new Sluice', async (t) => {
      await stage.stopSluice();
      await one.start();
      await one.query('SET GLOBAL read_only=0');
      await one.query('INSERT INTO app.t VALUES (100)');
      const own = await one.queryValue(
        flavor === 'mysql' ? 'SELECT @@server_uuid' : 'SELECT SUBSTRING_INDEX(@@gtid_binlog_pos, ",", -1)',
      );
      await stage.startSluice();
      await stage.seeEvent(/server-kept-out replica1/);
      t.equal(await stage.isReadOnly(one), true);
      const { status, reason } = await stage.topology(one);
      t.equal(status, 'SHUNNED');
      t.match(reason, /has transactions that the primary .* has not/);
      t.ok(reason.includes(own ?? '?'), `${reason} names ${own}`);
      await stage.see(two, { role: 'primary', status: 'ONLINE' });
      await stage.write(5);
      t.equal(await one.queryValue('SELECT COUNT(*) FROM app.t WHERE a = 5'), '0');
    });
  });
}
