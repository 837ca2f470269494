/**
 * Changes of the primary, one at a time, for operators and for what watches the primary. Composition root of this folder.
 *
 * Period: while an operation that another process has left is open, and while there is no primary, every second.
 * Effect: the operation is ended (operation-recovery.ts).
 * Stop: `stop()`, which waits for what runs: half an operation is worse than a late end.
 */

import { randomUUID } from 'node:crypto';
import { splitServerAddress } from '../../topology/server-address.ts';
import { type ServerAddress, tlsForDiscovered } from '../../topology/server-description.ts';
import { describeError } from '../monitor/server-error.ts';
import { HookPhase, runHook } from './hooks/run-hook.ts';
import type { LeftoverWatch } from './leftovers/leftover-watch.ts';
import { OpenServers, type ServerPlace } from './open-servers.ts';
import { checkRows, type OperationAnswer, planRows, stepRows } from './operation-answer.ts';
import type { OperationContext } from './operation-context.ts';
import { OperationKind, OperationOutcome } from './operation-event.ts';
import { RecoveryResult, recoverOperation } from './operation-recovery.ts';
import { OperationTally } from './operation-tally.ts';
import { assessRejoin, rejoinSteps } from './rejoin/rejoin.ts';
import { type RunReport, runSteps } from './step-run.ts';
import { assessSwitchover } from './switchover/assess-switchover.ts';
import { Switchover } from './switchover/switchover.ts';

const RECOVERY_PERIOD_MS = 1000;

export interface SwitchoverOrder {
  readonly to: ServerAddress;
  /** null: as configured. */
  readonly timeoutMs: number | null;
  readonly dryRun: boolean;
}

export interface RejoinOrder {
  readonly address: ServerAddress;
  readonly dryRun: boolean;
}

/** Who wants to begin an operation while another one runs is refused at once. */
export class OperationRunningError extends Error {
  constructor(running: OperationKind) {
    super(`a ${running} is running`);
    this.name = 'OperationRunningError';
  }
}

interface Announced {
  readonly operation: OperationKind;
  readonly id: string;
  readonly from: ServerAddress | null;
  readonly to: ServerAddress;
}

export class FailoverControl {
  readonly tally = new OperationTally();
  readonly #context: OperationContext;
  readonly #leftovers: Pick<LeftoverWatch, 'replaced' | 'rejoined'> | null;
  #running: { readonly kind: OperationKind; readonly ended: Promise<unknown> } | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;
  /** Another process is about to do this. */
  #isPaused = false;
  /** Of an operation that waits to be ended; told once. */
  #waitingFor = '';
  /** Whether servers may hold an operation that has not ended. */
  #isRecoveryDue = true;

  /** @param leftovers is told which servers are the primary no more. */
  constructor(
    context: OperationContext,
    leftovers: Pick<LeftoverWatch, 'replaced' | 'rejoined'> | null = null,
  ) {
    this.#context = context;
    this.#leftovers = leftovers;
  }

  get running(): OperationKind | null {
    return this.#running?.kind ?? null;
  }

  /** Resolves when what another process has left was looked for. */
  async start(): Promise<void> {
    await this.#recover();
    this.#schedule();
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running?.ended.catch(() => undefined);
  }

