/** The privileges that README.md of the monitor asks for are enough, and each that is missing is named. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import { REPLICATION_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { MonitorUnderTest } from './monitor-under-test.ts';

t.setTimeout(400_000);

const README = readFileSync(new URL('../../../src/control/monitor/README.md', import.meta.url), 'utf8');

/** The privileges of the GRANT statement in the page that belongs to this kind of server. */
function documented(flavor: ServerFlavor): readonly string[] {
  const statements = [...README.matchAll(/^GRANT (.+) ON \*\.\* TO monitor/gm)].map((match) => match[1]!);
  return statements[flavor === ServerFlavor.mysql ? 0 : 1]!.split(', ');
}

for (const flavor of Object.values(ServerFlavor)) {
  t.test(flavor, async (t) => {
    const set = await new ReplicationSet({ flavor, replicas: 1, args: ['--report-host='] }).start();
    t.teardown(() => set.dispose());
    const privileges = documented(flavor);

    async function watchWith(username: string, granted: readonly string[]): Promise<MonitorUnderTest> {
      await set.primary.query(`CREATE USER ${username}@'%' IDENTIFIED BY 'secret'`);
      await set.primary.query(
        `GRANT ${granted.length === 0 ? 'USAGE' : granted.join(', ')} ON *.* TO ${username}@'%'`,
      );
      await set.waitForSync();
      const subject = new MonitorUnderTest([set.primary], {}, { username, password: 'secret' });
      t.teardown(() => subject.monitor.stop());
      await subject.monitor.start();
      return subject;
    }
    const without = (...missing: readonly string[]): readonly string[] =>
      privileges.filter((each) => !missing.includes(each));
    const reasons = (subject: MonitorUnderTest): string =>
      subject.events.map((event) => ('reason' in event ? `${event.kind}: ${event.reason}` : '')).join('\n');

    await t.test('all of them: everything works', async (t) => {
      const subject = await watchWith('enough', privileges);
      t.equal(subject.monitor.topology.primary, set.primary.address);
      t.equal(subject.monitor.topology.servers.length, 2);
      t.equal(subject.monitor.catalog.complete, true);
      t.notMatch(reasons(subject), /failed|lacks/);
      await subject.monitor.stop();
    });

    await t.test('replication cannot be seen', async (t) => {
      const needed = flavor === ServerFlavor.mysql ? 'REPLICATION CLIENT' : 'SLAVE MONITOR';
      const left =
        flavor === ServerFlavor.mysql
          ? without('REPLICATION CLIENT')
          : without('SLAVE MONITOR', 'REPLICATION MASTER ADMIN');
      const subject = await watchWith('blind', left);
      t.equal(subject.monitor.topology.primary, null);
      t.match(subject.find(set.primary), { status: 'ONLINE', role: 'unknown' });
      t.match(reasons(subject), new RegExp(`check-failed: the monitor account lacks ${needed} ON`));
      await subject.monitor.stop();
    });

    await t.test('replicas are not listed', async (t) => {
      const needed = flavor === ServerFlavor.mysql ? 'REPLICATION SLAVE' : 'REPLICATION MASTER ADMIN';
      const subject = await watchWith('deaf', without(needed));
      t.equal(subject.monitor.topology.primary, set.primary.address);
      t.match(reasons(subject), new RegExp(`discovery-failed: the monitor account lacks ${needed} ON`));
      t.equal(subject.events.filter(({ kind }) => kind === 'discovery-failed').length, 1, 'said once');
      await subject.monitor.stop();
    });

    await t.test('heartbeats cannot be written: one warning, with the grant', async (t) => {
      const subject = await watchWith('mute', privileges);
      const told = () => subject.events.filter(({ kind }) => kind === 'heartbeat-changed');
      await waitUntil('it is said', () => told().length > 0);
      t.match(told(), [
        {
          address: set.primary.address,
          ok: false,
          reason: /denied.*GRANT CREATE, SELECT, INSERT, UPDATE ON sluice\.\* TO 'mute'/,
        },
      ]);
      await set.primary.query("GRANT CREATE, SELECT, INSERT, UPDATE ON sluice.* TO mute@'%'");
      await waitUntil('they are written', () => told().length > 1);
      t.match(told()[1], { ok: true });
      t.equal(subject.log.filter(({ message }) => message === 'monitor: heartbeat-changed').length, 2);
      t.strictSame(
        subject.log.filter(({ level }) => level === 'warn').map(({ message }) => message),
        ['monitor: heartbeat-changed'],
        'nothing else is wrong',
      );
      await subject.monitor.stop();
    });

    await t.test('an automatic failover that could not be carried out', async (t) => {
      await set.primary.query("CREATE USER idle@'%' IDENTIFIED BY 'secret'");
      await set.primary.query(`GRANT ${privileges.join(', ')} ON *.* TO idle@'%'`);
      await set.waitForSync();
      const sluice = await SluiceProcess.startFor(set, {
        config: {
          monitor: { username: 'idle', password: 'secret' },
          failover: { automatic: true, replication: REPLICATION_ACCOUNT },
        },
      });
      t.teardown(() => sluice.dispose());
      const line = await sluice.waitForLog('monitor: privilege-missing');
      t.match(line, { without: 'failover', grant: /^GRANT [A-Z_ ]+ ON \*\.\* TO 'idle'/ });
      t.match(line.addresses, set.primary.address);
      t.match(line.addresses, set.replicas[0]!.address);
    });

    await t.test('views cannot be seen', async (t) => {
      const subject = await watchWith('narrow', without('SHOW VIEW'));
      t.equal(subject.monitor.topology.servers.length, 2);
      t.match(subject.monitor.catalog, { complete: false, incompleteReason: /lacks SHOW VIEW ON/ });
      await subject.monitor.stop();
    });
  });
}
