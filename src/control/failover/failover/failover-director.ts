/**
 * Failovers, by order and by itself: watches the primary (detection/), and puts an heir in its place when it is dead.
 *
 * Period: none of its own: the monitor's events wake the watch, which calls `dead` after each round while the primary is
 *         dead. After a refusal or a failure nothing is tried again for RETRY_MS.
 * Stop:   `stop()`.
 */

import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../common/clock.ts';
import { type DeathDecision, DeathVerdict } from '../../../topology/primary-death.ts';
import type { ServerAddress } from '../../../topology/server-description.ts';
import { type WatchedPrimary, watchedPrimary } from '../../../topology/watched-primary.ts';
import { describeError } from '../../monitor/server-error.ts';
import { CheckList } from '../check-verdict.ts';
import { Inquest, type InquestOptions } from '../detection/inquest.ts';
import { type Death, PrimaryWatch } from '../detection/primary-watch.ts';
import { type FailoverControl, OperationRunningError } from '../failover-control.ts';
import { OpenServers } from '../open-servers.ts';
import { checkRows, type OperationAnswer, planRows, stepRows } from '../operation-answer.ts';
import type { OperationContext } from '../operation-context.ts';
import { OperationKind, OperationOutcome } from '../operation-event.ts';
import { AutoRejoin } from '../rejoin/auto-rejoin.ts';
import type { RunReport } from '../step-run.ts';
import { assessFailover, type FailoverAssessment } from './assess-failover.ts';
import { Failover } from './failover.ts';
import type { FailoverPlan } from './failover-plan.ts';
import { PrimaryMemory } from './primary-memory.ts';
import { RestartedPrimary } from './restarted-primary.ts';

export interface FailoverDirectorOptions {
  readonly context: OperationContext;
  readonly control: FailoverControl;
  /** Of one look at a server. */
  readonly lookTimeoutMs: () => number;
  readonly clock: Clock;
}

const RETRY_MS = 2000;
/** Of an order: the first may come before replicas have noticed, the second asks them. */
const ROUNDS_OF_AN_ORDER = 2;

export class FailoverDirector {
  readonly #options: FailoverDirectorOptions;
  readonly #context: OperationContext;
  readonly #watch: PrimaryWatch;
  readonly #memory: PrimaryMemory;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  /** Said last, so that it is not said again and again. */
  #refusal = '';

  readonly #rejoin: AutoRejoin;
  readonly #restarted: RestartedPrimary;

