/**
 * A switchover whose process dies behind each of its steps, one after the other [B5]: whoever looks next finds from the
 * servers where it stood, and ends it. Nobody is left to be told what was done.
 */

import t from 'tap';
import { loadConfig } from '../../../config/load.ts';
import type { Config } from '../../../config/schema.ts';
import { SoleAgreement } from '../../../src/control/failover/agreement/agreement.ts';
import { OpenServers } from '../../../src/control/failover/open-servers.ts';
import type { OperationContext } from '../../../src/control/failover/operation-context.ts';
import { recoverOperation } from '../../../src/control/failover/operation-recovery.ts';
import { assessSwitchover } from '../../../src/control/failover/switchover/assess-switchover.ts';
import { Switchover } from '../../../src/control/failover/switchover/switchover.ts';
import { ServerFlavor } from '../../../src/topology/server-description.ts';
import type { DatabaseServer } from '../../support/database-server.ts';
import { MONITOR_ACCOUNT, REPLICATION_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { MonitorUnderTest } from '../monitor/monitor-under-test.ts';

function failoverSettings(): Config['failover'] {
  const text = `servers: [a]\nmonitor: { username: m }\nfailover: { maxLagMs: 10000, replication: ${JSON.stringify(REPLICATION_ACCOUNT)} }`;
  return loadConfig({ text, env: {}, flags: {} }).failover;
}

/** A gate without workers: nothing is there to be held. */
function contextOf({ monitor }: MonitorUnderTest): OperationContext {
  const settings = failoverSettings();
  return {
    monitor,
    gate: {
      isHeld: false,
      fenced: null,
      hold: async () => ({ drained: true, tookMs: 0 }),
      extend: () => {},
      release: () => {},
      fence: async () => true,
      unfence: () => {},
      raiseTerm: () => {},
    },
    agreement: new SoleAgreement(),
    settings: () => settings,
    credentials: () => MONITOR_ACCOUNT,
  };
}

/** Runs the first steps, then is gone: its connections close, nothing else happens. @returns the step it died behind */
async function dieBehind(context: OperationContext, to: string, steps: number): Promise<string | null> {
  const servers = new OpenServers(context);
  const { plan, reason } = await assessSwitchover(context, servers, to);
  if (plan === null) throw new Error(reason);
  const all = new Switchover(context, plan, crypto.randomUUID(), 20_000).steps();
  const begun = all.slice(0, steps);
  for (const step of begun) await step.run();
  // Of all undoing this is what the death of a process does by itself: locks end with their connections.
  await all[0]!.undo!();
  servers.close();
  return all[steps - 1]?.name ?? null;
}

for (const flavor of Object.values(ServerFlavor)) {
  t.test(flavor, async (t) => {
    const sql = ['CREATE TABLE app.t (a INT AUTO_INCREMENT PRIMARY KEY)'];
    const set = await new ReplicationSet({
      flavor,
      replicas: 2,
      sql,
      semiSync: flavor === 'mariadb',
    }).start();
    t.teardown(() => set.dispose());
    const byAddress = new Map(set.servers.map((server) => [server.address, server]));
    const watched = new MonitorUnderTest(set.servers);
    t.teardown(() => watched.monitor.stop());
    await watched.monitor.start();
    const context = contextOf(watched);
    const isReadOnly = async (server: DatabaseServer) =>
      (await server.queryValue('SELECT @@global.read_only')) === '1';
    const settled = async () => {
      const { topology } = watched.monitor;
      const replicas = topology.servers.filter(
        ({ role, replicationRunning }) => role === 'replica' && replicationRunning,
      );
      return topology.primary !== null && replicas.length === 2 ? topology.primary : null;
    };
    let rows = 0;
    let finished = false;
    for (let steps = 1; !finished; steps++) {
      const primary = (await waitUntil('all replicate', settled))!;
      const target = set.servers.find(({ address }) => address !== primary)!.address;
      const step = await dieBehind(context, target, steps);
      finished = step === 'end';
      const isPromoted = !(await isReadOnly(byAddress.get(target)!));
      const { result, reason } = await recoverOperation(context);
      const expected = step === 'lock' || step === 'end' ? 'nothing' : 'ended';
      t.equal(result, expected, `${step}: ${reason}`);
      const wanted = isPromoted ? target : primary;
      await waitUntil(`${step}: the primary is the one that it has to be`, async () => {
        await watched.monitor.wake();
        return (await settled()) === wanted;
      });
      const writable: string[] = [];
      for (const server of set.servers) if (!(await isReadOnly(server))) writable.push(server.address);
      t.strictSame(writable, [wanted], `${step}: one takes writes`);
      const current = byAddress.get(wanted)!;
      await current.query('INSERT INTO app.t VALUES ()');
      rows++;
      for (const server of set.servers) {
        const has = () => server.queryValue('SELECT COUNT(*) FROM app.t').then(Number);
        await waitUntil(`${step}: ${server.name} has it`, async () => (await has()) === rows);
        await waitUntil(`${step}: ${server.name} knows that nothing runs`, async () => {
          const running = 'SELECT COUNT(*) FROM sluice.operation WHERE running = 1';
          return steps === 1 || (await server.queryValue(running)) === '0';
        });
      }
      t.equal((await recoverOperation(context)).result, 'nothing', `${step}: it has ended for good`);
    }
    const names = watched.events.flatMap((event) =>
      event.kind === 'operation-ended' ? [`${event.operation} ${event.outcome}`] : [],
    );
    t.ok(names.length > 0 && names.every((name) => name === 'recovery done'), names.join(', '));
  });
}
