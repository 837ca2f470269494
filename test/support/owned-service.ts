/** A program beside the database servers that a test starts, and may freeze, thaw, kill and start again. */

import { join } from 'node:path';
import { OwnedChild } from './child-process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from './owned-resources.ts';
import { waitUntil } from './wait-until.ts';

const KILL_TIMEOUT_MS = 5000;

export abstract class OwnedService {
  readonly #program: string;
  protected readonly directory: string;
  #child: OwnedChild | null = null;

  protected constructor(program: string) {
    this.#program = program;
    this.directory = makeTemporaryDirectory(program);
  }

  protected abstract args(): readonly string[];
  protected abstract isUp(): Promise<boolean>;

  protected get logFile(): string {
    return join(this.directory, 'log');
  }

  /** Starts it, and removes what it has made when it cannot be started. */
  protected async started(): Promise<this> {
    try {
      await this.start();
    } catch (error) {
      await this.dispose();
      throw error;
    }
    return this;
  }

  async start(): Promise<void> {
    const child = await OwnedChild.spawn({
      command: this.#program,
      args: this.args(),
      outputFile: this.logFile,
    });
    this.#child = child;
    await waitUntil(`${this.#program} is up`, () => {
      if (child.exit !== null) throw new Error(`${this.#program} ended, see ${this.logFile}`);
      return this.isUp();
    });
  }

  freeze(): void {
    this.#signal('SIGSTOP');
  }

  thaw(): void {
    this.#signal('SIGCONT');
  }

  async kill(): Promise<void> {
    await this.#child?.end('SIGKILL', KILL_TIMEOUT_MS);
    this.#child = null;
  }

  async dispose(): Promise<void> {
    await this.kill();
    removeTemporaryDirectory(this.directory);
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child === null) throw new Error(`${this.#program} does not run`);
    process.kill(this.#child.pid, signal);
  }
}
