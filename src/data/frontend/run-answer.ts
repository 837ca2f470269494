/** From the last packet of a command's answer to its end: whether it runs again elsewhere instead, what the answer means for
 * the session, what no report tells and is asked for, and what becomes of the connection. */

import { performance } from 'node:perf_hooks';
import { AnswerShape, type ResponseTracker, StatusFlag } from '../../../protocol/index.ts';
import {
  ER_MAX_PREPARED_STMT_COUNT_REACHED,
  ER_OPTION_PREVENTS_STATEMENT,
  ER_QUERY_INTERRUPTED,
} from '../../common/server-errno.ts';
import { ServerCounter, WorkerCounter } from '../../common/shared-counters.ts';
import { PinReason } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import { BackendStatement, nextPreparation } from '../backend/backend-statements.ts';
import type { ClientStatement } from './client-statement.ts';
import type { RunConnections } from './run-connections.ts';
import { moveRun, RunPhase } from './run-phase.ts';
import type { RunReplay } from './run-replay.ts';
import type { RunParts, RunState, RunSteps } from './run-state.ts';
import { endsConnection } from './session-end.ts';
import { type SettlingListener, StateSettling } from './state-settling.ts';
import { learnFrom } from './statement-learning.ts';

/** Flags of an OK that say nothing of what comes after its answer. */
const OF_ONE_ANSWER = StatusFlag.SERVER_SESSION_STATE_CHANGED | StatusFlag.SERVER_MORE_RESULTS_EXISTS;

export class RunAnswer implements SettlingListener {
  readonly #run: RunParts;
  readonly #now: RunState;
  readonly #steps: RunSteps;
  readonly #connections: RunConnections;
  readonly #replaying: RunReplay;
  readonly #settling: StateSettling;

  constructor(run: RunParts, steps: RunSteps, connections: RunConnections, replaying: RunReplay) {
    this.#run = run;
    this.#now = run.now;
    this.#steps = steps;
    this.#connections = connections;
    this.#replaying = replaying;
    this.#settling = new StateSettling(run.client.state, run.residue, this);
  }

  // ---- it runs again instead

  /** Asked at an ERR, of whose answer nothing has passed. @returns true if the client is not to see it */
  movesInstead(errno: number): boolean {
    const { approach, passage, readOnlyPrimary } = this.#run;
    if (this.#mayMakeRoom(errno)) return true;
    const address = this.#now.connection?.server.address ?? '';
    if (!this.#now.interrupted && readOnlyPrimary.refuses(address, errno, passage.message)) return true;
    if (this.#replaying.isRefused(errno)) return true;
    if (
      errno !== ER_OPTION_PREVENTS_STATEMENT ||
      !this.#now.repeatable ||
      approach.search.choice.isPrimaryOnly
    )
      return false;
    approach.search.choice.primaryOnly();
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

  complete(connection: BackendConnection, tracker: ResponseTracker): void {
    const { context, client, passage } = this.#run;
    client.marks.replied(connection, tracker);
    context.counters.addServer(connection.server.slot, ServerCounter.bytesReceived, passage.bytes);
    if (!this.#runsAgain(connection, tracker)) this.answered(connection, tracker);
  }

  /** @returns true if it does, or its transaction is done again. */
  #runsAgain(connection: BackendConnection, tracker: ResponseTracker): boolean {
    const { context, approach, readOnlyPrimary, passage } = this.#run;
    const isRefusedByReplica =
      this.#now.repeatable &&
      approach.search.choice.isPrimaryOnly &&
      tracker.errno === ER_OPTION_PREVENTS_STATEMENT;
    if (isRefusedByReplica && !tracker.forwarded) {
      this.#again(connection);
      return true;
    }
    if (this.#now.isRefused) {
      this.#now.isRefused = false;
      const { address } = connection.server;
      context.post({ type: 'primaryRefuses', address });
      this.#now.replay?.begin(address, 'it is read-only', true);
      return true;
    }
    if (readOnlyPrimary.takeRefusal()) {
      approach.search.refusedByPrimary();
      this.#connections.leave(connection);
      this.#steps.sendKept();
      return true;
    }
    if (this.#mayMakeRoom(tracker.errno) && !tracker.forwarded) {
      connection.statements.closeShared();
      this.#connections.poolOf(connection)?.closeStatements();
      this.#again(connection);
      return true;
    }
    if (this.#losesList(connection, tracker)) {
      this.#now.plan!.raisesDiagnostics = true;
      passage.silence();
      this.#again(connection);
      return true;
    }
    return false;
  }

  /**
   * The first warning of a digest that shared a connection: statements of others have followed, and the list is gone.
   * The read is asked once more, by itself and unheard, so that a SHOW WARNINGS finds it.
   */
  #losesList(connection: BackendConnection, tracker: ResponseTracker): boolean {
    const isLost =
      this.#now.shared && connection.owed > 0 && this.#now.repeatable && !this.#run.passage.silent;
    return isLost && this.#now.plan !== null && tracker.errno === 0 && tracker.raisedWarnings;
  }

  #again(connection: BackendConnection): void {
    this.#connections.leave(connection);
    this.#now.attempts++;
    this.#run.context.counters.add(WorkerCounter.retries);
    this.#steps.sendKept();
  }

  // ---- the session has its answer

  answered(connection: BackendConnection, tracker: ResponseTracker): void {
    const now = this.#now;
    const { state, causality } = this.#run.client;
    // A slow reader's own affair from here on: nobody would notice that an idle connection has died.
    connection.socket.resume();
    now.lastErrno = tracker.errno;
    now.lastInsertId = tracker.lastInsertId;
    now.lastWarnings = tracker.errno === 0 ? tracker.warnings : 1;
    // An ERR says nothing of the session's status; the OKs of the same answer before it do, but for what they announced.
    if (tracker.statusReported) state.statusFlags = connection.statusFlags & ~OF_ONE_ANSWER;
    causality.answered(state.inTransaction);
    if (now.statement !== null) this.#statementAnswered(now.statement, connection, tracker);
    if (connection.holder === this.#connections) {
      connection.variables = state.variables;
      // A USE that has failed leaves it in the schema that it was in, which need not be the session's.
      if (!now.entersSchema || tracker.errno === 0) connection.schema = state.schema;
    }
    this.#note(connection, tracker);
    // The server is about to close it: nobody else may get it meanwhile.
    if (now.plan !== null && tracker.errno === 0 && endsConnection(now.plan, state.variables))
      connection.tainted = true;
    const { replacedError, silent } = this.#run.passage;
    if (replacedError !== null && !silent) this.#run.client.sendError(replacedError);
    this.#leaveResidue(connection, tracker);
    this.#settling.begin(connection, now.plan, tracker.errno === 0);
  }

  #statementAnswered(
    statement: ClientStatement,
    connection: BackendConnection,
    tracker: ResponseTracker,
  ): void {
    const { shape } = this.#now;
    if (shape === AnswerShape.prepare && tracker.errno === 0) {
      const made = new BackendStatement(statement.definition, tracker.statementId, nextPreparation());
      const { maxStatementsPerConnection } = this.#run.context.snapshot.settings.pool;
      if (statement.staysWhereItIs) statement.take(connection, made);
      else connection.statements.put(made, maxStatementsPerConnection);
    }
    this.#run.client.statementAnswered(statement, shape, tracker);
  }

  /** For the plan, and for those who look. */
  #note(connection: BackendConnection, tracker: ResponseTracker): void {
    const { context, passage, trace } = this.#run;
    const answeredAt = performance.now();
    const { pipelineDepth } = context.snapshot.settings.pool;
    learnFrom(this.#now, connection, tracker, passage.bytes, answeredAt, pipelineDepth);
    trace.answered(tracker, answeredAt);
    if (tracker.errno !== 0) trace.failed(passage.replacedError?.message ?? passage.message);
  }

  #leaveResidue(connection: BackendConnection, tracker: ResponseTracker): void {
    const { plan, command, shared } = this.#now;
    const { client, residue, passage } = this.#run;
    if (client.state.lastInsertIdAssigned) {
      client.state.lastInsertIdAssigned = false;
      residue.insertIdAssigned(connection);
    }
    const { errno } = tracker;
    const lastError = errno === 0 ? null : { errno, sqlState: passage.sqlState, message: passage.message };
    residue.statementDone(connection, tracker, plan?.statement ?? null, command, shared, lastError);
  }

