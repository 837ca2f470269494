/**
 * Which way each command of a session takes: an answer of Sluice's own, the rules, what must go in front of it, and
 * then a server. `buffer[start, end)` is always the payload of a command, and not kept.
 */

import { AnswerShape, Command } from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import type { LexicalContext } from '../../sql/lexical-context.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import { PinReason, StatementKind } from '../../sql/statement-class.ts';
import type { Plan } from '../router/plan.ts';
import { routeOf } from '../router/route.ts';
import { NO_RULES } from '../router/rules/rule-verdict.ts';
import type { WorkerContext } from '../worker-context.ts';
import { adaptAnswer } from './answer-adaptation.ts';
import type { ClientStatement } from './client-statement.ts';
import { CommandTreatment, commandShape, treatmentOf } from './command-table.ts';
import { makeProcessList } from './process-list.ts';
import { AS_IT_IS, ResidueAnswers, TAKEN } from './residue-answers.ts';
import type { Session } from './session.ts';
import { mirrors, type StatementActions } from './statement-actions.ts';

const HELD = routeOf(RouteTarget.held, RouteReason.pinned);
const PINNED_COMMAND = routeOf(RouteTarget.primary, RouteReason.pinned);

export class CommandDispatch {
  readonly #session: Session;
  readonly #context: WorkerContext;
  readonly #actions: StatementActions;
  readonly #answers: ResidueAnswers;

  constructor(session: Session, context: WorkerContext, actions: StatementActions) {
    this.#session = session;
    this.#context = context;
    this.#actions = actions;
    this.#answers = new ResidueAnswers(session, context);
  }

  /** A command that the client has sent. */
  take(command: number, buffer: Buffer, start: number, end: number): void {
    if (command === Command.COM_QUERY) {
      this.#query(buffer, start, end);
      return;
    }
    const session = this.#session;
    switch (treatmentOf(command)) {
      case CommandTreatment.local:
        session.local.answer(command, buffer, start, end);
        return;
      case CommandTreatment.prepared:
        session.prepared.command(command, buffer, start, end);
        return;
      case CommandTreatment.primary:
        this.passOn(buffer, start, end);
        return;
      case CommandTreatment.pinned:
        session.state.pin(PinReason.passThroughCommand);
        this.passOn(buffer, start, end);
        return;
      default:
        session.sendError(clientError('PROXY_UNKNOWN_COMMAND', {}));
        session.commandDone();
    }
  }

  /** A statement that something else had to go in front of. */
  again(packet: Buffer): void {
    if (packet[0] === Command.COM_QUERY) this.#query(packet, 0, packet.length);
    else this.#session.prepared.command(packet[0]!, packet, 0, packet.length);
  }

  /** The rest of a text of several statements, of which one packet of the answer has gone out. */
  continueWith(packet: Buffer): void {
    const session = this.#session;
    session.errorSequence = (session.errorSequence + 1) & 0xff;
    this.#query(packet, 0, packet.length);
  }

  #query(buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    const context = session.lexicalContext();
    if (context === null) {
      session.start.learn(buffer, start, end, (packet) => this.#query(packet, 0, packet.length));
      return;
    }
    const { plans } = this.#context;
    const written = plans.planFor(buffer, start + 1, end, context);
    const { engine } = this.#context.rules;
    // What comes a second time, behind something else, has been judged.
    if (engine === null || session.routing.verdict !== NO_RULES) {
      this.#runQuery(buffer, start, end, written, context);
      return;
    }
    session.record.plan = written;
    const packet = session.rules.query(engine, buffer, start, end, written);
    if (packet === null) return;
    if (packet === buffer) this.#runQuery(buffer, start, end, written, context);
    else {
      const plan = plans.planFor(packet, 1, packet.length, context);
      this.#runQuery(packet, 0, packet.length, plan, context);
    }
  }

