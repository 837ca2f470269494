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

import {
  AnswerShape,
  Command,
  fragmentCount,
  type ResponseTracker,
  StatusFlag,
} from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { ServerCounter, WorkerCounter } from '../../common/shared-counters.ts';
import { RouteTarget } from '../../sql/route-reason.ts';
import { PinReason, type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection, ConnectionHolder } from '../backend/backend-connection.ts';
import { BackendStatement } from '../backend/backend-statements.ts';
import type { ReplyOwner } from '../backend/expected-reply.ts';
import { Orphan } from '../backend/orphan.ts';
import { ownReply, RecordingReply } from '../backend/recording-reply.ts';
import { type LeftBehind, NOTHING_LEFT, type ServerPool } from '../backend/server-pool.ts';
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
import type { RunClient } from './run-client.ts';
import { RunInterruption } from './run-interruption.ts';
import { RunLoss } from './run-loss.ts';
import { moveRun, RunPhase } from './run-phase.ts';
import { RunReplay } from './run-replay.ts';
import { isHarmless, type RunParts, RunState, type RunSteps } from './run-state.ts';
import { endsConnection } from './session-end.ts';
import { type SettlingListener, StateSettling } from './state-settling.ts';
import { type ApproachListener, StatementApproach } from './statement-approach.ts';
import { learnFrom } from './statement-learning.ts';
import { ER_MAX_PREPARED_STMT_COUNT_REACHED } from './statement-preparation.ts';
import { StatementTimeout } from './statement-timeout.ts';
import { StatementTrace } from './statement-trace.ts';

/** Something may be there that nobody has seen. */
const SUSPECT: LeftBehind = { ...NOTHING_LEFT, untracked: true };

/** Flags of an OK that say nothing of what comes after its answer. */
const OF_ONE_ANSWER = StatusFlag.SERVER_SESSION_STATE_CHANGED | StatusFlag.SERVER_MORE_RESULTS_EXISTS;

const ER_QUERY_INTERRUPTED = 1317;
/** ER_OPTION_PREVENTS_STATEMENT: a read-only server was asked to write. */
const ER_OPTION_PREVENTS_STATEMENT = 1290;
const MAX_SHOWN_BYTES = 64 * 1024;

