/** A pod with Sluice in it, and whether what Kubernetes is told of it is what its configuration says. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfigWithSources } from '../../../config/load.ts';
import type { Config } from '../../../config/schema.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../owned-resources.ts';
import { type PodTemplate, podTemplates, secretKeys } from './manifest-links.ts';
import { at, type JsonObject, listAt, type Manifest, objectAt } from './manifests.ts';

export const SECRETS_DIRECTORY = '/run/secrets/sluice';
/** Of Kubernetes' grace period, besides Sluice's own times: for what is done behind them. */
const MARGIN_MS = 5000;

export interface SluicePod {
  readonly pod: PodTemplate;
  readonly container: JsonObject;
  /** Text of the configuration, as it is mounted. */
  readonly text: string;
  /** Names of the files in SECRETS_DIRECTORY; null where the Secret is somebody else's. */
  readonly secrets: readonly string[] | null;
}

/** The pods whose containers read a configuration of Sluice. */
export function sluicePods(manifests: readonly Manifest[]): SluicePod[] {
  return podTemplates(manifests).flatMap((pod) =>
    pod.containers.flatMap((container) => {
      const file = listAt(container, 'env').find(({ name }) => name === 'SLUICE_CONFIG')?.value;
      if (typeof file !== 'string') return [];
      const map = mountedAt(pod, container, file.slice(0, file.lastIndexOf('/')));
      const maps = manifests.filter(({ kind }) => kind === 'ConfigMap');
      const config = maps.find(({ metadata }) => metadata.name === at(map, 'configMap.name'));
      const text = objectAt(config, 'data')[file.slice(file.lastIndexOf('/') + 1)];
      if (typeof text !== 'string') throw new Error(`${pod.name}: nothing is mounted at ${file}`);
      const secretName = at(mountedAt(pod, container, SECRETS_DIRECTORY), 'secret.secretName');
      const secret = manifests.find(
        ({ kind, metadata }) => kind === 'Secret' && metadata.name === secretName,
      );
      return { pod, container, text, secrets: secret === undefined ? null : secretKeys(secret) };
    }),
  );
}

function mountedAt(pod: PodTemplate, container: JsonObject, path: string): JsonObject | undefined {
  const mount = listAt(container, 'volumeMounts').find(({ mountPath }) => mountPath === path);
  return listAt(pod.spec, 'volumes').find(({ name }) => name === mount?.name);
}

/** Files that the configuration names as secrets. */
function secretsWanted(text: string): string[] {
  return [...text.matchAll(/file: *"?([^\s"}]+)/g)].map(([, path]) => path!);
}

/** As Sluice would load it in the pod. @throws ConfigError */
export function loadPodConfig({ text, secrets }: SluicePod): {
  readonly config: Config;
  readonly warnings: readonly string[];
} {
  const directory = makeTemporaryDirectory('kubernetes');
  try {
    const names = secrets ?? secretsWanted(text).map((path) => path.slice(SECRETS_DIRECTORY.length + 1));
    for (const name of names) writeFileSync(join(directory, name), `secret of ${name}\n`, { mode: 0o440 });
    const here = text.replaceAll(`${SECRETS_DIRECTORY}/`, `${directory}/`);
    return loadConfigWithSources({ file: 'sluice.yaml', text: here, env: {}, flags: {} });
  } finally {
    removeTemporaryDirectory(directory);
  }
}

/** What does not go together; @throws ConfigError where the configuration itself is bad. */
export function sluicePodProblems(sluice: SluicePod): string[] {
  const { config, warnings } = loadPodConfig(sluice);
  const { pod, container, text } = sluice;
  const problems: string[] = [...warnings];
  const ports = new Map(listAt(container, 'ports').map(({ name, containerPort }) => [name, containerPort]));
  const metrics = Number(config.http.metricsAddress?.split(':').at(-1));
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
    const port = at(container, `${probe}.httpGet.port`) as string;
    if ((ports.get(port) ?? port) !== metrics) problems.push(`${probe}: port ${port} is not ${metrics}`);
  }
  const clients = ports.get('mysql');
  const isLoopback = config.listen.host.startsWith('127.');
  if (isLoopback ? clients !== undefined : clients !== config.listen.port)
    problems.push(
      `clients: port ${clients}, but Sluice listens on ${config.listen.host}:${config.listen.port}`,
    );
  for (const path of secretsWanted(text))
    if (!path.startsWith(`${SECRETS_DIRECTORY}/`)) problems.push(`${path} is not mounted`);
  const { shutdownDelayMs, shutdownGraceMs } = config.limits;
  const graceMs = Number(at(pod.spec, 'terminationGracePeriodSeconds')) * 1000;
  if (!(graceMs >= shutdownDelayMs + shutdownGraceMs + MARGIN_MS))
    problems.push(`${graceMs} ms are too short for ${shutdownDelayMs} and ${shutdownGraceMs} ms`);
  return [...problems, ...restrictedProblems(pod, container)].map((problem) => `${pod.name}: ${problem}`);
}

/** Of the Pod Security Standard `restricted`, and a root file system that is read only. */
export function restrictedProblems({ spec }: PodTemplate, container: JsonObject): string[] {
  const own = objectAt(container, 'securityContext');
  const context = { ...objectAt(spec, 'securityContext'), ...own };
  const facts: readonly (readonly [boolean, string])[] = [
    [context.runAsNonRoot === true, 'runAsNonRoot'],
    [typeof context.runAsUser === 'number' && context.runAsUser > 0, 'runAsUser'],
    [own.allowPrivilegeEscalation === false, 'allowPrivilegeEscalation'],
    [own.readOnlyRootFilesystem === true, 'readOnlyRootFilesystem'],
    [JSON.stringify(at(own, 'capabilities.drop')) === '["ALL"]', 'capabilities'],
    [at(context, 'seccompProfile.type') === 'RuntimeDefault', 'seccompProfile'],
    [at(container, 'resources.limits.memory') !== undefined, 'resources.limits.memory'],
  ];
  return facts.flatMap(([holds, name]) => (holds ? [] : `${name} is not as it should be`));
}