  #runQuery(buffer: Buffer, start: number, end: number, written: Plan, context: LexicalContext): void {
    const session = this.#session;
    const { plans } = this.#context;
    const plan = session.state.named.resolve(written, buffer, start + 1, end, context, plans);
    session.record.plan = plan;
    const statement = plan.statement;
    if (statement.kind === StatementKind.kill) {
      const forward = (packet: Buffer): void => this.admit(packet, 0, packet.length, plan);
      if (session.local.kill(buffer, start, end, context, forward)) return;
    }
    if (statement.ownVariables) session.ownVariables.answer(buffer, start, end, context);
    else this.admit(buffer, start, end, plan);
  }

  /** Where it may go now, unless a read-only transaction is in its way. */
  admit(buffer: Buffer, start: number, end: number, plan: Plan): void {
    if (this.#mayGo(buffer, start, end, plan, buffer, start, end)) this.dispatch(buffer, start, end, plan);
  }

  /** COM_STMT_EXECUTE of a statement that the session has. */
  execute(buffer: Buffer, start: number, end: number, prepared: ClientStatement): void {
    const session = this.#session;
    const { plan } = prepared;
    session.record.plan = plan;
    if (!session.rules.admits(prepared)) return;
    const { text } = prepared.prepared;
    if (!this.#mayGo(buffer, start, end, plan, text, -1, text.length)) return;
    session.run.statement = prepared;
    this.dispatch(buffer, start, end, plan);
  }

  /**
   * Neither a read-only transaction nor its hint is in its way.
   * @param text its text is in `text[textStart + 1, textEnd)`.
   * @returns false if it is answered, or comes again later.
   */
  #mayGo(
    buffer: Buffer,
    start: number,
    end: number,
    plan: Plan,
    text: Buffer,
    textStart: number,
    textEnd: number,
  ): boolean {
    const { readOnly, routing } = this.#session;
    const { statement } = plan;
    if (readOnly.active && !readOnly.admits(statement)) {
      readOnly.leave(buffer, start, end, statement);
      return false;
    }
    if (!routing.takesHint(statement, text, textStart, textEnd)) return false;
    return !readOnly.active || readOnly.sees(buffer, start, end, plan);
  }

  /** COM_STMT_PREPARE, where an execution would go. */
  prepare(buffer: Buffer, start: number, end: number, prepared: ClientStatement): void {
    const { run, routing } = this.#session;
    run.statement = prepared;
    run.passage.errorReplacement = null;
    run.start(buffer, start, end, routing.routeOf(prepared.plan), null, AnswerShape.prepare);
  }

  /** A connection for what comes before the execution of a statement; the session is pinned already. */
  acquire(prepared: ClientStatement, then: (error: ClientError | null) => void): void {
    const session = this.#session;
    session.run.statement = prepared;
    session.touchServer(session.routing.routeOf(prepared.plan), then);
  }

  /** A statement that nothing of what it says itself, or of what rules say, is in the way of. */
  dispatch(buffer: Buffer, start: number, end: number, plan: Plan): void {
    const { routing, cached } = this.#session;
    if (this.#actions.hasAny && this.#actions.take(buffer, start, end, plan)) return;
    const prepared = this.#answers.prepare(buffer, start, end, plan);
    if (prepared === TAKEN) return;
    if (mirrors(routing.verdict)) this.#actions.mirror(buffer, start, end, plan);
    if (prepared !== AS_IT_IS) this.send(prepared, 0, prepared.length, plan);
    else if (!cached.take(buffer, start, end, plan)) this.send(buffer, start, end, plan);
  }

  /** Routes a statement and sends it on its way. */
  send(buffer: Buffer, start: number, end: number, plan: Plan): void {
    const session = this.#session;
    const { run, routing, readOnly, cached } = session;
    const { statement } = plan;
    const route = routing.routeOf(plan);
    if (route.target === RouteTarget.replica) {
      routing.isPlacing = true;
      // By a hint, although nobody knows whether the replica has what everybody is to be shown.
      if (routing.needsPrimary && cached.fillsStrong) cached.fillsNothing();
      if (statement.beginReadOnly) readOnly.begins(buffer, start, end);
    } else
      this.#context.counters.add(statement.provenRead ? WorkerCounter.readsOnPrimary : WorkerCounter.writes);
    run.passage.errorReplacement = readOnly.active ? readOnly.replaceError : null;
    if (!statement.provenRead && statement.kind === StatementKind.read)
      adaptAnswer(session, this.#context, statement, buffer, start, end);
    run.start(buffer, start, end, route, plan, AnswerShape.query);
  }

  /** The command as it is, to the held connection or the primary. */
  toPrimary(buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    const command = buffer[start]!;
    const route = session.run.held !== null ? HELD : PINNED_COMMAND;
    session.run.passage.errorReplacement = null;
    if (command === Command.COM_PROCESS_INFO) makeProcessList(session, this.#context, false);
    session.run.start(buffer, start, end, route, null, commandShape(command));
  }

  /** The same, for what ends a read-only transaction's stay on a replica if nothing was read there. */
  passOn(buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    if (!session.readOnly.active) {
      this.toPrimary(buffer, start, end);
      return;
    }
    const packet = Buffer.from(buffer.subarray(start, end));
    session.readOnly.moveToPrimary((error) => {
      if (error === null) this.toPrimary(packet, 0, packet.length);
      else {
        session.sendError(error);
        session.commandDone();
      }
    });
  }
}
