/**
 * The old process's side of a restart in which another process takes over.
 *
 * | state    | meaning                                                        | left by                                |
 * |----------|----------------------------------------------------------------|----------------------------------------|
 * | idle     | nothing is under way                                           | a request                              |
 * | starting | the new process starts; this one serves as ever                | it is ready; it fails, or is late      |
 * | giving   | roles are given up, both may serve: nothing is vouched for     | it lets clients in; it fails, is late  |
 * | draining | the new process has the sockets; clients here end one by one   | the last one has gone, a stop          |
 * | ended    | nothing is left                                                | never                                  |
 *
 * Until `draining` all can be taken back: the sockets are in both processes, and this one has closed none.
 */

import { makeTransitions } from '../../common/state-machine.ts';
import { HandoverError } from './handover-error.ts';
import type { HandoverHost } from './handover-host.ts';
import { type FromTaker, HANDOVER_PROTOCOL } from './handover-messages.ts';
import { NewProcess, type ProgramToRun, sameProgram } from './new-process.ts';

const State = {
  idle: 'idle',
  starting: 'starting',
  giving: 'giving',
  draining: 'draining',
  ended: 'ended',
} as const;
type State = (typeof State)[keyof typeof State];

const transition = makeTransitions<State>('giver of a handover', {
  idle: ['starting'],
  starting: ['giving', 'idle'],
  giving: ['draining', 'idle'],
  draining: ['ended'],
  ended: [],
});

/** From "yours" to "taken": opening sockets that are there. */
const TAKE_MS = 10_000;
const REPORT_MS = 1000;
/** For the new process to tell systemd which process the service is: else the end of this one would be taken for its end. */
const ANNOUNCE_MS = 15_000;

export interface GivenOver {
  readonly pid: number;
  readonly version: string;
}

export interface GiverOptions {
  readonly host: HandoverHost;
  /** Tried in vain, and done, before this process: the new one goes on counting. */
  readonly before: { readonly done: number; readonly failed: number };
  /** Itself, unless told. */
  readonly program?: () => ProgramToRun;
}

export class HandoverGiver {
  readonly #host: HandoverHost;
  readonly #options: GiverOptions;
  #state: State = State.idle;
  #process: NewProcess | null = null;
  #failed = 0;
  #version = '';
  #waitingFor: readonly string[] = [];
  #wake: (() => void) | null = null;
  #said = new Set<FromTaker['type']>();
  #loss: string | null = null;
  #underWay: Promise<void> = Promise.resolve();

  constructor(options: GiverOptions) {
    this.#options = options;
    this.#host = options.host;
  }

  /** Tried in vain, by this process. */
  get failed(): number {
    return this.#failed;
  }

  /** Another process has the sockets. */
  get isGiven(): boolean {
    return this.#state === State.draining || this.#state === State.ended;
  }

