/**
 * The worker threads: started, fed with snapshots, restarted when one crashes, stopped together.
 */

import { generateKeyPairSync } from 'node:crypto';
import { type ResourceLimits, Worker } from 'node:worker_threads';
import type { ListeningSocket } from '../common/listening-socket.ts';
import type { Logger } from '../common/logger.ts';
import type { SharedCounters } from '../common/shared-counters.ts';
import type { SharedGtids } from '../common/shared-gtids.ts';
import type { SharedMeasurements } from '../common/shared-measurements.ts';
import type { SharedStatistics } from '../common/shared-statistics.ts';
import type { Snapshot } from '../common/snapshot.ts';
import type { TableEpochs } from '../common/table-epochs.ts';
import type {
  CommitInDoubt,
  DrainReport,
  FromWorker,
  HandOverOrder,
  StopMode,
  ToWorker,
  WorkerStart,
  WriteInDoubt,
} from '../common/thread-messages.ts';
import { type OperatorReport, ReportStream, type WorkerReport } from '../common/worker-report.ts';
import { AppliedWaits } from './applied-waits.ts';
import { giveBack } from './give-back.ts';
import { WorkerQuestions } from './worker-questions.ts';
import { moveSlot, SlotState, WorkerSlot } from './worker-slot.ts';
import { WorkerSockets } from './worker-sockets.ts';

/** A worker that crashes at once must not take the machine with it. */
const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 10_000;
/** A worker that has run this long starts again without delay. */
const STABLE_MS = 30_000;
/**
 * A worker makes next to no garbage, but V8 lets its young generation grow all the same: this keeps 5,000 idle clients
 * at 6 kB of resident memory each instead of 17, at no measurable cost.
 */
const RESOURCE_LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: 12 };

export interface WorkerSetOptions {
  readonly count: number;
  readonly listen: WorkerStart['listen'];
  readonly counters: SharedCounters;
  readonly statistics: SharedStatistics;
  readonly measurements: SharedMeasurements;
  readonly gtids: SharedGtids;
  readonly epochs: TableEpochs;
  readonly logger: Logger;
  readonly snapshot: () => Snapshot;
  readonly serverFailed: (address: string, reason: string) => void;
  readonly primaryRefuses: (address: string) => void;
  readonly viewsChanged: () => void;
  readonly accountsWanted: () => void;
  readonly gtidsWanted: () => void;
  readonly strongWanted: () => void;
  readonly commitInDoubt?: (worker: number, message: CommitInDoubt) => void;
  readonly schemaInFlux?: (worker: number) => void;
  readonly writeInDoubt?: (worker: number, message: WriteInDoubt) => void;
  /** Whether it has crashed or was stopped; before it is started again. */
  readonly workerEnded?: (worker: number) => void;
  readonly draining?: (worker: number, report: DrainReport) => void;
  /** Lines of the log are for `logger`. */
  readonly reported: (worker: number, report: OperatorReport) => void;
  /** What the heap of each may take. */
  readonly heap?: ResourceLimits;
  /** What the threads run; the data plane's worker unless told. */
  readonly script?: URL;
  /** Sockets for clients of the process before this one. */
  readonly inherited?: readonly ListeningSocket[];
}

export interface WorkerStatus {
  readonly index: number;
  readonly running: boolean;
  readonly restarts: number;
  readonly appliedVersion: number;
}

export class WorkerSet {
  readonly #options: WorkerSetOptions;
  readonly #slots: WorkerSlot[];
  /** One for all threads that let clients in. */
  readonly rsaKey: WorkerStart['rsaKey'];
  readonly questions = new WorkerQuestions({
    tell: (worker, message) => this.tell(worker, message),
    running: () => this.#running(),
    alive: () => this.#slots.flatMap(({ index, worker }) => (worker === null ? [] : index)),
  });
  readonly #applied = new AppliedWaits();
  readonly #script: URL;
  readonly #sockets: WorkerSockets;
  #port: number;

  constructor(options: WorkerSetOptions) {
    this.#options = options;
    this.#port = options.listen.port;
    // In a checkout Node runs the sources; the published package holds what was compiled from them.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#script = options.script ?? new URL(`../data/worker.${extension}`, import.meta.url);
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    this.rsaKey = { privateKey, publicKey };
    this.#slots = Array.from({ length: options.count }, (_, index) => new WorkerSlot(index));
    this.#sockets = new WorkerSockets(options.count, options.inherited ?? [], options.listen.sockets);
  }

