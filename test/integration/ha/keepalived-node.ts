/** keepalived on the host of a Sluice, with the configuration that users get and the addresses of the stage. */

import { execFile } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OwnedChild } from '../../support/child-process.ts';
import { findProgram } from '../../support/find-program.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../support/owned-resources.ts';
import { checkoutDirectory } from '../../support/sluice-script.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { type EntryStage, HEALTH_PORT, type NodeName } from './entry-stage.ts';

const FOLDER = join(checkoutDirectory, 'docker/ha');
const FILES: Readonly<Record<NodeName, string>> = {
  sluice1: 'keepalived-1.conf',
  sluice2: 'keepalived-2.conf',
};
const OTHER: Readonly<Record<NodeName, NodeName>> = { sluice1: 'sluice2', sluice2: 'sluice1' };
const STATE = /Entering (\w+) STATE/;
const DEFINITION = /^\$(\w+)=.*$/gm;
/** keepalived runs no script from a path that somebody else can write, as the one for temporary files. */
const PARENT = '/run';
const NOBODY = '65534';

export class KeepalivedNode {
  readonly name: NodeName;
  readonly log: string[] = [];
  readonly #stage: EntryStage;
  readonly #directory: string;
  #child: OwnedChild | null = null;

  constructor(stage: EntryStage, name: NodeName) {
    this.#stage = stage;
    this.name = name;
    this.#directory = makeTemporaryDirectory('keepalived', PARENT);
    chmodSync(this.#directory, 0o755);
    const check = join(this.#directory, 'check-sluice');
    copyFileSync(join(FOLDER, 'check-sluice'), check);
    chmodSync(check, 0o755);
    const values: Readonly<Record<string, string>> = {
      OWN: stage.hostOf(name).host,
      OTHER: stage.hostOf(OTHER[name]).host,
      VIRTUAL: `${stage.network.spareAddress}/24`,
      INTERFACE: 'eth0',
      ROUTER_ID: '51',
      HEALTH_PORT: String(HEALTH_PORT),
      CHECK: check,
    };
    const filled = readFileSync(join(FOLDER, FILES[name]), 'utf8').replace(DEFINITION, (_, key: string) => {
      const value = values[key];
      if (value === undefined) throw new Error(`${FILES[name]} defines $${key}, which is not known here`);
      return `$${key}=${value}`;
    });
    writeFileSync(this.#configFile, filled);
  }

  get #configFile(): string {
    return join(this.#directory, 'keepalived.conf');
  }

  /** Of the file that users get. */
  get lines(): readonly string[] {
    return readFileSync(join(FOLDER, FILES[this.name]), 'utf8').split('\n');
  }

  /** Waits until it knows that its Sluice works: it has the address, or could take it. */
  async waitForCheck(): Promise<void> {
    await waitUntil(`keepalived of ${this.name} could take the address`, () => {
      const states = this.log.flatMap((line) => STATE.exec(line)?.[1] ?? []);
      return states.at(-1) === 'BACKUP' || states.at(-1) === 'MASTER';
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.logTail()}`, { cause: error });
    });
  }

  /** What `keepalived -t` finds fault with, '' for nothing; as nobody, because as root it ends itself over `script_user` (2.2). */
  async check(): Promise<string> {
    const args = ['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups', await findProgram(['keepalived'])];
    const [command = '', ...before] = this.#stage.hostOf(this.name).runBy;
    const all = [...before, 'setpriv', ...args, '-t', '-f', this.#configFile];
    return promisify(execFile)(command, all).then(
      ({ stdout, stderr }) => stdout + stderr,
      (error: Error & { code?: number; stderr?: string }) => `exit code ${error.code}: ${error.stderr}`,
    );
  }

  async start(): Promise<void> {
    // As a killed one leaves them; they say whether the new one runs.
    for (const which of ['main', 'vrrp']) rmSync(this.#pidFile(which), { force: true });
    const [command = '', ...before] = this.#stage.hostOf(this.name).runBy;
    const pidFiles = ['-p', this.#pidFile('main'), '-r', this.#pidFile('vrrp')];
    const args = ['-n', '-l', '-D', '-G', '-P', ...pidFiles, '-f', this.#configFile];
    const child = await OwnedChild.spawn({
      command,
      args: [...before, await findProgram(['keepalived']), ...args],
    });
    this.#child = child;
    for (const stream of [child.process.stdout, child.process.stderr])
      stream?.on('data', (chunk: Buffer) => this.log.push(...chunk.toString().trimEnd().split('\n')));
    await waitUntil(`keepalived of ${this.name} runs`, () => {
      if (child.exit !== null) throw new Error(`keepalived ended\n${this.logTail()}`);
      return this.#vrrpPid() !== null;
    });
  }

  /** SIGKILL to all of it at once: nothing is tidied up. */
  async kill(): Promise<void> {
    const vrrp = this.#vrrpPid();
    this.#child?.signal('SIGSTOP');
    if (vrrp !== null) process.kill(vrrp, 'SIGKILL');
    await this.#child?.end('SIGKILL', 5000);
  }

  /** SIGTERM, as a service is stopped. */
  async stop(): Promise<void> {
    await this.#child?.end('SIGTERM', 5000);
  }

  logTail(): string {
    return `${this.name}:\n${this.log.slice(-30).join('\n')}`;
  }

  async dispose(): Promise<void> {
    await this.stop();
    removeTemporaryDirectory(this.#directory);
  }

  #pidFile(which: string): string {
    return join(this.#directory, `${which}.pid`);
  }

  #vrrpPid(): number | null {
    try {
      return Number(readFileSync(this.#pidFile('vrrp'), 'utf8')) || null;
    } catch {
      return null;
    }
  }
}
