/** Prepared statements that hold their session's connection: with a cursor, with long data, or bound to where they are. */

import { StatusFlag } from '../../../protocol/index.ts';
import { PinReason } from '../../sql/statement-class.ts';
import { NOTHING_LEFT } from '../backend/check-in.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { ClientStatement } from './client-statement.ts';
import { RunPhase } from './run-phase.ts';
import type { Session } from './session.ts';

export class StatementHolds {
  readonly #session: Session;
  readonly #context: WorkerContext;
  readonly #holding = new Set<ClientStatement>();

  constructor(session: Session, context: WorkerContext) {
    this.#session = session;
    this.#context = context;
  }

  get #limit(): number {
    return this.#context.snapshot.settings.pool.maxStatementsPerConnection;
  }

  hold(statement: ClientStatement): void {
    this.#holding.add(statement);
    this.#setPins();
  }

  /** The connection stays with the session until its command has ended. */
  letGo(statement: ClientStatement): void {
    this.#holding.delete(statement);
    this.#taint(statement);
    statement.release(this.#limit);
    this.#setPins();
  }

  /** COM_STMT_CLOSE: nothing runs. */
  close(statement: ClientStatement): void {
    this.#taint(statement);
    statement.closed(this.#limit);
    this.#holding.delete(statement);
    this.unpin();
  }

  /** The connection is reset or closed. */
  clear(): void {
    this.#holding.clear();
  }

  /** MySQL adds that error to its list of warnings at moments of its own: nobody else may meet it there. */
  #taint(statement: ClientStatement): void {
    if (!statement.longDataRefused) return;
    statement.longDataRefused = false;
    const connection = this.#session.run.connection ?? this.#session.run.held;
    if (connection !== null && this.#context.backends.dialect.flavor === 'mysql') connection.tainted = true;
  }

  #setPins(): void {
    const { state } = this.#session;
    let cursor = false;
    let longData = false;
    let stays = false;
    for (const statement of this.#holding) {
      cursor ||= statement.hasCursor;
      longData ||= statement.hasLongData;
      stays ||= statement.staysWhereItIs;
    }
    set(PinReason.cursor, cursor);
    set(PinReason.longData, longData);
    set(PinReason.binaryPrepare, stays);
    function set(reason: PinReason, isSet: boolean): void {
      if (isSet) state.pin(reason);
      else state.unpin(reason);
    }
  }

  /** Nothing runs: a connection that nothing holds any more goes back. */
  unpin(): void {
    this.#setPins();
    const { state, run } = this.#session;
    if (state.pinned || run.held === null || run.phase !== RunPhase.idle) return;
    if ((run.held.statusFlags & StatusFlag.SERVER_STATUS_IN_TRANS) === 0)
      run.connections.releaseHeld(NOTHING_LEFT);
  }
}