  /** Nothing is begun until `resume`; resolves when nothing runs any more. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#running?.ended.catch(() => undefined);
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** @throws OperationRunningError; else as `work` */
  async exclusive<T>(kind: OperationKind, work: () => Promise<T>): Promise<T> {
    if (this.#running !== null) throw new OperationRunningError(this.#running.kind);
    if (this.#isStopped) throw new Error('Sluice is stopping');
    if (this.#isPaused) throw new Error('another process takes over from this one');
    const ended = work();
    this.#running = { kind, ended };
    try {
      return await ended;
    } finally {
      this.#running = null;
    }
  }

  switchover(order: SwitchoverOrder): Promise<OperationAnswer> {
    return this.#refusing(OperationKind.switchover, (servers) => this.#switchover(order, servers));
  }

  rejoin(order: RejoinOrder): Promise<OperationAnswer> {
    return this.#refusing(OperationKind.rejoin, (servers) => this.#rejoin(order, servers));
  }

  /** Events, numbers and the operator's program around what an operation does. */
  async announced(
    announced: Announced,
    run: () => Promise<RunReport & { readonly pauseMs?: number | null }>,
  ): Promise<RunReport> {
    const { monitor } = this.#context;
    const { operation, id } = announced;
    monitor.note({ kind: 'operation-started', ...announced });
    const isRejoin = operation === OperationKind.rejoin;
    if (!isRejoin && announced.from !== null && announced.from !== announced.to)
      this.#leftovers?.replaced(announced.from);
    const began = performance.now();
    const report = await run();
    const durationMs = Math.round(performance.now() - began);
    const { outcome, reason, pauseMs = null } = report;
    monitor.note({ kind: 'operation-ended', operation, id, outcome, durationMs, pauseMs, reason });
    this.tally.count(operation, outcome, pauseMs);
    if (isRejoin && outcome === OperationOutcome.done) this.#leftovers?.rejoined(announced.to);
    if (outcome === OperationOutcome.failed) this.#isRecoveryDue = true;
    await this.#runHookAfter(announced, report);
    return report;
  }

  async #switchover(order: SwitchoverOrder, servers: OpenServers): Promise<OperationAnswer> {
    const context = this.#context;
    const { checks, reason, plan } = await assessSwitchover(context, servers, order.to);
    if (plan === null) return { outcome: 'refused', reason, rows: checkRows(checks) };
    const id = randomUUID();
    const timeoutMs = order.timeoutMs ?? context.settings().switchoverTimeoutMs;
    const switchover = new Switchover(context, plan, id, timeoutMs);
    if (order.dryRun) {
      const rows = [...checkRows(checks), ...planRows(switchover.steps())];
      return { outcome: 'planned', reason: '', rows };
    }
    const from = plan.from.operator.address;
    const to = plan.to.operator.address;
    const report = await this.announced({ operation: OperationKind.switchover, id, from, to }, () =>
      switchover.run(),
    );
    return answerOf(report);
  }

  async #rejoin(order: RejoinOrder, servers: OpenServers): Promise<OperationAnswer> {
    const context = this.#context;
    const place = this.#placeOf(order.address);
    if (place === null) return { outcome: 'refused', reason: `${order.address} is no host:port`, rows: [] };
    const { checks, reason, plan } = await assessRejoin(context, servers, place);
    if (plan === null) return { outcome: 'refused', reason, rows: checkRows(checks) };
    const steps = rejoinSteps(context, plan);
    if (order.dryRun)
      return { outcome: 'planned', reason: '', rows: [...checkRows(checks), ...planRows(steps)] };
    const id = randomUUID();
    const from = plan.primary.operator.address;
    const announced = { operation: OperationKind.rejoin, id, from, to: place.address };
    const note = context.monitor.note.bind(context.monitor);
    const report = await this.announced(announced, () =>
      runSteps(steps, { operation: OperationKind.rejoin, id, note }),
    );
    return answerOf(report);
  }

  /** Also of a server that the monitor has forgotten. */
  #placeOf(address: ServerAddress): ServerPlace | null {
    const { topology } = this.#context.monitor;
    const known = topology.find(address);
    if (known !== null) return known;
    const parts = splitServerAddress(address);
    if (parts === null) return null;
    return { address, ...parts, tls: tlsForDiscovered(topology.servers.map(({ tls }) => tls)) };
  }

  async #refusing(
    kind: OperationKind,
    work: (servers: OpenServers) => Promise<OperationAnswer>,
  ): Promise<OperationAnswer> {
    const servers = new OpenServers(this.#context);
    try {
      return await this.exclusive(kind, () => work(servers));
    } catch (error) {
      if (!(error instanceof OperationRunningError)) throw error;
      return { outcome: 'refused', reason: error.message, rows: [] };
    } finally {
      servers.close();
    }
  }

  async #runHookAfter(announced: Announced, { outcome, reason }: RunReport): Promise<void> {
    const { after, timeoutMs } = this.#context.settings().hooks;
    if (after === null) return;
    const { operation, id, from, to } = announced;
    const facts = { phase: HookPhase.after, operation, id, from: from ?? '', to, outcome, reason };
    const began = performance.now();
    const told = await runHook(after, facts, timeoutMs).then(
      (text) => ({ ok: true, text }),
      (error: unknown) => ({ ok: false, text: describeError(error) }),
    );
    const durationMs = Math.round(performance.now() - began);
    const step = { step: 'hook-after', direction: 'do', durationMs, ...told } as const;
    this.#context.monitor.note({ kind: 'operation-step', operation, id, ...step });
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      const isNeeded = this.#isRecoveryDue || this.#context.monitor.topology.primary === null;
      const work = isNeeded ? this.#recover() : Promise.resolve();
      void work.finally(() => this.#schedule());
    }, RECOVERY_PERIOD_MS);
  }

  async #recover(): Promise<void> {
    if (this.#running !== null || this.#isStopped || this.#isPaused) return;
    const { result, reason, report } = await recoverOperation(this.#context, (work) =>
      this.exclusive(OperationKind.recovery, work),
    );
    if (report !== null) this.tally.count(OperationKind.recovery, report.outcome, null);
    this.#isRecoveryDue = result === RecoveryResult.later;
    this.#tellWaiting(this.#isRecoveryDue ? reason : '');
  }

  /** Not every second. */
  #tellWaiting(reason: string): void {
    if (reason === this.#waitingFor) return;
    this.#waitingFor = reason;
    if (reason === '') return;
    this.#context.monitor.note({ kind: 'operation-waits', operation: OperationKind.recovery, reason });
  }
}

function answerOf(report: RunReport): OperationAnswer {
  const { outcome, reason, steps } = report;
  return { outcome, reason, rows: stepRows(steps) };
}
