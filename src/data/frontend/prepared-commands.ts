/**
 * COM_STMT_*: what a client has prepared belongs to its session, not to a connection. A statement is routed when it
 * is executed, and prepared again where it is not known; it holds a connection only while it has long data or a
 * cursor there.
 *
 * | command         | is answered by                                                                     |
 * |-----------------|------------------------------------------------------------------------------------|
 * | PREPARE         | a server, where an execution would go; its metadata are those of this moment       |
 * | EXECUTE         | a server, as the same statement in text would be                                   |
 * | SEND_LONG_DATA  | nobody; it goes to a server at once, and the session stays there until the EXECUTE |
 * | FETCH           | the connection with the cursor                                                     |
 * | RESET           | the connection with cursor or long data, else Sluice                               |
 * | CLOSE           | nobody; the backend statement is kept for others                                   |
 */

import {
  AnswerShape,
  Command,
  frameOk,
  type ResponseTracker,
  SESSION_STATUS_FLAGS,
  StatusFlag,
} from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import { PinReason, StatementKind } from '../../sql/statement-class.ts';
import { type CallValue, substituteCalls } from '../../sql/substitute-calls.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { StatementDefinition } from '../backend/statement-definition.ts';
import type { Plan } from '../router/plan.ts';
import { routeOf } from '../router/route.ts';
import type { WorkerContext } from '../worker-context.ts';
import { ClientStatement } from './client-statement.ts';
import { emptyDiagnostics } from './empty-diagnostics.ts';
import type { Session } from './session.ts';
import type { WrittenStatement } from './session-rules.ts';
import { StatementHolds } from './statement-holds.ts';

