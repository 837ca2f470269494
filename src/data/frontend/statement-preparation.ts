/**
 * Gives a backend connection the prepared statement that the client is about to execute, if it has not got it yet.
 * The connection is in the session's state already. Where the statement was prepared in another one (another
 * sql_mode, another schema) the connection visits that for the moment of the COM_STMT_PREPARE.
 */

import {
  AnswerShape,
  Command,
  decodeErr,
  type ResponseSink,
  type ResponseTracker,
} from '../../../protocol/index.ts';
import type { ClientError } from '../../common/errors.ts';
import { ER_MAX_PREPARED_STMT_COUNT_REACHED } from '../../common/server-errno.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import { BackendStatement, nextPreparation } from '../backend/backend-statements.ts';
import type { ReplyOwner } from '../backend/expected-reply.ts';
import { ownReply, RECORDER_CAPABILITIES, RecordingReply } from '../backend/recording-reply.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { ClientStatement } from './client-statement.ts';

export interface PreparationListener {
  /** Called only after `begin` has returned null. */
  statementReady(connection: BackendConnection, statement: BackendStatement): void;
  /** The server has refused to prepare it: this is the answer to the execution. */
  statementRefused(connection: BackendConnection, tracker: ResponseTracker, error: ClientError): void;
  /** The connection has gone, and nothing of the execution had been sent. */
  preparationLost(connection: BackendConnection, reason: string): void;
}

export class StatementPreparation implements ReplyOwner, ResponseSink {
  readonly #context: WorkerContext;
  readonly #listener: PreparationListener;
  #statement: ClientStatement | null = null;
  /** Where it is being prepared; what other connections still say is of no interest. */
  #connection: BackendConnection | null = null;
  #made: BackendStatement | null = null;
  #refusal: ClientError | null = null;
  #madeRoom = false;
  #preparedAt = 0;
  /** Replies of the way into the state of the COM_STMT_PREPARE, and back. */
  #visitOwed = 0;

  constructor(context: WorkerContext, listener: PreparationListener) {
    this.#context = context;
    this.#listener = listener;
  }

  /** @returns null if it takes a round trip: then the listener is told. */
  begin(connection: BackendConnection, statement: ClientStatement): BackendStatement | null {
    const own = statement.ownOn(connection);
    if (own !== null) {
      own.isUnsure ||= own.definition !== statement.definition;
      return own;
    }
    const { statements } = connection;
    const there = statements.find(statement.definition);
    if (there !== null) {
      if (!statement.isServedBy(there)) statements.close(there);
      // MariaDB describes a parameter with long data by what it was bound to before, by whomever.
      else if (statement.hasLongData && there.typesBound) statements.close(there);
      else {
        if (statement.wantsOwn) statement.take(connection, there);
        return there;
      }
    }
    this.#statement = statement;
    this.#connection = connection;
    this.#made = null;
    this.#refusal = null;
    this.#madeRoom = false;
    this.#visitOwed = 0;
    this.#prepare(connection, statement);
    return null;
  }

  #prepare(connection: BackendConnection, statement: ClientStatement): void {
    const { definition } = statement;
    const { differences, definitions, backends, counters } = this.#context;
    counters.add(WorkerCounter.statementsReprepared);
    const now = connection.variables;
    const parsesAlike = now === null || definitions.parseKeyOf(now, backends.dialect) === definition.parseKey;
    const { schema } = connection;
    // What was prepared without a schema names its own (see `PreparedCommands`).
    const visited = definition.schema !== schema ? definition.schema : null;
    const then = now === null || parsesAlike ? null : now.with(definition.parseVariables());
    const there = then === null || now === null ? '' : differences.between(now, then, connection.server);
    if (there !== '') this.#go(connection, Command.COM_QUERY, there);
    if (visited !== null) this.#go(connection, Command.COM_INIT_DB, visited);
    this.#preparedAt = nextPreparation();
    connection.sendCommand(Command.COM_STMT_PREPARE, definition.text, {
      shape: AnswerShape.prepare,
      owner: this,
      sink: this,
      clientCapabilities: RECORDER_CAPABILITIES,
      statusBefore: 0,
      repeatable: false,
    });
    if (visited !== null && schema !== null) this.#go(connection, Command.COM_INIT_DB, schema);
    // Nothing leaves a schema for none (the session's was dropped): nobody else gets a connection that stays there.
    if (visited !== null && schema === null) connection.tainted = true;
    if (there !== '' && then !== null && now !== null)
      this.#go(connection, Command.COM_QUERY, differences.between(then, now, connection.server));
  }

  /** Part of the visit; a connection that is in no known state is of no use. */
  #go(connection: BackendConnection, command: number, text: string): void {
    this.#visitOwed++;
    const recorder = new RecordingReply(
      (_, result) => {
        if (result.errno !== 0) {
          const reason = 'the state around the preparation of a statement is refused';
          connection.close(reason);
          // It may have been the last reply that was owed: nobody else tells.
          this.#lost(connection, reason);
        } else if (this.#connection === connection) {
          this.#visitOwed--;
          this.#finish(connection);
        }
      },
      (reason) => this.#lost(connection, reason),
    );
    const shape = command === Command.COM_QUERY ? AnswerShape.query : AnswerShape.single;
    connection.sendCommand(command, text, ownReply(recorder, shape));
  }

  #finish(connection: BackendConnection): void {
    const made = this.#made;
    if (made === null || this.#visitOwed > 0) return;
    this.#made = null;
    this.#statement = null;
    this.#connection = null;
    this.#listener.statementReady(connection, made);
  }

  #lost(connection: BackendConnection, reason: string): void {
    if (this.#connection !== connection) return;
    this.#connection = null;
    this.#statement = null;
    this.#made = null;
    this.#listener.preparationLost(connection, reason);
  }

  // ---- ReplyOwner, ResponseSink: of the COM_STMT_PREPARE

  replyComplete(connection: BackendConnection, tracker: ResponseTracker): void {
    const statement = this.#statement;
    if (statement === null || this.#connection !== connection) return;
    const refusal = this.#refusal;
    if (refusal?.errno === ER_MAX_PREPARED_STMT_COUNT_REACHED && !this.#madeRoom) {
      this.#madeRoom = true;
      this.#refusal = null;
      connection.statements.closeShared();
      this.#context.backends.poolOf(connection.server.address)?.closeStatements();
      this.#prepare(connection, statement);
      return;
    }
    if (refusal !== null) {
      this.#statement = null;
      this.#connection = null;
      this.#listener.statementRefused(connection, tracker, refusal);
      return;
    }
    const made = new BackendStatement(statement.definition, tracker.statementId, this.#preparedAt);
    if (statement.wantsOwn) statement.take(connection, made);
    else connection.statements.put(made, this.#context.snapshot.settings.pool.maxStatementsPerConnection);
    this.#made = made;
    this.#finish(connection);
  }

  replyLost(connection: BackendConnection, reason: string): void {
    this.#lost(connection, reason);
  }

  forward(): boolean {
    return false;
  }

  okPacket(): Buffer | null {
    return null;
  }

  errPacket(_errno: number, payload: Buffer): boolean {
    this.#refusal = decodeErr(payload);
    return true;
  }

  localInfile(): void {
    // No answer to COM_STMT_PREPARE asks for a file.
  }
}
