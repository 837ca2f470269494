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
import { type CommitDoubt, CommitOutcome, type CommitTruth } from '../../common/commit-outcome.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { ServerCounter, WorkerCounter } from '../../common/shared-counters.ts';
import { makeTransitions } from '../../common/state-machine.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import { PinReason, type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection, ConnectionHolder } from '../backend/backend-connection.ts';
import { BackendStatement } from '../backend/backend-statements.ts';
import type { ReplyOwner } from '../backend/expected-reply.ts';
import { killConnection } from '../backend/kill-on-server.ts';
import { Orphan } from '../backend/orphan.ts';
import { ownReply, RecordingReply } from '../backend/recording-reply.ts';
import { type LeftBehind, NOTHING_LEFT, type ServerPool } from '../backend/server-pool.ts';
import type { SessionCausality } from '../causal/session-causality.ts';
import { errorOfDoubt } from '../replay/commit-doubts.ts';
import { CommitTag } from '../replay/commit-tag.ts';
import type { Plan } from '../router/plan.ts';
import { type Route, routeOf } from '../router/route.ts';
import type { WorkerContext } from '../worker-context.ts';
import { Aftermath, type AftermathClient } from './aftermath.ts';
import { AnswerPassage, type PassageOwner } from './answer-passage.ts';
import type { ClientStatement } from './client-statement.ts';
import { type SearchClient, usesResidue } from './connection-search.ts';
import { KeptPacket } from './kept-packet.ts';
import { DEFAULT_RETRIES, LossAction, verdictOfLoss } from './lost-statement.ts';
import { isReadOnlyRefusal, MAX_KEPT_BYTES, ReadOnlyPrimary } from './read-only-primary.ts';
import { Residue } from './residue.ts';
import { endsConnection } from './session-end.ts';
import { type SettlingListener, StateSettling } from './state-settling.ts';
import { type ApproachListener, ApproachStep, StatementApproach } from './statement-approach.ts';
import { StatementKill } from './statement-kill.ts';
import { ER_MAX_PREPARED_STMT_COUNT_REACHED } from './statement-preparation.ts';
import { StatementTimeout } from './statement-timeout.ts';
import { StatementTrace, type TracedClient } from './statement-trace.ts';
import { type ReplayedRun, type SessionCommand, TransactionReplay } from './transaction-replay.ts';

/** Something may be there that nobody has seen. */
const SUSPECT: LeftBehind = { ...NOTHING_LEFT, untracked: true };

/** Flags of an OK that say nothing of what comes after its answer. */
const OF_ONE_ANSWER = StatusFlag.SERVER_SESSION_STATE_CHANGED | StatusFlag.SERVER_MORE_RESULTS_EXISTS;

export const RunPhase = {
  idle: 'idle',
  approaching: 'approaching',
  running: 'running',
  settling: 'settling',
} as const;
export type RunPhase = (typeof RunPhase)[keyof typeof RunPhase];

const transition = makeTransitions<RunPhase>('statement run', {
  idle: ['approaching'],
  approaching: ['idle', 'approaching', 'running'],
  running: ['idle', 'approaching', 'settling'],
  settling: ['idle'],
});

const ER_QUERY_INTERRUPTED = 1317;
/** ER_OPTION_PREVENTS_STATEMENT: a read-only server was asked to write. */
const ER_OPTION_PREVENTS_STATEMENT = 1290;
const MAX_SHOWN_BYTES = 64 * 1024;
const REPLAY_HELD = routeOf(RouteTarget.held, RouteReason.inTransaction);
const REPLAY_BEGINS = routeOf(RouteTarget.primary, RouteReason.replay);

/** The session, as far as a run needs it. */
export interface RunClient extends SearchClient, TracedClient, AftermathClient {
  readonly causality: SessionCausality;
  /** What the command that runs must see where it reads from a replica; 0: nothing in particular. */
  readonly neededGtid: number;
  readonly clientCapabilities: number;
  /** @returns true if the bytes are still referenced. */
  write(bytes: Buffer): boolean;
  /** Bytes that the client has not taken. */
  readonly unsentBytes: number;
  /** The client waits for its file to be asked for. */
  localInfile(): void;
  /** Sequence id of the error that is sent next. */
  errorSequence: number;
  sendError(error: ClientError): void;
  /** In the name of a server that could not say it any more. */
  sendOk(): void;
  /** The command is answered; `connection` stays held if `holds`. */
  runFinished(): void;
  /** A command on a prepared statement is answered; the connection is still the session's. */
  statementAnswered(statement: ClientStatement, shape: AnswerShape, tracker: ResponseTracker): void;
  /** The held connection is gone, and with it what the session had there. */
  heldConnectionLost(reason: string): void;
  /** No command runs, and none may until `restored`. @returns false if one does, or the session has ended */
  restores(): boolean;
  restored(): void;
}

