/** One member of etcd on ports of its own, which can be frozen, thawed and killed. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OwnedService } from './owned-service.ts';
import { freePort } from './ports.ts';

export interface EtcdServerOptions {
  /** Paths of PEM files: clients have to use TLS then, and to show a certificate of that authority. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly ca: string };
}

export class EtcdServer extends OwnedService {
  readonly port: number;
  readonly #peerPort: number;
  readonly #options: EtcdServerOptions;

  private constructor(port: number, peerPort: number, options: EtcdServerOptions) {
    super('etcd');
    this.port = port;
    this.#peerPort = peerPort;
    this.#options = options;
  }

  static async start(options: EtcdServerOptions = {}): Promise<EtcdServer> {
    return new EtcdServer(await freePort(), await freePort(), options).started();
  }

  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  protected override args(): readonly string[] {
    const peer = `http://127.0.0.1:${this.#peerPort}`;
    const { tls } = this.#options;
    return [
      `--data-dir=${join(this.directory, 'data')}`,
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
    ];
  }

  protected override async isUp(): Promise<boolean> {
    const log = await readFile(this.logFile, 'utf8');
    return log.includes('serving client traffic');
  }
}
