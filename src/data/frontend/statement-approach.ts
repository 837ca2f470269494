/**
 * All that comes before a statement is sent: a connection is found, brought into the session's state, and given the
 * prepared statement that is to be executed. What waits meanwhile is kept.
 *
 * | step         | meaning                                            | left by                                  |
 * |--------------|----------------------------------------------------|------------------------------------------|
 * | none         | not on the way                                     | `go`                                     |
 * | searching    | no connection yet (see `ConnectionSearch`)         | a connection, its failure                |
 * | settingState | the SETs in front must be answered first           | their OK, their ERR                      |
 * | preparing    | the connection has not got the prepared statement  | it has, the server refuses it            |
 */

import type { ResponseTracker } from '../../../protocol/index.ts';
import type { ClientError } from '../../common/errors.ts';
import { makeTransitions } from '../../common/state-machine.ts';
import { RouteReason, RouteTarget } from '../../sql/route-reason.ts';
import { PinReason } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { BackendStatement } from '../backend/backend-statements.ts';
import type { Plan } from '../router/plan.ts';
import { type Route, routeOf } from '../router/route.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { ClientStatement } from './client-statement.ts';
import { ConnectionSearch } from './connection-search.ts';
import type { KeptPacket } from './kept-packet.ts';
import type { Residue } from './residue.ts';
import type { SearchClient, SearchListener } from './search-client.ts';
import { type AlignmentListener, StateAlignment } from './state-alignment.ts';
import { type PreparationListener, StatementPreparation } from './statement-preparation.ts';
import type { StatementTrace } from './statement-trace.ts';

const REPLICA_BEHIND = routeOf(RouteTarget.primary, RouteReason.replicaBehind);

export const ApproachStep = {
  none: 'none',
  searching: 'searching',
  settingState: 'settingState',
  preparing: 'preparing',
} as const;
export type ApproachStep = (typeof ApproachStep)[keyof typeof ApproachStep];

const transition = makeTransitions<ApproachStep>('statement approach', {
  none: ['searching'],
  searching: ['none', 'settingState', 'preparing'],
  settingState: ['none', 'preparing'],
  preparing: ['none'],
});

export interface ApproachListener {
  /** The session has it from now on. @param shared with other sessions: it takes the statement as it is. */
  connectionTaken(connection: BackendConnection, shared: boolean): void;
  /**
   * `buffer[start, end)` may be sent; null where none was to be.
   * @param prepared what the connection's server knows the prepared statement by.
   */
  arrived(
    connection: BackendConnection,
    buffer: Buffer | null,
    start: number,
    end: number,
    prepared: BackendStatement | null,
  ): void;
  /** The server does not prepare the statement: this is the answer to its execution. */
  statementRefused(connection: BackendConnection, tracker: ResponseTracker, error: ClientError): void;
  approachFailed(error: ClientError): void;
  /** The connection has gone, and nothing of the statement had been sent. */
  approachLost(reason: string): void;
}

export interface ApproachParts {
  readonly residue: Residue;
  readonly trace: StatementTrace;
  /** What waits on the way is kept in here. */
  readonly packet: KeptPacket;
}

export class StatementApproach implements SearchListener, AlignmentListener, PreparationListener {
  readonly #client: SearchClient;
  readonly #listener: ApproachListener;
  readonly #parts: ApproachParts;
  readonly search: ConnectionSearch;
  readonly #alignment: StateAlignment;
  readonly #preparation: StatementPreparation;
  #step: ApproachStep = ApproachStep.none;
  #connection: BackendConnection | null = null;
  #plan: Plan | null = null;
  #names: Plan | null = null;
  #statement: ClientStatement | null = null;

  constructor(
    client: SearchClient,
    context: WorkerContext,
    parts: ApproachParts,
    listener: ApproachListener,
  ) {
    this.#client = client;
    this.#listener = listener;
    this.#parts = parts;
    this.search = new ConnectionSearch(client, context, parts.residue, this);
    this.#alignment = new StateAlignment(context, client.state, parts.residue, this);
    this.#preparation = new StatementPreparation(context, this);
  }

  get step(): ApproachStep {
    return this.#step;
  }

  /**
   * @param plan null for commands that are no statements.
   * @param statement the prepared statement that is to be there; null where none is.
   * @param entersSchema the statement is a USE, or COM_INIT_DB.
   * @param names whose user variables must be there: the plan, or that of what is being prepared.
   */
  begin(
    route: Route,
    plan: Plan | null,
    held: BackendConnection | null,
    statement: ClientStatement | null,
    names: Plan | null,
    entersSchema = false,
  ): void {
    this.#alignment.entersSchema = entersSchema;
    this.#names = names;
    this.#plan = plan;
    this.#statement = statement;
    this.search.begin(route, plan, held, statement, names);
  }

  /** @param buffer null: nothing is to be sent, the connection itself is what is wanted. */
  go(buffer: Buffer | null, start: number, end: number): void {
    this.#step = transition(this.#step, ApproachStep.searching);
    this.search.bytes = end - start;
    this.search.readKey(buffer, start, end);
    this.#find(buffer, start, end);
  }