export class StatementRun
  implements ReplyOwner, PassageOwner, ApproachListener, SettlingListener, ConnectionHolder, ReplayedRun
{
  readonly #client: RunClient;
  readonly #context: WorkerContext;
  #phase: RunPhase = RunPhase.idle;
  /** Kept between statements: an open transaction, a pin. */
  held: BackendConnection | null = null;
  /** The prepared statement that the next command is about; back to null when it is answered. */
  statement: ClientStatement | null = null;
  /** What runs now. */
  #plan: Plan | null = null;
  #shape: AnswerShape = 0;
  #command = 0;
  /** It is a USE, or COM_INIT_DB. */
  #entersSchema = false;
  #connection: BackendConnection | null = null;
  #shared = false;
  #repeatable = false;
  /** The same, as long as nothing of its answer has gone out: it has no effect but on its connection. */
  #isHarmless = false;
  /** The primary is not asked at once. */
  #waitsForHeir = false;
  #isRefused = false;
  /** Nothing is sent that could change the session. */
  #touching = false;
  #attempts = 0;
  readonly #packet = new KeptPacket();
  #sentAt = 0;
  readonly #approach: StatementApproach;
  readonly passage: AnswerPassage;
  readonly #settling: StateSettling;
  readonly #aftermath: Aftermath;
  readonly #readOnlyPrimary: ReadOnlyPrimary;
  /** null as long as transactions are not logged. */
  #replay: TransactionReplay | null = null;
  #lastInsertId = 0;
  #abandoned = false;
  #interrupted = false;
  /** As the client is told it. */
  #interruption: ClientError = clientError('PROXY_QUERY_INTERRUPTED', {});
  #kill: StatementKill | null = null;
  readonly timeout: StatementTimeout;
  readonly residue: Residue;
  readonly commitTag: CommitTag;
  /** What its client waits to be told. */
  #doubt: CommitDoubt | null = null;
  readonly trace: StatementTrace;
  /** What the finished run left: for the session to read in `runFinished`. */
  lastErrno = 0;
  /** An error of Sluice's own that ended the run. */
  lastError: ClientError | null = null;
  lastWarnings = 0;

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
    const { residue, trace } = this;
    this.#approach = new StatementApproach(client, context, { residue, trace, packet: this.#packet }, this);
    this.#settling = new StateSettling(client.state, this.residue, this);
    this.#aftermath = new Aftermath(context, client);
    this.#readOnlyPrimary = new ReadOnlyPrimary(context);
  }

  get phase(): RunPhase {
    return this.#phase;
  }

  get connection(): BackendConnection | null {
    return this.#connection;
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
    this.#repeatable =
      shape === AnswerShape.prepare ||
      (route.target === RouteTarget.replica && plan !== null && plan.statement.provenRead);
    if (silent) this.trace.skips();
    else {
      this.trace.begins(buffer[start]!, route, plan ?? this.statement?.plan ?? null);
      if (this.#context.reports.readsStatements) this.trace.reads(buffer, start, end);
    }
    this.#packet.clear();
    const isNew = route.target === RouteTarget.primary && this.held === null && plan !== null && !silent;
    const isKept = this.#repeatable || (isNew && end - start <= MAX_KEPT_BYTES);
    if (isKept) this.#packet.keep(buffer, start, end);
    this.#readOnlyPrimary.begins(isNew && isKept);
    this.#isHarmless = isNew && isKept && isHarmless(plan);
    if (this.#replay !== null || this.#context.replays.enabled)
      this.#log(buffer, start, end, route, plan, shape, silent);
    this.#begin(buffer, start, end, route, plan, shape, silent);
  }

  /** Of a command that is new, or runs again. */
  #begin(
    buffer: Buffer,
    start: number,
    end: number,
    route: Route,
    plan: Plan | null,
    shape: AnswerShape,
    silent: boolean,
  ): void {
    this.#touching = false;
    this.#plan = plan;
    this.#shape = shape;
    this.lastErrno = 0;
    this.lastError = null;
    this.#attempts = 1;
    this.passage.begin(plan?.statement ?? null, this.statement, silent);
    this.#command = end > start ? buffer[start]! : 0;
    const isText = this.#command === Command.COM_QUERY;
    this.#aftermath.begins(plan?.statement, isText ? buffer : null, start + 1, end);
    const { statement } = this;
    const executed = shape === AnswerShape.prepare ? null : statement;
    const isUse = plan?.statement.kind === StatementKind.use && plan.statement.statementCount === 1;
    this.#entersSchema = isText ? isUse : this.#command === Command.COM_INIT_DB;
    const names = plan ?? statement?.plan ?? null;
    this.#approach.begin(route, plan, this.held, executed, names, this.#entersSchema);
    if (this.#waitsForHeir) this.#approach.search.refusedByPrimary();
    this.#waitsForHeir = false;
    this.#asks(route);
    this.#go(buffer, start, end);
  }

  /** What it does in a transaction is written down, as far as that is on. */
  #log(
    buffer: Buffer,
    start: number,
    end: number,
    route: Route,
    plan: Plan | null,
    shape: AnswerShape,
    silent: boolean,
  ): void {
    const { enabled } = this.#context.replays;
    if (!enabled && this.#replay !== null) {
      this.#replay.clear();
      this.#replay = null;
      this.passage.watcher = null;
    }
    if (!enabled) return;
    if (this.#replay === null) {
      const address = (): string => (this.held ?? this.#connection)?.server.address ?? '';
      this.#replay = new TransactionReplay(this.#context, this.#client.state, this, address);
      this.passage.watcher = this.#replay;
    }
    if (silent || route.target === RouteTarget.replica || shape === AnswerShape.prepare) return;
    const { statement } = this;
    const { errorSequence } = this.#client;
    this.#replay.starts({ buffer, start, end, plan, shape, statement, errorSequence });
  }

  // ---- ReplayedRun

  runLogged(command: SessionCommand): void {
    this.#runAgain(command, true);
  }

  ask(text: string, done: (errno: number, value: string | null) => void): void {
    const connection = this.held;
    const replay = this.#replay;
    if (connection === null || replay === null) return;
    const lost = (reason: string): void => {
      if (this.held === connection && replay.isRunning) replay.lost(reason);
    };
    const recorder = new RecordingReply((_, { errno, rows }) => done(errno, rows[0]?.[0] ?? null), lost);
    connection.sendCommand(Command.COM_QUERY, text, ownReply(recorder));
  }

  resume(command: SessionCommand | null): void {
    this.trace.goesOn();
    if (command === null) this.#client.restored();
    else this.#runAgain(command, false);
  }

  #runAgain(command: SessionCommand, silent: boolean): void {
    const { packet, plan, shape, statement, definition } = command;
    this.#client.errorSequence = command.errorSequence;
    this.statement = statement;
    if (statement !== null && definition !== null) {
      statement.definition = definition;
      statement.readExecute(packet, 0, packet.length);
    }
    this.#repeatable = false;
    this.#isHarmless = false;
    this.#packet.clear();
    this.#readOnlyPrimary.begins(false);
    const route = this.held === null ? REPLAY_BEGINS : REPLAY_HELD;
    this.#begin(packet, 0, packet.length, route, plan, shape, silent);
  }

  dropConnection(reason: string, waits: boolean): void {
    const connection = this.#connection ?? this.held;
    if (this.#approach.step !== ApproachStep.none) this.#approach.cancel();
    if (this.#phase !== RunPhase.idle) this.#phase = transition(this.#phase, RunPhase.idle);
    this.#approach.search.ended();
    this.#connection = null;
    this.held = null;
    this.#kill = null;
    this.trace.pauses();
    if (connection !== null && !connection.isClosed) connection.close(reason);
    this.#waitsForHeir = waits;
  }

  giveUp(error: ClientError, command: SessionCommand | null): void {
    this.trace.goesOn();
    if (command !== null) {
      this.#client.errorSequence = command.errorSequence;
      this.passage.begin(null, null, false);
      this.#answerWith(error);
    }
    this.#client.heldConnectionLost(error.message);
  }

  /**
   * Asks for a connection, and on it for the prepared statement that `statement` names, without sending anything:
   * `runFinished` comes when it was there.
   */
  touch(route: Route): void {
    this.#plan = null;
    this.#touching = true;
    this.#isHarmless = false;
    this.#shape = AnswerShape.single;
    this.passage.begin(null, null, true);
    this.lastErrno = 0;
    this.lastError = null;
    this.#attempts = 1;
    this.#repeatable = false;
    this.trace.skips();
    this.#packet.clear();
    this.#readOnlyPrimary.begins(false);
    this.#approach.begin(route, null, this.held, this.statement, null);
    this.#asks(route);
    this.#go(null, 0, 0);
  }

  #asks({ target }: Route): void {
    if (target === RouteTarget.replica) this.#approach.search.needs.neededGtid = this.#client.neededGtid;
  }

  /** The session ends. What runs is cut off, what is held is cleaned up. */
  abandon(): void {
    this.#abandoned = true;
    this.#replay?.clear();
    if (this.#doubt !== null) this.#context.commits.cancel(this.#doubt.tag);
    this.timeout.end();
    this.trace.abandoned(this.#attempts, this.passage.bytes);
    this.#aftermath.settled(undefined, 0);
    this.residue.reset();
    this.#approach.cancel();
    const connection = this.#connection;
    this.#connection = null;
    if (connection !== null && connection !== this.held) {
      connection.socket.resume();
      // A batch serves others too; a statement of one's own that nobody waits for ends with its connection.
      if (this.#shared) connection.abandon(this, new Orphan(this.#context.backends, connection));
      else connection.close('the client has gone');
    }
    const held = this.held;
    this.held = null;
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
    const held = this.held;
    this.held = null;
    this.#replay?.clear();
    if (held === null || held.isClosed) cleaned?.();
    else {
      held.cleaned = cleaned;
      this.#giveBack(held, left);
    }
  }

  /** KILL QUERY, or the end of the statement's time. */
  interrupt(error: ClientError): void {
    if (this.#replay?.isRunning === true) {
      this.#replay.interrupt(error);
      return;
    }
    if (this.#approach.step === ApproachStep.searching) {
      this.#approach.cancel();
      this.#fail(error);
      return;
    }
    const connection = this.#connection;
    // Behind its answer a statement has ended: what is asked for then is Sluice's own.
    if (connection === null || this.#interrupted || this.#phase === RunPhase.settling) return;
    const isSent = this.#phase === RunPhase.running;
    if (!isSent && this.held !== connection) {
      this.#approach.cancel();
      this.#connection = null;
      connection.close('killed before the statement was sent');
      this.#fail(error);
      return;
    }
    if (this.#shared) {
      // Nothing may stand in the middle of an answer; a short one ends soon.
      if (this.passage.bytes > 0) return;
      // The server would hit whoever's turn it is: the short read is left to end, its answer is thrown away.
      connection.abandon(this, new Orphan(this.#context.backends, connection));
      this.#connection = null;
      this.#fail(error);
      return;
    }
    this.#interrupted = true;
    // A KILL that comes late hits the next statement on MySQL: this connection gets none.
    connection.tainted = true;
    this.#interruption = error;
    this.passage.interruption = error;
    this.#kill = new StatementKill(this.#context.backends, connection);
  }

  /** The session is about to end: what runs for it ends on the server too, as a KILL there does. */
  endOnServer(): void {
    const connection = this.#connection;
    if (connection === null || this.#shared || connection.owed === 0) return;
    connection.tainted = true;
    killConnection(this.#context.backends, connection);
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
    return this.#phase === RunPhase.running && this.#shape === AnswerShape.stream;
  }

  get primaryThreadId(): number {
    const connection = this.#connection ?? this.held;
    if (connection === null || connection.holder !== this) return 0;
    return connection.server.role === 'primary' ? connection.threadId : 0;
  }

  /** Writes are held from now on. */
  holdBack(): void {
    this.#approach.search.holdBack();
  }

  /** What a planned change of the primary has to wait for: a transaction, a pin, a statement that may write. */
  get isOnPrimary(): boolean {
    const connection = this.held ?? this.#connection;
    if (connection === null) return false;
    if (connection.server.address !== this.#context.backends.primary?.server.address) return false;
    return this.isBound;
  }

  get isBound(): boolean {
    return this.held !== null || !this.#approach.search.isPlainRead;
  }

  // ---- the way to a connection

  #go(buffer: Buffer | null, start: number, end: number): void {
    this.#phase = transition(this.#phase, RunPhase.approaching);
    this.#interrupted = false;
    this.#approach.go(buffer, start, end);
  }

  /** What it is doing, for those who look. */
  get step(): string {
    return this.#phase === RunPhase.approaching ? this.#approach.step : this.#phase;
  }

  connectionTaken(connection: BackendConnection, shared: boolean): void {
    this.#connection = connection;
    this.#shared = shared;
    if (!shared) connection.holder = this;
  }

  arrived(
    connection: BackendConnection,
    buffer: Buffer | null,
    start: number,
    end: number,
    prepared: BackendStatement | null,
  ): void {
    this.#phase = transition(this.#phase, RunPhase.running);
    if (buffer === null) this.#finish(connection, true);
    else this.#send(connection, buffer, start, end, prepared);
  }

  statementRefused(connection: BackendConnection, tracker: ResponseTracker, error: ClientError): void {
    this.#phase = transition(this.#phase, RunPhase.running);
    this.lastError = error;
    this.passage.replacedError = error;
    this.#answered(connection, tracker);
  }

  approachFailed(error: ClientError): void {
    this.#fail(error);
  }

  approachLost(reason: string): void {
    this.#lost(reason, false, false);
  }

  // ---- sending, and what comes back

  #send(
    connection: BackendConnection,
    buffer: Buffer,
    start: number,
    end: number,
    prepared: BackendStatement | null,
  ): void {
    this.#sentAt = performance.now();
    this.passage.bytes = 0;
    if (this.#plan === null && !this.passage.silent) this.#emptyDiagnostics(connection);
    else if (!this.#shared && this.#shape !== AnswerShape.prepare)
      this.commitTag.sends(
        connection,
        this.#plan ?? this.statement?.plan ?? null,
        this.#client.state.variables,
      );
    if (this.#shared) connection.batchSize = connection.owed === 0 ? 1 : connection.batchSize + 1;
    this.#noteWrites(connection);
    connection.expect({
      shape: this.#shape,
      owner: this,
      sink: this.passage,
      clientCapabilities: this.#client.clientCapabilities,
      statusBefore: this.#client.state.statusFlags,
      firstSequence: fragmentCount(end - start),
      clientSequence: this.#client.errorSequence,
      parts: this.#plan?.statement ?? null,
      repeatable: this.#repeatable,
    });
    connection.lastUser = this.residue;
    const { counters } = this.#context;
    counters.addServer(connection.server.slot, ServerCounter.queries);
    counters.addServer(connection.server.slot, ServerCounter.bytesSent, end - start);
    const { statement } = this;
    if (statement === null || prepared === null) connection.sendPacket(buffer, start, end);
    else statement.send(connection, prepared, buffer, start, end);
  }

  /** What it may write, before the server can tell that it has. */
  #noteWrites(connection: BackendConnection): void {
    const { state, causality } = this.#client;
    const schema = this.statement === null ? state.schema : this.statement.prepared.schema;
    causality.sends(this.#plan, schema, connection.tracksState && !state.clientTracks);
  }

  /**
   * On MySQL other commands than statements add to the list of warnings. Another session may have filled it, or this
   * one before statements that ran elsewhere.
   */
  #emptyDiagnostics(connection: BackendConnection): void {
    const { residue } = this;
    const isLast = connection.lastUser === residue && residue.lastConnection === connection;
    if (this.#shape !== AnswerShape.single || isLast) return;
    if (connection.server.flavor !== 'mysql') return;
    const ignored = new RecordingReply(
      () => undefined,
      () => undefined,
    );
    connection.sendCommand(Command.COM_QUERY, 'DO 0', ownReply(ignored));
  }

  passed(retained: boolean): void {
    const connection = this.#connection;
    if (connection === null || !retained) return;
    connection.socket.retained = true;
    if (this.#client.unsentBytes > this.#context.snapshot.settings.limits.writeBufferBytes)
      this.#holdUp(connection);
  }

  /** The client reads too slowly: its server waits, others on the same connection do not. */
  #holdUp(connection: BackendConnection): void {
    connection.socket.pause();
    this.#context.counters.add(WorkerCounter.slowReaderPauses);
    if (!this.#shared) return;
    const orphan = new Orphan(this.#context.backends, connection);
    for (const owner of connection.displaceFollowers(orphan))
      if (owner instanceof StatementRun) owner.#repeat('a slow reader is in front');
  }

  /** The client has taken what was written. */
  clientDrained(): void {
    this.#connection?.socket.resume();
  }

  movesInstead(errno: number): boolean {
    if (this.#mayMakeRoom(errno)) return true;
    const address = this.#connection?.server.address ?? '';
    if (!this.#interrupted && this.#readOnlyPrimary.refuses(address, errno, this.passage.message))
      return true;
    if (this.#isRefusedInTransaction(errno)) return true;
    if (errno !== ER_OPTION_PREVENTS_STATEMENT || !this.#repeatable || this.#isPrimaryOnly) return false;
    this.#approach.search.primaryOnly();
    return true;
  }

  /** The primary was demoted in the middle of a transaction, and has rolled back, or will. */
  #isRefusedInTransaction(errno: number): boolean {
    const replay = this.#replay;
    if (replay === null || replay.isRunning || replay.log.pending === null || this.#interrupted) return false;
    this.#isRefused = isReadOnlyRefusal(errno, this.passage.message) && replay.mayReplay(false, false);
    return this.#isRefused;
  }

  /** The refusal of a COM_STMT_PREPARE that may succeed when statements that nobody needs have been closed. */
  #mayMakeRoom(errno: number): boolean {
    return (
      errno === ER_MAX_PREPARED_STMT_COUNT_REACHED &&
      this.#shape === AnswerShape.prepare &&
      this.#attempts === 1
    );
  }

  get #isPrimaryOnly(): boolean {
    return this.#approach.search.isPrimaryOnly;
  }

  replyComplete(connection: BackendConnection, tracker: ResponseTracker): void {
    const { counters } = this.#context;
    counters.addServer(connection.server.slot, ServerCounter.bytesReceived, this.passage.bytes);
    if (
      this.#repeatable &&
      this.#isPrimaryOnly &&
      tracker.errno === ER_OPTION_PREVENTS_STATEMENT &&
      !tracker.forwarded
    ) {
      this.#again(connection);
      return;
    }
    if (this.#isRefused) {
      this.#isRefused = false;
      const { address } = connection.server;
      this.#context.post({ type: 'primaryRefuses', address });
      this.#replay?.begin(address, 'it is read-only', true);
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
      this.#plan!.raisesDiagnostics = true;
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
    const isLost = this.#shared && connection.owed > 0 && this.#repeatable && !this.passage.silent;
    return isLost && this.#plan !== null && tracker.errno === 0 && tracker.raisedWarnings;
  }

  #again(connection: BackendConnection): void {
    this.#leave(connection);
    this.#attempts++;
    this.#context.counters.add(WorkerCounter.retries);
    this.#go(this.#packet.buffer, 0, this.#packet.length);
  }

  #answered(connection: BackendConnection, tracker: ResponseTracker): void {
    const { state } = this.#client;
    // A slow reader's own affair from here on: nobody would notice that an idle connection has died.
    connection.socket.resume();
    this.lastErrno = tracker.errno;
    this.#lastInsertId = tracker.lastInsertId;
    this.lastWarnings = tracker.errno === 0 ? tracker.warnings : 1;
    // An ERR says nothing of the session's status; the OKs of the same answer before it do, but for what they announced.
    if (tracker.statusReported) state.statusFlags = connection.statusFlags & ~OF_ONE_ANSWER;
    this.#client.causality.answered(state.inTransaction);
    if (this.statement !== null) this.#statementAnswered(this.statement, connection, tracker);
    if (connection.holder === this) {
      connection.variables = state.variables;
      // A USE that has failed leaves it in the schema that it was in, which need not be the session's.
      if (!this.#entersSchema || tracker.errno === 0) connection.schema = state.schema;
    }
    const now = performance.now();
    this.#learn(connection, tracker, now);
    this.trace.answered(tracker, now);
    if (tracker.errno !== 0) this.trace.failed(this.passage.replacedError?.message ?? this.passage.message);
    // The server is about to close it: nobody else may get it meanwhile.
    if (this.#plan !== null && tracker.errno === 0 && endsConnection(this.#plan, state.variables))
      connection.tainted = true;
    const { replacedError, silent, sqlState } = this.passage;
    if (replacedError !== null && !silent) this.#client.sendError(replacedError);
    if (state.lastInsertIdAssigned) {
      state.lastInsertIdAssigned = false;
      this.residue.insertIdAssigned(connection);
    }
    const lastError = tracker.errno === 0 ? null : { errno: tracker.errno, sqlState };
    const statement = this.#plan?.statement ?? null;
    this.residue.statementDone(connection, tracker, statement, this.#command, this.#shared, lastError);
    this.#settling.begin(connection, this.#plan, tracker.errno === 0);
  }

  #statementAnswered(
    statement: ClientStatement,
    connection: BackendConnection,
    tracker: ResponseTracker,
  ): void {
    if (this.#shape === AnswerShape.prepare && tracker.errno === 0) {
      const made = new BackendStatement(statement.definition, tracker.statementId);
      const { maxStatementsPerConnection } = this.#context.snapshot.settings.pool;
      if (statement.staysWhereItIs) statement.take(connection, made);
      else connection.statements.put(made, maxStatementsPerConnection);
    }
    this.#client.statementAnswered(statement, this.#shape, tracker);
  }

  settling(): void {
    if (this.#phase === RunPhase.running) this.#phase = transition(this.#phase, RunPhase.settling);
  }

  settled(connection: BackendConnection, succeeded: boolean): void {
    this.#finish(connection, succeeded);
  }

  /** The client has its answer; what its session is now nobody knows. */
  settlingLost(connection: BackendConnection, reason: string): void {
    if (this.#phase === RunPhase.settling) this.#lostBehindAnswer(connection, reason);
  }

  #lostBehindAnswer(connection: BackendConnection, reason: string): void {
    if (this.#abandoned || this.#connection !== connection) return;
    if (this.#replay?.isRunning === true) {
      this.#replay.lost(reason);
      return;
    }
    this.trace.ends(this.lastErrno, this.#attempts, this.passage.bytes);
    this.#phase = transition(this.#phase, RunPhase.idle);
    this.#approach.search.ended();
    this.#connection = null;
    this.held = null;
    this.#client.heldConnectionLost(reason);
  }

  #learn(connection: BackendConnection, tracker: ResponseTracker, now: number): void {
    const plan = this.#plan;
    if (plan === null) return;
    if (tracker.errno === 0) {
      const elapsedMs = now - this.#sentAt;
      const size = this.#shared ? connection.batchSize : 1;
      if (connection.latency.isWatched && plan.statement.provenRead && connection.owed === 0)
        connection.latency.observe(elapsedMs, plan.aloneMs, now);
      if (size === 1) plan.learnAlone(elapsedMs, this.passage.bytes);
      else {
        plan.learnBytes(this.passage.bytes);
        const { pipelineDepth } = this.#context.snapshot.settings.pool;
        if (connection.owed === 0) plan.learnBatch(elapsedMs, size, pipelineDepth);
      }
    }
    if (tracker.warnings > 0 || tracker.errno !== 0) plan.raisesDiagnostics = true;
  }

  #finish(connection: BackendConnection, succeeded: boolean): void {
    const { state } = this.#client;
    if (this.#replay?.isRunning !== true) this.timeout.end();
    const kill = this.#kill;
    this.#kill = null;
    // A KILL that has hit nothing would hit the next statement of a connection that the session keeps.
    if (kill !== null && this.lastErrno !== ER_QUERY_INTERRUPTED) {
      const lost = (reason: string): void => this.#lostBehindAnswer(connection, reason);
      kill.absorb(() => this.#finish(connection, succeeded), lost);
      return;
    }
    this.commitTag.ended(state.inTransaction);
    if (!this.#touching) this.#aftermath.ends(connection, this.#plan?.statement, this.lastErrno, succeeded);
    if (state.pins.has(PinReason.expiredPassword) && !connection.confined)
      this.#client.confinementEnded(true);
    this.trace.ends(this.lastErrno, this.#attempts, this.passage.bytes);
    this.#connection = null;
    this.statement = null;
    this.#interrupted = false;
    this.#phase = transition(this.#phase, RunPhase.idle);
    this.#approach.search.ended();
    const keeps =
      !this.#shared && (state.pinned || (connection.statusFlags & StatusFlag.SERVER_STATUS_IN_TRANS) !== 0);
    if (keeps) {
      this.held = connection;
    } else {
      this.held = null;
      this.#leave(connection);
    }
    // A preparation neither begins nor ends anything.
    const isLogged = !this.#touching && this.#shape !== AnswerShape.prepare;
    if (this.#replay !== null && isLogged && this.#endsInLog(this.#replay)) return;
    this.#client.runFinished();
  }

  /** @returns true if it ran again, unheard. */
  #endsInLog(replay: TransactionReplay): boolean {
    const { state } = this.#client;
    const [errno, insertId] = [this.lastErrno, this.#lastInsertId];
    return replay.ended({
      errno,
      message: errno === 0 ? '' : this.passage.message,
      insertId,
      isOpen: this.held !== null && (state.mayBeOpen || state.pins.has(PinReason.setTransaction)),
      isPinned: state.isPinnedByMore,
      wroteOutside: state.hasUnsafeWrite,
    });
  }

  #leave(connection: BackendConnection): void {
    if (this.#shared) this.#poolOf(connection)?.batchDone(connection);
    else this.#giveBack(connection, this.#aftermath.isSuspect ? SUSPECT : NOTHING_LEFT);
  }

  // ---- what goes wrong

  /** The server has gone, or has ended the session: what it held there is lost, as on a direct connection. */
  heldConnectionClosed(connection: BackendConnection): void {
    if (this.held !== connection || this.#connection === connection) return;
    const { address } = connection.server;
    const replay = this.#phase === RunPhase.idle ? this.#replay : null;
    if (replay?.mayReplay(false, false) === true && this.#client.restores()) {
      replay.begin(address, connection.closeReason, false);
      return;
    }
    this.held = null;
    const pin = [...this.#client.state.pins.keys()].join(', ') || 'transaction';
    const { message } = clientError('PROXY_SESSION_LOST', { address, pin, reason: connection.closeReason });
    this.#client.heldConnectionLost(message);
  }

  replyLost(_connection: BackendConnection, reason: string, started: boolean): void {
    this.#lost(reason, started, true);
  }

  #lost(reason: string, started: boolean, sent: boolean): void {
    const connection = this.#connection;
    if (this.#abandoned || this.#phase === RunPhase.idle || connection === null) return;
    this.#context.counters.add(WorkerCounter.backendLost);
    const replay = this.#replay;
    if (replay?.isRunning === true) {
      replay.lost(reason);
      return;
    }
    if (sent && this.passage.bytes === 0 && this.#isInDoubt(connection, reason)) return;
    if (
      replay !== null &&
      replay.log.pending !== null &&
      !this.#interrupted &&
      replay.mayReplay(started, sent)
    ) {
      replay.begin(connection.server.address, reason, false);
      return;
    }
    const wasHeld = this.held === connection;
    if (this.#interrupted && !wasHeld && !started && (this.#repeatable || !sent)) {
      this.#connection = null;
      this.#fail(this.#interruption);
      return;
    }
    const retries = this.#client.verdict.retries ?? DEFAULT_RETRIES;
    this.#client.causality.lost(sent);
    const verdict = verdictOfLoss({
      address: connection.server.address,
      reason,
      started,
      sent,
      repeatable: this.#repeatable || this.#isHarmless,
      attempts: this.#attempts,
      retries,
      wasHeld,
      isProvenRead: this.#plan?.statement.provenRead === true,
      onReplica: connection.server.role !== 'primary',
      brokeProtocol: connection.brokeProtocol,
      stateError: this.#approach.takeError(),
    });
    this.#connection = null;
    if (wasHeld) this.held = null;
    if (verdict.action === LossAction.repeat)
      this.#approach.search.lostOn(connection, this.#attempts >= retries);
    if (verdict.action === LossAction.repeatOnPrimary) this.#approach.search.primaryOnly();
    if (verdict.action === LossAction.failInAnswer) this.#failInAnswer(connection, verdict.error, wasHeld);
    else if (verdict.action === LossAction.fail) {
      this.#fail(verdict.error);
      if (wasHeld) this.#client.heldConnectionLost(reason);
    } else this.#repeat(reason);
  }

  /** A COMMIT that can be looked for: its client waits until it is known what has become of it. */
  #isInDoubt(connection: BackendConnection, reason: string): boolean {
    const doubt = this.commitTag.doubt(this.#interrupted);
    if (doubt === null) return false;
    this.#connection = null;
    this.held = null;
    this.#doubt = doubt;
    this.timeout.end();
    this.#kill = null;
    this.#context.log('info', 'a COMMIT is in doubt', { server: connection.server.address, reason });
    this.#context.commits.ask(doubt, (truth) => this.#resolved(doubt, truth, reason));
    return true;
  }

  #resolved(doubt: CommitDoubt, truth: CommitTruth, reason: string): void {
    const { state, causality } = this.#client;
    const replay = this.#replay;
    this.#doubt = null;
    const isLost = truth.outcome === CommitOutcome.rolledBack;
    if (isLost && replay !== null && replay.log.pending !== null && replay.log.obstacle === null) {
      replay.begin(doubt.address, reason, false);
      return;
    }
    replay?.clear();
    causality.lost(true);
    state.transactionLost();
    const error = errorOfDoubt(doubt, truth);
    if (error === null) this.#answerOk();
    else this.#fail(error);
    // Whatever else it had there is gone.
    if (state.pinned) this.#client.heldConnectionLost(reason);
  }

  /** In the name of a server that could not say it any more. */
  #answerOk(): void {
    if (!this.passage.silent) this.#client.sendOk();
    this.#aftermath.settled(this.#plan?.statement, 0);
    this.trace.ends(0, this.#attempts, this.passage.bytes);
    this.#phase = transition(this.#phase, RunPhase.idle);
    this.statement = null;
    this.#client.runFinished();
  }

  /** A proven read of whose answer nothing has passed is asked again, elsewhere. */
  #repeat(reason: string): void {
    this.#connection = null;
    this.#attempts++;
    this.#context.counters.add(WorkerCounter.retries);
    this.#context.log('debug', 'read is repeated', { reason });
    this.#go(this.#packet.buffer, 0, this.#packet.length);
  }

  /** Part of an answer has gone out: only an ERR at a packet's border, or the end of the connection, is honest. */
  #failInAnswer(connection: BackendConnection, error: ClientError, wasHeld: boolean): void {
    this.#context.log('warn', 'a server was lost during an answer', {
      server: connection.server.address,
      user: this.#client.username,
      reason: connection.closeReason,
    });
    const sequence = connection.nextClientSequence;
    if (sequence === null || this.passage.silent) {
      this.#aftermath.settled(undefined, 0);
      this.trace.ends(error.errno, this.#attempts, this.passage.bytes);
      this.#phase = transition(this.#phase, RunPhase.idle);
      this.#approach.search.ended();
      this.#client.heldConnectionLost(error.message);
      return;
    }
    this.#client.errorSequence = sequence;
    this.#fail(error);
    if (wasHeld) this.#client.heldConnectionLost(error.message);
  }

  #fail(error: ClientError): void {
    this.#phase = transition(this.#phase, RunPhase.idle);
    this.#approach.search.ended();
    if (this.#replay?.isRunning === true) this.#replay.failed(error);
    else this.#answerWith(error);
  }

  #answerWith(error: ClientError): void {
    this.timeout.end();
    this.#kill = null;
    this.#aftermath.settled(undefined, 0);
    this.statement = null;
    this.lastErrno = error.errno;
    this.lastError = error;
    this.trace.failed(error.message);
    this.trace.ends(error.errno, this.#attempts, this.passage.bytes);
    if (!this.passage.silent) this.#client.sendError(error);
    this.#client.runFinished();
  }

  #poolOf(connection: BackendConnection): ServerPool | null {
    return this.#context.backends.poolOf(connection.server.address);
  }
}

/** It does nothing but to open a transaction, or to read. */
function isHarmless(plan: Plan | null): boolean {
  if (plan === null || plan.statement.statementCount !== 1) return false;
  const { kind, provenRead } = plan.statement;
  return kind === StatementKind.begin || (provenRead && !usesResidue(plan.statement));
}
