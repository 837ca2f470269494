/** docker/helm/sluice: what the chart makes of several values, held against the same as the plain manifests. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { renderAll } from '../../../docker/helm/generate.ts';
import { Chart } from '../../support/helm/chart.ts';
import type { ValueMap } from '../../support/helm/template-functions.ts';
import { linkProblems, podTemplates } from '../../support/kubernetes/manifest-links.ts';
import { schemaProblems } from '../../support/kubernetes/manifest-schema.ts';
import { at, listAt, type Manifest, objectAt, parseManifests } from '../../support/kubernetes/manifests.ts';
import {
  loadPodConfig,
  restrictedProblems,
  sluicePodProblems,
  sluicePods,
} from '../../support/kubernetes/sluice-pod.ts';
import { type AlertRule, readAlertRules } from '../../support/monitoring-kit.ts';

const directory = new URL('../../../docker/helm/sluice/', import.meta.url).pathname;
const chart = new Chart(directory);

function example(name: string): ValueMap {
  return parse(readFileSync(`${directory}examples/${name}.yaml`, 'utf8'), { version: '1.1' }) as ValueMap;
}

function manifestsOf(values: ValueMap, name = 'sluice'): Manifest[] {
  const { files } = chart.render(values, { name, namespace: 'db' });
  return [...files.values()].flatMap(parseManifests);
}

const kinds = (manifests: readonly Manifest[]): string[] => manifests.map(({ kind }) => kind).toSorted();
const find = (manifests: readonly Manifest[], kind: string): Manifest | undefined =>
  manifests.find((one) => one.kind === kind);

const MINIMAL: ValueMap = {
  config: {
    servers: ['mysql:3306'],
    monitor: { username: 'monitor', password: { file: '/run/secrets/sluice/monitor' } },
    users: [{ username: 'app', password: { file: '/run/secrets/sluice/app' } }],
  },
  secrets: { data: { 'admin-password': 'a', monitor: 'b', app: 'c' } },
};
const over = (more: ValueMap): ValueMap => ({ ...MINIMAL, ...more });

for (const [name, release, elsewhere, expected] of [
  ['tier', 'sluice', [], 'ConfigMap Deployment Pod PodDisruptionBudget Secret Service Service'],
  [
    'tier-everything',
    'prod',
    ['sluice-passwords', 'sluice-tls'],
    'ConfigMap Deployment HorizontalPodAutoscaler NetworkPolicy Pod PodDisruptionBudget PrometheusRule Service Service ServiceMonitor',
  ],
  ['sidecar-wordpress', 'blog', [], 'ConfigMap Deployment PodMonitor Secret Service'],
  ['sidecar-parts', 'shop', ['shop'], 'ConfigMap'],
] as const) {
  t.test(`examples/${name}.yaml`, async (t) => {
    const manifests = manifestsOf(example(name), release);
    t.equal(kinds(manifests).join(' '), expected);
    for (const manifest of manifests)
      t.strictSame(await schemaProblems(manifest), [], `${manifest.kind} ${manifest.metadata.name}`);
    t.strictSame(linkProblems(manifests, elsewhere), [], 'they find each other');
    for (const pod of sluicePods(manifests)) t.strictSame(sluicePodProblems(pod), []);
    t.equal(sluicePods(manifests).length, name === 'sidecar-parts' ? 0 : 1);
  });
}

t.test('the alerts are those of docker/monitoring, with absolute links', async (t) => {
  const rule = find(manifestsOf(example('tier-everything'), 'prod'), 'PrometheusRule');
  const { groups } = at(rule, 'spec') as unknown as {
    readonly groups: readonly { readonly rules: readonly AlertRule[] }[];
  };
  const absolute = ({ annotations, ...rest }: AlertRule) => {
    const link = `https://wiki.example.com/sluice/${annotations.runbook_url}`;
    return { ...rest, annotations: { ...annotations, runbook_url: link } };
  };
  t.strictSame(
    groups.flatMap(({ rules }) => rules),
    readAlertRules().map(absolute),
  );
});

t.test('the configuration is laid over what the chart sets', async (t) => {
  const [pod] = sluicePods(
    manifestsOf(over({ config: { ...(MINIMAL.config as ValueMap), limits: { shutdownDelayMs: 0 } } })),
  );
  const { config } = loadPodConfig(pod!);
  t.equal(config.limits.shutdownDelayMs, 0);
  t.equal(config.limits.shutdownGraceMs, 30_000);
  t.equal(config.http.metricsAddress, '0.0.0.0:9105');
  t.equal(at(pod!.pod.spec, 'terminationGracePeriodSeconds'), 40);
});

t.test('the notes of a sidecar without an application hold what its pods need', async (t) => {
  const values = example('sidecar-parts');
  const { notes, files } = chart.render(values, { name: 'shop', namespace: 'db' });
  const snippet = parse(notes.slice(notes.indexOf('\nspec:'))) as { readonly spec: ValueMap };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'shop' },
    spec: {
      ...snippet.spec,
      terminationGracePeriodSeconds: 30,
      containers: [{ name: 'shop', image: 'shop' }],
    },
  } as unknown as Manifest;
  const manifests = [...[...files.values()].flatMap(parseManifests), pod];
  t.strictSame(await schemaProblems(pod), []);
  t.strictSame(linkProblems(manifests, ['shop']), []);
  t.strictSame(sluicePods(manifests).flatMap(sluicePodProblems), []);
  t.equal(
    listAt(pod, 'spec.volumes')
      .map((volume) => at(volume, 'secret.defaultMode'))
      .join(''),
    '292',
  );
});

t.test('names', async (t) => {
  const named = (release: string, values: ValueMap = MINIMAL) =>
    find(manifestsOf(values, release), 'ConfigMap')?.metadata.name;
  t.equal(named('sluice'), 'sluice');
  t.equal(named('shop'), 'shop-sluice');
  t.equal(named('shop', over({ nameOverride: 'sql' })), 'shop-sql');
  t.equal(named('shop', over({ fullnameOverride: 'entry' })), 'entry');
  t.ok(named('x'.repeat(80))!.length <= 50, 'with room for what is put behind it');
});

t.test('without an autoscaler the Deployment says how many', async (t) => {
  t.equal(at(find(manifestsOf(MINIMAL), 'Deployment'), 'spec.replicas'), 2);
  const scaled = over({ tier: { autoscaling: { enabled: true, cpuPercent: null } } });
  const scaler = find(manifestsOf(scaled), 'HorizontalPodAutoscaler');
  t.strictSame(
    listAt(scaler, 'spec.metrics').map(({ type }) => type),
    ['Pods'],
  );
});

t.test('helm test asks where Sluice answers', async (t) => {
  const manifests = manifestsOf(example('tier-everything'), 'prod');
  const pod = find(manifests, 'Pod');
  t.equal(objectAt(pod, 'metadata.annotations')['helm.sh/hook'], 'test');
  const [service, port] = String(at(pod, 'spec.containers.0.args.3')).slice('http://'.length).split(':');
  const metrics = manifests.find(({ kind, metadata }) => kind === 'Service' && metadata.name === service);
  t.equal(at(metrics, 'spec.ports.0.port'), Number(port));
  const selector = objectAt(metrics, 'spec.selector');
  const labels = objectAt(pod, 'metadata.labels');
  t.notOk(
    Object.entries(selector).every(([key, value]) => labels[key] === value),
    'and is not asked itself',
  );
});

t.test('the pods of helm test are restricted as well', async (t) => {
  const [pod] = podTemplates(manifestsOf(example('tier-everything')).filter(({ kind }) => kind === 'Pod'));
  t.equal(pod!.containers.length, 2);
  for (const container of pod!.containers) t.strictSame(restrictedProblems(pod!, container), []);
});

t.test('IPv6 only', async (t) => {
  const config = { ...(MINIMAL.config as ValueMap), listen: { host: '::' } };
  const [pod] = sluicePods(manifestsOf(over({ config, metricsHost: '[::]' })));
  t.strictSame(sluicePodProblems(pod!), []);
  t.equal(loadPodConfig(pod!).config.http.metricsAddress, '[::]:9105');
});

t.test('values that cannot work are refused, with the reason', async (t) => {
  const config = MINIMAL.config as ValueMap;
  const { users, ...incomplete } = config;
  t.ok(users);
  for (const [values, expected] of [
    [{}, /config\.servers is needed/],
    [{ config: incomplete }, /config\.users is needed/],
    [over({ secrets: { data: { app: 'x' } } }), /secrets\.data\.admin-password is needed/],
    [
      over({ config: { ...config, limits: { maxConection: 5 } } }),
      /config\/limits: must NOT have additional.*maxConection/,
    ],
    [over({ config: { ...config, listen: { port: '6033' } } }), /config\/listen\/port: must be integer/],
    [over({ config: { ...config, http: { metricsAddress: '0.0.0.0:1' } } }), /follows metricsPort/],
    [over({ mode: 'both' }), /\/mode: must be equal to one of/],
    [over({ replicas: 3 }), /must NOT have additional properties.*replicas/],
    [
      over({ tier: { autoscaling: { enabled: true, cpuPercent: null, connectionsPerPod: null } } }),
      /needs connectionsPerPod/,
    ],
    [over({ tests: { sqlImage: 'mariadb' } }), /tests\.passwordKey is needed/],
  ] as const)
    t.throws(
      () => chart.render(values as ValueMap, { name: 'sluice', namespace: 'db' }),
      expected,
      String(expected),
    );
});

t.test('what is generated is current, and the chart has the version of the package', async (t) => {
  for (const [path, made] of renderAll())
    t.equal(readFileSync(`${directory}../${path}`, 'utf8'), made, `${path}: npm run generate`);
  const { version } = JSON.parse(readFileSync(`${directory}../../../package.json`, 'utf8')) as {
    readonly version: string;
  };
  t.match(parse(readFileSync(`${directory}Chart.yaml`, 'utf8')), { appVersion: version });
});