  /**
   * Resolves when the new process lets clients in, and this one does not any more.
   * @param by what has asked for it
   * @param drained called when this process has nothing left to do
   * @throws HandoverError
   */
  async request(by: string, drained: () => void): Promise<GivenOver> {
    if (this.isGiven) throw new HandoverError('another process has taken over already');
    if (this.#state !== State.idle) throw new HandoverError('a handover is under way already');
    const obstacle = this.#host.obstacle();
    if (obstacle !== null) throw new HandoverError(obstacle);
    this.#state = transition(this.#state, State.starting);
    this.#underWay = this.#handOver(by);
    await this.#underWay;
    const given = { pid: this.#process?.pid ?? 0, version: this.#version };
    void this.#drain().finally(drained);
    return given;
  }

  /** A stop comes first. Resolves when there is no new process that could still take anything. */
  async cancel(reason: string): Promise<void> {
    if (this.#state !== State.starting && this.#state !== State.giving) return;
    this.#lost(reason);
    await this.#underWay.catch(() => undefined);
  }

  async #handOver(by: string): Promise<void> {
    try {
      await this.#start(by);
      await this.#give();
    } catch (error) {
      await this.#takeBack((error as Error).message);
      throw new HandoverError((error as Error).message);
    }
  }

  async #start(by: string): Promise<void> {
    const host = this.#host;
    const unsaved = await host.unsaved();
    if (unsaved.length > 0)
      host.warn('what is in force is not saved: the new process starts without it', { unsaved });
    const configuration = host.configurationNumber();
    const sockets = await host.sockets();
    this.#said = new Set();
    this.#loss = null;
    this.#waitingFor = [];
    const program = (this.#options.program ?? sameProgram)();
    const started = new NewProcess(sockets, program, {
      said: (message) => this.#heard(message),
      lost: (reason) => this.#lost(reason),
    });
    this.#process = started;
    host.sharesLog(true);
    host.note({ kind: 'handover-started', by, pid: started.pid });
    const { done, failed } = this.#options.before;
    started.tell({
      type: 'offer',
      protocol: HANDOVER_PROTOCOL,
      version: host.version,
      pid: process.pid,
      sockets: started.sockets,
      nextConnectionId: host.nextConnectionId(),
      done: done + 1,
      failed: failed + this.#failed,
    });
    const { startTimeoutMs } = host.settings();
    await this.#until('ready', startTimeoutMs, () => {
      const missing = this.#waitingFor.length === 0 ? '' : `: ${this.#waitingFor.join(', ')}`;
      return `it was not ready within handover.startTimeoutMs (${startTimeoutMs} ms)${missing}`;
    });
    if (host.configurationNumber() !== configuration)
      throw new HandoverError(
        'the configuration was changed while the new process started: ask for it again',
      );
  }

  async #give(): Promise<void> {
    this.#state = transition(this.#state, State.giving);
    await this.#host.suspendRoles();
    this.#process?.tell({ type: 'yours', administered: this.#host.administered() });
    await this.#until('taken', TAKE_MS, () => `it did not let clients in within ${TAKE_MS} ms`);
    this.#state = transition(this.#state, State.draining);
  }

  async #drain(): Promise<void> {
    const host = this.#host;
    const taker = this.#process;
    const report = setInterval(() => taker?.tell({ type: 'draining', clients: host.clients() }), REPORT_MS);
    const drained = host.drain();
    taker?.tell({ type: 'draining', clients: host.clients() });
    await host.endRoles();
    taker?.tell({ type: 'released' });
    await drained;
    await this.#until('announced', ANNOUNCE_MS, () => 'it announced nothing').catch(() => undefined);
    clearInterval(report);
    this.#state = transition(this.#state, State.ended);
    taker?.tell({ type: 'gone' });
    taker?.letGo();
  }

  async #takeBack(reason: string): Promise<void> {
    const taker = this.#process;
    await taker?.end(reason);
    this.#host.sharesLog(false);
    // Whatever it has let in is gone, and nobody but this process writes.
    if (this.#state === State.giving) this.#host.resumeRoles();
    this.#state = transition(this.#state, State.idle);
    this.#process = null;
    this.#failed++;
    this.#host.note({ kind: 'handover-failed', reason, lastWords: taker?.lastWords ?? '' });
  }

  #heard(message: FromTaker): void {
    if (message.type === 'waiting') this.#waitingFor = message.reasons;
    if (message.type === 'hello') this.#version = message.version;
    this.#said.add(message.type);
    this.#wake?.();
  }

  #lost(reason: string): void {
    this.#loss ??= reason;
    this.#wake?.();
  }

  /** @throws HandoverError when the process is lost, or the time is over */
  async #until(type: FromTaker['type'], timeoutMs: number, late: () => string): Promise<void> {
    let timer: NodeJS.Timeout | null = null;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#wake = () => {
          if (this.#loss !== null) reject(new HandoverError(this.#loss));
          else if (this.#said.has(type)) resolve();
        };
        timer = setTimeout(() => reject(new HandoverError(late())), timeoutMs);
        this.#wake();
      });
    } finally {
      if (timer !== null) clearTimeout(timer);
      this.#wake = null;
    }
  }
}
