import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { disownChild, ownChild } from './owned-resources.ts';

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Both outputs are appended to this file; without it they are piped. */
  readonly outputFile?: string;
  /** A process group of its own, which the terminal's Ctrl-C does not reach. */
  readonly ownGroup?: boolean;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child process that never outlives us, and whose end can be awaited at any time. */
export class OwnedChild {
  readonly pid: number;
  readonly process: ChildProcess;
  readonly exited: Promise<ChildExit>;
  #exit: ChildExit | null = null;

  private constructor(child: ChildProcess, pid: number) {
    this.process = child;
    this.pid = pid;
    ownChild(pid);
    this.exited = once(child, 'exit').then(([code, signal]) => {
      disownChild(pid);
      this.#exit = { code: code as number | null, signal: signal as NodeJS.Signals | null };
      return this.#exit;
    });
  }

  static async spawn(options: ChildOptions): Promise<OwnedChild> {
    const output = options.outputFile === undefined ? 'pipe' : openSync(options.outputFile, 'a');
    try {
      const child = spawn(options.command, options.args, {
        stdio: ['ignore', output, output],
        detached: options.ownGroup ?? false,
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.env === undefined ? {} : { env: options.env }),
      });
      await once(child, 'spawn');
      if (child.pid === undefined) throw new Error(`${options.command} has no pid`);
      return new OwnedChild(child, child.pid);
    } finally {
      if (typeof output === 'number') closeSync(output);
    }
  }

  /** null while it runs. */
  get exit(): ChildExit | null {
    return this.#exit;
  }

  /** Sends a signal, unless the process has ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.#exit === null) this.process.kill(signal);
  }

  /** Asks with `signal`, and kills when the process is still there after `timeoutMs`. Gives how it ended. */
  async end(signal: NodeJS.Signals, timeoutMs: number): Promise<ChildExit & { readonly timedOut: boolean }> {
    this.signal(signal);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      this.signal('SIGKILL');
    }, timeoutMs);
    try {
      const exit = await this.exited;
      return { ...exit, timedOut };
    } finally {
      clearTimeout(timer);
    }
  }
}