const HELD = routeOf(RouteTarget.held, RouteReason.pinned);
/** MariaDB: the statement that was prepared last. */
const LAST_PREPARED = 0xffff_ffff;
/** MariaDB's words, which have no full stop. */
const MALFORMED = 'Malformed communication packet';
const ID_END = 5;
/** Command, statement id, parameter index. */
const LONG_DATA_HEADER_BYTES = 7;
/** In a session without a schema the answer is NULL, and stays so when the session enters one. */
const ASKS_FOR_SCHEMA = /\b(database|schema)\s*\(/i;

export class PreparedCommands {
  readonly #session: Session;
  readonly #context: WorkerContext;
  readonly #statements = new Map<number, ClientStatement>();
  readonly #holds: StatementHolds;
  #lastId = 0;
  #lastPrepared: ClientStatement | null = null;
  #preparing: ClientStatement | null = null;

  constructor(session: Session, context: WorkerContext) {
    this.#session = session;
    this.#context = context;
    this.#holds = new StatementHolds(session, context);
  }

  list(): Iterable<ClientStatement> {
    return this.#statements.values();
  }

  get size(): number {
    return this.#statements.size;
  }

  command(command: number, buffer: Buffer, start: number, end: number): void {
    if (command === Command.COM_STMT_PREPARE) {
      this.#prepare(buffer, start, end);
      return;
    }
    const statementId = end - start >= ID_END ? buffer.readUInt32LE(start + 1) : 0;
    const statement = this.#find(statementId);
    if (statement === null) this.#unknown(command, statementId);
    else if (command === Command.COM_STMT_EXECUTE) this.#execute(statement, buffer, start, end);
    else if (command === Command.COM_STMT_FETCH) this.#fetch(statement, buffer, start, end);
    else if (command === Command.COM_STMT_RESET) this.#reset(statement, buffer, start, end);
    else if (command === Command.COM_STMT_CLOSE) this.#close(statement);
    else this.#longData(statement, buffer, start, end);
  }

  #find(statementId: number): ClientStatement | null {
    const statement = this.#statements.get(statementId);
    if (statement !== undefined) return statement;
    const isLast = statementId === LAST_PREPARED && this.#context.backends.dialect.flavor === 'mariadb';
    return isLast ? this.#lastPrepared : null;
  }

  #unknown(command: number, statementId: number): void {
    const hasAnswer = command !== Command.COM_STMT_CLOSE && command !== Command.COM_STMT_SEND_LONG_DATA;
    if (hasAnswer) {
      const handler = handlerName(command);
      this.#refuse(clientError('PROXY_UNKNOWN_STATEMENT', { statementId, command: handler }));
    } else this.#session.commandDone();
  }

  /** As a server would: SHOW WARNINGS tells of it. */
  #refuse(error: ClientError): void {
    const { flavor } = this.#context.backends.dialect;
    this.#session.run.residue.ownError(error, flavor === 'mariadb');
    this.#session.refuse(error);
  }

  // ---- COM_STMT_PREPARE

  #prepare(buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    const context = session.lexicalContext();
    if (context === null || session.state.variables === null) {
      session.start.learn(buffer, start, end, (packet) => this.#prepare(packet, 0, packet.length));
      return;
    }
    this.#lastPrepared = null;
    const { plans } = this.#context;
    const plan = plans.planFor(buffer, start + 1, end, context);
    const judged = session.rules.prepare(buffer, start, end, plan);
    if (judged === null) return;
    const { packet, written } = judged;
    if (written === null) this.#prepareText(buffer, start, end, plan, null);
    else {
      const rewritten = plans.planFor(packet, 1, packet.length, context);
      this.#prepareText(packet, 0, packet.length, rewritten, written);
    }
  }

  #prepareText(
    buffer: Buffer,
    start: number,
    end: number,
    plan: Plan,
    written: WrittenStatement | null,
  ): void {
    const session = this.#session;
    const { variables, schema } = session.state;
    if (variables === null) return;
    const { definitions, backends, snapshot } = this.#context;
    const definition = definitions.of(buffer, start + 1, end, schema, variables, backends.dialect);
    const { limits } = snapshot.settings;
    const setting = definitions.limitFor(definition, limits);
    if (setting !== null) {
      session.refuse(
        clientError('PROXY_TOO_MANY_STATEMENTS', { setting: `limits.${setting}`, limit: limits[setting] }),
      );
      return;
    }
    const stays = schema === null && ASKS_FOR_SCHEMA.test(definition.text.toString('latin1'));
    if (stays) session.state.pin(PinReason.binaryPrepare);
    const statement = new ClientStatement(++this.#lastId, plan, definition, stays, written);
    if (session.ownVariables.prepares(statement, () => this.#keep(statement))) return;
    this.#preparing = statement;
    session.commands.prepare(buffer, start, end, this.#preparing);
  }

  #keep(statement: ClientStatement): void {
    statement.wasPrepared();
    this.#statements.set(statement.id, statement);
    this.#lastPrepared = statement;
    this.#context.definitions.acquire(statement.prepared);
    this.#context.counters.add(WorkerCounter.clientStatements);
  }

  // ---- COM_STMT_EXECUTE

  #execute(statement: ClientStatement, buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    const { longDataError } = statement;
    if (longDataError !== null) {
      statement.longDataError = null;
      this.#refuse(longDataError);
      return;
    }
    if (statement.plan.statement.kind === StatementKind.kill) {
      this.#kill(statement);
      return;
    }
    if (session.ownVariables.executes(statement, buffer, start, end)) return;
    this.#situate(statement);
    statement.readExecute(buffer, start, end);
    // As MariaDB: to the statement that was prepared last types must be sent.
    if (buffer.readUInt32LE(start + 1) === LAST_PREPARED && statement.reliesOnTypes) {
      this.#refuse({ ...clientError('PROXY_MALFORMED_PACKET', {}), message: MALFORMED });
      return;
    }
    // MariaDB looks itself.
    if (this.#context.backends.dialect.flavor === 'mysql' && statement.overruns(buffer, start, end)) {
      this.#refuse(clientError('PROXY_WRONG_ARGUMENTS', { command: 'mysqld_stmt_execute' }));
      return;
    }
    session.commands.execute(buffer, start, end, statement);
  }

  /** The state that the session is in now is the one in which it runs. */
  #situate(statement: ClientStatement): void {
    const { prepared } = statement;
    const { variables } = this.#session.state;
    const { definitions, backends } = this.#context;
    statement.definition =
      variables === null || variables === prepared.variables
        ? prepared
        : prepared.under(definitions.parseKeyOf(variables, backends.dialect));
  }

  /** The ids are those of Sluice: no server is to see them. */
  #kill(statement: ClientStatement): void {
    const session = this.#session;
    const packet = Buffer.concat([Buffer.from([Command.COM_QUERY]), statement.prepared.text]);
    const context = session.lexicalContext();
    const forward = (text: Buffer): void => session.commands.admit(text, 0, text.length, statement.plan);
    if (context === null || !session.local.kill(packet, 0, packet.length, context, forward))
      session.refuse(clientError('PROXY_NOT_PREPARABLE', {}));
  }

  /** The statement with values in the place of calls that its connection could not answer. */
  substituted(statement: ClientStatement, values: ReadonlyMap<string, CallValue>): StatementDefinition {
    const { text, schema, variables } = statement.prepared;
    const context = this.#session.lexicalContext();
    if (context === null) return statement.prepared;
    const replaced = substituteCalls(text, 0, text.length, context, values);
    const { definitions, backends } = this.#context;
    const definition = definitions.of(replaced, 0, replaced.length, schema, variables, backends.dialect);
    return definition.under(statement.definition.runKey);
  }

  // ---- COM_STMT_SEND_LONG_DATA

  #longData(statement: ClientStatement, buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    if (end - start < LONG_DATA_HEADER_BYTES || statement.longDataError !== null) {
      session.commandDone();
      return;
    }
    if (session.ownVariables.refusesLongData(statement)) return;
    this.#situate(statement);
    const { held } = session.run;
    const hadLongData = statement.hasLongData;
    statement.readLongData(buffer.readUInt16LE(start + ID_END));
    if (held !== null && hadLongData) {
      this.#stream(held, statement, buffer, start, end);
      return;
    }
    this.#holds.hold(statement);
    const packet = Buffer.from(buffer.subarray(start, end));
    session.commands.acquire(statement, (error) => {
      const connection = session.run.held;
      if (error === null && connection !== null) {
        this.#emptyDiagnostics(connection);
        this.#stream(connection, statement, packet, 0, packet.length);
        return;
      }
      statement.longDataError = error;
      statement.hasLongData = false;
      this.#holds.letGo(statement);
      session.commandDone();
    });
  }

  /**
   * An execution that tells of an error of its long data empties no list on MySQL: it adds the error to what is there,
   * and that may be of others, or of a SET that was sent to get here.
   */
  #emptyDiagnostics(connection: BackendConnection): void {
    const { residue } = this.#session.run;
    if (connection.server.flavor !== 'mysql' || residue.diagnostics.on === connection) return;
    residue.spare(connection);
    emptyDiagnostics(connection);
  }

  /** The next packet is taken when the server has taken enough of this one. */
  #stream(
    connection: BackendConnection,
    statement: ClientStatement,
    buffer: Buffer,
    start: number,
    end: number,
  ): void {
    const session = this.#session;
    const own = statement.ownOn(connection);
    if (own !== null) statement.send(connection, own, buffer, start, end);
    const { socket } = connection;
    if (socket.unsentBytes <= this.#context.snapshot.settings.limits.writeBufferBytes) {
      session.commandDone();
      return;
    }
    connection.holderDrained = () => {
      connection.holderDrained = null;
      session.commandDone();
    };
    socket.flush();
  }

  // ---- COM_STMT_FETCH, COM_STMT_RESET

  #fetch(statement: ClientStatement, buffer: Buffer, start: number, end: number): void {
    if (!statement.hasCursor) {
      const error = clientError('PROXY_NO_CURSOR', { statementId: statement.id });
      // Word for word: MySQL ends its sentence.
      const isMysql = this.#context.backends.dialect.flavor === 'mysql';
      this.#refuse(isMysql ? { ...error, message: `${error.message}.` } : error);
      return;
    }
    this.#onItsConnection(statement, buffer, start, end, AnswerShape.fetch);
  }

  #reset(statement: ClientStatement, buffer: Buffer, start: number, end: number): void {
    const session = this.#session;
    statement.longDataError = null;
    const { held } = session.run;
    if (held !== null && statement.ownOn(held) !== null) {
      this.#onItsConnection(statement, buffer, start, end, AnswerShape.single);
      return;
    }
    const statusFlags = session.state.statusFlags & SESSION_STATUS_FLAGS;
    session.write(frameOk({ statusFlags }, session.clientCapabilities, 1));
    session.commandDone();
  }

  #onItsConnection(
    statement: ClientStatement,
    buffer: Buffer,
    start: number,
    end: number,
    shape: AnswerShape,
  ): void {
    const { run } = this.#session;
    statement.readNothing();
    run.passage.errorReplacement = null;
    run.statement = statement;
    run.start(buffer, start, end, HELD, null, shape);
  }

  // ---- answers

  answered(statement: ClientStatement, shape: AnswerShape, tracker: ResponseTracker): void {
    if (shape === AnswerShape.prepare) {
      if (statement.staysWhereItIs && tracker.errno === 0) this.#holds.hold(statement);
      return;
    }
    const { statusFlags, errno } = tracker;
    statement.definition = statement.prepared;
    if (shape === AnswerShape.fetch) {
      if (errno !== 0 || (statusFlags & StatusFlag.SERVER_STATUS_LAST_ROW_SENT) !== 0)
        statement.hasCursor = false;
    } else {
      if (tracker.columnCount > 0) statement.knowsColumns(tracker.columnCount);
      const opened = errno === 0 && (statusFlags & StatusFlag.SERVER_STATUS_CURSOR_EXISTS) !== 0;
      statement.hasCursor = shape === AnswerShape.query && opened;
      // A server that has refused long data refuses each execution until the statement is reset.
      statement.hasLongData &&= shape === AnswerShape.query && errno !== 0;
      statement.longDataRefused ||= statement.hasLongData;
    }
    if (statement.holdsConnection) this.#holds.hold(statement);
    else this.#holds.letGo(statement);
  }

  /** After each command of the session. */
  commandFinished(): void {
    const statement = this.#preparing;
    if (statement === null) return;
    this.#preparing = null;
    if (this.#session.run.lastErrno === 0) this.#keep(statement);
    else if (statement.staysWhereItIs) this.#holds.unpin();
  }

  // ---- the end of a statement

  #close(statement: ClientStatement): void {
    this.#forget(statement);
    this.#holds.close(statement);
    this.#session.commandDone();
  }

  #forget(statement: ClientStatement): void {
    this.#statements.delete(statement.id);
    if (this.#lastPrepared === statement) this.#lastPrepared = null;
    this.#context.definitions.release(statement.prepared);
    this.#context.counters.add(WorkerCounter.clientStatements, -1);
  }

  /** The session ends, or begins anew: its connection is reset or closed by who calls this. */
  clear(): void {
    for (const statement of [...this.#statements.values()]) this.#forget(statement);
    this.#holds.clear();
    this.#preparing = null;
  }
}

/** As the server names the command in ER_UNKNOWN_STMT_HANDLER. */
function handlerName(command: number): string {
  if (command === Command.COM_STMT_EXECUTE) return 'mysqld_stmt_execute';
  return command === Command.COM_STMT_FETCH ? 'mysqld_stmt_fetch' : 'mysqld_stmt_reset';
}
