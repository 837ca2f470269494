/**
 * The worker threads: started, fed with snapshots, restarted when one crashes, stopped together.
 *
 * | state    | meaning                                     | left by                          |
 * |----------|---------------------------------------------|----------------------------------|
 * | starting | the thread loads                            | listening, crash                 |
 * | running  | it listens                                  | crash, stop                      |
 * | waiting  | it crashed; the next start is due            | its delay                        |
 * | stopping | drains its clients                          | drained, crash                   |
 * | stopped  | gone on request                             | nothing                          |
 */

import { generateKeyPairSync } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Logger } from '../common/logger.ts';
import {
  Gauge,
  ServerCounter,
  ServerGauge,
  type SharedCounters,
  serverGauge,
  WorkerCounter,
} from '../common/shared-counters.ts';
import type { Snapshot } from '../common/snapshot.ts';
import { makeTransitions } from '../common/state-machine.ts';
import {
  type ExplainStep,
  type FromWorker,
  KillOutcome,
  type KillRequest,
  type StopMode,
  type ToWorker,
  type WorkerStart,
} from '../common/thread-messages.ts';

const State = {
  starting: 'starting',
  running: 'running',
  waiting: 'waiting',
  stopping: 'stopping',
  stopped: 'stopped',
} as const;
type State = (typeof State)[keyof typeof State];

const transition = makeTransitions<State>('worker', {
  starting: ['running', 'waiting', 'stopping', 'stopped'],
  running: ['waiting', 'stopping', 'stopped'],
  waiting: ['starting', 'stopped'],
  stopping: ['stopped'],
  stopped: [],
});

/** A worker that crashes at once must not take the machine with it. */
const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 10_000;
/** A worker that has run this long starts again without delay. */
const STABLE_MS = 30_000;
const EXPLAIN_TIMEOUT_MS = 2000;

export interface WorkerSetOptions {
  readonly count: number;
  readonly listen: WorkerStart['listen'];
  readonly counters: SharedCounters;
  readonly logger: Logger;
  readonly logLevel: string;
  readonly snapshot: () => Snapshot;
  readonly serverFailed: (address: string, reason: string) => void;
  readonly viewsChanged: () => void;
}

interface Slot {
  readonly index: number;
  state: State;
  worker: Worker | null;
  restarts: number;
  startedAt: number;
  appliedVersion: number;
  onListening: (() => void) | null;
  onStopped: (() => void) | null;
}

interface PendingKill {
  readonly request: KillRequest;
  answersDue: number;
}

export interface WorkerStatus {
  readonly index: number;
  readonly running: boolean;
  readonly restarts: number;
  readonly appliedVersion: number;
}

export class WorkerSet {
  readonly #options: WorkerSetOptions;
  readonly #slots: Slot[];
  readonly #rsaKey: WorkerStart['rsaKey'];
  readonly #explains = new Map<number, (steps: readonly ExplainStep[]) => void>();
  #explainRequests = 0;
  readonly #kills = new Map<string, PendingKill>();
  #port: number;