  /** Why the last connection could not be brought into the session's state, once. */
  takeError(): ClientError | null {
    return this.#alignment.takeError();
  }

  /** Nobody waits for it any more. */
  cancel(): void {
    this.search.cancel();
    this.#step = ApproachStep.none;
  }

  #find(buffer: Buffer | null, start: number, end: number): void {
    const connection = this.search.find();
    if (connection !== null) this.#use(connection, buffer, start, end);
    else {
      this.#parts.trace.waits();
      this.#keep(buffer, start, end);
    }
  }

  connectionFound(connection: BackendConnection): void {
    const { trace, packet } = this.#parts;
    trace.waited();
    this.#use(connection, packet.buffer, 0, packet.length);
  }

  residueRead(): void {
    const { trace, packet } = this.#parts;
    trace.waited();
    this.#find(packet.buffer, 0, packet.length);
  }

  searchFailed(error: ClientError): void {
    this.#step = transition(this.#step, ApproachStep.none);
    this.#listener.approachFailed(error);
  }

  #use(connection: BackendConnection, buffer: Buffer | null, start: number, end: number): void {
    const { state } = this.#client;
    const { residue, trace } = this.#parts;
    this.#connection = connection;
    if (this.search.placed(connection)) trace.reroutes(REPLICA_BEHIND);
    const shared =
      this.search.batchDepth >= 2 &&
      connection.holder === null &&
      this.#alignment.fitsAsIs(connection) &&
      this.search.hasStatement(connection);
    this.#listener.connectionTaken(connection, shared);
    connection.socket.resume();
    if (connection.lastUser !== residue) {
      connection.lastUser?.harvest(connection);
      connection.lastUser = null;
    }
    if (connection.key.ownerId !== null) this.#enterConfinement(connection);
    const initial = connection.initialVariables;
    if (state.variables === null && initial !== null) {
      // The first connection of this kind tells what a session starts with; the statement is looked at again.
      state.restart(initial);
    }
    const isSent = buffer !== null;
    const mayGo = this.#alignment.begin(connection, isSent ? this.#plan : null, isSent ? this.#names : null);
    trace.uses(
      connection,
      this.search.choice.hostgroup,
      shared,
      this.search.wentBack,
      this.#alignment.hasSent,
    );
    if (mayGo) {
      this.#prepare(connection, buffer, start, end);
      return;
    }
    this.#keep(buffer, start, end);
    this.#step = transition(this.#step, ApproachStep.settingState);
  }

  /** With the only connection that a session with an expired password gets; others might not know of it yet. */
  #enterConfinement(connection: BackendConnection): void {
    const { state } = this.#client;
    connection.tainted = true;
    if (connection.confined) {
      state.variables ??= connection.variables;
      state.pin(PinReason.expiredPassword);
    } else if (!state.pins.has(PinReason.expiredPassword)) this.#client.confinementEnded(false);
  }

  /** What goes in front of the statement has been taken. */
  aligned(connection: BackendConnection): void {
    if (this.#step !== ApproachStep.settingState || this.#connection !== connection) return;
    const { packet } = this.#parts;
    this.#prepare(connection, packet.buffer, 0, packet.length);
  }

  alignmentLost(connection: BackendConnection, reason: string): void {
    if (this.#step === ApproachStep.settingState) this.#lost(connection, reason);
  }

  #prepare(connection: BackendConnection, buffer: Buffer | null, start: number, end: number): void {
    const statement = this.#statement;
    const prepared = statement === null ? null : this.#preparation.begin(connection, statement);
    if (statement === null || prepared !== null) {
      this.#arrive(connection, buffer, start, end, prepared);
      return;
    }
    this.#keep(buffer, start, end);
    this.#parts.trace.reprepares();
    this.#step = transition(this.#step, ApproachStep.preparing);
  }

  statementReady(connection: BackendConnection, prepared: BackendStatement): void {
    if (this.#step !== ApproachStep.preparing || this.#connection !== connection) return;
    const { packet } = this.#parts;
    this.#arrive(connection, packet.buffer, 0, packet.length, prepared);
  }

  statementRefused(connection: BackendConnection, tracker: ResponseTracker, error: ClientError): void {
    if (this.#step !== ApproachStep.preparing || this.#connection !== connection) return;
    this.#leave();
    this.#listener.statementRefused(connection, tracker, error);
  }

  preparationLost(connection: BackendConnection, reason: string): void {
    if (this.#step === ApproachStep.preparing) this.#lost(connection, reason);
  }

  #arrive(
    connection: BackendConnection,
    buffer: Buffer | null,
    start: number,
    end: number,
    prepared: BackendStatement | null,
  ): void {
    this.#leave();
    this.#listener.arrived(connection, buffer, start, end, prepared);
  }

  #lost(connection: BackendConnection, reason: string): void {
    if (this.#connection !== connection) return;
    this.#leave();
    this.#listener.approachLost(reason);
  }

  #leave(): void {
    this.#connection = null;
    this.#step = transition(this.#step, ApproachStep.none);
  }

  #keep(buffer: Buffer | null, start: number, end: number): void {
    if (buffer !== null) this.#parts.packet.keep(buffer, start, end);
  }
}
