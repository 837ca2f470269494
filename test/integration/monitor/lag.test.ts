/** [B1] [B2] The lag of real replicas: to the millisecond, with hysteresis, whoever writes the heartbeats. */
// sluice-test: long

import t from 'tap';
import { parseTimestamp } from '../../../src/control/monitor/heartbeat/heartbeat-timestamp.ts';
import type { MonitorSettings } from '../../../src/control/monitor/monitor-settings.ts';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { MonitorUnderTest, seed } from './monitor-under-test.ts';

t.setTimeout(400_000);

/** Over what a busy machine adds to a replica that is well, below what the tests make them wait. */
const LIMIT_MS = 1400;

for (const flavor of Object.values(ServerFlavor)) {
  t.test(flavor, async (t) => {
    const set = await new ReplicationSet({ flavor }).start();
    t.teardown(() => set.dispose());
    const { primary } = set;
    const [first, second] = [set.replicas[0]!, set.replicas[1]!];

    async function watch(settings: Partial<MonitorSettings> = {}): Promise<MonitorUnderTest> {
      const seeds = set.servers.map((server) => ({
        ...seed(server),
        maxReplicationLagMs: LIMIT_MS,
        lagLimitsMs: [LIMIT_MS],
      }));
      const subject = new MonitorUnderTest(seeds, settings);
      t.teardown(() => subject.monitor.stop());
      await subject.monitor.start();
      for (const server of set.servers) await subject.see(server, { status: 'ONLINE' });
      return subject;
    }

    const isLagging = (subject: MonitorUnderTest, server: DatabaseServer): boolean =>
      subject.find(server)?.laggingOver?.includes(LIMIT_MS) ?? false;
    const seeLagging = (subject: MonitorUnderTest, server: DatabaseServer, lagging: boolean) =>
      waitUntil(
        `${server.name} ${lagging ? 'lags' : 'is back'}`,
        () => isLagging(subject, server) === lagging,
      );
    const changesOf = (subject: MonitorUnderTest, server: DatabaseServer) =>
      subject.events.flatMap((event) =>
        event.kind === 'lag-changed' && event.address === server.address ? event.lagging : [],
      );

    await t.test('heartbeats are written, replicas are compared by them', async (t) => {
      const subject = await watch();
      for (const replica of set.replicas)
        await subject.see(replica, {
          lagSource: 'heartbeat',
          laggingOver: subject.find(replica)!.laggingOver,
        });
      t.match(subject.find(primary), { lagMs: null, lagSource: null });
      t.match(
        subject.events.filter(({ kind }) => kind === 'heartbeat-changed'),
        [{ kind: 'heartbeat-changed', address: primary.address, ok: true, reason: '' }],
      );
      const [row] = await primary.query<{ ts: string }>('SELECT * FROM sluice.heartbeat');
      t.match(row, { server_id: primary.serverId, file: null, position: null });
      t.ok(Math.abs((parseTimestamp(row!.ts) ?? 0) - Date.now()) < 60_000, row!.ts);

      await t.test('a replica that stops applying leaves, runs on, and returns', async (t) => {
        await second.query('STOP SLAVE SQL_THREAD');
        const stoppedAt = performance.now();
        await seeLagging(subject, second, true);
        const { lagMs, status, lagSource } = subject.find(second)!;
        const silentMs = performance.now() - stoppedAt;
        t.ok(lagMs! > LIMIT_MS && lagMs! < silentMs + 5000, `${lagMs} ms after ${silentMs}`);
        t.match({ status, lagSource }, { status: 'ONLINE', lagSource: 'heartbeat' });
        t.notOk(isLagging(subject, first), 'the other one stays');
        await second.query('START SLAVE SQL_THREAD');
        await seeLagging(subject, second, false);
        t.strictSame(changesOf(subject, second), [true, false]);
        t.strictSame(changesOf(subject, first), []);
      });

      await t.test('a replica that is frozen does not return by itself', async (t) => {
        await second.query('STOP SLAVE SQL_THREAD');
        await seeLagging(subject, second, true);
        second.freeze();
        const from = subject.events.length;
        try {
          await waitUntil('its checks fail', () =>
            subject.events.slice(from).some((event) => event.kind === 'check-failed'),
          );
          t.ok(isLagging(subject, second));
        } finally {
          second.resume();
        }
        await subject.see(second, { status: 'ONLINE' });
        t.ok(isLagging(subject, second), 'what it has is as old as before');
        await second.query('START SLAVE SQL_THREAD');
        await seeLagging(subject, second, false);
      });
      await subject.monitor.stop();
    });

    await t.test('a replica that is late on purpose', async () => {
      const subject = await watch();
      await second.query('STOP SLAVE');
      await second.query('CHANGE MASTER TO MASTER_DELAY=2');
      await second.query('START SLAVE');
      await seeLagging(subject, second, true);
      await waitUntil('its delay is measured', () => {
        const { lagMs } = subject.find(second)!;
        // Delays are of whole seconds, from the second in which a transaction began; a sample adds a period.
        return lagMs !== null && lagMs > LIMIT_MS && lagMs < 3500;
      });
      await second.query('STOP SLAVE');
      await second.query('CHANGE MASTER TO MASTER_DELAY=0');
      await second.query('START SLAVE');
      await seeLagging(subject, second, false);
      await subject.monitor.stop();
    });

    await t.test('heartbeats of somebody else, whose clock is an hour off', async (t) => {
      await primary.query('CREATE DATABASE percona');
      await primary.query(
        'CREATE TABLE percona.heartbeat (ts VARCHAR(26) NOT NULL, server_id INT UNSIGNED NOT NULL PRIMARY KEY, ' +
          'file VARCHAR(255), position BIGINT UNSIGNED, relay_master_log_file VARCHAR(255), exec_master_log_pos BIGINT UNSIGNED)',
      );
      const daemon = await primary.rootConnection();
      let beats = 0;
      const timer = setInterval(() => {
        const ts = new Date(Date.now() - 3_600_000).toISOString().slice(0, -1).padEnd(26, '0');
        daemon
          .query('REPLACE INTO percona.heartbeat (ts, server_id) VALUES (?, ?)', [ts, primary.serverId])
          .then(
            () => beats++,
            () => undefined,
          );
      }, 200);
      t.teardown(async () => {
        clearInterval(timer);
        await daemon.end();
      });
      const heartbeat = { table: 'percona.heartbeat', write: false, intervalMs: 250 };
      const subject = await watch({ heartbeat });
      await subject.see(second, { lagSource: 'heartbeat' });
      await waitUntil('many heartbeats', () => beats > 10);
      await seeLagging(subject, second, false);
      await waitUntil('its lag is known', () => subject.find(second)!.lagMs! < LIMIT_MS);
      await second.query('STOP SLAVE SQL_THREAD');
      await seeLagging(subject, second, true);
      await second.query('START SLAVE SQL_THREAD');
      await seeLagging(subject, second, false);
      t.strictSame(
        subject.events.filter(({ kind }) => kind === 'heartbeat-changed'),
        [],
        'nothing is written',
      );

      clearInterval(timer);
      await subject.see(second, { lagSource: 'seconds-behind', lagMs: 0 });
      t.notOk(isLagging(subject, second), 'a daemon that ends makes no replica late');
      await subject.monitor.stop();
    });
  });
}
