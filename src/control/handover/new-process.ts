/** The process that takes over, as the old one sees it: started with the sockets, listened to, ended if need be. */

import { type ChildProcess, spawn } from 'node:child_process';
import type { ListeningSocket } from '../../common/listening-socket.ts';
import { type FromGiver, type FromTaker, HANDOVER_VARIABLE, readFromTaker } from './handover-messages.ts';

/** In the child: 0 to 2, then the channel, then the sockets. */
const FIRST_SOCKET_FD = 4;
/** From the request to go to the end by force. */
const PATIENCE_MS = 2000;
/** From its end to that of what it has said. */
const LAST_WORDS_MS = 1000;
/** Of what it has written. */
const MOST_WORDS = 4000;

export interface NewProcessListener {
  said(message: FromTaker): void;
  /** It has ended, or cannot be talked to any more. Told once. */
  lost(reason: string): void;
}

/** What is run again, so that files that were replaced are those of the new version. */
export interface ProgramToRun {
  readonly program: string;
  readonly args: readonly string[];
}

export function sameProgram(): ProgramToRun {
  return { program: process.execPath, args: [...process.execArgv, ...process.argv.slice(1)] };
}

export class NewProcess {
  readonly sockets: readonly ListeningSocket[];
  readonly #child: ChildProcess;
  readonly #listener: NewProcessListener;
  #words = '';
  #isLost = false;
  readonly #exited: Promise<void>;

  constructor(
    sockets: readonly ListeningSocket[],
    { program, args }: ProgramToRun,
    listener: NewProcessListener,
  ) {
    this.#listener = listener;
    this.sockets = sockets.map((socket, index) => ({ ...socket, fd: FIRST_SOCKET_FD + index }));
    this.#child = spawn(program, args, {
      // It must outlive this one, and what the terminal does to this one's group.
      detached: true,
      env: { ...process.env, [HANDOVER_VARIABLE]: '1' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...sockets.map(({ fd }) => fd)],
    });
    this.#child.on('message', (message) => this.#received(message));
    this.#child.on('error', (error) => this.#lost(`it cannot be started: ${error.message}`));
    // Its exit, which comes behind, says more.
    this.#child.on('disconnect', () =>
      setTimeout(() => this.#lost('it has broken the connection'), PATIENCE_MS).unref(),
    );
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', () => resolve());
      this.#child.once('exit', (code, signal) => {
        const tell = (): void => {
          this.#lost(signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`);
          resolve();
        };
        // What it has said last is read before the channel closes.
        this.#child.once('disconnect', tell);
        setTimeout(tell, this.#child.connected ? LAST_WORDS_MS : 0);
      });
    });
  }

  /** 0 if there is none. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The end of what it has written to its standard error. */
  get lastWords(): string {
    return this.#words.trim();
  }

  tell(message: FromGiver): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** Resolves when it is gone. */
  async end(reason: string): Promise<void> {
    this.#isLost = true;
    this.tell({ type: 'cancelled', reason });
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    if (this.#child.pid !== undefined) await this.#exited;
    clearTimeout(kill);
  }

  /** This process may end now without it. */
  letGo(): void {
    if (this.#child.connected) this.#child.disconnect();
    this.#child.unref();
  }

  #received(message: unknown): void {
    const read = readFromTaker(message);
    if (read === null) return;
    if (read.type === 'words') this.#words = `${this.#words}${read.text}`.slice(-MOST_WORDS);
    else if (!this.#isLost) this.#listener.said(read);
  }

  #lost(reason: string): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#listener.lost(reason);
  }
}
