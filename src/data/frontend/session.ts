/**
 * One client from its login to its end: takes its commands one at a time, decides where each goes, and answers
 * those that need no server.
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
  Command,
  fragmentCount,
  frameErr,
  frameOk,
  framePacket,
  type ResponseTracker,
} from '../../../protocol/index.ts';
import type { CausalLevel } from '../../common/causal-level.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import { makeTransitions } from '../../common/state-machine.ts';
import type { SessionDescription } from '../../common/thread-messages.ts';
import { hintValuesOf } from '../../sql/hint-values.ts';
import type { LexicalContext } from '../../sql/lexical-context.ts';
import type { PasswordChange } from '../../sql/password-statement.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import { PinReason, type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { ConnectionKey } from '../backend/connection-key.ts';
import { SessionCausality } from '../causal/session-causality.ts';
import { UNKNOWN_NEED } from '../causal/worker-causality.ts';
import type { TlsDescription } from '../io/tls-client-stream.ts';
import type { Destination } from '../router/destination.ts';
import type { Plan } from '../router/plan.ts';
import { type Route, routeOf } from '../router/route.ts';
import type { RoutingFacts } from '../router/router.ts';
import { NO_RULES, type RuleVerdict } from '../router/rules/rule-verdict.ts';
import type { WorkerContext } from '../worker-context.ts';
import { adaptAnswer } from './answer-adaptation.ts';
import { CausalVariables } from './causal-variables.ts';
import { ClientIdentity, type SessionIdentity } from './client-identity.ts';
import type { ClientStatement } from './client-statement.ts';
import { CommandTreatment, commandShape, treatmentOf } from './command-table.ts';
import { sendInfilePacket } from './infile.ts';
import { LocalCommands } from './local-commands.ts';
import { OwnVariables } from './own-variables.ts';
import { PreparedCommands } from './prepared-commands.ts';
import { AnswerCollector, makeProcessList } from './process-list.ts';
import { ReadOnlyTransaction } from './read-only-transaction.ts';
import { AS_IT_IS, ResidueAnswers, TAKEN } from './residue-answers.ts';
import type { RunClient } from './run-client.ts';
import { endsConnection } from './session-end.ts';
import { SessionPhase } from './session-phase.ts';
import { SessionRules } from './session-rules.ts';
import { errorOfRun, SessionStart } from './session-start.ts';
import { SessionState } from './session-state.ts';
import { mirrors, StatementActions } from './statement-actions.ts';
import { StatementRun } from './statement-run.ts';

const transition = makeTransitions<SessionPhase>('session', {
  idle: ['busy', 'closed'],
  busy: ['idle', 'infile', 'closed'],
  infile: ['busy', 'idle', 'closed'],
  closed: [],
});

/** What the session needs of the socket side. */
export interface SessionTransport {
  write(bytes: Buffer): boolean;
  readonly unsentBytes: number;
  /** The session takes commands again. */
  resumeInput(): void;
  /** The session is idle from now on, for no longer than it has allowed itself by `wait_timeout`. */
  idles(): void;
  /** From now on the client's packets are the contents of a file. */
  close(reason: string): void;
  /** `address:port`, as servers show it. */
  readonly host: string;
  /** Of Sluice's own that the client has connected to; '' and 0 for a Unix socket. */
  readonly localAddress: string;
  readonly localPort: number;
  /** null without TLS. */
  describeTls(): TlsDescription | null;
  /** When the client last sent something, by `performance.now()`. */
  readonly lastActivity: number;
}

const HELD = routeOf(RouteTarget.held, RouteReason.pinned);
/** First byte of a replica's acknowledgement. */
const SEMI_SYNC_REPLY = 0xef;
const MAX_SHOWN_GTID = 64;
const ANSWERED_HERE = routeOf(RouteTarget.sluice, RouteReason.answeredHere);
const PINNED_COMMAND = routeOf(RouteTarget.primary, RouteReason.pinned);

