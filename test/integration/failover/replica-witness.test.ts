/**
 * A replica whose IO thread takes longer to stop than it is waited for. It must not stay stopped: it would be no witness of the
 * primary's death any more, and replicate nothing when the primary is back.
 */

import t from 'tap';
import { systemClock } from '../../../src/common/clock.ts';
import { ReplicaWitness } from '../../../src/control/failover/detection/replica-witness.ts';
import { WITHOUT_TLS } from '../../../src/topology/server-description.ts';
import { MONITOR_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';

/** Semi-synchronous replication ends a session at the primary before it stops, which a frozen one does not answer. */
const ARGS = ['--rpl-semi-sync-slave-enabled=1', '--rpl-semi-sync-slave-kill-conn-timeout=5'];
const TIMEOUT_MS = 2000;

t.test('an IO thread that is slow to stop', async (t) => {
  const set = await new ReplicationSet({ replicas: 1, args: ARGS }).start();
  t.teardown(() => set.dispose());
  const [replica] = set.replicas;
  await set.primary.query('SET GLOBAL rpl_semi_sync_master_enabled=1');
  await replica!.query('STOP SLAVE IO_THREAD');
  await replica!.query('START SLAVE IO_THREAD');
  const ioThread = async (): Promise<string> => {
    const [status] = await replica!.query<Record<string, string>>('SHOW SLAVE STATUS');
    return `${status?.Slave_IO_Running} ${status?.Last_IO_Error}`.trim();
  };
  const makeWitness = (): ReplicaWitness =>
    new ReplicaWitness({
      target: { host: replica!.host, port: replica!.port, tls: WITHOUT_TLS },
      credentials: MONITOR_ACCOUNT,
      timeoutMs: TIMEOUT_MS,
      clock: systemClock,
    });
  /** Only then has the thread something to end when it stops. */
  const isSemiSynchronous = async (): Promise<boolean> => {
    const [status] = await replica!.query<{ Value: string }>("SHOW STATUS LIKE 'Rpl_semi_sync_slave_status'");
    const clients = await set.primary.query<{ Value: string }>(
      "SHOW STATUS LIKE 'Rpl_semi_sync_master_clients'",
    );
    return status?.Value === 'ON' && clients[0]?.Value === '1';
  };
  const runs = () =>
    waitUntil('it replicates', async () => (await ioThread()) === 'Yes' && (await isSemiSynchronous()));
  await runs();
  t.teardown(() => set.primary.resume());

  const witness = makeWitness();
  set.primary.freeze();
  t.equal(await witness.look(() => true, true), 'no-answer');
  await waitUntil('it has stopped', async () => (await ioThread()) === 'No');
  t.equal(await witness.look(() => true, true), 'lost', 'it is started again, and does not get through');
  set.primary.resume();
  await runs();
  await witness.close();

  const leaving = makeWitness();
  set.primary.freeze();
  // A primary that was connected to a moment ago sometimes lets it stop just within the time.
  t.match(await leaving.look(() => true, true), /^(?:no-answer|lost)$/);
  await leaving.close();
  set.primary.resume();
  await runs();

  // Starting it again would throw away what it has received.
  await replica!.query('STOP SLAVE SQL_THREAD');
  await set.primary.query('CREATE TABLE app.received (id INT)');
  const received = async (): Promise<string | undefined> => {
    const [status] = await replica!.query<Record<string, string>>('SHOW SLAVE STATUS');
    return status?.Gtid_IO_Pos;
  };
  const all = await set.primary.queryValue('SELECT @@gtid_binlog_pos');
  await waitUntil('it has received it', async () => (await received()) === all);
  const asking = makeWitness();
  t.equal(await asking.look(() => true, true), 'claims', 'it is not asked');
  await replica!.query('STOP SLAVE IO_THREAD');
  t.equal(await asking.look(() => true, true), 'stopped');
  await asking.close();
  t.equal(await received(), all, 'nothing is thrown away');
});
