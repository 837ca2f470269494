/**
 * What is known of the statement that a session runs, for those who ask why it went where it went: told step by step
 * by its run, and put into the worker's ring at its end. One for each session, used again for each statement.
 */

import { performance } from 'node:perf_hooks';
import { Command } from '../../../protocol/index.ts';
import type { WorkerCounters } from '../../common/shared-counters.ts';
import { NO_HOSTGROUP, StatementCounter } from '../../common/shared-statistics.ts';
import { RouteTarget } from '../../sql/route-reason.ts';
import type { Plan } from '../router/plan.ts';
import type { Route } from '../router/route.ts';
import { emptyEntry, RingFlag, type RouteRing } from '../router/route-ring.ts';
import type { StatementContext } from '../statistics/statement-context.ts';
import type { StatementStatistics } from '../statistics/statement-statistics.ts';
import type { ReadStatement, StatementReporting, WorkerContext } from '../worker-context.ts';

import type { CommandRouting } from './command-routing.ts';
import type { SessionState } from './session-state.ts';

/** The session, as far as it stands in the ring. */
export interface TracedClient {
  readonly connectionId: number;
  readonly username: string;
  readonly clientAddress: string;
  readonly state: SessionState;
  readonly routing: Pick<CommandRouting, 'verdict'>;
}

export interface TracedConnection {
  readonly server: { readonly address: string };
  readonly threadId: number;
}

export interface TracedAnswer {
  readonly errno: number;
  /** Below 0 without a result set. */
  readonly lastResultRows: number;
  readonly affectedRows: number;
}

/** Where statements are told to. */
type TraceTargets = Pick<WorkerContext, 'routes' | 'counters' | 'statistics' | 'reports'>;

/** Filled and copied at once: one for all sessions of the thread. */
const entry = emptyEntry();

export class StatementTrace {
  readonly #client: TracedClient;
  readonly #ring: RouteRing;
  readonly #counters: WorkerCounters;
  readonly #statistics: StatementStatistics;
  #context: StatementContext | null = null;
  readonly #reports: StatementReporting;
  readonly connectedAtMs = performance.now();
  /** Statements up to now. */
  statements = 0;
  /** Of the monotonic clock, as all times here. */
  beganAtMs = 0;
  endedAtMs = 0;
  /** Since when a transaction is open; 0 outside of one. */
  transactionSinceMs = 0;
  /** Of the statement that runs, or ran last. */
  route: Route | null = null;
  plan: Plan | null = null;
  /** That it was served in; below 0 where no server was used. */
  hostgroup = NO_HOSTGROUP;
  #isActive = false;
  #isPaused = false;
  /** From the cache. */
  #isServed = false;
  #command = 0;
  #schema: string | null = null;
  #pinsBefore = 0;
  #server: string | null = null;
  #serverThreadId = 0;
  #flags = 0;
  #waitsSinceMs = 0;
  #waitMs = 0;
  #answeredAtMs = 0;
  #rows = 0;
  /** Where the statement counts: of the server that it went to. */
  #errorMessage = '';
  #read: ReadStatement | null = null;

  constructor(client: TracedClient, { routes, counters, statistics, reports }: TraceTargets) {
    this.#client = client;
    this.#ring = routes;
    this.#counters = counters;
    this.#statistics = statistics;
    this.#reports = reports;
  }

  /** @param command the byte of the command. @param plan null for a command that is no statement. */
  begins(command: number, route: Route, plan: Plan | null): void {
    this.#beginsAt(performance.now(), command, route, plan);
  }

