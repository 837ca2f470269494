/** The primary moves while a statement is on its way there: what the old one refuses then goes to the new one. */

import type { Connection } from 'mysql2/promise';
import t, { type Test } from 'tap';
import { ServerFlavor } from '../../src/topology/server-description.ts';
import type { DatabaseServer } from '../support/database-server.ts';
import { movePrimary } from '../support/moved-primary.ts';
import { Mysql57Server } from '../support/mysql57-server.ts';
import { ReplicationSet } from '../support/replication-set.ts';
import { SluiceProcess } from '../support/sluice-process.ts';
import { waitUntil } from '../support/wait-until.ts';
import { MarkedFaultProxy } from './marked-fault-proxy.ts';

async function runLateRefusal(t: Test, flavor: ServerFlavor): Promise<void> {
  const set = new ReplicationSet({ flavor, replicas: 1, sql: ['CREATE TABLE app.t (id INT PRIMARY KEY)'] });
  t.teardown(() => set.dispose());
  await set.start();
  const [heir] = set.replicas as [DatabaseServer];
  const proxy = await MarkedFaultProxy.start(set.primary);
  t.teardown(() => proxy.close());
  const sluice = await SluiceProcess.startFor(set, {
    config: {
      servers: [proxy.address, heir.address],
      monitor: { discovery: false },
      workers: 1,
      limits: { noServerWaitMs: 20_000 },
    },
  });
  t.teardown(() => sluice.dispose());
  const clients = await Promise.all([1, 2, 3].map(() => sluice.connect()));
  t.teardown(() => Promise.all(clients.map((client) => client.destroy())));
  const [writer, keeping, witness] = clients as [Connection, Connection, Connection];
  let arrives = (): void => undefined;
  proxy.faults.set('late', { holdUntil: new Promise<void>((resolve) => (arrives = resolve)) });
  const late = MarkedFaultProxy.mark('late');
  const writes = [
    writer.query(`INSERT INTO t VALUES (1) ${late}`),
    keeping.query(`CREATE TEMPORARY TABLE mine (n INT) ${late}`),
  ].map((write) => write.then(() => 'done', String));
  await waitUntil('they are on their way', () => proxy.happened.get('late') === writes.length);
  await movePrimary(set, set.primary, heir);
  // The worker knows the new primary, and has closed what it closes on the old one.
  await witness.query('INSERT INTO t VALUES (2)');
  arrives();
  t.strictSame(await Promise.all(writes), ['done', 'done']);
  t.strictSame(
    (await heir.query<{ id: string }>('SELECT id FROM app.t ORDER BY id')).map(({ id }) => Number(id)),
    [1, 2],
    'each is there once',
  );
  t.equal(await sluice.metric('sluice_errors_sent_total'), 0);
  keeping.on('error', () => undefined);
  await t.rejects(keeping.query('SELECT 1'), 'who is bound to the old one has lost its session');
}

t.test('MariaDB', (t) => runLateRefusal(t, ServerFlavor.mariadb));

const missing = await Mysql57Server.unavailableReason();
t.test('MySQL', { skip: missing ?? false }, (t) => runLateRefusal(t, ServerFlavor.mysql));
