/**
 * One client from its login to its end: takes its commands one at a time, and sees each to its end. Which way a command
 * takes is in command-dispatch.ts, where it may go in session-routing.ts.
 *
 * | state     | meaning                                                  | left by                            |
 * |-----------|----------------------------------------------------------|------------------------------------|
 * | idle      | waits for a command                                      | a command, close                   |
 * | busy      | a command is on its way (see `StatementRun`)             | its answer, close                  |
 * | infile    | the client sends the file of a LOAD DATA LOCAL           | the empty packet, close            |
 * | closed    | gone                                                     | nothing                            |
 */

import {
  AnswerShape,
  fragmentCount,
  frameErr,
  frameOk,
  type ResponseTracker,
} from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import type { SessionDescription } from '../../common/thread-messages.ts';
import type { LexicalContext } from '../../sql/lexical-context.ts';
import type { PasswordChange } from '../../sql/password-statement.ts';
import { PinReason } from '../../sql/statement-class.ts';
import type { ConnectionKey } from '../backend/connection-key.ts';
import { WriteMarks } from '../cache/write-marks.ts';
import { SessionCausality } from '../causal/session-causality.ts';
import type { Route } from '../router/route.ts';
import { NO_RULES } from '../router/rules/rule-verdict.ts';
import type { WorkerContext } from '../worker-context.ts';
import { CachedReads } from './cached-reads.ts';
import { CausalVariables } from './causal-variables.ts';
import { ClientIdentity, type SessionIdentity } from './client-identity.ts';
import type { ClientStatement } from './client-statement.ts';
import { CommandDispatch } from './command-dispatch.ts';
import { CommandRecord } from './command-record.ts';
import { InfilePassage } from './infile-passage.ts';
import { LocalCommands } from './local-commands.ts';
import { OwnVariables } from './own-variables.ts';
import { PreparedCommands } from './prepared-commands.ts';
import { AnswerCollector } from './process-list.ts';
import { ReadOnlyTransaction } from './read-only-transaction.ts';
import type { RunClient } from './run-client.ts';
import { SessionCleanup } from './session-cleanup.ts';
import { describeSession } from './session-description.ts';
import { endsConnection } from './session-end.ts';
import { moveSession, SessionPhase } from './session-phase.ts';
import { SessionRouting } from './session-routing.ts';
import { SessionRules } from './session-rules.ts';
import { errorOfRun, SessionStart } from './session-start.ts';
import { SessionState } from './session-state.ts';
import type { SessionTransport } from './session-transport.ts';
import { StatementActions } from './statement-actions.ts';
import { StatementRun } from './statement-run.ts';

export class Session implements RunClient {
  readonly state: SessionState;
  readonly clientAddress: string;
  readonly run: StatementRun;
  readonly prepared: PreparedCommands;
  readonly start: SessionStart;
  readonly local: LocalCommands;
  readonly ownVariables: OwnVariables;
  readonly rules: SessionRules;
  readonly commands: CommandDispatch;
  readonly record = new CommandRecord();
  readonly routing: SessionRouting;
  readonly cleanup: SessionCleanup;
  readonly cached: CachedReads;
  readonly #actions: StatementActions;
  readonly #infile = new InfilePassage();
  readonly readOnly: ReadOnlyTransaction;
  readonly causality: SessionCausality;
  readonly marks: WriteMarks;
  /** Who its client is, and which connections may serve it. */
  readonly account: ClientIdentity;
  readonly #context: WorkerContext;
  readonly transport: SessionTransport;
  #phase: SessionPhase = SessionPhase.idle;
  /** Sequence id of the answer's first packet: the number of packets that the command took. */
  errorSequence = 1;
  /** Called instead of the ordinary end of a command: a step of something larger. */
  #continuation: ((errno: number) => void) | null = null;
  #collector: AnswerCollector | null = null;

