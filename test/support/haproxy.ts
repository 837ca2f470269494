import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OwnedChild } from './child-process.ts';
import { findProgram } from './find-program.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from './owned-resources.ts';
import { freePort, isPortFree } from './ports.ts';
import { waitUntil } from './wait-until.ts';

/** HAProxy in TCP mode: one listener for each way to talk to the same server. */
export class Haproxy {
  /** By the options of the server line. */
  readonly ports: ReadonlyMap<string, number>;
  readonly #directory: string;
  readonly #child: OwnedChild;

  private constructor(directory: string, child: OwnedChild, ports: ReadonlyMap<string, number>) {
    this.#directory = directory;
    this.#child = child;
    this.ports = ports;
  }

  /** @param serverOptions e.g. `send-proxy-v2`; one listener for each. */
  static async start(target: string, serverOptions: readonly string[]): Promise<Haproxy> {
    const directory = makeTemporaryDirectory('haproxy');
    const file = join(directory, 'haproxy.cfg');
    const ports = new Map<string, number>();
    for (const options of serverOptions) ports.set(options, await freePort());
    const timeouts = ['connect', 'client', 'server'].map((which) => `  timeout ${which} 60s`);
    const sections = [...ports].map(
      ([options, port], index) =>
        `listen l${index}\n  mode tcp\n  bind 127.0.0.1:${port}\n  server s ${target} ${options}\n`,
    );
    writeFileSync(file, ['global', '  nbthread 1', 'defaults', ...timeouts, ...sections, ''].join('\n'));
    const child = await OwnedChild.spawn({
      command: await findProgram(['haproxy']),
      args: ['-db', '-f', file],
    });
    const haproxy = new Haproxy(directory, child, ports);
    for (const port of ports.values())
      await waitUntil('HAProxy listens', async () => child.exit !== null || !(await isPortFree(port)));
    if (child.exit !== null) throw new Error(`HAProxy ended with code ${child.exit.code}`);
    return haproxy;
  }

  async stop(): Promise<void> {
    await this.#child.end('SIGTERM', 5000);
    removeTemporaryDirectory(this.#directory);
  }
}
