/**
 * One store process from its start to its end. It runs one request at a time.
 *
 * | state    | meaning                                    | left by                         |
 * |----------|--------------------------------------------|---------------------------------|
 * | starting | the process opens its files                | opened, refused, killed, lost   |
 * | idle     | waits for a request                        | a request, the end              |
 * | busy     | a request runs                             | its answer, killed, lost        |
 * | ended    | the process is gone, or about to be        | never                           |
 */

import { type ChildProcess, fork } from 'node:child_process';
import { makeTransitions } from '../../common/state-machine.ts';
import {
  OUT_OF_MEMORY_SIGNAL,
  type StoreInput,
  type StoreReply,
  type StoreRequest,
} from '../../common/store-messages.ts';
import { StoreError } from './store-error.ts';

type State = 'starting' | 'idle' | 'busy' | 'ended';

const transition = makeTransitions<State>('store process', {
  starting: ['idle', 'ended'],
  idle: ['busy', 'ended'],
  busy: ['idle', 'ended'],
  ended: [],
});

/** Of the JavaScript heap; what SQLite allocates has a limit of its own. */
const MAX_OLD_SPACE_MIB = 384;

export interface StoreExchange {
  /** `need` and `slice`, in the order in which they came. */
  onReply(reply: Extract<StoreReply, { kind: 'need' | 'slice' }>): void;
}

interface Pending {
  readonly exchange: StoreExchange;
  resolve(reply: Extract<StoreReply, { kind: 'done' | 'opened' }>): void;
  reject(error: StoreError): void;
  readonly timer: NodeJS.Timeout;
}

export class StoreProcess {
  readonly #child: ChildProcess;
  readonly #maxMemoryBytes: number;
  readonly #ended: () => void;
  #state: State = 'starting';
  #pending: Pending | null = null;

  /** @param ended called once, when no further request can be run */
  constructor(script: URL, maxMemoryBytes: number, ended: () => void) {
    this.#maxMemoryBytes = maxMemoryBytes;
    this.#ended = ended;
    this.#child = fork(script, [String(maxMemoryBytes)], {
      execArgv: [`--max-old-space-size=${MAX_OLD_SPACE_MIB}`],
      // Nothing of the environment: it may hold passwords, and options for another program.
      env: {},
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', (reply: StoreReply) => this.#received(reply));
    this.#child.on('error', (error) => this.#end(`the store process cannot be started: ${error.message}`));
    this.#child.on('exit', (code, signal) => this.#exited(code, signal));
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  get isUsable(): boolean {
    return this.#state === 'idle';
  }

  open(request: Extract<StoreRequest, { kind: 'open' }>, timeoutMs: number) {
    return this.#exchange(request, timeoutMs, 'Opening the store', { onReply: () => undefined });
  }

  /** @param what in the message when it takes too long */
  run(
    request: Exclude<StoreRequest, { kind: 'open' }>,
    timeoutMs: number,
    what: string,
    exchange: StoreExchange,
  ) {
    this.#state = transition(this.#state, 'busy');
    return this.#exchange(request, timeoutMs, what, exchange);
  }

  /** For the request of this exchange; dropped when it is over. */
  send(exchange: StoreExchange, input: StoreInput): void {
    if (this.#pending?.exchange === exchange) this.#write(input);
  }

  kill(reason: string): void {
    this.#child.kill('SIGKILL');
    this.#end(reason);
  }

  /** The process ends by itself; resolves when it has. */
  async close(): Promise<void> {
    const gone = this.#child.exitCode !== null || this.#child.signalCode !== null;
    const exited = gone ? null : new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    if (this.#state === 'busy' || this.#state === 'starting') this.kill('Sluice stops');
    else if (this.#child.connected) this.#child.disconnect();
    await exited;
  }

  #exchange(request: StoreRequest, timeoutMs: number, what: string, exchange: StoreExchange) {
    return new Promise<Extract<StoreReply, { kind: 'done' | 'opened' }>>((resolve, reject) => {
      const late = () => {
        const error = new StoreError(
          'timeout',
          `${what} took longer than ${timeoutMs} ms, which is the limit`,
        );
        this.#fail(error);
        this.kill(error.message);
      };
      this.#pending = { exchange, resolve, reject, timer: setTimeout(late, timeoutMs) };
      this.#write(request);
    });
  }

  #write(message: StoreRequest | StoreInput): void {
    this.#child.send(message, (error) => {
      if (error !== null) this.#end(`the store process cannot be reached: ${error.message}`);
    });
  }

  #received(reply: StoreReply): void {
    const pending = this.#pending;
    if (pending === null || this.#state === 'ended') return;
    switch (reply.kind) {
      case 'need':
      case 'slice':
        pending.exchange.onReply(reply);
        return;
      case 'opened':
      case 'done':
        this.#settle();
        pending.resolve(reply);
        return;
      case 'failed':
        if (this.#state === 'starting') {
          this.#fail(new StoreError('lost', `The store cannot be opened: ${reply.message}`, reply.code));
          this.kill(reply.message);
          return;
        }
        this.#settle();
        pending.reject(new StoreError(reply.failure, reply.message, reply.code));
    }
  }

  #settle(): void {
    clearTimeout(this.#pending?.timer);
    this.#pending = null;
    this.#state = transition(this.#state, 'idle');
  }

  #fail(error: StoreError): void {
    const pending = this.#pending;
    this.#pending = null;
    clearTimeout(pending?.timer);
    pending?.reject(error);
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    if (signal === OUT_OF_MEMORY_SIGNAL) {
      const mebibytes = Math.floor(this.#maxMemoryBytes / 1024 / 1024);
      this.#fail(
        new StoreError(
          'limit',
          `The statement needs more than ${mebibytes} MiB of memory, which is the limit`,
        ),
      );
    }
    this.#end(`the store process ended (${signal ?? code})`);
  }

  #end(reason: string): void {
    if (this.#state === 'ended') return;
    this.#state = transition(this.#state, 'ended');
    this.#fail(
      new StoreError('lost', `The statement was lost: ${reason}. Whether it had an effect is not known`),
    );
    this.#ended();
  }
}
