/**
 * The way of one command through a backend connection and back. Each session has one such object and runs one
 * command at a time on it, so that nothing is allocated per statement but the entry in the reply queue.
 *
 * | phase       | meaning                                            | left by                                   |
 * |-------------|----------------------------------------------------|-------------------------------------------|
 * | idle        | nothing runs                                       | `start`                                   |
 * | approaching | nothing is sent yet (see `StatementApproach`)      | the way is free, it is not                |
 * | running     | sent; the answer is awaited or passing             | the end of the answer, a lost connection  |
 * | settling    | answered; what no report tells is being asked for  | that answer                               |
 */

import { AnswerShape, Command, type ResponseTracker } from '../../../protocol/index.ts';
import type { ClientError } from '../../common/errors.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import { RouteTarget } from '../../sql/route-reason.ts';
import { type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { BackendStatement } from '../backend/backend-statements.ts';
import type { ReplyOwner } from '../backend/expected-reply.ts';
import { Orphan } from '../backend/orphan.ts';
import { CommitTag } from '../replay/commit-tag.ts';
import type { Plan } from '../router/plan.ts';
import type { Route } from '../router/route.ts';
import type { WorkerContext } from '../worker-context.ts';
import { Aftermath } from './aftermath.ts';
import { AnswerPassage, type PassageOwner } from './answer-passage.ts';
import type { ClientStatement } from './client-statement.ts';
import { KeptPacket } from './kept-packet.ts';
import { MAX_KEPT_BYTES, ReadOnlyPrimary } from './read-only-primary.ts';
import { Residue } from './residue.ts';
import { RunAnswer } from './run-answer.ts';
import type { RunClient } from './run-client.ts';
import { RunConnections } from './run-connections.ts';
import { RunInterruption } from './run-interruption.ts';
import { RunLoss } from './run-loss.ts';
import { moveRun, RunPhase } from './run-phase.ts';
import { RunReplay } from './run-replay.ts';
import { RunSending } from './run-sending.ts';
import { isHarmless, type RunParts, RunState, type RunSteps } from './run-state.ts';
import { type ApproachListener, StatementApproach } from './statement-approach.ts';
import { StatementTimeout } from './statement-timeout.ts';
import { StatementTrace } from './statement-trace.ts';

const MAX_SHOWN_BYTES = 64 * 1024;

export class StatementRun implements ReplyOwner, PassageOwner, ApproachListener, RunSteps {
  readonly #client: RunClient;
  readonly #context: WorkerContext;
  /** What those see who take over when something is lost or killed. */
  readonly #now = new RunState();
  readonly #packet = new KeptPacket();
  readonly #approach: StatementApproach;
  readonly #aftermath: Aftermath;
  readonly #readOnlyPrimary: ReadOnlyPrimary;
  readonly #sending: RunSending;
  readonly #answer: RunAnswer;
  readonly #interruption: RunInterruption;
  readonly #loss: RunLoss;
  readonly #replaying: RunReplay;
  readonly connections: RunConnections;
  readonly passage: AnswerPassage;
  readonly timeout: StatementTimeout;
  readonly residue: Residue;
  readonly commitTag: CommitTag;
  readonly trace: StatementTrace;

  constructor(client: RunClient, context: WorkerContext) {
    this.#client = client;
    this.#context = context;
    this.timeout = new StatementTimeout(
      context.wheel,
      () => context.backends.dialect,
      (error) => this.interrupt(error),
    );
    this.residue = new Residue((connection) => this.connections.borrow(connection));
    this.trace = new StatementTrace(client, context);
    this.commitTag = new CommitTag(context.commits);
    this.passage = new AnswerPassage(client, this);
    const { residue, trace, passage, timeout, commitTag } = this;
    this.#approach = new StatementApproach(client, context, { residue, trace, packet: this.#packet }, this);
    this.#aftermath = new Aftermath(context, client);
    this.#readOnlyPrimary = new ReadOnlyPrimary(context);
    const parts: RunParts = {
      client,
      context,
      now: this.#now,
      packet: this.#packet,
      approach: this.#approach,
      aftermath: this.#aftermath,
      readOnlyPrimary: this.#readOnlyPrimary,
      passage,
      timeout,
      commitTag,
      residue,
      trace,
    };
    this.connections = new RunConnections(parts);
    this.#sending = new RunSending(parts, this);
    this.#loss = new RunLoss(parts, this);
    this.#replaying = new RunReplay(parts, this);
    this.#answer = new RunAnswer(parts, this, this.connections, this.#replaying);
    this.#interruption = new RunInterruption(parts, this, this);
  }

  /** Kept between statements: an open transaction, a pin. */
  get held(): BackendConnection | null {
    return this.#now.held;
  }

  /** The prepared statement that the next command is about; back to null when it is answered. */
  get statement(): ClientStatement | null {
    return this.#now.statement;
  }

  set statement(statement: ClientStatement | null) {
    this.#now.statement = statement;
  }

  /** What the finished run left: for the session to read in `runFinished`. */
  get lastErrno(): number {
    return this.#now.lastErrno;
  }

  set lastErrno(errno: number) {
    this.#now.lastErrno = errno;
  }

  /** An error of Sluice's own that ended the run. */
  get lastError(): ClientError | null {
    return this.#now.lastError;
  }

  get lastWarnings(): number {
    return this.#now.lastWarnings;
  }

  set lastWarnings(count: number) {
    this.#now.lastWarnings = count;
  }

  get phase(): RunPhase {
    return this.#now.phase;
  }

  get connection(): BackendConnection | null {
    return this.#now.connection;
  }

  /**
   * Runs one command. `buffer[start, end)` is its payload; what must outlive this call is copied.
   * @param plan null for commands that are no statements.
   * @param silent a statement of Sluice's own: the client sees nothing of its answer.
   */
  start(
    buffer: Buffer,
    start: number,
    end: number,
    route: Route,
    plan: Plan | null,
    shape: AnswerShape,
    silent = false,
  ): void {
    const now = this.#now;
    now.route = route;
    now.plan = plan;
    now.shape = shape;
    now.repeatable =
      shape === AnswerShape.prepare ||
      (route.target === RouteTarget.replica && plan !== null && plan.statement.provenRead);
    if (silent) this.trace.skips();
    else {
      this.trace.begins(buffer[start]!, route, plan ?? now.statement?.plan ?? null);
      if (this.#context.reports.readsStatements) this.trace.reads(buffer, start, end);
    }
    this.#packet.clear();
    const isNew = route.target === RouteTarget.primary && now.held === null && plan !== null && !silent;
    const isKept = now.repeatable || (isNew && end - start <= MAX_KEPT_BYTES);
    if (isKept) this.#packet.keep(buffer, start, end);
    this.#readOnlyPrimary.begins(isNew && isKept);
    now.isHarmless = isNew && isKept && isHarmless(plan);
    if (now.replay !== null || this.#context.replays.enabled) this.#replaying.log(buffer, start, end, silent);
    this.begin(buffer, start, end, silent);
  }

  begin(buffer: Buffer, start: number, end: number, silent: boolean): void {
    const now = this.#now;
    const { route, plan, statement } = now;
    now.touching = false;
    this.#comesFirst();
    this.passage.begin(plan?.statement ?? null, statement, silent);
    now.command = end > start ? buffer[start]! : 0;
    const isText = now.command === Command.COM_QUERY;
    this.#aftermath.begins(plan?.statement, isText ? buffer : null, start + 1, end);
    const executed = now.shape === AnswerShape.prepare ? null : statement;
    const isUse = plan?.statement.kind === StatementKind.use && plan.statement.statementCount === 1;
    now.entersSchema = isText ? isUse : now.command === Command.COM_INIT_DB;
    const names = plan ?? statement?.plan ?? null;
    this.#approach.begin(route, plan, now.held, executed, names, now.entersSchema);
    if (now.waitsForHeir) this.#approach.search.refusedByPrimary();
    now.waitsForHeir = false;
    this.#asks(route);
    this.#go(buffer, start, end);
  }

  /** What the run before has left is of no interest any more. */
  #comesFirst(): void {
    this.#now.lastErrno = 0;
    this.#now.lastError = null;
    this.#now.attempts = 1;
  }

  /**
   * Asks for a connection, and on it for the prepared statement that `statement` names, without sending anything:
   * `runFinished` comes when it was there.
   */
  touch(route: Route): void {
    const now = this.#now;
    now.plan = null;
    now.touching = true;
    now.isHarmless = false;
    now.shape = AnswerShape.single;
    now.repeatable = false;
    this.#comesFirst();
    this.passage.begin(null, null, true);
    this.trace.skips();
    this.#packet.clear();
    this.#readOnlyPrimary.begins(false);
    this.#approach.begin(route, null, now.held, now.statement, null);
    this.#asks(route);
    this.#go(null, 0, 0);
  }

  #asks({ target }: Route): void {
    if (target === RouteTarget.replica)
      this.#approach.search.choice.needs.neededGtid = this.#client.routing.neededGtid;
  }

  /** The session ends. What runs is cut off, what is held is cleaned up. */
  abandon(): void {
    this.#now.abandoned = true;
    this.#now.replay?.clear();
    if (this.#now.doubt !== null) this.#context.commits.cancel(this.#now.doubt.tag);
    this.timeout.end();
    this.trace.abandoned(this.#now.attempts, this.passage.bytes);
    this.#aftermath.settled(undefined, 0);
    this.residue.reset();
    this.#approach.cancel();
    this.connections.abandon(this);
  }

  /** KILL QUERY, or the end of the statement's time. */
  interrupt(error: ClientError): void {
    if (!this.#client.interruptsWait(error)) this.#interruption.interrupt(error);
  }

  /** The session is about to end: what runs for it ends on the server too, as a KILL there does. */
  endOnServer(): void {
    this.#interruption.endOnServer();
  }

  /** Where what the statement asks about is known, and it can run. */
  wantedFor(statement: StatementClass): BackendConnection | null {
    return this.#approach.search.wanted(statement);
  }

  /** Of the statement that runs, if it had to be kept. */
  get text(): string | null {
    const { bytes, length } = this.#packet;
    if (length < 2 || bytes[0] !== Command.COM_QUERY) return null;
    return bytes.toString('utf8', 1, Math.min(length, MAX_SHOWN_BYTES));
  }

  /** An endless answer is under way: a binlog, whose reader may send acknowledgements meanwhile. */
  get streams(): boolean {
    return this.#now.phase === RunPhase.running && this.#now.shape === AnswerShape.stream;
  }

  /** Writes are held from now on. */
  holdBack(): void {
    this.#approach.search.holdBack();
  }

  // ---- the way to a connection

  #go(buffer: Buffer | null, start: number, end: number): void {
    this.#now.phase = moveRun(this.#now.phase, RunPhase.approaching);
    this.#now.interrupted = false;
    this.#approach.go(buffer, start, end);
  }

  /** What it is doing, for those who look. */
  get step(): string {
    return this.#now.phase === RunPhase.approaching ? this.#approach.step : this.#now.phase;
  }

  connectionTaken(connection: BackendConnection, shared: boolean): void {
    this.connections.taken(connection, shared);
  }

  arrived(
    connection: BackendConnection,
    buffer: Buffer | null,
    start: number,
    end: number,
    prepared: BackendStatement | null,
  ): void {
    this.#now.phase = moveRun(this.#now.phase, RunPhase.running);
    if (buffer === null) this.#answer.finish(connection, true);
    else this.#sending.send(connection, buffer, start, end, prepared);
  }

  statementRefused(connection: BackendConnection, tracker: ResponseTracker, error: ClientError): void {
    this.#now.phase = moveRun(this.#now.phase, RunPhase.running);
    this.#now.lastError = error;
    this.passage.replacedError = error;
    this.#answer.answered(connection, tracker);
  }

  approachFailed(error: ClientError): void {
    this.fail(error);
  }

  approachLost(reason: string): void {
    this.#loss.lost(reason, false, false);
  }

  // ---- what comes back

  passed(retained: boolean): void {
    const connection = this.#now.connection;
    if (connection === null || !retained) return;
    connection.socket.retained = true;
    if (this.#client.unsentBytes > this.#context.snapshot.settings.limits.writeBufferBytes)
      this.#holdUp(connection);
  }

  /** The client reads too slowly: its server waits, others on the same connection do not. */
  #holdUp(connection: BackendConnection): void {
    connection.socket.pause();
    this.#context.counters.add(WorkerCounter.slowReaderPauses);
    if (!this.#now.shared) return;
    const orphan = new Orphan(this.#context.backends, connection);
    for (const owner of connection.replies.displaceFollowers(orphan))
      if (owner instanceof StatementRun) owner.repeat('a slow reader is in front');
  }

  /** The client has taken what was written. */
  clientDrained(): void {
    this.#now.connection?.socket.resume();
  }

  movesInstead(errno: number): boolean {
    return this.#answer.movesInstead(errno);
  }

  replyComplete(connection: BackendConnection, tracker: ResponseTracker): void {
    this.#answer.complete(connection, tracker);
  }

  // ---- what goes wrong

  replyLost(_connection: BackendConnection, reason: string, started: boolean): void {
    this.#loss.lost(reason, started, true);
  }

  /** A proven read of whose answer nothing has passed is asked again, elsewhere. */
  repeat(reason: string): void {
    this.#now.connection = null;
    this.#now.attempts++;
    this.#context.counters.add(WorkerCounter.retries);
    this.#context.log('debug', 'read is repeated', { reason });
    this.sendKept();
  }

  sendKept(): void {
    this.#go(this.#packet.buffer, 0, this.#packet.length);
  }

  fail(error: ClientError): void {
    this.#now.phase = moveRun(this.#now.phase, RunPhase.idle);
    this.#approach.search.ended();
    if (this.#now.replay?.isRunning === true) this.#now.replay.failed(error);
    else this.answerWith(error);
  }

  answerWith(error: ClientError): void {
    this.timeout.end();
    this.#now.kill = null;
    this.#aftermath.settled(undefined, 0);
    this.#now.statement = null;
    this.#now.lastErrno = error.errno;
    this.#now.lastError = error;
    this.trace.failed(error.message);
    this.trace.ends(error.errno, this.#now.attempts, this.passage.bytes);
    if (!this.passage.silent) this.#client.sendError(error);
    this.#client.runFinished();
  }
}