  constructor(options: WorkerSetOptions) {
    this.#options = options;
    this.#port = options.listen.port;
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    this.#rsaKey = { privateKey, publicKey };
    this.#slots = Array.from({ length: options.count }, (_, index) => ({
      index,
      state: State.waiting,
      worker: null,
      restarts: 0,
      startedAt: 0,
      appliedVersion: 0,
      onListening: null,
      onStopped: null,
    }));
  }

  /** The port that clients connect to. */
  get port(): number {
    return this.#port;
  }

  status(): WorkerStatus[] {
    return this.#slots.map(({ index, state, restarts, appliedVersion }) => ({
      index,
      running: state === State.running,
      restarts,
      appliedVersion,
    }));
  }

  /** Starts all; the first one chooses the port where the configuration says 0. @throws if one cannot listen. */
  async start(): Promise<void> {
    for (const slot of this.#slots) await this.#startFirst(slot);
  }

  publish(snapshot: Snapshot): void {
    for (const slot of this.#slots) this.#send(slot, { type: 'snapshot', snapshot });
  }

  /** Asks a running worker; empty when there is none, or it does not answer in time. */
  explainRoute(statement: string, schema: string | null): Promise<readonly ExplainStep[]> {
    const slot = this.#slots.find(({ state }) => state === State.running);
    if (slot === undefined) return Promise.resolve([]);
    const requestId = ++this.#explainRequests;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#explains.delete(requestId);
        resolve([]);
      }, EXPLAIN_TIMEOUT_MS);
      this.#explains.set(requestId, (steps) => {
        clearTimeout(timer);
        resolve(steps);
      });
      this.#send(slot, { type: 'explain', requestId, statement, schema });
    });
  }

  async stop(mode: StopMode, limitMs: number): Promise<void> {
    await Promise.all(this.#slots.map((slot) => this.#stopSlot(slot, mode, limitMs)));
  }

  #startFirst(slot: Slot): Promise<void> {
    return new Promise((resolve, reject) => {
      slot.onListening = resolve;
      this.#launch(slot, reject);
    });
  }

  #launch(slot: Slot, failed: ((error: Error) => void) | null): void {
    slot.state = transition(slot.state, State.starting);
    slot.startedAt = performance.now();
    const { counters, listen, snapshot, logLevel } = this.#options;
    const workerData: WorkerStart = {
      workerIndex: slot.index,
      counters: counters.buffers,
      snapshot: snapshot(),
      listen: { ...listen, port: this.#port },
      rsaKey: this.#rsaKey,
      logLevel,
    };
    // In a checkout Node runs the sources; the published package holds what was compiled from them.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`../data/worker.${extension}`, import.meta.url), { workerData });
    slot.worker = worker;
    worker.on('message', (message: FromWorker) => this.#received(slot, message, failed));
    worker.on('error', (error) =>
      this.#options.logger.error('worker crashed', { worker: slot.index, err: error }),
    );
    worker.on('exit', (code) => this.#exited(slot, code));
  }

  #received(slot: Slot, message: FromWorker, failed: ((error: Error) => void) | null): void {
    switch (message.type) {
      case 'listening':
        this.#port = message.port;
        slot.state = transition(slot.state, State.running);
        slot.onListening?.();
        slot.onListening = null;
        return;
      case 'listenFailed':
        this.#options.logger.error('cannot listen', { worker: slot.index, reason: message.message });
        failed?.(new Error(`cannot listen: ${message.message}`));
        return;
      case 'log':
        this.#options.logger[message.level](message.message, { worker: slot.index, ...message.fields });
        return;
      case 'serverFailure':
        this.#options.serverFailed(message.address, message.reason);
        return;
      case 'viewsChanged':
        this.#options.viewsChanged();
        return;
      case 'applied':
        slot.appliedVersion = message.version;
        return;
      case 'kill':
        this.#passOnKill(message);
        return;
      case 'explained':
        this.#explains.get(message.requestId)?.(message.steps);
        this.#explains.delete(message.requestId);
        return;
      case 'killAnswer':
        this.#collectKill(message.fromWorker, message.requestId, message.outcome);
        return;
      case 'drained':
        void slot.worker?.terminate();
    }
  }

  #exited(slot: Slot, code: number): void {
    slot.worker = null;
    this.#giveBack(slot.index);
    if (slot.state === State.stopping || slot.state === State.stopped) {
      slot.state = State.stopped;
      slot.onStopped?.();
      return;
    }
    slot.state = transition(slot.state, State.waiting);
    const stable = performance.now() - slot.startedAt > STABLE_MS;
    slot.restarts++;
    const delayMs = stable
      ? FIRST_RESTART_MS
      : Math.min(FIRST_RESTART_MS * 2 ** Math.min(slot.restarts, 10), LONGEST_RESTART_MS);
    this.#options.logger.error('worker ended and is started again', { worker: slot.index, code, delayMs });
    setTimeout(() => {
      if (slot.state === State.waiting) this.#launch(slot, null);
    }, delayMs);
  }

  /** What a crashed worker had counted as its own is given back; its sockets the system has closed. */
  #giveBack(index: number): void {
    const { counters } = this.#options;
    const worker = counters.worker(index);
    counters.addGauge(Gauge.frontendConnections, -worker.get(WorkerCounter.sessions));
    worker.clear(WorkerCounter.sessions);
    for (const { slot } of this.#options.snapshot().servers) {
      const connections = worker.getServer(slot, ServerCounter.heldConnections);
      const inUse = worker.getServer(slot, ServerCounter.heldInUse);
      const starving = worker.getServer(slot, ServerCounter.heldStarving);
      counters.addGauge(serverGauge(slot, ServerGauge.connections), -connections);
      counters.addGauge(serverGauge(slot, ServerGauge.inUse), -inUse);
      worker.clearServer(slot, ServerCounter.heldConnections);
      counters.addGauge(serverGauge(slot, ServerGauge.starving), -starving);
      worker.clearServer(slot, ServerCounter.heldInUse);
      worker.clearServer(slot, ServerCounter.heldStarving);
    }
    for (const { slot } of this.#options.snapshot().users) counters.giveBackUser(index, slot);
  }

  #stopSlot(slot: Slot, mode: StopMode, limitMs: number): Promise<void> {
    if (slot.worker === null) {
      if (slot.state !== State.stopped) slot.state = transition(slot.state, State.stopped);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      slot.onStopped = resolve;
      slot.state = transition(slot.state, State.stopping);
      this.#send(slot, { type: 'stop', mode });
      setTimeout(() => void slot.worker?.terminate(), limitMs).unref();
    });
  }

  #send(slot: Slot, message: ToWorker): void {
    slot.worker?.postMessage(message);
  }

  // ---- KILL of another worker's client

  #passOnKill(request: KillRequest): void {
    const others = this.#slots.filter((slot) => slot.index !== request.fromWorker && slot.worker !== null);
    if (others.length === 0) {
      this.#answerKill(request, KillOutcome.unknown);
      return;
    }
    this.#kills.set(`${request.fromWorker} ${request.requestId}`, { request, answersDue: others.length });
    for (const slot of others) this.#send(slot, request);
  }

  #collectKill(fromWorker: number, requestId: number, outcome: KillOutcome): void {
    const key = `${fromWorker} ${requestId}`;
    const pending = this.#kills.get(key);
    if (pending === undefined) return;
    pending.answersDue--;
    if (outcome === KillOutcome.unknown && pending.answersDue > 0) return;
    this.#kills.delete(key);
    this.#answerKill(pending.request, outcome);
  }

  #answerKill({ fromWorker, requestId }: KillRequest, outcome: KillOutcome): void {
    const slot = this.#slots[fromWorker];
    if (slot !== undefined) this.#send(slot, { type: 'killAnswer', fromWorker, requestId, outcome });
  }
}
