/** Sluice as a pod would run it, in front of real servers: its configuration, with other passwords and addresses. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../owned-resources.ts';
import { type ConfigObject, SluiceProcess } from '../sluice-process.ts';
import { at, type JsonObject, listAt } from './manifests.ts';
import { loadPodConfig, SECRETS_DIRECTORY, type SluicePod } from './sluice-pod.ts';

export interface PodProcessOptions {
  /** `host:port`, instead of those that the configuration names. */
  readonly server: string;
  /** What the files of the Secret hold. */
  readonly secrets: Readonly<Record<string, string>>;
}

export class PodProcess {
  readonly sluice: SluiceProcess;
  readonly #pod: SluicePod;
  readonly #secrets: string;

  private constructor(sluice: SluiceProcess, pod: SluicePod, secrets: string) {
    this.sluice = sluice;
    this.#pod = pod;
    this.#secrets = secrets;
  }

  static async start(pod: SluicePod, options: PodProcessOptions): Promise<PodProcess> {
    const secrets = makeTemporaryDirectory('secrets');
    for (const [name, text] of Object.entries(options.secrets))
      writeFileSync(join(secrets, name), `${text}\n`);
    const { listen, admin, http } = loadPodConfig(pod).config;
    const config = parse(pod.text.replaceAll(SECRETS_DIRECTORY, secrets)) as ConfigObject;
    // The very ports that the manifests name, where nobody else has them.
    const host = `127.${64 + (process.pid % 64)}.${process.pid % 251}.1`;
    const metrics = `${host}:${portOf(http.metricsAddress)}`;
    const flags = {
      servers: options.server,
      'listen.host': host,
      'admin.host': host,
      'http.host': host,
      'http.metricsAddress': metrics,
    };
    try {
      const sluice = await SluiceProcess.start({
        config,
        host,
        ports: { clients: listen.port, admin: admin.port, http: http.port },
        args: Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
        readyUrl: `http://${metrics}/readyz`,
      });
      return new PodProcess(sluice, pod, secrets);
    } catch (error) {
      removeTemporaryDirectory(secrets);
      throw error;
    }
  }

  /** What a probe of the manifest gets. */
  async probe(name: 'startupProbe' | 'readinessProbe' | 'livenessProbe'): Promise<number> {
    const { path, port } = at(this.#pod.container, `${name}.httpGet`) as JsonObject;
    const response = await fetch(`http://${this.sluice.host}:${this.#portCalled(port as string)}${path}`);
    await response.text();
    return response.status;
  }

  async metricsPage(): Promise<string> {
    const response = await fetch(`http://${this.sluice.host}:${this.#portCalled('metrics')}/metrics`);
    if (response.status !== 200) throw new Error(`/metrics answered ${response.status}`);
    return response.text();
  }

  async dispose(): Promise<void> {
    await this.sluice.dispose();
    removeTemporaryDirectory(this.#secrets);
  }

  #portCalled(name: string): number {
    const port = listAt(this.#pod.container, 'ports').find((one) => String(one.name).endsWith(name));
    if (typeof port?.containerPort !== 'number') throw new Error(`the container has no port ${name}`);
    return port.containerPort;
  }
}

function portOf(address: string | null): number {
  return Number(address?.split(':').at(-1));
}