export class Session implements RunClient, RoutingFacts {
  readonly state: SessionState;
  readonly clientAddress: string;
  readonly run: StatementRun;
  readonly prepared: PreparedCommands;
  readonly start: SessionStart;
  readonly local: LocalCommands;
  readonly ownVariables: OwnVariables;
  readonly rules: SessionRules;
  readonly #answers: ResidueAnswers;
  readonly #actions: StatementActions;
  readonly readOnly: ReadOnlyTransaction;
  readonly causality: SessionCausality;
  readonly #identity: ClientIdentity;
  readonly #context: WorkerContext;
  readonly #transport: SessionTransport;
  #phase: SessionPhase = SessionPhase.idle;
  #command = 0;
  /** How many statements had been sent when it came, and the error of Sluice's own that answered it. */
  #statementsBefore = 0;
  #ownErrno = 0;
  /** Sequence id of the answer's first packet: the number of packets that the command took. */
  errorSequence = 1;
  #plan: Plan | null = null;
  /** Of the command that runs. */
  destination: Destination;
  /** What the query rules say of the command; `NO_RULES` until they have been asked. */
  verdict: RuleVerdict = NO_RULES;
  /** Why Sluice answers, where it does. */
  #answeredBy: Route = ANSWERED_HERE;
  /** Called instead of the ordinary end of a command: a step of something larger. */
  #continuation: ((errno: number) => void) | null = null;
  /** What the command that runs must see; below 0: nobody knows who has it. */
  #need = 0;
  /** A read is on its way to a replica. */
  #isPlacing = false;
  #isCleaning = false;
  #onceClean: (() => void) | null = null;
  readonly #describeTls = (): TlsDescription | null => this.#transport.describeTls();
  #collector: AnswerCollector | null = null;
  /** Of the next packet of a file, where the client does not count them. */
  #infileSequence: number | null = null;

