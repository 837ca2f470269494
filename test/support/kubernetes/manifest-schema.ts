/**
 * Objects of Kubernetes against its published schemas, as the packages kubernetes-models (of Kubernetes' OpenAPI
 * document) and @kubernetes-models/prometheus-operator (of the operator's CRDs) hold them, compiled. Those let keys pass
 * that they do not know, while `kubectl` refuses them: so they are given the object by way of a proxy that notes what
 * they look at. What nobody looks at is not in the schema.
 */

import type { Json, JsonObject, Manifest } from './manifests.ts';

interface SchemaError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: object;
}

interface Validate {
  (value: unknown): boolean;
  readonly errors?: readonly SchemaError[] | null;
}

const OPERATOR = 'ComGithubPrometheusOperatorPrometheusOperatorPkgApisMonitoringV1';

const SCHEMAS: Readonly<Record<string, string>> = {
  'v1 ConfigMap': 'IoK8sApiCoreV1ConfigMap',
  'v1 Secret': 'IoK8sApiCoreV1Secret',
  'v1 Service': 'IoK8sApiCoreV1Service',
  'v1 ServiceAccount': 'IoK8sApiCoreV1ServiceAccount',
  'v1 Pod': 'IoK8sApiCoreV1Pod',
  'apps/v1 Deployment': 'IoK8sApiAppsV1Deployment',
  'autoscaling/v2 HorizontalPodAutoscaler': 'IoK8sApiAutoscalingV2HorizontalPodAutoscaler',
  'policy/v1 PodDisruptionBudget': 'IoK8sApiPolicyV1PodDisruptionBudget',
  'networking.k8s.io/v1 NetworkPolicy': 'IoK8sApiNetworkingV1NetworkPolicy',
  'monitoring.coreos.com/v1 ServiceMonitor': `${OPERATOR}ServiceMonitor`,
  'monitoring.coreos.com/v1 PodMonitor': `${OPERATOR}PodMonitor`,
  'monitoring.coreos.com/v1 PrometheusRule': `${OPERATOR}PrometheusRule`,
};

/** What is wrong with an object, each with its place; empty if nothing is. */
export async function schemaProblems(manifest: Manifest): Promise<string[]> {
  const kind = `${manifest.apiVersion} ${manifest.kind}`;
  const name = SCHEMAS[kind];
  if (name === undefined) return [`${kind}: there is no such kind of object, or these tests do not know it`];
  const validate = await validatorOf(name);
  const watched = new WatchedObject(manifest);
  const valid = validate(watched.proxy);
  const errors = valid ? [] : (validate.errors ?? []);
  const wrong = errors.map(
    ({ instancePath, keyword, params }) => `${kind} ${instancePath}: ${keyword} ${JSON.stringify(params)}`,
  );
  return [...wrong, ...watched.unread().map((place) => `${kind} ${place}: unknown key`)];
}

async function validatorOf(name: string): Promise<Validate> {
  const owner = name.startsWith(OPERATOR) ? '@kubernetes-models/prometheus-operator' : 'kubernetes-models';
  const file = new URL(`./_schemas/${name}.js`, import.meta.resolve(owner));
  const module: { readonly validate: Validate } = await import(file.href);
  return module.validate;
}

/** An object, with a note of each key in it that was read. */
class WatchedObject {
  readonly proxy: unknown;
  readonly #seen = new Map<
    object,
    { readonly place: string; readonly read: Set<string>; readonly proxy: object }
  >();

  constructor(root: JsonObject) {
    this.proxy = this.#watch(root, '');
  }

  /** Places that nobody has read; not those within such a place. */
  unread(): string[] {
    return [...this.#seen].flatMap(([value, { place, read }]) =>
      Object.keys(value).flatMap((key) => (read.has(key) ? [] : `${place}/${key}`)),
    );
  }

  #watch(value: Json | undefined, place: string): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const known = this.#seen.get(value);
    if (known !== undefined) return known.proxy;
    const read = new Set<string>();
    const proxy = new Proxy(value, {
      get: (target, key) => {
        if (typeof key !== 'string' || !Object.hasOwn(target, key)) return Reflect.get(target, key);
        read.add(key);
        return this.#watch(Reflect.get(target, key) as Json, `${place}/${key}`);
      },
    });
    this.#seen.set(value, { place, read, proxy });
    return proxy;
  }
}
