/**
 * The network is cut between hosts, and nobody is told. Whatever Sluice does then: no two servers take writes, and nothing
 * that was acknowledged is lost.
 */

import t from 'tap';
import type { DatabaseServer } from '../support/database-server.ts';
import { NetworkNamespaces } from '../support/network-namespaces.ts';
import { REPLICATION_ACCOUNT, ReplicationSet } from '../support/replication-set.ts';
import { SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';
import { BankWorkload, bankTables } from './bank-workload.ts';
import { judge } from './chaos-verdict.ts';
import { SEMI_SYNC_ARGS, turnOnSemiSync } from './replication-faults.ts';

const skip = NetworkNamespaces.unavailableReason() ?? false;

async function isWritable(server: DatabaseServer): Promise<boolean> {
  return (await server.queryValue('SELECT @@global.read_only')) === '0';
}

async function heirOf({ replicas }: ReplicationSet): Promise<DatabaseServer | null> {
  for (const replica of replicas) if (await isWritable(replica)) return replica;
  return null;
}

t.test('the network is cut', { skip }, async (t) => {
  const network = NetworkNamespaces.create();
  t.teardown(() => network.dispose());
  const hosts = new Map(
    ['primary', 'replica1', 'replica2', 'sluice'].map((name) => [name, network.add(name)]),
  );
  const hostOf = (name: string) => ({ host: hosts.get(name)!.address, runBy: hosts.get(name)!.runBy });
  const set = new ReplicationSet({
    replicas: 2,
    sql: bankTables(),
    args: SEMI_SYNC_ARGS,
    placement: hostOf,
  });
  t.teardown(() => set.dispose());
  await set.start();
  await turnOnSemiSync(set);
  const sluice = await SluiceProcess.startFor(set, {
    ...hostOf('sluice'),
    config: {
      servers: set.servers.map(({ address }) => address),
      monitor: { timeoutMs: 800 },
      failover: { automatic: true, replication: REPLICATION_ACCOUNT },
      // With default passwords both are for loopback only.
      admin: { host: '127.0.0.1' },
      http: { dashboard: false },
      log: { level: 'info' },
    },
  });
  t.teardown(() => sluice.dispose());
  const bank = BankWorkload.start({ clients: 4, connect: () => sluice.connect() });
  // Also when something fails: its clients would go on trying for ever.
  t.teardown(() => bank.stop());
  await bank.waitForEach(5);

  // Replicas still hear it: it may be anything but dead, and others may still write there.
  network.cut('sluice', 'primary');
  await sluice.waitForLog('"verdict":"heard"', 60_000);
  t.equal(await heirOf(set), null, 'a primary that its replicas hear is not replaced');
  network.heal();
  await bank.waitForEach(5);

  network.isolate('primary');
  const heir = await waitUntil('an heir takes writes', () => heirOf(set), { timeoutMs: 90_000 });
  await bank.waitForEach(5);
  network.heal();
  await waitUntil('the old primary is read-only', async () => !(await isWritable(set.primary)), {
    timeoutMs: 60_000,
  });
  await bank.waitForEach(5);
  const transfers = await bank.stop();
  const verdict = await judge({
    transfers,
    survivor: heir,
    servers: set.servers,
    terms: [set.primary, heir],
  });
  t.strictSame(verdict.broken, []);
  t.equal(verdict.splitBrain.terms.length, 2);
});
