/**
 * What a statement leaves on its connection for the session's next one: LAST_INSERT_ID(), the list of warnings,
 * FOUND_ROWS(), ROW_COUNT(). As long as nobody else has used the connection the session goes back to it; when
 * somebody is about to, what cannot be known otherwise is read first.
 */

import { Command, type ResponseTracker } from '../../../protocol/index.ts';
import type { ClientError } from '../../common/errors.ts';
import { type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { CallValue } from '../../sql/substitute-calls.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { LastUser } from '../backend/last-user.ts';
import { ownReply, type RecordedResult, RecordingReply } from '../backend/recording-reply.ts';

/** Empties the list of warnings on both kinds of servers: MariaDB keeps it over statements without a table. */
const CLEAR_DIAGNOSTICS = "SHOW TABLES FROM information_schema LIKE ''";

const KEEPING: ReadonlySet<StatementKind> = new Set<StatementKind>([
  StatementKind.read,
  StatementKind.set,
  StatementKind.setTransaction,
  StatementKind.begin,
  StatementKind.commit,
  StatementKind.rollback,
  StatementKind.savepoint,
  StatementKind.use,
]);

export type DiagnosticRow = readonly (string | null)[];

export class Residue implements LastUser {
  lastConnection: BackendConnection | null = null;
  /** The value of LAST_INSERT_ID(), or null while only `#insertIdOn` knows it, or it is being read from there. */
  #insertId: string | null = '0';
  /** Where the value is in force. */
  #insertIdOn: BackendConnection | null = null;
  /** What the OK said: right but for explicit ids; used if the connection dies before it was asked. */
  #insertIdGuess = '0';
  #diagnosticsOn: BackendConnection | null = null;
  #diagnostics: readonly DiagnosticRow[] = [];
  #foundRows = 0;
  #foundRowsFresh = true;
  #foundRowsOn: BackendConnection | null = null;
  #rowCount = 0;
  /** The session has used FOUND_ROWS() or ROW_COUNT(): it is likely to again. */
  #countsRows = false;
  /** Called when what is being read has come. */
  #waiter: (() => void) | null = null;
  #reading = 0;

  owesOn(connection: BackendConnection): boolean {
    return (
      (this.#insertIdOn === connection && this.#insertId === null) ||
      this.#diagnosticsOn === connection ||
      (this.#countsRows && (this.lastConnection === connection || this.#foundRowsOn === connection))
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
    this.#noteDiagnostics(connection, tracker, statement, shared);
    this.#countRows(connection, tracker, statement);
    this.#noteInsertId(connection, tracker, statement);
  }

  #noteDiagnostics(
    connection: BackendConnection,
    tracker: ResponseTracker,
    statement: StatementClass | null,
    shared: boolean,
  ): void {
    if (statement?.residue.diagnostics === true) return;
    const raised = tracker.warnings > 0 || tracker.errno !== 0;
    // MariaDB keeps the list over statements that use no table and raise nothing.
    const keeps = connection.server.flavor === 'mariadb' && statement !== null && KEEPING.has(statement.kind);
    if (!raised && keeps && statement.tables.length === 0) return;
    this.#diagnostics = [];
    this.#diagnosticsOn = raised && !shared ? connection : null;
  }

  /** `SET last_insert_id = …`, by whatever name. */
  insertIdAssigned(connection: BackendConnection): void {
    this.#insertId = null;
    this.#insertIdOn = connection;
  }

  #countRows(
    connection: BackendConnection,
    tracker: ResponseTracker,
    statement: StatementClass | null,
  ): void {
    if (statement?.residue.rowCount === true || statement?.residue.foundRows === true)
      this.#countsRows = true;
    const hasRows = tracker.errno === 0 && tracker.lastResultRows >= 0;
    this.#rowCount = tracker.errno !== 0 || hasRows ? -1 : tracker.affectedRows;
    const isMariadb = connection.server.flavor === 'mariadb';
    if (hasRows) this.#foundRows = tracker.lastResultRows;
    // Measured: MySQL's DO sets it to 0; on MariaDB it is 0 at first, and 1 after a first statement without rows.
    else if (!isMariadb && statement?.command === 'DO') this.#foundRows = 0;
    else if (isMariadb && this.#foundRowsFresh) this.#foundRows = 1;
    else return;
    this.#foundRowsFresh = false;
    this.#foundRowsOn = hasRows ? connection : null;
  }

  /** An id in the OK may be generated, explicit or that of an updated row: only the server knows which. */
  #noteInsertId(
    connection: BackendConnection,
    tracker: ResponseTracker,
    statement: StatementClass | null,
  ): void {
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

  /** The connection that a statement must go back to, as long as it is as the session left it. */
  wantedConnection(statement: StatementClass): BackendConnection | null {
    const { residue } = statement;
    if (residue.lastInsertId && this.#insertIdOn?.lastUser === this) return this.#insertIdOn;
    if (residue.diagnostics && this.#diagnosticsOn?.lastUser === this) return this.#diagnosticsOn;
    const last = this.lastConnection;
    if (residue.rowCount && last?.lastUser === this) return last;
    return residue.foundRows && this.#foundRowsOn?.lastUser === this ? this.#foundRowsOn : null;
  }

  /** The connection that alone knows LAST_INSERT_ID(), if that is another one than `connection`. */
  insertIdElsewhere(connection: BackendConnection | null): BackendConnection | null {
    return this.#insertId === null && this.#insertIdOn !== connection ? this.#insertIdOn : null;
  }

  /** Values for FOUND_ROWS() and ROW_COUNT() on a connection that does not know them; null if it does. */
  countsFor(
    statement: StatementClass,
    connection: BackendConnection | null,
  ): ReadonlyMap<string, CallValue> | null {
    const { foundRows, rowCount } = statement.residue;
    const knowsFound = !foundRows || (connection !== null && this.#foundRowsOn === connection);
    const knowsCount = !rowCount || (connection !== null && this.lastConnection === connection);
    if (knowsFound && knowsCount) return null;
    // The call that is never made gives the column its type.
    return new Map([
      ['FOUND_ROWS', { sql: `IF(1,${this.#foundRows},FOUND_ROWS())`, optional: false, firstOnly: true }],
      ['ROW_COUNT', { sql: `IF(1,${this.#rowCount},ROW_COUNT())`, optional: false, firstOnly: true }],
    ]);
  }

  /** @returns true if what the statement asks for is being read; then `again` is called when it is there. */
  waits(statement: StatementClass, again: () => void): boolean {
    if (this.#insertId === null && this.#insertIdOn?.isClosed === true) {
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
    const { residue } = statement;
    if (residue.lastInsertId && this.#insertIdOn !== connection) {
      this.#insertIdOn = connection;
      return `SET @@session.last_insert_id=${this.#insertId ?? this.#insertIdGuess}`;
    }
    return residue.diagnostics && this.#diagnosticsOn !== connection ? CLEAR_DIAGNOSTICS : '';
  }

  /** An error of Sluice's own, where a server would have had one. */
  ownError({ errno, message }: ClientError): void {
    this.#diagnosticsOn = null;
    this.#diagnostics = [['Error', String(errno), message]];
    this.#rowCount = -1;
  }

  /** Warnings that were read from a connection before somebody else used it. */
  get harvestedDiagnostics(): readonly DiagnosticRow[] {
    return this.#diagnostics;
  }

  harvest(connection: BackendConnection): void {
    if (this.#diagnosticsOn === connection) this.readDiagnostics(connection, () => undefined);
    if (this.#foundRowsOn === connection) this.#foundRowsOn = null;
    if (this.#insertIdOn === connection) this.readInsertId(connection, () => undefined);
  }

  /** The connection that alone has the list of warnings, if that is another one than `connection`. */
  diagnosticsElsewhere(connection: BackendConnection | null): BackendConnection | null {
    return this.#diagnosticsOn !== connection ? this.#diagnosticsOn : null;
  }

  /** @param done the connection is free again. */
  readDiagnostics(connection: BackendConnection, done: () => void): void {
    this.#diagnosticsOn = null;
    this.#ask(connection, 'SHOW WARNINGS', (result) => {
      this.#diagnostics = result?.rows ?? [];
      done();
    });
  }

  /** @param done the connection is free again. */
  readInsertId(connection: BackendConnection, done: () => void): void {
    this.#insertIdOn = null;
    if (this.#insertId !== null) {
      done();
      return;
    }
    this.#ask(connection, 'SELECT LAST_INSERT_ID()', (result) => {
      this.#insertId = result?.rows[0]?.[0] ?? this.#insertIdGuess;
      done();
    });
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
    for (const connection of [this.lastConnection, this.#insertIdOn, this.#foundRowsOn, this.#diagnosticsOn])
      if (connection?.lastUser === this) connection.lastUser = null;
    this.lastConnection = null;
    this.#insertIdOn = null;
    this.#foundRowsOn = null;
    this.#diagnosticsOn = null;
    this.#diagnostics = [];
    this.#insertId = '0';
    this.#insertIdGuess = '0';
    this.#foundRows = 0;
    this.#foundRowsFresh = true;
    this.#rowCount = 0;
    this.#waiter = null;
  }
}
