/** docker/kubernetes: the published schemas, what the objects say of each other, and what Sluice makes of it. */

import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { linkProblems } from '../../../support/kubernetes/manifest-links.ts';
import { schemaProblems } from '../../../support/kubernetes/manifest-schema.ts';
import { type Manifest, parseManifests, readManifests } from '../../../support/kubernetes/manifests.ts';
import { loadPodConfig, sluicePodProblems, sluicePods } from '../../../support/kubernetes/sluice-pod.ts';

const directory = new URL('../../../../docker/kubernetes/', import.meta.url).pathname;
const SETS = ['tier', 'sidecar'] as const;
const read = (name: (typeof SETS)[number]): Manifest[] => readManifests(`${directory}${name}`);

for (const name of SETS) {
  t.test(name, async (t) => {
    const manifests = read(name);
    t.ok(manifests.length > 0);
    for (const manifest of manifests)
      t.strictSame(await schemaProblems(manifest), [], `${manifest.kind} ${manifest.metadata.name}`);
    t.strictSame(linkProblems(manifests), [], 'they find each other');
    const [sluice, ...others] = sluicePods(manifests);
    t.strictSame(others, []);
    t.strictSame(sluicePodProblems(sluice!), []);
  });
}

t.test('a tier drains behind a delay, a sidecar has nobody to wait for', async (t) => {
  const [tier] = sluicePods(read('tier')).map(loadPodConfig);
  const [sidecar] = sluicePods(read('sidecar')).map(loadPodConfig);
  t.ok(tier!.config.limits.shutdownDelayMs >= 5000);
  t.equal(sidecar!.config.limits.shutdownDelayMs, 0);
  t.equal(sidecar!.config.workers, 1);
  t.equal(sidecar!.config.listen.host, '127.0.0.1', 'for its pod only');
});

t.test('the sidecar is a native one, in front of the application that it is for', async (t) => {
  const [sluice] = sluicePods(read('sidecar'));
  t.equal(sluice!.container.restartPolicy, 'Always');
  t.equal(sluice!.pod.containers[0], sluice!.container);
  const { host, port } = loadPodConfig(sluice!).config.listen;
  t.match(JSON.stringify(sluice!.pod.containers[1]), `"${host}:${port}"`);
});

t.test('kustomization.yaml names every file of the tier, the optional one in a comment', async (t) => {
  const text = readFileSync(`${directory}tier/kustomization.yaml`, 'utf8');
  const { resources }: { readonly resources: readonly string[] } = parse(
    text.replace('# - servicemonitor', '- servicemonitor'),
  );
  const named = resources.flatMap((file) => parseManifests(readFileSync(`${directory}tier/${file}`, 'utf8')));
  const ids = (all: readonly Manifest[]) =>
    all.map(({ kind, metadata }) => `${kind} ${metadata.name}`).toSorted();
  t.strictSame(ids(named), ids(read('tier')));
});

t.test('what is wrong is found', async (t) => {
  const deployment = (): string => readFileSync(`${directory}tier/deployment.yaml`, 'utf8');
  const problemsOf = async (text: string): Promise<string> => {
    const others = read('tier').filter(({ kind }) => kind !== 'Deployment');
    const manifests = [...others, ...parseManifests(text)];
    const bySchema = await Promise.all(manifests.map(schemaProblems));
    return [bySchema, linkProblems(manifests), sluicePods(manifests).map(sluicePodProblems)]
      .flat(2)
      .join('\n');
  };
  t.equal(await problemsOf(deployment()), '');
  for (const [from, to, expected] of [
    ['failureThreshold: 60', 'failureTreshold: 60', /startupProbe\/failureTreshold: unknown key/],
    ['containerPort: 6033', 'containerPort: "6033"', /ports\/0\/containerPort: type .*integer/],
    ['containerPort: 6033', 'containerPort: 3306', /clients: port 3306, but Sluice listens on 0.0.0.0:6033/],
    ['containerPort: 9105', 'containerPort: 9104', /livenessProbe: port metrics is not 9105/],
    ['        - name: sluice\n', '        - title: sluice\n', /containers\/0: required .*"name"/],
    [
      'path: /readyz, port: metrics',
      'path: /readyz, port: mertics',
      /startupProbe asks a port that is not there/,
    ],
    ['name: mysql,', 'name: clients,', /Service sluice: no container has the port mysql/],
    ['apps/v1', 'apps/v2', /apps\/v2 Deployment: there is no such kind/],
    [
      'app.kubernetes.io/instance: sluice\n  strategy',
      'app.kubernetes.io/instance: other\n  strategy',
      /chooses no pod/,
    ],
    ['configMap: { name: sluice }', 'configMap: { name: sluices }', /nothing is mounted/],
    ['secretName: sluice', 'secretName: other', /there is no Secret other/],
    ['PeriodSeconds: 50', 'PeriodSeconds: 30', /30000 ms are too short for 10000 and 30000 ms/],
    [
      'readOnlyRootFilesystem: true',
      'readOnlyRootFilesystem: false',
      /readOnlyRootFilesystem is not as it should/,
    ],
    [
      'spec:\n  # Without',
      'spec:\n  replicas: 3\n  # Without',
      /each deployment would undo what it has scaled/,
    ],
  ] as const) {
    const text = deployment();
    t.ok(text.includes(from), `it has ${from}`);
    t.match(await problemsOf(text.replace(from, to)).catch((error: Error) => error.message), expected, to);
  }
});