  constructor(identity: SessionIdentity, transport: SessionTransport, context: WorkerContext) {
    this.account = new ClientIdentity(identity);
    this.transport = transport;
    this.#context = context;
    this.clientAddress = transport.host;
    this.routing = new SessionRouting(this, context);
    this.state = new SessionState(context.counters);
    this.causality = new SessionCausality(context.causality, () => context.tables);
    this.marks = new WriteMarks(context.marks, () => context.tables, this.state);
    this.run = new StatementRun(this, context);
    this.ownVariables = new OwnVariables(this, context);
    this.ownVariables.provider = new CausalVariables(
      this.causality,
      context,
      () => this.routing.levelOtherwise,
    );
    this.readOnly = new ReadOnlyTransaction(this, context);
    this.start = new SessionStart(this, context);
    this.prepared = new PreparedCommands(this, context);
    this.local = new LocalCommands(this, context);
    this.rules = new SessionRules(this, context);
    this.cleanup = new SessionCleanup(this);
    this.cached = new CachedReads(this, context);
    this.#actions = new StatementActions(this, context);
    this.commands = new CommandDispatch(this, context, this.#actions);
  }

  get identity(): SessionIdentity {
    return this.account.value;
  }

  /** COM_CHANGE_USER. */
  changeIdentity(identity: SessionIdentity): void {
    this.account.change(identity);
    this.routing.changeUser();
    this.rules.restart();
  }

  takeNewerCredentials(): boolean {
    return this.account.takeNewerCredentials();
  }

  confine(): boolean {
    return this.account.confine();
  }

  /** The server takes everything again. Without the new password no other connection can serve the session. */
  confinementEnded(changed: boolean): void {
    if (changed && !this.takeNewerCredentials()) return;
    this.account.release();
    this.state.unpin(PinReason.expiredPassword);
  }

  passwordChanged(change: PasswordChange): void {
    this.identity.credentials.learn(change);
  }

  // ---- RunClient

  get connectionId(): number {
    return this.identity.connectionId;
  }

  get username(): string {
    return this.identity.username;
  }

  get connectionKey(): ConnectionKey {
    return this.identity.connectionKey;
  }

  get collationId(): number {
    return this.identity.collationId;
  }

  get clientCapabilities(): number {
    return this.identity.clientCapabilities;
  }

  get unsentBytes(): number {
    return this.transport.unsentBytes;
  }

  write(bytes: Buffer): boolean {
    const collector = this.#collector;
    if (collector !== null) {
      if (collector.keep(bytes)) return false;
      this.#collector = null;
      for (const chunk of collector.chunks) this.write(chunk);
    }
    this.#context.counters.add(WorkerCounter.clientBytesOut, bytes.length);
    return this.transport.write(bytes);
  }

  /** The next answer goes to `then` and not to the client; so long a one that it cannot be kept goes as it comes. */
  collectAnswer(then: (answer: Buffer) => void): void {
    const collector = new AnswerCollector();
    this.#collector = collector;
    this.#continuation = () => {
      const isWhole = this.#collector === collector && collector.chunks.length > 0;
      this.#collector = null;
      if (isWhole) then(Buffer.concat(collector.chunks));
      else this.commandAnswered();
    };
  }

  localInfile(): void {
    this.#phase = moveSession(this.#phase, SessionPhase.infile);
    this.transport.resumeInput();
  }

  sendError(error: ClientError): void {
    this.#context.counters.add(WorkerCounter.errorsSent);
    this.record.errno = error.errno;
    this.transport.write(frameErr(error, this.clientCapabilities, this.errorSequence));
  }

  sendOk(): void {
    const { statusFlags } = this.state;
    this.transport.write(frameOk({ statusFlags }, this.clientCapabilities, this.errorSequence));
  }

  statementAnswered(statement: ClientStatement, shape: AnswerShape, tracker: ResponseTracker): void {
    this.prepared.answered(statement, shape, tracker);
  }

  heldConnectionLost(reason: string): void {
    this.close(reason);
  }

  interruptsWait(error: ClientError): boolean {
    return this.#actions.interrupt(error) || this.cached.interrupt(error);
  }