  constructor(options: FailoverDirectorOptions) {
    this.#options = options;
    this.#context = options.context;
    const { context, control, clock } = options;
    this.#memory = new PrimaryMemory(context, clock);
    this.#rejoin = new AutoRejoin({ context, control, memory: this.#memory, clock });
    this.#restarted = new RestartedPrimary({ context, control, clock });
    const inquestOptions = this.#inquestOptions(() => this.#context.settings().automatic);
    this.#watch = new PrimaryWatch({
      ...inquestOptions,
      inquest: () => new Inquest(inquestOptions),
      confirmMs: () => this.#context.settings().confirmMs,
      note: (event) => this.#context.monitor.note(event),
      dead: (death) => this.#dead(death),
    });
  }

  /** The monitor has seen something. */
  look(): void {
    this.#memory.look();
    this.#watch.look();
    this.#rejoin.look();
    this.#restarted.look();
  }

  async stop(): Promise<void> {
    this.#memory.stop();
    await Promise.all([this.#watch.stop(), this.#rejoin.stop(), this.#restarted.stop()]);
  }

  /** FAILOVER. */
  async order(dryRun: boolean): Promise<OperationAnswer> {
    const servers = new OpenServers(this.#context);
    try {
      return await this.#options.control.exclusive(OperationKind.failover, () =>
        this.#order(servers, dryRun),
      );
    } catch (error) {
      if (!(error instanceof OperationRunningError)) throw error;
      return { outcome: 'refused', reason: error.message, rows: [] };
    } finally {
      servers.close();
    }
  }

  #inquestOptions(mayAsk: () => boolean): InquestOptions {
    const { context, clock, lookTimeoutMs } = this.#options;
    return {
      topology: () => context.monitor.topology,
      credentials: () => context.credentials(),
      agreement: context.agreement,
      settings: () => ({
        mayAsk: mayAsk(),
        quorum: context.settings().quorum,
        timeoutMs: lookTimeoutMs(),
      }),
      clock,
    };
  }

  async #order(servers: OpenServers, dryRun: boolean): Promise<OperationAnswer> {
    const checks = new CheckList();
    const primary = watchedPrimary(this.#context.monitor.topology);
    if (primary === null) {
      checks.refuse('primary', 'no server is known that is, or was, the primary of the others');
      return { outcome: 'refused', reason: checks.reason, rows: checkRows(checks.verdicts) };
    }
    this.#judge(checks, primary, await this.#inquire(primary));
    // An operator may want back what failed a short while ago.
    const assessment = await this.#assess(servers, primary, () => null);
    const rows = [...checkRows(checks.verdicts), ...checkRows(assessment.checks)];
    const { plan } = assessment;
    if (checks.isRefused || plan === null) {
      const reason = [checks.reason, assessment.reason].filter((text) => text !== '').join('; ');
      return { outcome: 'refused', reason, rows };
    }
    const failover = new Failover(this.#context, plan, randomUUID());
    if (dryRun) return { outcome: 'planned', reason: '', rows: [...rows, ...planRows(failover.steps())] };
    const report = await this.#run(failover, plan);
    return { outcome: report.outcome, reason: report.reason, rows: stepRows(report.steps) };
  }

  async #inquire(primary: WatchedPrimary): Promise<DeathDecision> {
    const inquest = new Inquest(this.#inquestOptions(() => true));
    try {
      let decision = await inquest.round(primary);
      for (let round = 1; round < ROUNDS_OF_AN_ORDER && decision.verdict !== DeathVerdict.alive; round++)
        decision = await inquest.round(primary);
      return decision;
    } catch (error) {
      return { verdict: DeathVerdict.unknown, reason: describeError(error) };
    } finally {
      await inquest.close();
    }
  }

  /** What is only not proven an operator may know better; what is proven to live stays. */
  #judge(checks: CheckList, { address }: WatchedPrimary, { verdict, reason }: DeathDecision): void {
    const text = `${address}: ${reason}`;
    if (verdict === DeathVerdict.dead) checks.require('dead', true, text, '');
    else if (verdict === DeathVerdict.alive) checks.refuse('dead', `the primary ${text}: see SWITCHOVER`);
    else if (verdict === DeathVerdict.noQuorum || verdict === DeathVerdict.noWitness)
      checks.note('dead', `${text} (by itself Sluice would not fail over)`);
    else checks.refuse('dead', `the primary ${text}`);
  }

  /** Never rejects. */
  async #dead({ primary }: Death): Promise<void> {
    const { clock, control } = this.#options;
    if (clock.monotonicMs() < this.#retryAtMs || control.running !== null) return;
    const servers = new OpenServers(this.#context);
    try {
      const isBegun = await control.exclusive(OperationKind.failover, () => this.#failOver(servers, primary));
      if (!isBegun) this.#retryAtMs = clock.monotonicMs() + RETRY_MS;
    } catch (error) {
      this.#retryAtMs = clock.monotonicMs() + RETRY_MS;
      this.#refuse(primary.address, describeError(error));
    } finally {
      servers.close();
    }
  }

  /** @returns whether it has succeeded */
  async #failOver(servers: OpenServers, primary: WatchedPrimary): Promise<boolean> {
    if (!this.#context.settings().automatic) {
      this.#refuse(primary.address, 'failover.automatic is off: FAILOVER promotes a replica');
      return false;
    }
    const exclusion = (address: ServerAddress) => this.#memory.exclusion(address);
    const { plan, reason } = await this.#assess(servers, primary, exclusion);
    if (plan === null) {
      this.#refuse(primary.address, reason);
      return false;
    }
    this.#refusal = '';
    const { outcome } = await this.#run(new Failover(this.#context, plan, randomUUID()), plan);
    return outcome === OperationOutcome.done;
  }

  #assess(
    servers: OpenServers,
    primary: WatchedPrimary,
    exclusion: (address: ServerAddress) => string | null,
  ): Promise<FailoverAssessment> {
    const semiSync = this.#memory.semiSyncOf(primary.address);
    return assessFailover(this.#context, servers, { primary, exclusion, semiSync });
  }

  #run(failover: Failover, plan: FailoverPlan): Promise<RunReport> {
    const { id } = failover;
    const { from } = plan;
    const to = plan.heir.operator.address;
    return this.#options.control.announced({ operation: OperationKind.failover, id, from, to }, async () => {
      const report = await failover.run();
      if (report.outcome === OperationOutcome.done) {
        this.#memory.failed(from);
        this.#memory.wish(to, plan.semiSync);
      }
      return report;
    });
  }

  #refuse(address: ServerAddress, reason: string): void {
    if (reason === this.#refusal) return;
    this.#refusal = reason;
    this.#context.monitor.note({ kind: 'failover-refused', address, reason });
  }
}
