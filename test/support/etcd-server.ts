/** One member of etcd on ports of its own, which can be frozen, thawed and killed. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OwnedChild } from './child-process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from './owned-resources.ts';
import { freePort } from './ports.ts';
import { waitUntil } from './wait-until.ts';

export interface EtcdServerOptions {
  /** Paths of PEM files: clients have to use TLS then, and to show a certificate of that authority. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly ca: string };
}

export class EtcdServer {
  readonly port: number;
  readonly #peerPort: number;
  readonly #directory = makeTemporaryDirectory('etcd');
  readonly #options: EtcdServerOptions;
  #child: OwnedChild | null = null;

  private constructor(port: number, peerPort: number, options: EtcdServerOptions) {
    this.port = port;
    this.#peerPort = peerPort;
    this.#options = options;
  }

  static async start(options: EtcdServerOptions = {}): Promise<EtcdServer> {
    const server = new EtcdServer(await freePort(), await freePort(), options);
    try {
      await server.start();
    } catch (error) {
      await server.dispose();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const peer = `http://127.0.0.1:${this.#peerPort}`;
    const { tls } = this.#options;
    const logFile = join(this.#directory, 'etcd.log');
    this.#child = await OwnedChild.spawn({
      command: 'etcd',
      args: [
        `--data-dir=${join(this.#directory, 'data')}`,
        `--listen-client-urls=${this.url}`,
        `--advertise-client-urls=${this.url}`,
        `--listen-peer-urls=${peer}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=default=${peer}`,
        // Leases may be as short as tests want them to be.
        '--heartbeat-interval=20',
        '--election-timeout=200',
        '--logger=zap',
        ...(tls === undefined
          ? []
          : [
              `--cert-file=${tls.certificate}`,
              `--key-file=${tls.key}`,
              `--trusted-ca-file=${tls.ca}`,
              '--client-cert-auth',
            ]),
      ],
      outputFile: logFile,
    });
    await waitUntil('etcd leads', async () => {
      if (this.#child?.exit != null) throw new Error(`etcd ended, see ${logFile}`);
      const log = await readFile(logFile, 'utf8');
      return log.includes('serving client traffic');
    });
  }

  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  async kill(): Promise<void> {
    await this.#child?.end('SIGKILL', 5000);
    this.#child = null;
  }

  async dispose(): Promise<void> {
    await this.kill();
    await removeTemporaryDirectory(this.#directory);
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child === null) throw new Error('etcd does not run');
    process.kill(this.#child.pid, signal);
  }
}
