/** HAProxy with the configuration that users get, on the host `entry` of the stage. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OwnedChild } from '../../support/child-process.ts';
import { findProgram } from '../../support/find-program.ts';
import { checkoutDirectory } from '../../support/sluice-script.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { CLIENT_PORT, type EntryStage, HEALTH_PORT } from './entry-stage.ts';

const CONFIG_FILE = join(checkoutDirectory, 'docker/ha/haproxy.cfg');
const LISTEN_PORT = 3306;
const LOG_LINES_IN_ERRORS = 40;

export class HaproxyEntry {
  readonly host: string;
  readonly port = LISTEN_PORT;
  readonly log: string[] = [];
  readonly #child: OwnedChild;

  private constructor(host: string, child: OwnedChild) {
    this.host = host;
    this.#child = child;
    for (const stream of [child.process.stdout, child.process.stderr])
      stream?.on('data', (chunk: Buffer) => this.log.push(...chunk.toString().trimEnd().split('\n')));
  }

  /** @returns what `haproxy -c` says of the file as it is; throws if it finds a fault. */
  static async check(): Promise<string> {
    const { stdout, stderr } = await promisify(execFile)(await findProgram(['haproxy']), [
      '-c',
      '-f',
      CONFIG_FILE,
    ]);
    return stdout + stderr;
  }

  /** Started, and both Sluices are up in its eyes. */
  static async start(stage: EntryStage): Promise<HaproxyEntry> {
    const { host, runBy } = stage.hostOf('entry');
    const [command = '', ...args] = [...runBy, await findProgram(['haproxy']), '-db', '-f', CONFIG_FILE];
    const child = await OwnedChild.spawn({
      command,
      args,
      env: {
        ...process.env,
        SLUICE_1: stage.hostOf('sluice1').host,
        SLUICE_2: stage.hostOf('sluice2').host,
        SLUICE_PORT: String(CLIENT_PORT),
        SLUICE_HEALTH_PORT: String(HEALTH_PORT),
        ENTRY_MAX_CLIENTS: '1000',
      },
    });
    const entry = new HaproxyEntry(host, child);
    await waitUntil('HAProxy brings clients to a Sluice', async () => {
      if (child.exit !== null)
        throw new Error(`HAProxy ended with code ${child.exit.code}\n${entry.logTail()}`);
      const connection = await stage.sluice('sluice1').connect({ host, port: LISTEN_PORT });
      await connection.end();
      return true;
    });
    return entry;
  }

  /** The first line from `fromLine` on that matches. */
  waitForLog(wanted: RegExp, fromLine = 0): Promise<string> {
    return waitUntil(`HAProxy logs ${wanted}`, () =>
      this.log.slice(fromLine).find((line) => wanted.test(line)),
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.logTail()}`, { cause: error });
    });
  }

  logTail(): string {
    return this.log.slice(-LOG_LINES_IN_ERRORS).join('\n');
  }

  async stop(): Promise<void> {
    await this.#child.end('SIGTERM', 5000);
  }
}