  restores(): boolean {
    if (this.#phase !== SessionPhase.idle) return false;
    this.#phase = moveSession(this.#phase, SessionPhase.busy);
    return true;
  }

  restored(): void {
    if (this.#phase !== SessionPhase.busy) return;
    this.#phase = moveSession(this.#phase, SessionPhase.idle);
    this.transport.resumeInput();
  }

  get phase(): SessionPhase {
    return this.#phase;
  }

  // ---- commands

  /** One command; `buffer[start, end)` is the payload and not kept. */
  command(buffer: Buffer, start: number, end: number): void {
    this.#context.counters.add(WorkerCounter.questions);
    this.#context.counters.add(WorkerCounter.clientBytesIn, end - start + 4);
    if (end === start) {
      this.sendError(clientError('PROXY_MALFORMED_PACKET', {}));
      return;
    }
    const command = buffer[start]!;
    this.#context.statistics.counters.addProtocolCommand(command);
    this.record.begins(command, this.run.trace);
    this.routing.verdict = NO_RULES;
    this.#actions.commandCame();
    this.errorSequence = fragmentCount(end - start) & 0xff;
    this.#phase = moveSession(this.#phase, SessionPhase.busy);
    this.commands.take(command, buffer, start, end);
  }

  /** How the client's bytes are to be read; null until it is known what its session starts with. */
  lexicalContext(): LexicalContext | null {
    const { flavor, versionId } = this.#context.backends.dialect;
    return this.state.lexicalContext(flavor, versionId);
  }

  /** Gets hold of a connection in the session's state, and lets go of it: nothing is sent to the client. */
  touchServer(route: Route, then: (error: ClientError | null) => void): void {
    const isLogin = this.#phase === SessionPhase.idle;
    if (isLogin) this.#phase = moveSession(this.#phase, SessionPhase.busy);
    this.#continuation = (errno) => {
      if (isLogin) this.#phase = moveSession(this.#phase, SessionPhase.idle);
      then(errorOfRun(errno, this.run.lastError));
    };
    this.run.touch(route);
  }

  /** Runs a statement of Sluice's own on the held connection or the primary, and goes on with `then`. */
  runOwn(payload: Buffer, route: Route, then: (errno: number) => void): void {
    this.#continuation = then;
    this.run.start(payload, 0, payload.length, route, null, AnswerShape.query, true);
  }

  runFinished(): void {
    if (this.#phase === SessionPhase.closed) return;
    const continuation = this.#continuation;
    if (continuation !== null) {
      this.#continuation = null;
      continuation(this.run.lastErrno);
      return;
    }
    this.commandAnswered();
  }

  /** What a command leaves to be done when its answer has passed. */
  commandAnswered(): void {
    if (this.#phase === SessionPhase.infile) this.#phase = moveSession(this.#phase, SessionPhase.busy);
    this.routing.isPlacing = false;
    if (this.#endsConnection()) {
      this.close('the transaction ended with RELEASE');
      return;
    }
    this.prepared.commandFinished();
    this.readOnly.statementFinished();
    this.commandDone();
  }

  /** The command is answered; the next one may come. */
  commandDone(): void {
    if (this.#phase === SessionPhase.closed) return;
    this.run.timeout.end();
    this.cached.commandEnded();
    this.record.ends(this.run.trace, this.transport.lastActivity);
    this.#phase = moveSession(this.#phase, SessionPhase.idle);
    if (this.#context.stopping && this.run.held === null) {
      this.endForShutdown();
      return;
    }
    if (this.state.idleTimeoutMs !== null) this.transport.idles();
    this.transport.resumeInput();
  }

  /** COMMIT RELEASE, or `completion_type` says so: the server has closed its side. */
  #endsConnection(): boolean {
    const { plan } = this.record;
    return plan !== null && this.run.lastErrno === 0 && endsConnection(plan, this.state.variables);
  }

  /** Used by `ReadOnlyTransaction` when it cannot go on. */
  refuse(error: ClientError): void {
    this.run.lastWarnings = 1;
    this.sendError(error);
    this.commandDone();
  }

  /**
   * A packet of the file of a LOAD DATA LOCAL; an empty one ends it.
   * @param sequenceId null if the client does not count packets: compression counts its frames instead.
   */
  infilePacket(buffer: Buffer, start: number, end: number, sequenceId: number | null): void {
    const { connection } = this.run;
    if (connection === null) return;
    this.#infile.pass(connection, buffer, start, end, sequenceId);
    if (end === start) this.#phase = moveSession(this.#phase, SessionPhase.busy);
  }

  // ---- the end

  /** KILL from another session. A server closes the connection without a word. */
  killed(queryOnly: boolean): void {
    if (queryOnly) {
      const error = clientError('PROXY_QUERY_INTERRUPTED', {});
      if (this.#phase !== SessionPhase.idle) this.run.interrupt(error);
      return;
    }
    this.run.endOnServer();
    this.close('killed');
  }

  /** Of the connection to the primary that it has for itself now, 0 for none. */
  get primaryThreadId(): number {
    return this.run.connections.primaryThreadId;
  }

  describe(): SessionDescription {
    return describeSession(this);
  }

  endForShutdown(): void {
    if (this.#phase === SessionPhase.closed) return;
    this.transport.write(frameErr(clientError('PROXY_SHUTDOWN', {}), this.clientCapabilities, 0));
    this.close('shutdown');
  }

  /** Idle, and nothing held that a stop would destroy. */
  get mayEndNow(): boolean {
    return this.#phase === SessionPhase.idle && !this.state.inTransaction;
  }

  close(reason: string): void {
    if (this.#phase === SessionPhase.closed) return;
    this.#phase = moveSession(this.#phase, SessionPhase.closed);
    this.#actions.cancel();
    this.cached.end();
    this.run.abandon();
    this.identity.credentials.leave();
    this.prepared.clear();
    this.state.end();
    this.transport.close(reason);
  }
}
