/**
 * What a statement leaves on its connection for the session's next one: LAST_INSERT_ID(), the list of warnings,
 * FOUND_ROWS(), ROW_COUNT(). As long as nobody else has used the connection the session goes back to it; when
 * somebody is about to, what cannot be known otherwise is read first.
 */

import { Command, type ResponseTracker } from '../../../protocol/index.ts';
import { type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { LastUser } from '../backend/last-user.ts';
import { ownReply, type RecordedResult, RecordingReply } from '../backend/recording-reply.ts';

/** Empties the list of warnings on both kinds of servers: MariaDB keeps it over statements without a table. */
export const CLEAR_DIAGNOSTICS = "SHOW TABLES FROM information_schema LIKE ''";

export type DiagnosticRow = readonly (string | null)[];

export class Residue implements LastUser {
  /** The value of LAST_INSERT_ID(), or null while it is known to `#insertIdOn` only, or being read from there. */
  #insertId: string | null = '0';
  #insertIdOn: BackendConnection | null = null;
  /** What the OK said: right but for explicit ids; used if the connection dies before it was asked. */
  #insertIdGuess = '0';
  /** Called when what is being read has come. */
  #waiter: (() => void) | null = null;
  #reading = 0;
  #diagnosticsOn: BackendConnection | null = null;
  #diagnostics: readonly DiagnosticRow[] = [];
  /** The session has used FOUND_ROWS() or ROW_COUNT(): it is likely to again. */
  #countsRows = false;
  lastConnection: BackendConnection | null = null;

  owesOn(connection: BackendConnection): boolean {
    return (
      this.#insertIdOn === connection ||
      this.#diagnosticsOn === connection ||
      (this.#countsRows && this.lastConnection === connection)
    );
  }

  /** After a statement of this session on `connection`. */
  statementDone(
    connection: BackendConnection,
    tracker: ResponseTracker,
    statement: StatementClass | null,
    shared: boolean,
  ): void {
    this.lastConnection = connection;
    const readsDiagnostics = statement?.residue.diagnostics === true;
    if (!readsDiagnostics) {
      this.#diagnostics = [];
      this.#diagnosticsOn = !shared && (tracker.warnings > 0 || tracker.errno !== 0) ? connection : null;
    }
    if (statement?.residue.rowCount === true || statement?.residue.foundRows === true)
      this.#countsRows = true;
    // An id in the OK may be generated, explicit or that of an updated row: only the server knows which.
    const mayHaveChanged =
      tracker.lastInsertId !== 0 ||
      statement?.residue.lastInsertId === true ||
      statement?.kind === StatementKind.call ||
      (statement?.kind === StatementKind.write && tracker.lastResultRows >= 0) ||
      statement?.command === 'LOAD';
    if (!mayHaveChanged) return;
    if (tracker.lastInsertId !== 0) this.#insertIdGuess = String(tracker.lastInsertId);
    this.#insertId = null;
    this.#insertIdOn = connection;
  }

  /** The connection that a statement must go back to, if it is still as the session left it. */
  wantedConnection(statement: StatementClass): BackendConnection | null {
    const { residue } = statement;
    if (residue.lastInsertId && this.#insertIdOn !== null) return this.#insertIdOn;
    const asks = residue.diagnostics || residue.foundRows || residue.rowCount;
    const last = this.lastConnection;
    return asks && last !== null && last.lastUser === this ? last : null;
  }

  /** @returns true if what the statement asks for is being read; then `again` is called when it is there. */
  waits(statement: StatementClass, again: () => void): boolean {
    if (this.#insertIdOn?.isClosed === true) {
      this.#insertId = this.#insertIdGuess;
      this.#insertIdOn = null;
    }
    const { lastInsertId, diagnostics } = statement.residue;
    if (this.#reading === 0 || (!lastInsertId && !diagnostics)) return false;
    this.#waiter = again;
    return true;
  }

  /** What must run in front of a statement on a connection that is not the one it asks about. */
  preparationFor(statement: StatementClass, connection: BackendConnection): string {
    if (connection.lastUser === this) return '';
    const { residue } = statement;
    if (residue.lastInsertId) return `SET @@session.last_insert_id=${this.#insertId ?? this.#insertIdGuess}`;
    return residue.diagnostics ? CLEAR_DIAGNOSTICS : '';
  }

  /** Warnings that were read from a connection before somebody else used it. */
  get harvestedDiagnostics(): readonly DiagnosticRow[] {
    return this.#diagnostics;
  }

  harvest(connection: BackendConnection): void {
    if (this.#diagnosticsOn === connection) {
      this.#diagnosticsOn = null;
      this.#ask(connection, 'SHOW WARNINGS', (result) => {
        this.#diagnostics = result?.rows ?? [];
      });
    }
    if (this.#insertIdOn === connection) {
      this.#insertIdOn = null;
      this.#ask(connection, 'SELECT LAST_INSERT_ID()', (result) => {
        this.#insertId = result?.rows[0]?.[0] ?? this.#insertIdGuess;
      });
    }
  }

  /** @param done gets null when the connection was lost. */
  #ask(connection: BackendConnection, text: string, done: (result: RecordedResult | null) => void): void {
    this.#reading++;
    const finish = (result: RecordedResult | null): void => {
      done(result);
      this.#reading--;
      const waiter = this.#waiter;
      if (this.#reading > 0 || waiter === null) return;
      this.#waiter = null;
      waiter();
    };
    const recorder = new RecordingReply(
      (_, result) => finish(result),
      () => finish(null),
    );
    connection.sendCommand(Command.COM_QUERY, text, ownReply(recorder));
  }

  /** As a new session: nothing is left anywhere. */
  reset(): void {
    if (this.lastConnection?.lastUser === this) this.lastConnection.lastUser = null;
    if (this.#insertIdOn?.lastUser === this) this.#insertIdOn.lastUser = null;
    this.lastConnection = null;
    this.#insertIdOn = null;
    this.#diagnosticsOn = null;
    this.#diagnostics = [];
    this.#insertId = '0';
    this.#insertIdGuess = '0';
    this.#waiter = null;
  }
}
