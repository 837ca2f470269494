/** A foreign proxy as a child process, with a directory for its configuration. */

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ChildExit, OwnedChild } from '../../../test/support/child-process.ts';
import { makeTemporaryDirectory, removeTemporaryDirectory } from '../../../test/support/owned-resources.ts';
import { waitUntil } from '../../../test/support/wait-until.ts';

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 5_000;

export class ProxyChild {
  readonly directory: string;
  readonly #child: OwnedChild;
  readonly #logFile: string;

  private constructor(directory: string, child: OwnedChild, logFile: string) {
    this.directory = directory;
    this.#child = child;
    this.#logFile = logFile;
  }

  get pid(): number {
    return this.#child.pid;
  }

  /**
   * @param args made from the directory, into which it may write files first
   * @throws Error with the end of its output when it does not accept connections on `port` in time
   */
  static async start(
    name: string,
    program: string,
    port: number,
    args: (directory: string) => Promise<readonly string[]>,
  ): Promise<ProxyChild> {
    const directory = makeTemporaryDirectory(name);
    const logFile = join(directory, 'output.log');
    const child = await OwnedChild.spawn({
      command: program,
      args: await args(directory),
      cwd: directory,
      outputFile: logFile,
    });
    const proxy = new ProxyChild(directory, child, logFile);
    try {
      await waitUntil(
        `${name} accepts connections on port ${port}`,
        () => {
          if (child.exit !== null) return true;
          return acceptsConnections(port);
        },
        { timeoutMs: START_TIMEOUT_MS },
      );
      if (child.exit !== null) throw new Error(`${name} ended: ${describeExit(child.exit)}`);
    } catch (error) {
      const output = await proxy.output();
      await proxy.stop();
      throw new Error(`${(error as Error).message}\n${output}`, { cause: error });
    }
    return proxy;
  }

  async output(): Promise<string> {
    const text = await readFile(this.#logFile, 'utf8').catch(() => '');
    return text.slice(-4_000);
  }

  async stop(): Promise<void> {
    await this.#child.end('SIGTERM', STOP_TIMEOUT_MS);
    removeTemporaryDirectory(this.directory);
  }
}

/** The first line that `program` prints about its version. */
export async function versionOf(program: string, flag: string): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(program, [flag]);
  return (stdout || stderr).split('\n')[0]?.trim() ?? 'unknown';
}

function describeExit({ code, signal }: ChildExit): string {
  return signal === null ? `exit code ${code}` : signal;
}

function acceptsConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
