/** Sluice with the configurations of docker/kubernetes, on the ports that the manifests name. */

import { createConnection } from 'mysql2/promise';
import t from 'tap';
import { at, listAt, readManifests } from '../../support/kubernetes/manifests.ts';
import { PodProcess } from '../../support/kubernetes/pod-process.ts';
import { sluicePods } from '../../support/kubernetes/sluice-pod.ts';
import { APP_ACCOUNT, MONITOR_ACCOUNT, ReplicationSet } from '../../support/replication-set.ts';
import { waitUntil } from '../../support/wait-until.ts';

const directory = new URL('../../../docker/kubernetes/', import.meta.url).pathname;
const set = new ReplicationSet({
  replicas: 0,
  sql: [
    'CREATE DATABASE wordpress',
    "CREATE USER wordpress@'%' IDENTIFIED BY 'wp-secret'",
    "GRANT ALL ON wordpress.* TO wordpress@'%'",
  ],
});
t.before(() => set.start());
t.teardown(() => set.dispose());

const SECRETS = {
  'admin-password': 'operator-secret',
  'monitor-password': MONITOR_ACCOUNT.password,
  'app-password': APP_ACCOUNT.password,
  'wordpress-password': 'wp-secret',
};

t.test('the tier', async (t) => {
  const manifests = readManifests(`${directory}tier`);
  const [pod] = sluicePods(manifests);
  const running = await PodProcess.start(pod!, { server: set.primary.address, secrets: SECRETS });
  t.teardown(() => running.dispose());
  const { sluice } = running;
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'] as const)
    t.equal(await running.probe(probe), 200, probe);

  const clients = listAt(pod!.container, 'ports').find(({ name }) => name === 'mysql');
  const client = await sluice.connect({ port: Number(clients?.containerPort) });
  t.same((await client.query('SELECT 1 AS one'))[0], [{ one: 1 }], 'where the Service leads');

  const scaler = manifests.find(({ kind }) => kind === 'HorizontalPodAutoscaler');
  const metric = at(scaler, 'spec.metrics.0.pods.metric.name');
  t.match(await running.metricsPage(), new RegExp(`^${metric} 1$`, 'm'), 'the metric of the autoscaler');

  const operator = sluice.adminConnection({ password: 'operator-secret' });
  await t.resolves(operator, 'operators have the password of the Secret');
  await t.rejects(sluice.adminConnection(), 'and no other');

  sluice.signal('SIGTERM');
  await waitUntil('it sends clients elsewhere', async () => (await running.probe('readinessProbe')) === 503);
  t.equal(await running.probe('livenessProbe'), 200, 'and is not killed for it');
  await t.resolves(client.query('SELECT 2'));
  for (const connection of [client, await operator]) connection.destroy();
});

t.test('the sidecar', async (t) => {
  const [pod] = sluicePods(readManifests(`${directory}sidecar`));
  const running = await PodProcess.start(pod!, { server: set.primary.address, secrets: SECRETS });
  t.teardown(() => running.dispose());
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'] as const)
    t.equal(await running.probe(probe), 200, probe);
  t.match(await running.metricsPage(), /^sluice_workers_running 1$/m);

  // As the application is told to.
  const env = listAt(pod!.pod.containers[1], 'env');
  const [, port] = String(env.find(({ name }) => name === 'WORDPRESS_DB_HOST')?.value).split(':');
  const text = (name: string): string => String(env.find((one) => one.name === name)?.value);
  const client = await createConnection({
    host: running.sluice.host,
    port: Number(port),
    user: text('WORDPRESS_DB_USER'),
    database: text('WORDPRESS_DB_NAME'),
    password: SECRETS['wordpress-password'],
  });
  t.same((await client.query('SELECT DATABASE() AS name'))[0], [{ name: 'wordpress' }]);
  client.destroy();
});
