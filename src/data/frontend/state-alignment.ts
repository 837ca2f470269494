/**
 * Brings a backend connection's session state to a client's, by the difference, in front of the client's statement.
 * A proven read goes out in the same write; anything else only behind assignments that this server has taken before:
 * else it waits for the OK, since a statement must never run in a half-set session.
 */

import { AnswerShape, Command } from '../../../protocol/index.ts';
import { type ClientError, clientError } from '../../common/errors.ts';
import { WorkerCounter } from '../../common/shared-counters.ts';
import { ClassReason, PinReason, type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import { trackingStatement } from '../backend/connection-setup.ts';
import { ownReply, RecordingReply } from '../backend/recording-reply.ts';
import type { Plan } from '../router/plan.ts';
import type { Router } from '../router/router.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { Preparation, Residue } from './residue.ts';
import type { SessionState } from './session-state.ts';

/** Unknown schema, access to it denied: the session's own trouble, told in the server's words. */
const SCHEMA_ERRORS: ReadonlySet<number> = new Set([1044, 1049]);

const NOTHING: readonly Preparation[] = [];
const SEES_NOTHING: ReadonlySet<StatementKind> = new Set<StatementKind>([
  StatementKind.begin,
  StatementKind.commit,
  StatementKind.rollback,
  StatementKind.savepoint,
  StatementKind.set,
  StatementKind.setTransaction,
  StatementKind.use,
  StatementKind.lockTables,
  StatementKind.unlockTables,
  StatementKind.kill,
  StatementKind.xa,
  StatementKind.empty,
]);

function mayReadVariables(statement: StatementClass, router: Router): boolean {
  const { userVariables, kind, pins, reason, statementCount, provenRead } = statement;
  if (userVariables === null || userVariables.length > 0 || pins.includes(PinReason.storedRoutine))
    return true;
  // A path in EXTRACTVALUE() may name some.
  if (statementCount > 1 && !provenRead) return true;
  if (kind === StatementKind.read)
    return reason === ClassReason.unsafeFunction || router.mayCallThroughView(statement);
  return !SEES_NOTHING.has(kind);
}

export interface AlignmentListener {
  /** Everything in front has been taken; called only after `begin` has returned false. */
  aligned(connection: BackendConnection): void;
  /** The connection has gone before that. */
  alignmentLost(connection: BackendConnection, reason: string): void;
}

export class StateAlignment {
  readonly #context: WorkerContext;
  readonly #state: SessionState;
  readonly #residue: Residue;
  readonly #listener: AlignmentListener;
  /** The statement that follows enters another schema: the session's own, which may have been dropped, is not needed. */
  entersSchema = false;
  /** The last `begin` has sent something. */
  hasSent = false;
  #owed = 0;
  #waits = false;
  /** Why the connection was given up. */
  #error: ClientError | null = null;

  constructor(context: WorkerContext, state: SessionState, residue: Residue, listener: AlignmentListener) {
    this.#context = context;
    this.#state = state;
    this.#residue = residue;
    this.#listener = listener;
  }

  /** The error of the last alignment, once. */
  takeError(): ClientError | null {
    const error = this.#error;
    this.#error = null;
    return error;
  }

  /** Whether nothing has to be sent in front. */
  fitsAsIs(connection: BackendConnection): boolean {
    const { schema, variables } = this.#state;
    return connection.schema === schema && variables !== null && connection.variables === variables;
  }

  /**
   * @param plan null: no statement follows, the state itself is what is wanted.
   * @param names the plan with the user variables that count: that of a statement to prepare has them too.
   * @returns true if the statement may be sent right away.
   */
  begin(connection: BackendConnection, plan: Plan | null, names: Plan | null): boolean {
    if (connection.confined) {
      this.hasSent = false;
      return true;
    }
    const from = connection.variables;
    const to = this.#state.variables;
    const set =
      from === to || from === null || to === null
        ? ''
        : this.#context.differences.between(from, to, connection.server);
    const differs = connection.schema !== this.#state.schema;
    const schema = differs && !this.entersSchema ? this.#state.schema : null;
    const preparation = this.#preparations(connection, plan, names);
    this.hasSent = set !== '' || schema !== null || preparation.length > 0;
    if (!this.hasSent) return true;
    // Whether a server takes a SET may depend on the state that it starts from.
    const acceptedKey = `${from?.key ?? ''}\0${set}`;
    const known =
      schema === null &&
      (set === '' || this.#isAccepted(connection, acceptedKey)) &&
      preparation.every((one) => one.acceptedKey !== '' && this.#isAccepted(connection, one.acceptedKey));
    this.#context.counters.add(WorkerCounter.stateDifferences);
    this.#error = null;
    this.#owed = 0;
    this.#waits = plan === null || !(plan.statement.provenRead || known);
    if (set !== '') this.#send(connection, Command.COM_QUERY, set, acceptedKey);
    if (schema !== null) this.#send(connection, Command.COM_INIT_DB, schema, '');
    for (const one of preparation) this.#send(connection, Command.COM_QUERY, one.text, one.acceptedKey);
    connection.variables = to;
    if (!this.entersSchema) connection.schema = this.#state.schema;
    return !this.#waits;
  }

  /** For what names some, and for what may read them where it cannot be seen: a trigger, a stored program. */
  #userVariables(connection: BackendConnection, plan: Plan): readonly Preparation[] {
    const own = this.#state.userVariables;
    if (own === connection.userVariables || !mayReadVariables(plan.statement, this.#context.router))
      return NOTHING;
    const { text, shape, result } = own.assignmentsFrom(connection.userVariables);
    connection.userVariables = result;
    if (result.hasTooManyNames) connection.tainted = true;
    return text === '' ? NOTHING : [{ text, acceptedKey: shape }];
  }

  #preparations(
    connection: BackendConnection,
    plan: Plan | null,
    names: Plan | null,
  ): readonly Preparation[] {
    const variables = names === null ? NOTHING : this.#userVariables(connection, names);
    const others = plan === null ? NOTHING : this.#preparation(connection, plan);
    return variables.length === 0 ? others : [...variables, ...others];
  }

  #isAccepted(connection: BackendConnection, key: string): boolean {
    return this.#context.accepted.has(connection.server.address, key);
  }

  #preparation(connection: BackendConnection, plan: Plan): readonly Preparation[] {
    const left = this.#residue.preparationFor(plan.statement, connection);
    if (!plan.touchesTracking || !connection.tracksState || this.#state.clientTracks) return left;
    const { flavor } = connection.server;
    const text = trackingStatement(flavor, false, this.#state.mayBeInTransaction);
    return [{ text, acceptedKey: '' }, ...left];
  }

  #send(connection: BackendConnection, command: number, text: string, acceptedKey: string): void {
    this.#owed++;
    const shape = command === Command.COM_QUERY ? AnswerShape.query : AnswerShape.single;
    const recorder = new RecordingReply(
      (from, result) => {
        if (result.errno === 0) this.#taken(from, acceptedKey);
        else this.#refused(from, command, result.errno, result.errorMessage);
      },
      // When the statement is on its way already, the connection tells who waits for it.
      (reason) => {
        if (this.#waits) this.#listener.alignmentLost(connection, reason);
      },
    );
    connection.sendCommand(command, text, ownReply(recorder, shape));
  }

  #taken(connection: BackendConnection, acceptedKey: string): void {
    this.#owed--;
    if (acceptedKey !== '') this.#context.accepted.add(connection.server.address, acceptedKey);
    if (this.#owed > 0) return;
    if (this.#waits) this.#listener.aligned(connection);
  }

  /** The connection's state is unknown now: whatever was sent behind is not answered from it. */
  #refused(connection: BackendConnection, command: number, errno: number, message: string): void {
    const { address } = connection.server;
    this.#error =
      command === Command.COM_INIT_DB && SCHEMA_ERRORS.has(errno)
        ? { errno, sqlState: '42000', message }
        : clientError('PROXY_STATE_NOT_RESTORED', { address, reason: `${errno} ${message}` });
    const reason = 'session state could not be restored';
    connection.close(reason);
    if (this.#waits) this.#listener.alignmentLost(connection, reason);
  }
}
