/** The harness against bare servers: it must find nothing where all is well, and what was broken on purpose. */

import t from 'tap';
import { ReplicationSet } from '../support/replication-set.ts';
import { BankWorkload, bankTables } from './bank-workload.ts';
import { judge } from './chaos-verdict.ts';
import { SEMI_SYNC_ARGS, turnOnSemiSync } from './replication-faults.ts';
import { type Transfer, TransferOutcome } from './transfer.ts';

const CLIENTS = 4;

t.test('a server that is killed and comes back loses nothing', async (t) => {
  const set = new ReplicationSet({ replicas: 1, sql: bankTables(), args: SEMI_SYNC_ARGS });
  t.teardown(() => set.dispose());
  await set.start();
  const [replica] = set.replicas as [(typeof set.replicas)[0]];
  await turnOnSemiSync(set);
  const bank = BankWorkload.start({ clients: CLIENTS, connect: () => set.connect(set.primary) });
  t.teardown(() => bank.stop());
  await bank.waitForEach(5);
  await set.primary.kill();
  await set.primary.start();
  await bank.waitForEach(5);
  const transfers = await bank.stop();
  await set.waitForSync();
  const servers = [set.primary, replica];
  const { audit, broken, ledger } = await judge({
    transfers,
    survivor: set.primary,
    servers,
    terms: [set.primary],
  });
  t.strictSame(broken, []);
  t.equal(
    ledger.length,
    audit.acknowledged + audit.doubtful.committed,
    'everything is what somebody has written',
  );
  t.ok(audit.failed + audit.doubtful.committed + audit.doubtful.absent > 0, 'and the clients have felt it');
  t.strictSame((await judge({ transfers, survivor: replica, servers, terms: [set.primary] })).broken, []);
});

t.test('what is broken on purpose is found', async (t) => {
  const set = new ReplicationSet({ replicas: 1, sql: bankTables() });
  t.teardown(() => set.dispose());
  await set.start();
  const { primary } = set;
  const [replica] = set.replicas as [(typeof set.replicas)[0]];

  await replica.query('STOP SLAVE');
  const onPrimary = BankWorkload.start({ clients: CLIENTS, connect: () => set.connect(primary) });
  t.teardown(() => onPrimary.stop());
  await onPrimary.waitForEach(3);
  await replica.query('SET GLOBAL read_only = 0');
  const onReplica = BankWorkload.start({ clients: CLIENTS, connect: () => set.connect(replica) });
  t.teardown(() => onReplica.stop());
  await onReplica.waitForEach(3);
  await onPrimary.waitForEach(3);
  // The ids of the second bank are its own.
  const second = (await onReplica.stop()).map((one) => ({ ...one, id: one.id + 500_000_000 }));
  await replica.query('UPDATE app.bank_ledger SET transfer = transfer + 500000000');
  const first = await onPrimary.stop();
  const question = { survivor: replica, servers: [primary, replica], terms: [primary, replica] };

  const bothWrote = await judge({ transfers: [...first, ...second], ...question });
  const acknowledgedOnPrimary = first.filter(isAcknowledged).length;
  t.equal(
    bothWrote.audit.lost.length,
    acknowledgedOnPrimary,
    'all that the old primary acknowledged is lost',
  );
  t.ok(
    bothWrote.splitBrain.lateWrites.filter((write) => write.acknowledged).length >= 3 * CLIENTS,
    'and what it wrote meanwhile is a split brain',
  );

  const [again] = second.filter(isAcknowledged) as [Transfer];
  await replica.query(
    'INSERT INTO app.bank_ledger (transfer, from_account, to_account, amount, server_id, at_micros) ' +
      'SELECT transfer, from_account, to_account, amount, server_id, at_micros FROM app.bank_ledger WHERE transfer = ?',
    [again.id],
  );
  const doubled = await judge({ transfers: second, ...question, servers: [replica], terms: [replica] });
  t.strictSame(doubled.audit.doubled, [again.id], 'a transfer that was executed twice');
  t.equal(doubled.audit.wrongBalances.length, 2, 'and the balances do not fit');
});

function isAcknowledged({ outcome }: Transfer): boolean {
  return outcome === TransferOutcome.acknowledged;
}
