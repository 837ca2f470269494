/**
 * Writes `sluice/values.schema.json`: the chart's own values, and in `config` all settings of Sluice, so that Helm refuses
 * a key that is misspelt before anything is applied; and a copy of the alerts, since a chart cannot read what is beside it.
 * Run by `npm run generate`; with `--check` a stale file makes it fail.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

type Schema = { readonly [key: string]: unknown };

const rules = new URL('../monitoring/prometheus/sluice-rules.yml', import.meta.url);
const settings = new URL('../../config/proxy.schema.json', import.meta.url);

const text = { type: 'string' };
const switched = { type: 'boolean' };
const count = { type: 'integer', minimum: 0 };
const port = { type: 'integer', minimum: 1, maximum: 65_535 };
/** Passed on to Kubernetes as they are, which checks them. */
const mapping = { type: 'object' };
const list = { type: 'array', items: mapping };
const labels = { type: 'object', additionalProperties: text };
const optional = (type: Schema): Schema => ({ anyOf: [type, { type: 'null' }] });

function section(properties: Schema): Schema {
  return { type: 'object', properties, additionalProperties: false };
}

const tier = section({
  replicas: count,
  service: section({
    type: { enum: ['ClusterIP', 'NodePort', 'LoadBalancer'] },
    port,
    annotations: labels,
  }),
  podDisruptionBudget: section({ enabled: switched, maxUnavailable: { type: ['integer', 'string'] } }),
  autoscaling: section({
    enabled: switched,
    minReplicas: count,
    maxReplicas: count,
    connectionsPerPod: optional(count),
    cpuPercent: optional(count),
  }),
  networkPolicy: section({
    enabled: switched,
    clients: list,
    prometheus: list,
    servers: list,
    serverPort: port,
  }),
});

function valuesSchema(): Schema {
  const config = JSON.parse(readFileSync(settings, 'utf8')) as Schema;
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the chart sluice',
    ...section({
      global: mapping,
      mode: { enum: ['tier', 'sidecar'] },
      nameOverride: text,
      fullnameOverride: text,
      image: section({
        repository: text,
        tag: text,
        pullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] },
      }),
      imagePullSecrets: list,
      config: withoutNotes({ type: 'object', properties: config.properties, additionalProperties: false }),
      secrets: section({
        existingSecret: text,
        data: { type: 'object', propertyNames: { pattern: '^[-._a-zA-Z0-9]+$' } },
      }),
      metricsPort: port,
      metricsHost: text,
      resources: mapping,
      probes: section({ startup: mapping, readiness: mapping, liveness: mapping }),
      dataVolume: mapping,
      extraEnv: list,
      extraVolumes: list,
      extraVolumeMounts: list,
      podLabels: labels,
      podAnnotations: labels,
      nodeSelector: labels,
      tolerations: list,
      affinity: mapping,
      priorityClassName: text,
      terminationGracePeriodSeconds: optional(count),
      fsGroup: optional(count),
      monitoring: section({
        enabled: switched,
        interval: text,
        labels,
        rules: section({ enabled: switched, runbooks: text }),
      }),
      tier,
      sidecar: section({
        replicas: count,
        containers: list,
        service: section({ port: optional(port), targetPort: { type: ['integer', 'string'] } }),
        securityContext: mapping,
      }),
      tests: section({ sqlImage: text, user: text, passwordKey: text }),
    }),
  };
}

/** What only editors look at would triple its size. */
function withoutNotes(schema: unknown, isNamed = false): unknown {
  if (Array.isArray(schema)) return schema.map((one) => withoutNotes(one));
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).filter(
    ([key]) => isNamed || !(key.startsWith('x-') || key === 'description' || key === 'default'),
  );
  return Object.fromEntries(
    kept.map(([key, value]) => [key, withoutNotes(value, !isNamed && key === 'properties')]),
  );
}

function renderValuesSchema(): string {
  return `${JSON.stringify(valuesSchema(), null, 1)}\n`;
}

/** The chart's generated files, by their paths below this folder. */
export function renderAll(): ReadonlyMap<string, string> {
  return new Map([
    ['sluice/values.schema.json', renderValuesSchema()],
    ['sluice/files/sluice-rules.yml', readFileSync(rules, 'utf8')],
  ]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [path, made] of renderAll()) {
    const file = new URL(path, import.meta.url);
    if (!process.argv.includes('--check')) writeFileSync(file, made);
    else if (readFileSync(file, 'utf8') !== made) {
      console.error(`docker/helm/${path} is stale: npm run generate`);
      process.exitCode = 1;
    }
  }
}