export class StatementRun
  implements ReplyOwner, PassageOwner, ApproachListener, SettlingListener, ConnectionHolder, RunSteps
{
  readonly #client: RunClient;
  readonly #context: WorkerContext;
  /** What those see who take over when something is lost or killed. */
  readonly #now = new RunState();
  readonly #packet = new KeptPacket();
  readonly #approach: StatementApproach;
  readonly #settling: StateSettling;
  readonly #aftermath: Aftermath;
  readonly #readOnlyPrimary: ReadOnlyPrimary;
  readonly #interruption: RunInterruption;
  readonly #loss: RunLoss;
  readonly #replaying: RunReplay;
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
    this.residue = new Residue((connection) => this.#borrow(connection));
    this.trace = new StatementTrace(client, context);
    this.commitTag = new CommitTag(context.commits);
    this.passage = new AnswerPassage(client, this);
    const { residue, trace, passage, timeout, commitTag } = this;
    this.#approach = new StatementApproach(client, context, { residue, trace, packet: this.#packet }, this);
    this.#settling = new StateSettling(client.state, this.residue, this);
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
      trace,
    };
    this.#loss = new RunLoss(parts, this);
    this.#replaying = new RunReplay(parts, this);
    this.#interruption = new RunInterruption(parts, this, this);
  }

  /** Kept between statements: an open transaction, a pin. */
  get held(): BackendConnection | null {
    return this.#now.held;
  }

  set held(connection: BackendConnection | null) {
    this.#now.held = connection;
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
    this.#now.repeatable =
      shape === AnswerShape.prepare ||
      (route.target === RouteTarget.replica && plan !== null && plan.statement.provenRead);
    if (silent) this.trace.skips();
    else {
      this.trace.begins(buffer[start]!, route, plan ?? this.#now.statement?.plan ?? null);
      if (this.#context.reports.readsStatements) this.trace.reads(buffer, start, end);
    }
    this.#packet.clear();
    const isNew = route.target === RouteTarget.primary && this.#now.held === null && plan !== null && !silent;
    const isKept = this.#now.repeatable || (isNew && end - start <= MAX_KEPT_BYTES);
    if (isKept) this.#packet.keep(buffer, start, end);
    this.#readOnlyPrimary.begins(isNew && isKept);
    this.#now.isHarmless = isNew && isKept && isHarmless(plan);
    if (this.#now.replay !== null || this.#context.replays.enabled)
      this.#replaying.log(buffer, start, end, route, plan, shape, silent);
    this.begin(buffer, start, end, route, plan, shape, silent);
  }

  /** Of a command that is new, or runs again. */
  begin(
    buffer: Buffer,
    start: number,
    end: number,
    route: Route,
    plan: Plan | null,
    shape: AnswerShape,
    silent: boolean,
  ): void {
    this.#now.touching = false;
    this.#now.plan = plan;
    this.#now.shape = shape;
    this.#now.lastErrno = 0;
    this.#now.lastError = null;
    this.#now.attempts = 1;
    this.passage.begin(plan?.statement ?? null, this.#now.statement, silent);
    this.#now.command = end > start ? buffer[start]! : 0;
    const isText = this.#now.command === Command.COM_QUERY;
    this.#aftermath.begins(plan?.statement, isText ? buffer : null, start + 1, end);
    const { statement } = this.#now;
    const executed = shape === AnswerShape.prepare ? null : statement;
    const isUse = plan?.statement.kind === StatementKind.use && plan.statement.statementCount === 1;
    this.#now.entersSchema = isText ? isUse : this.#now.command === Command.COM_INIT_DB;
    const names = plan ?? statement?.plan ?? null;
    this.#approach.begin(route, plan, this.#now.held, executed, names, this.#now.entersSchema);
    if (this.#now.waitsForHeir) this.#approach.search.refusedByPrimary();
    this.#now.waitsForHeir = false;
    this.#asks(route);
    this.#go(buffer, start, end);
  }

  /**
   * Asks for a connection, and on it for the prepared statement that `statement` names, without sending anything:
   * `runFinished` comes when it was there.
   */
  touch(route: Route): void {
    this.#now.plan = null;
    this.#now.touching = true;
    this.#now.isHarmless = false;
    this.#now.shape = AnswerShape.single;
    this.passage.begin(null, null, true);
    this.#now.lastErrno = 0;
    this.#now.lastError = null;
    this.#now.attempts = 1;
    this.#now.repeatable = false;
    this.trace.skips();
    this.#packet.clear();
    this.#readOnlyPrimary.begins(false);
    this.#approach.begin(route, null, this.#now.held, this.#now.statement, null);
    this.#asks(route);
    this.#go(null, 0, 0);
  }

  #asks({ target }: Route): void {
    if (target === RouteTarget.replica)
      this.#approach.search.needs.neededGtid = this.#client.routing.neededGtid;
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
    const connection = this.#now.connection;
    this.#now.connection = null;
    if (connection !== null && connection !== this.#now.held) {
      connection.socket.resume();
      // A batch serves others too; a statement of one's own that nobody waits for ends with its connection.
      if (this.#now.shared) connection.abandon(this, new Orphan(this.#context.backends, connection));
      else connection.close('the client has gone');
    }
    const held = this.#now.held;
    this.#now.held = null;
    if (held === null) return;
    if (held.owed > 0 || held.awaitsInfile) held.close('the client has gone');
    else this.#giveBack(held, this.#client.state.leftBehind());
  }

  /** An idle connection, to read from it what the session has left there. */
  #borrow(connection: BackendConnection): (() => void) | null {
    const pool = this.#poolOf(connection);
    return pool?.takeIdle(connection) === true ? () => pool.checkIn(connection, NOTHING_LEFT) : null;
  }

  #giveBack(connection: BackendConnection, left: LeftBehind): void {
    const pool = this.#poolOf(connection);
    if (pool === null) connection.quit('its server was removed');
    else pool.checkIn(connection, left);
  }

  /**
   * Lets go of the held connection.
   * @param cleaned called once nothing of the session is left on its server: locks, temporary tables; maybe at once
   */
  releaseHeld(left: LeftBehind, cleaned: (() => void) | null = null): void {
    const held = this.#now.held;
    this.#now.held = null;
    this.#now.replay?.clear();
    if (held === null || held.isClosed) cleaned?.();
    else {
      held.cleaned = cleaned;
      this.#giveBack(held, left);
    }
  }

  /** KILL QUERY, or the end of the statement's time. */
  interrupt(error: ClientError): void {
    this.#interruption.interrupt(error);
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

  get primaryThreadId(): number {
    const connection = this.#now.connection ?? this.#now.held;
    if (connection === null || connection.holder !== this) return 0;
    return connection.server.role === 'primary' ? connection.threadId : 0;
  }

  /** Writes are held from now on. */
  holdBack(): void {
    this.#approach.search.holdBack();
  }

  /** What a planned change of the primary has to wait for: a transaction, a pin, a statement that may write. */
  get isOnPrimary(): boolean {
    const connection = this.#now.held ?? this.#now.connection;
    if (connection === null) return false;
    if (connection.server.address !== this.#context.backends.primary?.server.address) return false;
    return this.isBound;
  }

  get isBound(): boolean {
    return this.#now.held !== null || !this.#approach.search.isPlainRead;
  }

  get isOneStatement(): boolean {
    const { held, phase, repeatable, isHarmless } = this.#now;
    if (held !== null) return false;
    return phase === RunPhase.settling || (phase === RunPhase.running && !repeatable && !isHarmless);
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
    this.#now.connection = connection;
    this.#now.shared = shared;
    if (!shared) connection.holder = this;
  }

  arrived(
    connection: BackendConnection,
    buffer: Buffer | null,
    start: number,
    end: number,
    prepared: BackendStatement | null,
  ): void {
    this.#now.phase = moveRun(this.#now.phase, RunPhase.running);
    if (buffer === null) this.#finish(connection, true);
    else this.#send(connection, buffer, start, end, prepared);
  }

  statementRefused(connection: BackendConnection, tracker: ResponseTracker, error: ClientError): void {
    this.#now.phase = moveRun(this.#now.phase, RunPhase.running);
    this.#now.lastError = error;
    this.passage.replacedError = error;
    this.#answered(connection, tracker);
  }

  approachFailed(error: ClientError): void {
    this.fail(error);
  }

  approachLost(reason: string): void {
    this.#loss.lost(reason, false, false);
  }

  // ---- sending, and what comes back

  #send(
    connection: BackendConnection,
    buffer: Buffer,
    start: number,
    end: number,
    prepared: BackendStatement | null,
  ): void {
    this.#now.sentAt = performance.now();
    this.passage.bytes = 0;
    if (this.#now.plan === null && !this.passage.silent) this.#emptyDiagnostics(connection);
    else if (!this.#now.shared && this.#now.shape !== AnswerShape.prepare)
      this.commitTag.sends(
        connection,
        this.#now.plan ?? this.#now.statement?.plan ?? null,
        this.#client.state.variables,
      );
    if (this.#now.shared) connection.batchSize = connection.owed === 0 ? 1 : connection.batchSize + 1;
    this.#noteWrites(connection);
    connection.expect({
      shape: this.#now.shape,
      owner: this,
      sink: this.passage,
      clientCapabilities: this.#client.clientCapabilities,
      statusBefore: this.#client.state.statusFlags,
      firstSequence: fragmentCount(end - start),
      clientSequence: this.#client.errorSequence,
      parts: this.#now.plan?.statement ?? null,
      repeatable: this.#now.repeatable,
    });
    connection.lastUser = this.residue;
    const { counters } = this.#context;
    counters.addServer(connection.server.slot, ServerCounter.queries);
    counters.addServer(connection.server.slot, ServerCounter.bytesSent, end - start);
    const { statement } = this.#now;
    if (statement === null || prepared === null) connection.sendPacket(buffer, start, end);
    else statement.send(connection, prepared, buffer, start, end);
  }

  /** What it may write, before the server can tell that it has. */
  #noteWrites(connection: BackendConnection): void {
    const { state, causality } = this.#client;
    const schema = this.#now.statement === null ? state.schema : this.#now.statement.prepared.schema;
    causality.sends(this.#now.plan, schema, connection.tracksState && !state.clientTracks);
  }

  /**
   * On MySQL other commands than statements add to the list of warnings. Another session may have filled it, or this
   * one before statements that ran elsewhere.
   */
  #emptyDiagnostics(connection: BackendConnection): void {
    const { residue } = this;
    const isLast = connection.lastUser === residue && residue.lastConnection === connection;
    if (this.#now.shape !== AnswerShape.single || isLast) return;
    if (connection.server.flavor !== 'mysql') return;
    const ignored = new RecordingReply(
      () => undefined,
      () => undefined,
    );
    connection.sendCommand(Command.COM_QUERY, 'DO 0', ownReply(ignored));
  }

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
    for (const owner of connection.displaceFollowers(orphan))
      if (owner instanceof StatementRun) owner.repeat('a slow reader is in front');
  }

  /** The client has taken what was written. */
  clientDrained(): void {
    this.#now.connection?.socket.resume();
  }

  movesInstead(errno: number): boolean {
    if (this.#mayMakeRoom(errno)) return true;
    const address = this.#now.connection?.server.address ?? '';
    if (!this.#now.interrupted && this.#readOnlyPrimary.refuses(address, errno, this.passage.message))
      return true;
    if (this.#replaying.isRefused(errno)) return true;
    if (errno !== ER_OPTION_PREVENTS_STATEMENT || !this.#now.repeatable || this.#isPrimaryOnly) return false;
    this.#approach.search.primaryOnly();
    return true;
  }

  /** The refusal of a COM_STMT_PREPARE that may succeed when statements that nobody needs have been closed. */
  #mayMakeRoom(errno: number): boolean {
    return (
      errno === ER_MAX_PREPARED_STMT_COUNT_REACHED &&
      this.#now.shape === AnswerShape.prepare &&
      this.#now.attempts === 1
    );
  }

  get #isPrimaryOnly(): boolean {
    return this.#approach.search.isPrimaryOnly;
  }

  replyComplete(connection: BackendConnection, tracker: ResponseTracker): void {
    const { counters } = this.#context;
    counters.addServer(connection.server.slot, ServerCounter.bytesReceived, this.passage.bytes);
    if (
      this.#now.repeatable &&
      this.#isPrimaryOnly &&
      tracker.errno === ER_OPTION_PREVENTS_STATEMENT &&
      !tracker.forwarded
    ) {
      this.#again(connection);
      return;
    }
    if (this.#now.isRefused) {
      this.#now.isRefused = false;
      const { address } = connection.server;
      this.#context.post({ type: 'primaryRefuses', address });
      this.#now.replay?.begin(address, 'it is read-only', true);
      return;
    }
    if (this.#readOnlyPrimary.takeRefusal()) {
      this.#approach.search.refusedByPrimary();
      this.#leave(connection);
      this.#go(this.#packet.buffer, 0, this.#packet.length);
      return;
    }
    if (this.#mayMakeRoom(tracker.errno) && !tracker.forwarded) {
      connection.statements.closeShared();
      this.#poolOf(connection)?.closeStatements();
      this.#again(connection);
      return;
    }
    if (this.#losesList(connection, tracker)) {
      this.#now.plan!.raisesDiagnostics = true;
      this.passage.silence();
      this.#again(connection);
      return;
    }
    this.#answered(connection, tracker);
  }

  /**
   * The first warning of a digest that shared a connection: statements of others have followed, and the list is gone.
   * The read is asked once more, by itself and unheard, so that a SHOW WARNINGS finds it.
   */
  #losesList(connection: BackendConnection, tracker: ResponseTracker): boolean {
    const isLost = this.#now.shared && connection.owed > 0 && this.#now.repeatable && !this.passage.silent;
    return isLost && this.#now.plan !== null && tracker.errno === 0 && tracker.raisedWarnings;
  }

  #again(connection: BackendConnection): void {
    this.#leave(connection);
    this.#now.attempts++;
    this.#context.counters.add(WorkerCounter.retries);
    this.#go(this.#packet.buffer, 0, this.#packet.length);
  }

  #answered(connection: BackendConnection, tracker: ResponseTracker): void {
    const { state } = this.#client;
    // A slow reader's own affair from here on: nobody would notice that an idle connection has died.
    connection.socket.resume();
    this.#now.lastErrno = tracker.errno;
    this.#now.lastInsertId = tracker.lastInsertId;
    this.#now.lastWarnings = tracker.errno === 0 ? tracker.warnings : 1;
    // An ERR says nothing of the session's status; the OKs of the same answer before it do, but for what they announced.
    if (tracker.statusReported) state.statusFlags = connection.statusFlags & ~OF_ONE_ANSWER;
    this.#client.causality.answered(state.inTransaction);
    if (this.#now.statement !== null) this.#statementAnswered(this.#now.statement, connection, tracker);
    if (connection.holder === this) {
      connection.variables = state.variables;
      // A USE that has failed leaves it in the schema that it was in, which need not be the session's.
      if (!this.#now.entersSchema || tracker.errno === 0) connection.schema = state.schema;
    }
    const now = performance.now();
    const { pipelineDepth } = this.#context.snapshot.settings.pool;
    learnFrom(this.#now, connection, tracker, this.passage.bytes, now, pipelineDepth);
    this.trace.answered(tracker, now);
    if (tracker.errno !== 0) this.trace.failed(this.passage.replacedError?.message ?? this.passage.message);
    // The server is about to close it: nobody else may get it meanwhile.
    if (this.#now.plan !== null && tracker.errno === 0 && endsConnection(this.#now.plan, state.variables))
      connection.tainted = true;
    const { replacedError, silent, sqlState } = this.passage;
    if (replacedError !== null && !silent) this.#client.sendError(replacedError);
    if (state.lastInsertIdAssigned) {
      state.lastInsertIdAssigned = false;
      this.residue.insertIdAssigned(connection);
    }
    const lastError = tracker.errno === 0 ? null : { errno: tracker.errno, sqlState };
    const statement = this.#now.plan?.statement ?? null;
    this.residue.statementDone(
      connection,
      tracker,
      statement,
      this.#now.command,
      this.#now.shared,
      lastError,
    );
    this.#settling.begin(connection, this.#now.plan, tracker.errno === 0);
  }

  #statementAnswered(
    statement: ClientStatement,
    connection: BackendConnection,
    tracker: ResponseTracker,
  ): void {
    if (this.#now.shape === AnswerShape.prepare && tracker.errno === 0) {
      const made = new BackendStatement(statement.definition, tracker.statementId);
      const { maxStatementsPerConnection } = this.#context.snapshot.settings.pool;
      if (statement.staysWhereItIs) statement.take(connection, made);
      else connection.statements.put(made, maxStatementsPerConnection);
    }
    this.#client.statementAnswered(statement, this.#now.shape, tracker);
  }

  settling(): void {
    if (this.#now.phase === RunPhase.running) this.#now.phase = moveRun(this.#now.phase, RunPhase.settling);
  }

  settled(connection: BackendConnection, succeeded: boolean): void {
    this.#finish(connection, succeeded);
  }

  /** The client has its answer; what its session is now nobody knows. */
  settlingLost(connection: BackendConnection, reason: string): void {
    if (this.#now.phase === RunPhase.settling) this.#lostBehindAnswer(connection, reason);
  }

  #lostBehindAnswer(connection: BackendConnection, reason: string): void {
    if (this.#now.abandoned || this.#now.connection !== connection) return;
    if (this.#now.replay?.isRunning === true) {
      this.#now.replay.lost(reason);
      return;
    }
    this.trace.ends(this.#now.lastErrno, this.#now.attempts, this.passage.bytes);
    this.#now.phase = moveRun(this.#now.phase, RunPhase.idle);
    this.#approach.search.ended();
    this.#now.connection = null;
    this.#now.held = null;
    this.#client.heldConnectionLost(reason);
  }

  #finish(connection: BackendConnection, succeeded: boolean): void {
    const { state } = this.#client;
    if (this.#now.replay?.isRunning !== true) this.timeout.end();
    const kill = this.#now.kill;
    this.#now.kill = null;
    // A KILL that has hit nothing would hit the next statement of a connection that the session keeps.
    if (kill !== null && this.#now.lastErrno !== ER_QUERY_INTERRUPTED) {
      const lost = (reason: string): void => this.#lostBehindAnswer(connection, reason);
      kill.absorb(() => this.#finish(connection, succeeded), lost);
      return;
    }
    this.commitTag.ended(state.inTransaction);
    if (!this.#now.touching)
      this.#aftermath.ends(connection, this.#now.plan?.statement, this.#now.lastErrno, succeeded);
    if (state.pins.has(PinReason.expiredPassword) && !connection.confined)
      this.#client.confinementEnded(true);
    this.trace.ends(this.#now.lastErrno, this.#now.attempts, this.passage.bytes);
    this.#now.connection = null;
    this.#now.statement = null;
    this.#now.interrupted = false;
    this.#packet.clear();
    this.#now.phase = moveRun(this.#now.phase, RunPhase.idle);
    this.#approach.search.ended();
    const keeps =
      !this.#now.shared &&
      (state.pinned || (connection.statusFlags & StatusFlag.SERVER_STATUS_IN_TRANS) !== 0);
    if (keeps) {
      this.#now.held = connection;
    } else {
      this.#now.held = null;
      this.#leave(connection);
    }
    // A preparation neither begins nor ends anything.
    const isLogged = !this.#now.touching && this.#now.shape !== AnswerShape.prepare;
    if (this.#now.replay !== null && isLogged && this.#replaying.ended(this.#now.replay)) return;
    this.#client.runFinished();
  }

  #leave(connection: BackendConnection): void {
    if (this.#now.shared) this.#poolOf(connection)?.batchDone(connection);
    else this.#giveBack(connection, this.#aftermath.isSuspect ? SUSPECT : NOTHING_LEFT);
  }

  // ---- what goes wrong

  /** The server has gone, or has ended the session: what it held there is lost, as on a direct connection. */
  heldConnectionClosed(connection: BackendConnection): void {
    if (this.#now.held !== connection || this.#now.connection === connection) return;
    const { address } = connection.server;
    const replay = this.#now.phase === RunPhase.idle ? this.#now.replay : null;
    if (replay?.mayReplay(false, false) === true && this.#client.restores()) {
      replay.begin(address, connection.closeReason, false);
      return;
    }
    this.#now.held = null;
    const pin = [...this.#client.state.pins.keys()].join(', ') || 'transaction';
    const { message } = clientError('PROXY_SESSION_LOST', { address, pin, reason: connection.closeReason });
    this.#client.heldConnectionLost(message);
  }

  replyLost(_connection: BackendConnection, reason: string, started: boolean): void {
    this.#loss.lost(reason, started, true);
  }

  /** A proven read of whose answer nothing has passed is asked again, elsewhere. */
  repeat(reason: string): void {
    this.#now.connection = null;
    this.#now.attempts++;
    this.#context.counters.add(WorkerCounter.retries);
    this.#context.log('debug', 'read is repeated', { reason });
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

  #poolOf(connection: BackendConnection): ServerPool | null {
    return this.#context.backends.poolOf(connection.server.address);
  }
}
