/** Whether objects of Kubernetes that are applied together find each other: by name, by label, by port. */

import { at, type JsonObject, listAt, type Manifest, objectAt } from './manifests.ts';

export interface PodTemplate {
  /** Of the object that it is part of. */
  readonly name: string;
  readonly labels: JsonObject;
  readonly spec: JsonObject;
  /** Sidecars first, in the order of their start. */
  readonly containers: readonly JsonObject[];
}

export function podTemplates(manifests: readonly Manifest[]): PodTemplate[] {
  return manifests.flatMap((manifest) => {
    if (manifest.kind !== 'Deployment' && manifest.kind !== 'Pod') return [];
    const pod = manifest.kind === 'Pod' ? manifest : objectAt(manifest, 'spec.template');
    const spec = objectAt(pod, 'spec');
    return [
      {
        name: manifest.metadata.name,
        labels: objectAt(pod, 'metadata.labels'),
        spec,
        containers: [...listAt(spec, 'initContainers'), ...listAt(spec, 'containers')],
      },
    ];
  });
}

/** @param elsewhere names of ConfigMaps and Secrets that somebody else makes */
export function linkProblems(manifests: readonly Manifest[], elsewhere: readonly string[] = []): string[] {
  const pods = podTemplates(manifests);
  return [
    ...pods.flatMap((pod) => podProblems(pod, manifests, elsewhere)),
    ...manifests.flatMap((manifest) =>
      (CHECKS[manifest.kind]?.(manifest, pods, manifests) ?? []).map(
        (problem) => `${manifest.kind} ${manifest.metadata.name}: ${problem}`,
      ),
    ),
  ];
}

type Check = (manifest: Manifest, pods: readonly PodTemplate[], all: readonly Manifest[]) => string[];

const CHECKS: Readonly<Record<string, Check>> = {
  Deployment: (deployment) => {
    const labels = objectAt(deployment, 'spec.template.metadata.labels');
    const fits = selects(objectAt(deployment, 'spec.selector.matchLabels'), labels);
    return fits ? [] : ['its selector does not choose its own pods'];
  },
  Service: (service, pods) => {
    const chosen = podsOf(objectAt(service, 'spec.selector'), pods);
    if (chosen.length === 0) return ['its selector chooses no pod'];
    return listAt(service, 'spec.ports').flatMap(({ targetPort }) =>
      chosen.every((pod) => hasPort(pod, targetPort)) ? [] : `no container has the port ${targetPort}`,
    );
  },
  PodDisruptionBudget: (budget, pods) => choosesSome(objectAt(budget, 'spec.selector.matchLabels'), pods),
  NetworkPolicy: (policy, pods) => {
    const chosen = podsOf(objectAt(policy, 'spec.podSelector.matchLabels'), pods);
    if (chosen.length === 0) return ['its selector chooses no pod'];
    return listAt(policy, 'spec.ingress')
      .flatMap((rule) => listAt(rule, 'ports'))
      .flatMap(({ port }) =>
        chosen.every((pod) => hasPort(pod, port)) ? [] : `no container has the port ${port}`,
      );
  },
  HorizontalPodAutoscaler: (scaler, _pods, all) => {
    const { kind, name, apiVersion } = objectAt(scaler, 'spec.scaleTargetRef');
    const target = all.find((one) => one.kind === kind && one.metadata.name === name);
    if (target === undefined || target.apiVersion !== apiVersion) return ['there is nothing that it scales'];
    return at(target, 'spec.replicas') === undefined ? [] : ['each deployment would undo what it has scaled'];
  },
  ServiceMonitor: (monitor, _pods, all) => {
    const selector = objectAt(monitor, 'spec.selector.matchLabels');
    const services = all.filter(
      ({ kind, metadata }) => kind === 'Service' && selects(selector, objectAt(metadata, 'labels')),
    );
    if (services.length !== 1) return [`its selector chooses ${services.length} Services, expected one`];
    const names = listAt(services[0], 'spec.ports').map(({ name }) => name);
    return listAt(monitor, 'spec.endpoints').flatMap(({ port }) =>
      names.includes(port ?? null) ? [] : `the Service has no port ${port}`,
    );
  },
  PodMonitor: (monitor, pods) => {
    const chosen = podsOf(objectAt(monitor, 'spec.selector.matchLabels'), pods);
    return listAt(monitor, 'spec.podMetricsEndpoints').flatMap(({ port }) =>
      chosen.every((pod) => hasPort(pod, port)) ? [] : `no container has the port ${port}`,
    );
  },
};

function podProblems(pod: PodTemplate, all: readonly Manifest[], elsewhere: readonly string[]): string[] {
  const volumes = listAt(pod.spec, 'volumes');
  const names = volumes.map(({ name }) => name);
  const exists = (kind: string, name: unknown): boolean =>
    elsewhere.includes(String(name)) || all.some((one) => one.kind === kind && one.metadata.name === name);
  const missing = volumes.flatMap((volume) => {
    const map = at(volume, 'configMap.name');
    const secret = at(volume, 'secret.secretName');
    return [
      ...(map === undefined || exists('ConfigMap', map) ? [] : [`there is no ConfigMap ${map}`]),
      ...(secret === undefined || exists('Secret', secret) ? [] : [`there is no Secret ${secret}`]),
    ];
  });
  const within = pod.containers.flatMap((container) => containerProblems(container, names, all, elsewhere));
  return [...missing, ...within].map((problem) => `pod of ${pod.name}: ${problem}`);
}

function containerProblems(
  container: JsonObject,
  volumes: readonly unknown[],
  all: readonly Manifest[],
  elsewhere: readonly string[],
): string[] {
  const mounts = listAt(container, 'volumeMounts').flatMap(({ name }) =>
    volumes.includes(name) ? [] : `there is no volume ${name}`,
  );
  const ports = listAt(container, 'ports').flatMap(({ name, containerPort }) => [name, containerPort]);
  const probes = ['startupProbe', 'readinessProbe', 'livenessProbe'].flatMap((probe) => {
    const port = at(container, `${probe}.httpGet.port`) ?? at(container, `${probe}.tcpSocket.port`);
    return port === undefined || ports.includes(port as string)
      ? []
      : `${probe} asks a port that is not there`;
  });
  const variables = listAt(container, 'env').flatMap((variable) => {
    const wanted = objectAt(variable, 'valueFrom.secretKeyRef');
    if (wanted.name === undefined || elsewhere.includes(String(wanted.name))) return [];
    const secret = all.find((one) => one.kind === 'Secret' && one.metadata.name === wanted.name);
    return secretKeys(secret).includes(String(wanted.key)) ? [] : `no Secret has the key ${wanted.key}`;
  });
  return [...mounts, ...probes, ...variables].map((problem) => `container ${container.name}: ${problem}`);
}

export function secretKeys(secret: Manifest | undefined): string[] {
  return [...Object.keys(objectAt(secret, 'stringData')), ...Object.keys(objectAt(secret, 'data'))];
}

function choosesSome(selector: JsonObject, pods: readonly PodTemplate[]): string[] {
  return podsOf(selector, pods).length > 0 ? [] : ['its selector chooses no pod'];
}

function podsOf(selector: JsonObject, pods: readonly PodTemplate[]): PodTemplate[] {
  return pods.filter(({ labels }) => selects(selector, labels));
}

/** An empty selector chooses everything, which none of these means. */
function selects(selector: JsonObject, labels: JsonObject): boolean {
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}

function hasPort(pod: PodTemplate, port: unknown): boolean {
  return pod.containers.some((container) =>
    listAt(container, 'ports').some(({ name, containerPort }) => name === port || containerPort === port),
  );
}