  #beginsAt(beganAtMs: number, command: number, route: Route, plan: Plan | null): void {
    const { state } = this.#client;
    this.#isActive = true;
    this.statements++;
    this.beganAtMs = beganAtMs;
    this.route = route;
    this.plan = plan;
    this.#command = command;
    this.#schema = state.schema;
    this.#pinsBefore = state.pinBits;
    this.#server = null;
    this.hostgroup = NO_HOSTGROUP;
    this.#serverThreadId = 0;
    this.#flags = 0;
    this.#waitsSinceMs = 0;
    this.#waitMs = 0;
    this.#answeredAtMs = 0;
    this.#rows = 0;
    this.#errorMessage = '';
    this.#read = null;
  }

  /** The packet of what has begun, where somebody wants to know more of it. */
  reads(buffer: Buffer, start: number, end: number): void {
    const isText = this.#command === Command.COM_QUERY || this.#command === Command.COM_STMT_PREPARE;
    this.#read = this.#reports.read(buffer, start + 1, end, isText);
  }

  /** A statement that no server was needed for. @param beganAtMs when it came. */
  answeredHere(command: number, plan: Plan, beganAtMs: number, errno: number, route: Route): void {
    this.#beginsAt(beganAtMs, command, route, plan);
    this.ends(errno, 1, 0);
  }

  /** The statement in `buffer[start, end)`, whose answer was kept of an earlier one. */
  servedFromCache(
    route: Route,
    plan: Plan,
    buffer: Buffer,
    start: number,
    end: number,
    receivedAtMs: number,
    rows: number,
    bytes: number,
  ): void {
    this.#beginsAt(receivedAtMs, buffer[start]!, route, plan);
    if (this.#reports.readsStatements) this.reads(buffer, start, end);
    this.#flags = RingFlag.resultSet;
    this.#rows = rows;
    this.#isServed = true;
    this.ends(0, 1, bytes);
    this.#isServed = false;
  }

  /** What runs now is Sluice's own. */
  skips(): void {
    this.#isActive = false;
  }

  /** What comes now belongs to a replay; the statement itself goes on behind it. */
  pauses(): void {
    this.#isPaused ||= this.#isActive;
    this.#isActive = false;
  }

  goesOn(): void {
    this.#isActive ||= this.#isPaused;
    if (this.#isPaused) this.#flags |= RingFlag.replayed;
    this.#isPaused = false;
  }

  waits(): void {
    this.#waitsSinceMs = performance.now();
  }

  waited(): void {
    if (this.#waitsSinceMs === 0) return;
    this.#waitMs += performance.now() - this.#waitsSinceMs;
    this.#waitsSinceMs = 0;
  }

  /** @param isPrevious the statement before ran there. @param isAligned session state goes in front. */
  uses(
    connection: TracedConnection,
    hostgroup: number,
    isShared: boolean,
    isPrevious: boolean,
    isAligned: boolean,
  ): void {
    this.hostgroup = hostgroup;
    this.#server = connection.server.address;
    this.#serverThreadId = connection.threadId;
    this.#flags =
      (this.#flags & (RingFlag.reprepared | RingFlag.replayed)) |
      (this.route?.target === RouteTarget.held ? RingFlag.held : 0) |
      (isShared ? RingFlag.pipelined : 0) |
      (isPrevious ? RingFlag.previous : 0) |
      (isAligned ? RingFlag.aligned : 0);
  }

  /** It goes elsewhere than it was to go. */
  reroutes(route: Route): void {
    if (this.#isActive) this.route = route;
  }

  reprepares(): void {
    this.#flags |= RingFlag.reprepared;
  }

  answered(tracker: TracedAnswer, now: number): void {
    this.#answeredAtMs = now;
    const hasRows = tracker.errno === 0 && tracker.lastResultRows >= 0;
    if (hasRows) this.#flags |= RingFlag.resultSet;
    this.#rows = hasRows ? tracker.lastResultRows : tracker.affectedRows;
  }

  /** @param message as the client gets it. */
  failed(message: string): void {
    this.#errorMessage = message;
  }

  abandoned(attempts: number, bytes: number): void {
    this.#flags |= RingFlag.abandoned;
    this.ends(0, attempts, bytes);
    this.#transactionIs(false);
  }

  /** @param bytes of the answer. */
  ends(errno: number, attempts: number, bytes: number): void {
    if (!this.#isActive) return;
    this.#isActive = false;
    const { state } = this.#client;
    this.waited();
    this.endedAtMs = this.#answeredAtMs === 0 ? performance.now() : this.#answeredAtMs;
    this.#transactionIs(state.inTransaction);
    this.#record(errno, attempts, bytes);
  }

  #record(errno: number, attempts: number, bytes: number): void {
    const client = this.#client;
    if (this.route !== null) this.#counters.addRouted(this.route.slot);
    entry.connectionId = client.connectionId;
    entry.username = client.username;
    entry.client = client.clientAddress;
    entry.schema = this.#schema;
    entry.command = this.#command;
    entry.route = this.route;
    entry.statement = this.plan?.statement ?? null;
    entry.verdict = client.routing.verdict;
    entry.normalized = this.plan?.normalized ?? null;
    entry.server = this.#server;
    entry.hostgroup = this.hostgroup;
    entry.serverThreadId = this.#serverThreadId;
    entry.flags = this.#flags;
    entry.attempts = attempts;
    entry.beganAtMs = this.beganAtMs;
    entry.endedAtMs = this.endedAtMs;
    entry.waitMs = this.#waitMs;
    entry.rows = this.#rows;
    entry.bytes = this.#server === null && !this.#isServed ? 0 : bytes;
    entry.errno = errno;
    entry.pinsBefore = this.#pinsBefore;
    entry.pinsAfter = client.state.pinBits;
    this.#ring.add(entry);
    this.#reports.ended(entry, client.routing.verdict.log, this.#read);
    if (this.#statistics.enabled) this.#account();
  }

  #account(): void {
    const { plan } = this;
    if (plan === null || (this.#command !== Command.COM_QUERY && this.#command !== Command.COM_STMT_EXECUTE))
      return;
    const { username, clientAddress } = this.#client;
    const statistics = this.#statistics;
    const context = statistics.contextOf(this.#context, username, this.#schema, clientAddress);
    this.#context = context;
    statistics.ended(entry, plan, context, this.hostgroup);
    if (entry.errno !== 0) statistics.failed(entry, context, this.hostgroup, this.#errorMessage);
  }

  #transactionIs(isOpen: boolean): void {
    if (isOpen === this.transactionSinceMs > 0) return;
    this.transactionSinceMs = isOpen ? this.beganAtMs : 0;
    this.#statistics.counters.add(StatementCounter.openTransactions, isOpen ? 1 : -1);
  }
}