  // ---- SettlingListener

  settling(): void {
    if (this.#now.phase === RunPhase.running) this.#now.phase = moveRun(this.#now.phase, RunPhase.settling);
  }

  settled(connection: BackendConnection, succeeded: boolean): void {
    this.finish(connection, succeeded);
  }

  /** The client has its answer; what its session is now nobody knows. */
  settlingLost(connection: BackendConnection, reason: string): void {
    if (this.#now.phase === RunPhase.settling) this.#lostBehindAnswer(connection, reason);
  }

  #lostBehindAnswer(connection: BackendConnection, reason: string): void {
    const now = this.#now;
    if (now.abandoned || now.connection !== connection) return;
    if (now.replay?.isRunning === true) {
      now.replay.lost(reason);
      return;
    }
    this.#run.trace.ends(now.lastErrno, now.attempts, this.#run.passage.bytes);
    now.phase = moveRun(now.phase, RunPhase.idle);
    this.#run.approach.search.ended();
    now.connection = null;
    now.held = null;
    this.#run.client.heldConnectionLost(reason);
  }

  // ---- the end

  finish(connection: BackendConnection, succeeded: boolean): void {
    const now = this.#now;
    const { client, timeout, commitTag, aftermath, trace, passage, packet, approach } = this.#run;
    const { state } = client;
    if (now.replay?.isRunning !== true) timeout.end();
    if (this.#absorbsKill(connection, succeeded)) return;
    commitTag.ended(state.inTransaction);
    if (!now.touching) aftermath.ends(connection, now.plan?.statement, now.lastErrno, succeeded);
    if (state.pins.has(PinReason.expiredPassword) && !connection.confined) client.confinementEnded(true);
    trace.ends(now.lastErrno, now.attempts, passage.bytes);
    now.connection = null;
    now.statement = null;
    now.interrupted = false;
    packet.clear();
    now.phase = moveRun(now.phase, RunPhase.idle);
    approach.search.ended();
    const inTransaction = (connection.statusFlags & StatusFlag.SERVER_STATUS_IN_TRANS) !== 0;
    if (!now.shared && (state.pinned || inTransaction)) now.held = connection;
    else {
      now.held = null;
      this.#connections.leave(connection);
    }
    // A preparation neither begins nor ends anything.
    const isLogged = !now.touching && now.shape !== AnswerShape.prepare;
    if (now.replay !== null && isLogged && this.#replaying.ended(now.replay)) return;
    client.runFinished();
  }

  /** A KILL that has hit nothing would hit the next statement of a connection that the session keeps. */
  #absorbsKill(connection: BackendConnection, succeeded: boolean): boolean {
    const { kill } = this.#now;
    this.#now.kill = null;
    if (kill === null || this.#now.lastErrno === ER_QUERY_INTERRUPTED) return false;
    const lost = (reason: string): void => this.#lostBehindAnswer(connection, reason);
    kill.absorb(() => this.finish(connection, succeeded), lost);
    return true;
  }
}
