/**
 * Prometheus itself (Debian's package) scrapes a Sluice in front of real servers, and the alerts of docker/monitoring fire.
 * The rules are ours but for `for`, which would make the test wait for minutes.
 */
// sluice-test: nightly timeout=600
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { stringify } from 'yaml';
import { OwnedChild } from '../../support/child-process.ts';
import { findProgramIfAny } from '../../support/find-program.ts';
import { readAlertRules } from '../../support/monitoring-kit.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';
import { freePort } from '../../support/ports.ts';
import { ReplicationSet } from '../../support/replication-set.ts';
import { SluiceProcess } from '../../support/sluice-process.ts';
import { waitUntil } from '../../support/wait-until.ts';

const program = await findProgramIfAny(['prometheus']);
if (program === null) {
  t.plan(0, 'prometheus is not installed');
  process.exit();
}

interface FiringAlert {
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const ALERT_TIMEOUT_MS = 120_000;
const directory = makeTemporaryDirectory('prometheus');
const set = new ReplicationSet({ replicas: 1 });
t.teardown(async () => {
  await set.dispose();
  removeTemporaryDirectory(directory);
});
await set.start();
const sluice = await SluiceProcess.startFor(set, {
  config: {
    workers: 1,
    pool: { maxConnections: 1, waitTimeoutMs: 300 },
    limits: { noServerWaitMs: 1000 },
    monitor: { heartbeat: { write: true, intervalMs: 500 } },
  },
});
t.teardown(() => sluice.dispose());
const port = await freePort();
writeConfiguration();
const prometheus = await OwnedChild.spawn({
  command: program,
  args: [
    `--config.file=${join(directory, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ],
  outputFile: join(directory, 'log'),
});
t.teardown(() => prometheus.end('SIGTERM', 20_000));

function writeConfiguration(): void {
  const rules = readAlertRules().map((rule) => ({ ...rule, for: '1s' }));
  writeFileSync(join(directory, 'rules.yml'), stringify({ groups: [{ name: 'all', rules }] }));
  const target = `127.0.0.1:${sluice.httpPort}`;
  const configuration = {
    global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
    rule_files: ['rules.yml'],
    scrape_configs: [{ job_name: 'sluice', static_configs: [{ targets: [target] }] }],
  };
  writeFileSync(join(directory, 'prometheus.yml'), stringify(configuration));
}

async function api<T>(path: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
  const { data } = (await response.json()) as { readonly data: T };
  return data;
}

async function firing(): Promise<readonly FiringAlert[]> {
  const { alerts } = await api<{ readonly alerts: readonly FiringAlert[] }>('alerts');
  return alerts.filter(({ state }) => state === 'firing');
}

function fires(name: string): Promise<FiringAlert> {
  return waitUntil(
    `${name} fires`,
    async () => (await firing()).find(({ labels }) => labels.alertname === name),
    { timeoutMs: ALERT_TIMEOUT_MS, intervalMs: 250 },
  );
}

t.test('while all is well nothing worse than information fires', async (t) => {
  await waitUntil(
    'Prometheus has scraped for a while',
    async () => {
      const query =
        'query?query=min_over_time(sluice_ready[5s])+%3D%3D+1+and+count_over_time(sluice_ready[5s])+>+5';
      return (await api<{ readonly result: readonly unknown[] }>(query)).result.length === 1;
    },
    { timeoutMs: ALERT_TIMEOUT_MS },
  );
  const bad = (await firing()).filter(({ labels }) => labels.severity !== 'info');
  t.strictSame(
    bad.map(({ labels }) => labels.alertname),
    [],
  );
});

t.test('a pool with nothing left', async (t) => {
  const holder = await sluice.connect();
  const other = await sluice.connect();
  try {
    await set.primary.query('CREATE TABLE app.t (id INT PRIMARY KEY)');
    await holder.query('START TRANSACTION');
    await holder.query('INSERT INTO t VALUES (1)');
    await t.rejects(other.query('INSERT INTO t VALUES (2)'));
    const { annotations } = await fires('SluicePoolExhausted');
    t.match(annotations.description, /statements have waited in vain/);
    t.match(await fires('SluicePoolNearlyFull'), { labels: { server: set.primary.address } });
    await holder.query('ROLLBACK');
  } finally {
    holder.destroy();
    other.destroy();
  }
});

t.test('a replica that lags', async (t) => {
  const replica = set.replicas[0]!;
  // It goes on receiving, so that replication works for whoever looks at its threads.
  await replica.query('STOP SLAVE');
  await replica.query('CHANGE MASTER TO MASTER_DELAY=600');
  await replica.query('START SLAVE');
  const { labels, annotations } = await fires('SluiceReplicaLagging');
  t.match(labels, { server: replica.address, severity: 'warning', job: 'sluice' });
  t.match(annotations, {
    summary: `${replica.address} lags`,
    runbook_url: 'runbooks.md#sluicereplicalagging',
  });
});

t.test('a primary that was killed', async (t) => {
  await set.primary.kill();
  t.match((await fires('SluicePrimaryLost')).labels, { severity: 'critical' });
  t.match((await fires('SluiceServerDown')).labels, { server: set.primary.address });
  t.match((await fires('SluiceNotReady')).labels, { severity: 'critical' });
});

t.test('no Sluice at all', async (t) => {
  await sluice.kill();
  t.match((await fires('SluiceDown')).labels, { instance: `127.0.0.1:${sluice.httpPort}` });
});
