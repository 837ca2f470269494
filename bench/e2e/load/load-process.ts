/** The bench's end of a load process. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { disownChild, ownChild } from '../../../test/support/owned-resources.ts';
import type { LoadCommand, LoadJob, LoadMessage, LoadResult } from './load-job.ts';

const ENTRY = fileURLToPath(new URL('load-main.ts', import.meta.url));

/** A job under way. Dispose it in every case: that ends the process. */
export class LoadProcess {
  /** Resolves with the job's result; rejects when it fails, or takes longer than its limit. */
  readonly result: Promise<LoadResult>;
  /** Resolves when the job says that its state is reached; rejects when it fails before. */
  readonly reached: Promise<void>;
  readonly #child: ChildProcess;
  readonly #timer: NodeJS.Timeout;

  constructor(job: LoadJob, timeoutMs: number) {
    this.#child = fork(ENTRY, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const { pid } = this.#child;
    if (pid !== undefined) {
      ownChild(pid);
      this.#child.once('exit', () => disownChild(pid));
    }
    const result = Promise.withResolvers<LoadResult>();
    const reached = Promise.withResolvers<void>();
    this.result = result.promise;
    this.reached = reached.promise;
    const fail = (message: string) => {
      const error = new Error(message);
      result.reject(error);
      reached.reject(error);
    };
    // Whoever awaits neither is told by the other one.
    this.result.catch(() => {});
    this.reached.catch(() => {});
    this.#timer = setTimeout(() => fail(`${job.kind} took longer than ${timeoutMs} ms`), timeoutMs);
    this.#child.on('exit', (code, signal) => fail(`the load process ended with ${signal ?? code}`));
    this.#child.on('error', (error) => fail(error.message));
    this.#child.on('message', (message: LoadMessage) => {
      if (message.kind === 'reached') reached.resolve();
      else if (message.kind === 'done') result.resolve(message.result);
      else fail(message.message);
    });
    this.#send({ kind: 'start', job });
  }

  /** Tells an `idle` or `steady` job to end; gives its result. */
  finish(): Promise<LoadResult> {
    this.#send({ kind: 'finish' });
    return this.result;
  }

  async dispose(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #send(command: LoadCommand): void {
    this.#child.send(command);
  }
}

export async function runLoad(job: LoadJob, timeoutMs: number): Promise<LoadResult> {
  const load = new LoadProcess(job, timeoutMs);
  try {
    return await load.result;
  } finally {
    await load.dispose();
  }
}