  /** The port that clients connect to. */
  get port(): number {
    return this.#port;
  }

  status(): WorkerStatus[] {
    return this.#slots.map(({ index, state, restarts, appliedVersion }) => ({
      index,
      running: state === SlotState.running,
      restarts,
      appliedVersion,
    }));
  }

  /** None is starting, or between two lives. */
  allGoBy(version: number): boolean {
    return this.status().every(({ running, appliedVersion }) => running && appliedVersion >= version);
  }

  /**
   * Starts all; the first one chooses the port where the configuration says 0.
   * @throws if one cannot listen, or ends before it does.
   */
  async start(): Promise<void> {
    for (const slot of this.#slots) await this.#startFirst(slot);
  }

  /** Of those that run, who does not work with this snapshot, or a later one, when the time is over. */
  lateFor(version: number, timeoutMs: number): Promise<readonly number[]> {
    const late = () =>
      this.status().flatMap(({ index, running, appliedVersion }) =>
        running && appliedVersion < version ? index : [],
      );
    return this.#applied.until(late, timeoutMs);
  }

  publish(snapshot: Snapshot): void {
    this.tellAll({ type: 'snapshot', snapshot });
  }

  tell(worker: number, message: ToWorker): void {
    const slot = this.#slots[worker];
    if (slot !== undefined) this.#send(slot, message);
  }

  tellAll(message: ToWorker): void {
    for (const slot of this.#slots) this.#send(slot, message);
  }

  async stop(mode: StopMode, limitMs: number): Promise<void> {
    await Promise.all(this.#slots.map((slot) => this.#stopSlot(slot, mode, limitMs)));
  }

  /** Where they listen. @throws Error if one of them does not say */
  sockets(): Promise<readonly ListeningSocket[]> {
    return this.#sockets.ask(this.#running(), (worker) => this.tell(worker, { type: 'whichSockets' }));
  }

  /** Resolves when all of them let clients in. @throws Error if one cannot */
  untilAccepting(timeoutMs: number): Promise<void> {
    return this.#sockets.untilAccepting(
      this.#slots.map(({ index }) => index),
      timeoutMs,
    );
  }

  /** Another process has their sockets; resolves when the last client has gone. */
  async handOver(order: HandOverOrder): Promise<void> {
    await Promise.all(this.#slots.map((slot) => this.#endSlot(slot, order)));
  }

  #startFirst(slot: WorkerSlot): Promise<void> {
    return new Promise((resolve, reject) => {
      slot.onListening = resolve;
      this.#launch(slot, reject);
    });
  }

  #launch(slot: WorkerSlot, failed: ((error: Error) => void) | null): void {
    slot.state = moveSlot(slot.state, SlotState.starting);
    slot.startedAt = performance.now();
    const { counters, statistics, measurements, gtids, epochs, listen, snapshot } = this.#options;
    const workerData: WorkerStart = {
      workerIndex: slot.index,
      workers: this.#slots.length,
      counters: counters.buffers,
      statistics: statistics.buffers,
      measurements: measurements.buffers,
      gtids: gtids.buffers,
      epochs: epochs.buffers,
      snapshot: snapshot(),
      listen: { ...listen, port: this.#port },
      inherited: this.#sockets.toOpen(slot.index),
      rsaKey: this.rsaKey,
    };
    const worker = new Worker(this.#script, {
      workerData,
      resourceLimits: this.#options.heap ?? RESOURCE_LIMITS,
    });
    slot.worker = worker;
    worker.on('message', (message: FromWorker) => this.#received(slot, message, failed));
    worker.on('error', (error) =>
      this.#options.logger.error('worker crashed', { worker: slot.index, err: error }),
    );
    worker.on('exit', (code) => {
      failed?.(new Error(`worker ${slot.index} ended with code ${code} before it listened`));
      this.#exited(slot, code);
    });
  }

  #received(slot: WorkerSlot, message: FromWorker, failed: ((error: Error) => void) | null): void {
    switch (message.type) {
      case 'listening':
        // A stop may have come while it was starting.
        if (slot.state !== SlotState.starting) return;
        this.#port = message.port;
        slot.state = moveSlot(slot.state, SlotState.running);
        if (this.#options.snapshot().accepting) this.#sockets.accepting(slot.index, []);
        slot.onListening?.();
        slot.onListening = null;
        return;
      case 'listenFailed':
        if (failed !== null) failed(new Error(`cannot listen: ${message.message}`));
        else this.#options.logger.error('cannot listen', { worker: slot.index, reason: message.message });
        return;
      case 'accepting':
        this.#sockets.accepting(slot.index, message.failures);
        return;
      case 'sockets':
        this.#sockets.told(slot.index, message.sockets);
        return;
      case 'serverFailure':
        this.#options.serverFailed(message.address, message.reason);
        return;
      case 'primaryRefuses':
        this.#options.primaryRefuses(message.address);
        return;
      case 'viewsChanged':
        this.#options.viewsChanged();
        return;
      case 'accountsWanted':
        this.#options.accountsWanted();
        return;
      case 'gtidsWanted':
        this.#options.gtidsWanted();
        return;
      case 'strongWanted':
        this.#options.strongWanted();
        return;
      case 'report':
        this.#reported(slot.index, message);
        this.#send(slot, { type: 'reportTaken', stream: message.stream, count: message.records.length });
        return;
      case 'applied':
        slot.appliedVersion = message.version;
        this.#applied.noted();
        return;
      case 'commitInDoubt':
        this.#options.commitInDoubt?.(slot.index, message);
        return;
      case 'schemaInFlux':
        this.#options.schemaInFlux?.(slot.index);
        return;
      case 'writeInDoubt':
        this.#options.writeInDoubt?.(slot.index, message);
        return;
      case 'draining':
        this.#options.draining?.(slot.index, message);
        return;
      case 'drained':
        void slot.worker?.terminate();
        return;
      default:
        this.questions.received(slot.index, message);
    }
  }

  #reported(worker: number, report: WorkerReport): void {
    const { logger, reported } = this.#options;
    if (report.stream !== ReportStream.logLines) {
      reported(worker, report);
      return;
    }
    for (const { level, message, fields } of report.records) logger[level](message, { worker, ...fields });
    const { dropped } = report;
    if (dropped > 0) logger.warn('lines of the log were dropped: too many at once', { worker, dropped });
  }

  #exited(slot: WorkerSlot, code: number): void {
    slot.worker = null;
    slot.appliedVersion = 0;
    giveBack(this.#options.counters, this.#options.statistics, slot.index);
    this.#options.workerEnded?.(slot.index);
    this.questions.workerEnded(slot.index);
    this.#sockets.ended(slot.index);
    if (slot.state === SlotState.stopping || slot.state === SlotState.stopped) {
      slot.end();
      return;
    }
    slot.state = moveSlot(slot.state, SlotState.waiting);
    const stable = performance.now() - slot.startedAt > STABLE_MS;
    slot.restarts++;
    slot.crashesInARow = stable ? 0 : slot.crashesInARow + 1;
    const delayMs = Math.min(FIRST_RESTART_MS * 2 ** Math.min(slot.crashesInARow, 10), LONGEST_RESTART_MS);
    this.#options.logger.error('worker ended and is started again', { worker: slot.index, code, delayMs });
    setTimeout(() => {
      if (slot.state === SlotState.waiting) this.#launch(slot, null);
    }, delayMs).unref();
  }

  #stopSlot(slot: WorkerSlot, mode: StopMode, limitMs: number): Promise<void> {
    setTimeout(() => void slot.worker?.terminate(), limitMs).unref();
    return this.#endSlot(slot, { type: 'stop', mode });
  }

  /** It is not started again. */
  #endSlot(slot: WorkerSlot, order: ToWorker): Promise<void> {
    if (slot.worker === null) {
      if (slot.state !== SlotState.stopped) slot.state = moveSlot(slot.state, SlotState.stopped);
      return Promise.resolve();
    }
    if (slot.state !== SlotState.stopping) slot.state = moveSlot(slot.state, SlotState.stopping);
    const stopped = slot.stopped();
    this.#send(slot, order);
    return stopped;
  }

  #send(slot: WorkerSlot, message: ToWorker): void {
    slot.worker?.postMessage(message);
  }

  #running(): number[] {
    return this.#slots.flatMap(({ index, state }) => (state === SlotState.running ? index : []));
  }
}
