/**
 * Entry of the store process: SQL that operators write runs here, beside everything else, at a lower priority. SQLite
 * cannot be interrupted in the middle of a statement, but a process can be ended; the main thread does that.
 *
 * Arguments: the memory that the process may take, in bytes.
 */

import { writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { StoreInput, StoreReply, StoreRequest } from '../common/store-messages.ts';
import { StoreDatabase } from './store-database.ts';
import { asFailure } from './store-failure.ts';
import { type InputSource, StoreSession } from './store-session.ts';

const PRIORITY = constants.priority.PRIORITY_BELOW_NORMAL;

class InputQueue implements InputSource {
  readonly #inputs: StoreInput[] = [];
  #waiting: ((input: StoreInput) => void) | null = null;

  push(input: StoreInput): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) this.#inputs.push(input);
    else waiting(input);
  }

  next(): Promise<StoreInput> {
    const first = this.#inputs.shift();
    if (first !== undefined) return Promise.resolve(first);
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  /** What was meant for a request that has failed in the meantime. */
  clear(): void {
    this.#inputs.length = 0;
  }
}

class StoreMain {
  readonly #input = new InputQueue();
  #store: StoreDatabase | null = null;

  received(message: StoreRequest | StoreInput): void {
    switch (message.kind) {
      case 'rows':
      case 'endOfRows':
      case 'abort':
      case 'nextSlice':
        this.#input.push(message);
        return;
      default:
        void this.#run(message);
    }
  }

  async #run(request: StoreRequest): Promise<void> {
    this.#input.clear();
    try {
      if (request.kind === 'open') this.#open(request);
      else await new StoreSession(this.#opened(), this.#input, send).run(request);
    } catch (error) {
      const { failure, message, code } = asFailure(error);
      send({ kind: 'failed', failure, message, code });
    }
  }

  #open({ files, limits }: Extract<StoreRequest, { kind: 'open' }>): void {
    this.#store = new StoreDatabase(files, limits, new Date());
    send({ kind: 'opened', isMemoryNew: this.#store.isMemoryNew, notices: this.#store.notices });
  }

  #opened(): StoreDatabase {
    if (this.#store === null) throw new Error('the store is not open');
    return this.#store;
  }
}

function send(reply: StoreReply): void {
  // The main thread is gone when this fails, and this process with it.
  process.send?.(reply, undefined, {}, () => undefined);
}

/** Where a control group has no memory left the kernel ends a process of it: not the one that serves clients. */
function beKilledFirst(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Not a Linux, or not allowed: its memory is watched in any case.
  }
}

function main(): void {
  setPriority(0, PRIORITY);
  beKilledFirst();
  // The files hold passwords.
  process.umask(0o077);
  // A terminal sends its signals to all of its programs; the main thread decides when to end.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => process.exit(0));
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  new Worker(new URL(`./store-watchdog.${extension}`, import.meta.url), {
    workerData: { parentPid: process.ppid, maxMemoryBytes: Number(process.argv[2]) },
  }).unref();
  const store = new StoreMain();
  process.on('message', (message: StoreRequest | StoreInput) => store.received(message));
}

main();