  constructor(identity: SessionIdentity, transport: SessionTransport, context: WorkerContext) {
    this.#identity = new ClientIdentity(identity);
    this.#transport = transport;
    this.#context = context;
    this.clientAddress = transport.host;
    this.destination = context.router.destinationOfUser(identity.defaultHostgroup);
    this.state = new SessionState(context.counters);
    this.causality = new SessionCausality(context.causality, () => context.tables);
    this.run = new StatementRun(this, context);
    this.ownVariables = new OwnVariables(this, context);
    this.ownVariables.provider = new CausalVariables(this.causality, context, () => this.#levelOtherwise);
    this.readOnly = new ReadOnlyTransaction(this, context);
    this.start = new SessionStart(this, context);
    this.prepared = new PreparedCommands(this, context);
    this.local = new LocalCommands(this, context);
    this.rules = new SessionRules(this, context);
    this.#answers = new ResidueAnswers(this, context);
    this.#actions = new StatementActions(this, context);
  }

  get identity(): SessionIdentity {
    return this.#identity.value;
  }

  /** COM_CHANGE_USER. */
  changeIdentity(identity: SessionIdentity): void {
    this.#identity.change(identity);
    this.destination = this.#context.router.destinationOfUser(identity.defaultHostgroup);
    this.rules.restart();
  }

  allowMultiStatements(isAllowed: boolean): void {
    this.#identity.allowMultiStatements(isAllowed);
  }

  get allowsMultiStatements(): boolean {
    return this.#identity.allowsMultiStatements;
  }

  takeNewerCredentials(): boolean {
    return this.#identity.takeNewerCredentials();
  }

  confine(): boolean {
    return this.#identity.confine();
  }

  /** The server takes everything again. Without the new password no other connection can serve the session. */
  confinementEnded(changed: boolean): void {
    if (changed && !this.takeNewerCredentials()) return;
    this.#identity.release();
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

  get localAddress(): string {
    return this.#transport.localAddress;
  }

  get localPort(): number {
    return this.#transport.localPort;
  }

  get clientCapabilities(): number {
    return this.identity.clientCapabilities;
  }

  get unsentBytes(): number {
    return this.#transport.unsentBytes;
  }

  write(bytes: Buffer): boolean {
    const collector = this.#collector;
    if (collector !== null) {
      if (collector.keep(bytes)) return false;
      this.#collector = null;
      for (const chunk of collector.chunks) this.write(chunk);
    }
    this.#context.counters.add(WorkerCounter.clientBytesOut, bytes.length);
    return this.#transport.write(bytes);
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
    this.#phase = transition(this.#phase, SessionPhase.infile);
    this.#transport.resumeInput();
  }

  sendError(error: ClientError): void {
    this.#context.counters.add(WorkerCounter.errorsSent);
    this.#ownErrno = error.errno;
    this.#transport.write(frameErr(error, this.clientCapabilities, this.errorSequence));
  }

  sendOk(): void {
    const { statusFlags } = this.state;
    this.#transport.write(frameOk({ statusFlags }, this.clientCapabilities, this.errorSequence));
  }

  statementAnswered(statement: ClientStatement, shape: AnswerShape, tracker: ResponseTracker): void {
    this.prepared.answered(statement, shape, tracker);
  }

  seesEnoughOn({ server }: BackendConnection, { tables }: StatementClass): boolean {
    if (tables.length === 0) return true;
    const need = this.causality.needOfAny(this.#level);
    return need !== UNKNOWN_NEED && this.#context.causality.gtids.applied(server.slot) >= need;
  }

  /** A read that was to go to a replica has got a connection. */
  readPlaced(isOnPrimary: boolean): void {
    if (!this.#isPlacing) return;
    this.#isPlacing = false;
    this.#context.counters.add(isOnPrimary ? WorkerCounter.readsOnPrimary : WorkerCounter.readsOnReplica);
  }

  heldConnectionLost(reason: string): void {
    this.close(reason);
  }

  restores(): boolean {
    if (this.#phase !== SessionPhase.idle) return false;
    this.#phase = transition(this.#phase, SessionPhase.busy);
    return true;
  }

  restored(): void {
    if (this.#phase !== SessionPhase.busy) return;
    this.#phase = transition(this.#phase, SessionPhase.idle);
    this.#transport.resumeInput();
  }

  // ---- RoutingFacts

  get phase(): SessionPhase {
    return this.#phase;
  }

  get holdsConnection(): boolean {
    return this.run.held !== null;
  }

  get inTransaction(): boolean {
    return this.state.inTransaction;
  }

  get pinned(): boolean {
    return this.state.pinned || this.run.statement?.wantsOwn === true;
  }

  get autocommit(): boolean {
    return this.state.variables?.autocommit ?? true;
  }

  /** A prepared statement means the tables of the schema that it was prepared in. */
  get schema(): string | null {
    const { statement } = this.run;
    return statement === null ? this.state.schema : statement.prepared.schema;
  }

  get needsPrimary(): boolean {
    return this.#need === UNKNOWN_NEED;
  }

  get neededGtid(): number {
    return Math.max(0, this.#need);
  }

  get causalWaitMs(): number {
    return this.causality.waitMs ?? this.#context.snapshot.settings.causalReads.waitMs;
  }

  get defaultHostgroup(): number | null {
    return this.identity.defaultHostgroup;
  }

  get avoidsReplicaTransactions(): boolean {
    return this.readOnly.avoided || this.run.statement !== null;
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
    this.#command = command;
    this.#context.statistics.counters.addProtocolCommand(command);
    this.#statementsBefore = this.run.trace.statements;
    this.#ownErrno = 0;
    this.#plan = null;
    this.verdict = NO_RULES;
    this.#answeredBy = ANSWERED_HERE;
    this.#actions.commandCame();
    this.errorSequence = fragmentCount(end - start) & 0xff;
    this.#phase = transition(this.#phase, SessionPhase.busy);
    if (command === Command.COM_QUERY) {
      this.#query(buffer, start, end);
      return;
    }
    switch (treatmentOf(command)) {
      case CommandTreatment.local:
        this.local.answer(command, buffer, start, end);
        return;
      case CommandTreatment.prepared:
        this.prepared.command(command, buffer, start, end);
        return;
      case CommandTreatment.primary:
        this.leaveReadOnlyThen(buffer, start, end, (again, from, to) => this.toPrimary(again, from, to));
        return;
      case CommandTreatment.pinned:
        this.state.pin(PinReason.passThroughCommand);
        this.leaveReadOnlyThen(buffer, start, end, (again, from, to) => this.toPrimary(again, from, to));
        return;
      default:
        this.sendError(clientError('PROXY_UNKNOWN_COMMAND', {}));
        this.commandDone();
    }
  }

  #query(buffer: Buffer, start: number, end: number): void {
    const context = this.lexicalContext();
    if (context === null) {
      this.start.learn(buffer, start, end, (packet) => this.#query(packet, 0, packet.length));
      return;
    }
    const { plans } = this.#context;
    const written = plans.planFor(buffer, start + 1, end, context);
    const { engine } = this.#context.rules;
    // What comes a second time, behind something else, has been judged.
    if (engine === null || this.verdict !== NO_RULES) {
      this.#runQuery(buffer, start, end, written, context);
      return;
    }
    this.#plan = written;
    const packet = this.rules.query(engine, buffer, start, end, written);
    if (packet === null) return;
    if (packet === buffer) this.#runQuery(buffer, start, end, written, context);
    else {
      const plan = plans.planFor(packet, 1, packet.length, context);
      this.#runQuery(packet, 0, packet.length, plan, context);
    }
  }

  #runQuery(buffer: Buffer, start: number, end: number, written: Plan, context: LexicalContext): void {
    const { plans } = this.#context;
    const plan = this.state.named.resolve(written, buffer, start + 1, end, context, plans);
    this.#plan = plan;
    const statement = plan.statement;
    if (statement.kind === StatementKind.kill) {
      const forward = (packet: Buffer): void => this.admit(packet, 0, packet.length, plan);
      if (this.local.kill(buffer, start, end, context, forward)) return;
    }
    if (statement.ownVariables) this.ownVariables.answer(buffer, start, end, context);
    else this.admit(buffer, start, end, plan);
  }

  /** Where it may go now, unless a read-only transaction is in its way. */
  admit(buffer: Buffer, start: number, end: number, plan: Plan): void {
    const { statement } = plan;
    if (this.readOnly.active && !this.readOnly.admits(statement)) {
      this.readOnly.leave(buffer, start, end, statement);
      return;
    }
    if (!this.#takesHint(statement, buffer, start, end)) return;
    if (this.readOnly.active && !this.readOnly.sees(buffer, start, end, plan)) return;
    this.dispatch(buffer, start, end, plan);
  }

  /** A statement that something else had to go in front of. */
  redispatch(packet: Buffer): void {
    if (packet[0] === Command.COM_QUERY) this.#query(packet, 0, packet.length);
    else this.prepared.command(packet[0]!, packet, 0, packet.length);
  }

  /** The rest of a text of several statements, of which one packet of the answer has gone out. */
  continueWith(packet: Buffer): void {
    this.errorSequence = (this.errorSequence + 1) & 0xff;
    this.#query(packet, 0, packet.length);
  }

  /** COM_STMT_EXECUTE of a statement that the session has. */
  execute(buffer: Buffer, start: number, end: number, prepared: ClientStatement): void {
    const { plan } = prepared;
    this.#plan = plan;
    if (!this.rules.admits(prepared)) return;
    if (this.readOnly.active && !this.readOnly.admits(plan.statement)) {
      this.readOnly.leave(buffer, start, end, plan.statement);
      return;
    }
    const { text } = prepared.prepared;
    if (!this.#takesHint(plan.statement, text, -1, text.length)) return;
    if (this.readOnly.active && !this.readOnly.sees(buffer, start, end, plan)) return;
    this.run.statement = prepared;
    this.dispatch(buffer, start, end, plan);
  }

  /** COM_STMT_PREPARE, where an execution would go. */
  prepare(buffer: Buffer, start: number, end: number, prepared: ClientStatement): void {
    this.run.statement = prepared;
    this.run.passage.errorReplacement = null;
    this.run.start(buffer, start, end, this.#routeOf(prepared.plan), null, AnswerShape.prepare);
  }

  /** A connection for what comes before the execution of a statement; the session is pinned already. */
  acquire(prepared: ClientStatement, then: (error: ClientError | null) => void): void {
    this.run.statement = prepared;
    this.touchServer(this.#routeOf(prepared.plan), then);
  }

  #routeOf(plan: Plan): Route {
    const { statement } = plan;
    const { router } = this.#context;
    this.destination = router.destinationOf(statement, this);
    this.#need = this.causality.needOf(
      plan,
      this.schema,
      this.#level,
      this.destination,
      statement.beginReadOnly,
    );
    return router.route(statement, this, this.destination);
  }

  /** The level of causal reads, where no hint says another one. */
  get #level(): CausalLevel {
    return this.verdict.causalReads ?? this.causality.level ?? this.#levelOtherwise;
  }

  /** Where neither a rule nor the session itself says one. */
  get #levelOtherwise(): CausalLevel {
    return this.identity.causalReads ?? this.#context.snapshot.settings.causalReads.level;
  }

  /** What a read of a transaction on a replica must see. @param ofAny the snapshot is of all tables. */
  needInTransaction(plan: Plan, ofAny: boolean): number {
    return this.causality.needOf(plan, this.schema, this.#level, this.destination, ofAny);
  }

  /** The statement of this command is answered without a server, for the reason of `route`. */
  answersBy(route: Route, plan: Plan): void {
    this.#plan = plan;
    this.#answeredBy = route;
  }

  /** Where a statement would go by another verdict, for people. */
  placeBy(verdict: RuleVerdict, { statement }: Plan): string {
    const before = this.verdict;
    this.verdict = verdict;
    const { router } = this.#context;
    const destination = router.destinationOf(statement, this);
    const { target } = router.route(statement, this, destination);
    this.verdict = before;
    const hostgroup = target === RouteTarget.replica ? destination.readers : destination.writer;
    return target === RouteTarget.held ? target : `${target} (hostgroup ${hostgroup})`;
  }

  /** Routes a statement and sends it on its way. */
  dispatch(buffer: Buffer, start: number, end: number, plan: Plan): void {
    const { counters } = this.#context;
    const statement = plan.statement;
    if (this.#actions.hasAny && this.#actions.take(buffer, start, end, plan)) return;
    const prepared = this.#answers.prepare(buffer, start, end, plan);
    if (prepared === TAKEN) return;
    const route = this.#routeOf(plan);
    if (mirrors(this.verdict)) this.#actions.mirror(buffer, start, end, plan);
    if (route.target === RouteTarget.replica) {
      this.#isPlacing = true;
      if (statement.beginReadOnly) this.readOnly.begins(buffer, start, end);
    } else if (statement.provenRead) counters.add(WorkerCounter.readsOnPrimary);
    else counters.add(WorkerCounter.writes);
    this.run.passage.errorReplacement = this.readOnly.active ? this.readOnly.replaceError : null;
    if (!statement.provenRead && statement.kind === StatementKind.read)
      adaptAnswer(this, this.#context, this.#describeTls, statement, buffer, start, end);
    if (prepared === AS_IT_IS) this.run.start(buffer, start, end, route, plan, AnswerShape.query);
    else this.run.start(prepared, 0, prepared.length, route, plan, AnswerShape.query);
  }

  /** A GTID that a hint names in the text behind `start`. @returns false if it is none, and the client has been told so. */
  #takesHint({ hint }: StatementClass, buffer: Buffer, start: number, end: number): boolean {
    this.causality.hintedGtid = 0;
    const context = hint.minGtid ? this.lexicalContext() : null;
    if (context === null) return true;
    const named = hintValuesOf(buffer, start + 1, end, context).minGtid ?? '';
    const position = this.#context.causality.sources.positionNamed(named);
    this.causality.hintedGtid = position ?? 0;
    if (position !== null) return true;
    this.refuse(clientError('PROXY_NO_GTID', { value: named.slice(0, MAX_SHOWN_GTID) }));
    return false;
  }

  /** How the client's bytes are to be read; null until it is known what its session starts with. */
  lexicalContext(): LexicalContext | null {
    const { flavor, versionId } = this.#context.backends.dialect;
    return this.state.lexicalContext(flavor, versionId);
  }

  /** Gets hold of a connection in the session's state, and lets go of it: nothing is sent to the client. */
  touchServer(route: Route, then: (error: ClientError | null) => void): void {
    const isLogin = this.#phase === SessionPhase.idle;
    if (isLogin) this.#phase = transition(this.#phase, SessionPhase.busy);
    this.#continuation = (errno) => {
      if (isLogin) this.#phase = transition(this.#phase, SessionPhase.idle);
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
    if (this.#phase === SessionPhase.infile) this.#phase = transition(this.#phase, SessionPhase.busy);
    this.#isPlacing = false;
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
    const { trace } = this.run;
    this.run.timeout.end();
    if (this.#plan !== null && trace.statements === this.#statementsBefore)
      trace.answeredHere(
        this.#command,
        this.#plan,
        this.#transport.lastActivity,
        this.#ownErrno,
        this.#answeredBy,
      );
    this.#phase = transition(this.#phase, SessionPhase.idle);
    if (this.#context.stopping && this.run.held === null) {
      this.endForShutdown();
      return;
    }
    if (this.state.idleTimeoutMs !== null) this.#transport.idles();
    this.#transport.resumeInput();
  }

  /** COMMIT RELEASE, or `completion_type` says so: the server has closed its side. */
  #endsConnection(): boolean {
    const plan = this.#plan;
    return plan !== null && this.run.lastErrno === 0 && endsConnection(plan, this.state.variables);
  }

  /** The command as it is, to the held connection or the primary. */
  toPrimary(buffer: Buffer, start: number, end: number): void {
    const route = this.run.held !== null ? HELD : PINNED_COMMAND;
    this.run.passage.errorReplacement = null;
    if (this.#command === Command.COM_PROCESS_INFO) makeProcessList(this, this.#context, false);
    this.run.start(buffer, start, end, route, null, commandShape(this.#command));
  }

  /** Commands that are no statements end a read-only transaction's stay on a replica if nothing was read there. */
  leaveReadOnlyThen(
    buffer: Buffer,
    start: number,
    end: number,
    go: (buffer: Buffer, start: number, end: number) => void,
  ): void {
    if (!this.readOnly.active) {
      go(buffer, start, end);
      return;
    }
    const packet = Buffer.from(buffer.subarray(start, end));
    this.readOnly.moveToPrimary((error) => {
      if (error === null) go(packet, 0, packet.length);
      else {
        this.sendError(error);
        this.commandDone();
      }
    });
  }

  /** Used by `ReadOnlyTransaction` when it cannot go on. */
  refuse(error: ClientError): void {
    this.run.lastWarnings = 1;
    this.sendError(error);
    this.commandDone();
  }

  /** As after a login: COM_RESET_CONNECTION. */
  restart(): void {
    this.rules.restart();
    this.forgetServerState();
    this.state.restart(this.start.initialVariables?.afterReset ?? null);
  }

  /** Calls `then` once nothing of what `forgetServerState` has given up is left on a server: others see it gone then. */
  whenClean(then: () => void): void {
    if (this.#isCleaning) this.#onceClean = then;
    else then();
  }

  #cleaned(): void {
    const then = this.#onceClean;
    this.#isCleaning = false;
    this.#onceClean = null;
    if (this.#phase !== SessionPhase.closed) then?.();
  }

  /** Whatever the session has on a server goes. */
  forgetServerState(): void {
    this.#isCleaning = true;
    this.run.releaseHeld({ ...this.state.leftBehind(), untracked: true }, () => this.#cleaned());
    this.run.residue.reset();
    this.prepared.clear();
    this.readOnly.ended();
    this.causality.restart();
  }

  /**
   * A packet of the file of a LOAD DATA LOCAL; an empty one ends it.
   * @param sequenceId null if the client does not count packets: compression counts its frames instead.
   */
  infilePacket(buffer: Buffer, start: number, end: number, sequenceId: number | null): void {
    const { connection } = this.run;
    if (connection === null) return;
    let last = sequenceId;
    if (last === null) {
      const first = this.#infileSequence ?? connection.infileSequence;
      last = first + fragmentCount(end - start) - 1;
      this.#infileSequence = end === start ? null : last + 1;
    }
    sendInfilePacket(connection, buffer, start, end, last);
    if (end === start) this.#phase = transition(this.#phase, SessionPhase.busy);
  }

  /**
   * A packet of a replica that its source's binlog is being sent to: where it has got (semi-synchronous replication).
   * Anything else the source would not read either.
   */
  packetDuringStream(buffer: Buffer, start: number, end: number): void {
    if (buffer[start] === SEMI_SYNC_REPLY && end > start)
      this.run.connection?.socket.append(framePacket(buffer.subarray(start, end), 0));
    else if (buffer[start] === Command.COM_QUIT && end === start + 1) this.close('quit');
  }

  // ---- the end

  /** KILL from another session. A server closes the connection without a word. */
  killed(queryOnly: boolean): void {
    if (queryOnly) {
      const error = clientError('PROXY_QUERY_INTERRUPTED', {});
      if (this.#phase !== SessionPhase.idle && !this.#actions.interrupt(error)) this.run.interrupt(error);
      return;
    }
    this.run.endOnServer();
    this.close('killed');
  }

  /** Of the connection to the primary that it has for itself now, 0 for none. */
  get primaryThreadId(): number {
    return this.run.primaryThreadId;
  }

  /** As a list of processes shows it. */
  describe(): SessionDescription {
    const isBusy = this.#phase !== SessionPhase.idle;
    return {
      id: this.identity.connectionId,
      user: this.username,
      host: this.#transport.host,
      schema: this.state.schema,
      isBusy,
      seconds: Math.floor((performance.now() - this.#transport.lastActivity) / 1000),
      info: isBusy ? this.run.text : null,
      threadId: this.primaryThreadId,
    };
  }

  endForShutdown(): void {
    if (this.#phase === SessionPhase.closed) return;
    this.#transport.write(frameErr(clientError('PROXY_SHUTDOWN', {}), this.clientCapabilities, 0));
    this.close('shutdown');
  }

  /** Idle, and nothing held that a stop would destroy. */
  get mayEndNow(): boolean {
    return this.#phase === SessionPhase.idle && !this.state.inTransaction;
  }

  close(reason: string): void {
    if (this.#phase === SessionPhase.closed) return;
    this.#phase = transition(this.#phase, SessionPhase.closed);
    this.#actions.cancel();
    this.run.abandon();
    this.identity.credentials.leave();
    this.prepared.clear();
    this.state.end();
    this.#transport.close(reason);
  }
}
