/**
 * What a statement leaves on its connection for the session's next one: LAST_INSERT_ID(), the list of warnings,
 * FOUND_ROWS(), ROW_COUNT(). As long as nobody else has used the connection the session goes back to it; when
 * somebody is about to, what cannot be known otherwise is read first.
 */

import { Command, type ResponseTracker, StatusFlag } from '../../../protocol/index.ts';
import type { ClientError } from '../../common/errors.ts';
import { PinReason, type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { CallValue } from '../../sql/substitute-calls.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { LastUser } from '../backend/last-user.ts';
import { ownReply, type RecordedResult, RecordingReply } from '../backend/recording-reply.ts';
import { type DiagnosedError, DiagnosticList } from './diagnostic-list.ts';

/** Empties the list of warnings on both kinds of servers: MariaDB keeps it over statements without a table. */
const CLEAR_DIAGNOSTICS = "SHOW TABLES FROM information_schema LIKE ''";
/** A statement in front of a client's. */
export interface Preparation {
  readonly text: string;
  /** Where this has been accepted once it always will be, and need not be waited for; '' if that cannot be said. */
  readonly acceptedKey: string;
}
/** They leave ROW_COUNT() and FOUND_ROWS() as they are. */
const NOT_COUNTED: ReadonlySet<number> = new Set<number>([Command.COM_STMT_PREPARE, Command.COM_STMT_FETCH]);
const NOTHING: readonly Preparation[] = [];

/** The call that is never made gives the column its type. */
function countOf(name: string, value: string): CallValue {
  return { sql: `IF(1,${value},${name}())`, optional: false, firstOnly: true };
}

/** What it finds or leaves in LAST_INSERT_ID() may be the value of the statement before. */
function touchesInsertId({ residue, kind, pins }: StatementClass): boolean {
  return (
    residue.lastInsertId ||
    kind === StatementKind.write ||
    kind === StatementKind.call ||
    pins.includes(PinReason.storedRoutine)
  );
}
/** Takes an idle connection for a moment; gives what is to be called then, or null if somebody else has it. */
export type Borrow = (connection: BackendConnection) => (() => void) | null;

export class Residue implements LastUser {
  lastConnection: BackendConnection | null = null;
  readonly diagnostics = new DiagnosticList();
  readonly #borrow: Borrow;
  /** The value of LAST_INSERT_ID(), or null while only `#insertIdOn` knows it, or it is being read from there. */
  #insertId: string | null = '0';
  /** Where the value is in force. */
  #insertIdOn: BackendConnection | null = null;
  /** What the OK said: right but for explicit ids; used if the connection dies before it was asked. */
  #insertIdGuess = '0';
  /** What is read must not take the place of what has come since. */
  #insertIdVersion = 0;
  #foundRowsVersion = 0;
  /** null while only `#foundRowsOn` knows it, or it is being read from there: SQL_CALC_FOUND_ROWS. */
  #foundRows: string | null = '0';
  #foundRowsFresh = true;
  #foundRowsOn: BackendConnection | null = null;
  #foundRowsGuess = '0';
  #rowCount = 0;
  #rowCountOn: BackendConnection | null = null;
  /** The session has used FOUND_ROWS() or ROW_COUNT(): it is likely to again. */
  #countsRows = false;
  /** Called when what is being read has come. */
  #waiter: (() => void) | null = null;
  #reading = 0;

  constructor(borrow: Borrow) {
    this.#borrow = borrow;
  }

  owesOn(connection: BackendConnection): boolean {
    return (
      (this.#insertIdOn === connection && this.#insertId === null) ||
      this.diagnostics.on === connection ||
      (this.#foundRowsOn === connection && (this.#countsRows || this.#foundRows === null)) ||
      (this.#rowCountOn === connection && this.#countsRows)
    );
  }

  /** After a command of this session on `connection`. @param statement null for one that is no statement. */
  statementDone(
    connection: BackendConnection,
    tracker: ResponseTracker,
    statement: StatementClass | null,
    command: number,
    shared: boolean,
    lastError: DiagnosedError | null,
  ): void {
    this.lastConnection = connection;
    this.diagnostics.statementDone(connection, tracker, statement, command, shared, lastError);
    if (!NOT_COUNTED.has(command)) this.#countRows(connection, tracker, statement);
    this.#noteInsertId(connection, tracker, statement);
  }

  /** `SET last_insert_id = …`, by whatever name. */
  insertIdAssigned(connection: BackendConnection): void {
    this.#insertId = null;
    this.#insertIdOn = connection;
    this.#insertIdVersion++;
    connection.lastInsertId = null;
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
    this.#rowCountOn = connection;
    const isMariadb = connection.server.flavor === 'mariadb';
    if (hasRows) {
      this.#foundRowsGuess = String(tracker.lastResultRows);
      // Behind a cursor nobody knows how many rows there are.
      const isOpen = (tracker.statusFlags & StatusFlag.SERVER_STATUS_CURSOR_EXISTS) !== 0;
      const isUnknown = isOpen || statement?.calculatesFoundRows === true;
      this.#foundRows = isUnknown ? null : this.#foundRowsGuess;
    }
    // Measured: MySQL's DO sets it to 0; on MariaDB it is 0 at first, and 1 after a first statement without rows.
    else if (!isMariadb && statement?.command === 'DO') this.#foundRows = '0';
    else if (isMariadb && this.#foundRowsFresh) this.#foundRows = '1';
    else return;
    this.#foundRowsFresh = false;
    this.#foundRowsVersion++;
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
    this.insertIdAssigned(connection);
  }

  /** The connection that a statement must go back to, as long as it is as the session left it. */
  wantedConnection(statement: StatementClass): BackendConnection | null {
    const { residue } = statement;
    if (this.#insertIdOn?.lastUser === this && touchesInsertId(statement)) return this.#insertIdOn;
    const { on } = this.diagnostics;
    if (residue.diagnostics && on?.lastUser === this && this.diagnostics.isTold(on)) return on;
    if (residue.rowCount && this.#rowCountOn?.lastUser === this) return this.#rowCountOn;
    return residue.foundRows && this.#foundRowsOn?.lastUser === this ? this.#foundRowsOn : null;
  }

  /**
   * What the statement asks about and `connection` does not know is read from where it is.
   * @returns true if that takes time: then `again` is called when it is there.
   */
  fetches(statement: StatementClass, connection: BackendConnection | null, again: () => void): boolean {
    const { residue } = statement;
    if (this.#insertId === null && touchesInsertId(statement)) this.#fetch(this.#insertIdOn, connection);
    if (residue.foundRows && this.#foundRows === null) {
      if (connection !== null && this.#foundRowsOn === connection && this.#isEmptied(statement, connection))
        this.#readFoundRows(connection);
      else this.#fetch(this.#foundRowsOn, connection);
    }
    if (residue.diagnostics) {
      this.diagnostics.noteLoss();
      if (!this.diagnostics.isTold(connection)) this.#fetchList(connection);
    }
    return this.waits(statement, again);
  }

  #fetch(from: BackendConnection | null, to: BackendConnection | null): void {
    if (from === null || from === to || from.lastUser !== this) return;
    const giveBack = this.#borrow(from);
    if (giveBack === null) return;
    this.#harvestThen(from, giveBack);
  }

  #fetchList(to: BackendConnection | null): void {
    const { on } = this.diagnostics;
    // Even on the statement's own connection: what is marked there is not what a client should see.
    if (on !== null && on === to) this.#readDiagnostics(on);
    else this.#fetch(on, to);
  }

  /** Values for FOUND_ROWS() and ROW_COUNT() on a connection that does not know them. */
  countsFor(statement: StatementClass, connection: BackendConnection | null): Map<string, CallValue> {
    const { foundRows, rowCount } = statement.residue;
    const values = new Map<string, CallValue>();
    // Bringing LAST_INSERT_ID() there is a statement of its own, and ROW_COUNT() gone with it.
    const isDisturbed =
      (statement.residue.lastInsertId && connection?.lastInsertId !== this.#insertId) ||
      statement.userVariables?.length !== 0;
    const isEmptied = connection === null || this.#isEmptied(statement, connection);
    if (foundRows && (isEmptied || this.#foundRowsOn !== connection))
      values.set('FOUND_ROWS', countOf('FOUND_ROWS', this.#foundRows ?? this.#foundRowsGuess));
    if (rowCount && (isEmptied || this.#rowCountOn !== connection || isDisturbed))
      values.set('ROW_COUNT', countOf('ROW_COUNT', String(this.#rowCount)));
    return values;
  }

  /** An error of Sluice's own, where a server would have had one. */
  ownError(error: ClientError, isMariadb: boolean): void {
    this.diagnostics.ownError(error, isMariadb);
    this.#rowCount = -1;
    this.#rowCountOn = null;
  }

  /** An OK of Sluice's own in the place of a statement that did not run. */
  ownOk(): void {
    this.diagnostics.clear();
    this.#rowCount = 0;
    this.#rowCountOn = null;
  }

  /** The statement has been answered with rows that a server gave before. */
  readFromCache(rows: number, statement: StatementClass, isMariadb: boolean): void {
    this.diagnostics.readAnswered(statement, isMariadb);
    this.#rowCount = -1;
    this.#rowCountOn = null;
    this.#foundRowsGuess = String(rows);
    this.#foundRows = this.#foundRowsGuess;
    this.#foundRowsFresh = false;
    this.#foundRowsVersion++;
    this.#foundRowsOn = null;
  }

  /** A question was answered with rows, and no server asked. */
  answeredRows(): void {
    this.#rowCount = -1;
    this.#rowCountOn = null;
  }

  /** Whether the statement must go where LAST_INSERT_ID() is, or wait until it has been read. */
  concerns(statement: StatementClass): boolean {
    return this.#insertId === null && touchesInsertId(statement);
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  /** @returns true if what the statement asks for is being read; then `again` is called when it is there. */
  waits(statement: StatementClass, again: () => void): boolean {
    if (this.#insertId === null && this.#insertIdOn?.isClosed === true) {
      this.#insertId = this.#insertIdGuess;
      this.#insertIdOn = null;
    }
    const { diagnostics, foundRows } = statement.residue;
    const needsId = this.#insertId === null && this.#insertIdOn === null && touchesInsertId(statement);
    if (this.#reading === 0 || (!needsId && !diagnostics && !foundRows)) return false;
    this.#waiter = again;
    return true;
  }

  /** What must run in front of a statement on a connection that is not the one it asks about. */
  preparationFor(statement: StatementClass, connection: BackendConnection): readonly Preparation[] {
    const marker = this.#markerFor(statement, connection);
    if (marker !== '') this.#fetch(this.diagnostics.on, connection);
    const needsId = this.#insertIdOn !== connection && touchesInsertId(statement);
    const id = this.#insertId ?? this.#insertIdGuess;
    const isIdThere = !needsId || connection.lastInsertId === id;
    if (isIdThere && marker === '') return NOTHING;
    const preparations: Preparation[] = [];
    if (!isIdThere) {
      connection.lastInsertId = id;
      preparations.push({ text: `SET @@session.last_insert_id=${id}`, acceptedKey: 'last_insert_id' });
    }
    if (marker !== '') preparations.push({ text: marker, acceptedKey: '' });
    return preparations;
  }

  #markerFor(statement: StatementClass, connection: BackendConnection): string {
    const isEmptied = this.#isEmptied(statement, connection);
    return isEmptied ? CLEAR_DIAGNOSTICS : this.diagnostics.markerFor(statement, connection);
  }

  /** The statement asks for the list, and the connection has another one: emptying it takes the counts with it. */
  #isEmptied({ residue }: StatementClass, connection: BackendConnection): boolean {
    return residue.diagnostics && !this.diagnostics.isTold(connection);
  }

  harvest(connection: BackendConnection): void {
    if (this.diagnostics.on === connection) this.#readDiagnostics(connection);
    if (this.#foundRowsOn === connection) this.#readFoundRows(connection);
    if (this.#rowCountOn === connection) this.#rowCountOn = null;
    if (this.#insertIdOn === connection) this.#readInsertId(connection);
  }

  /** A statement of Sluice's own is about to run there: it must take nothing with it that the session may ask for. */
  spare(connection: BackendConnection): void {
    if (this.diagnostics.on === connection) this.#readDiagnostics(connection);
    if (this.#foundRowsOn === connection) this.#readFoundRows(connection);
    if (this.#rowCountOn === connection) this.#rowCountOn = null;
  }

  #harvestThen(connection: BackendConnection, done: () => void): void {
    this.harvest(connection);
    connection.lastUser = null;
    // Nothing was asked, or all answers have come: the connection is free again.
    if (connection.owed === 0) done();
    else this.#ask(connection, 'DO 0', done);
  }

  #readDiagnostics(connection: BackendConnection): void {
    const reading = this.diagnostics.startReading();
    let warnings: string | null = null;
    let errors: string | null = null;
    // None of these changes the list.
    this.#ask(connection, 'SHOW COUNT(*) WARNINGS', (result) => {
      warnings = result?.rows[0]?.[0] ?? null;
    });
    this.#ask(connection, 'SHOW COUNT(*) ERRORS', (result) => {
      errors = result?.rows[0]?.[0] ?? null;
    });
    this.#ask(connection, 'SHOW WARNINGS', (result) =>
      this.diagnostics.read(reading, result, warnings, errors),
    );
  }

  #readFoundRows(connection: BackendConnection): void {
    this.#foundRowsOn = null;
    if (this.#foundRows !== null) return;
    const version = this.#foundRowsVersion;
    this.#ask(connection, 'SELECT FOUND_ROWS()', (result) => {
      if (version === this.#foundRowsVersion) this.#foundRows = result?.rows[0]?.[0] ?? this.#foundRowsGuess;
    });
  }

  #readInsertId(connection: BackendConnection): void {
    this.#insertIdOn = null;
    if (this.#insertId !== null) return;
    const version = this.#insertIdVersion;
    this.#ask(connection, 'SELECT LAST_INSERT_ID()', (result) => {
      const value = result?.rows[0]?.[0] ?? null;
      if (connection.lastInsertId === null) connection.lastInsertId = value;
      if (version === this.#insertIdVersion) this.#insertId = value ?? this.#insertIdGuess;
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
    for (const connection of [
      this.lastConnection,
      this.#insertIdOn,
      this.#foundRowsOn,
      this.#rowCountOn,
      this.diagnostics.on,
    ])
      if (connection?.lastUser === this) connection.lastUser = null;
    this.lastConnection = null;
    this.#insertIdOn = null;
    this.#foundRowsOn = null;
    this.#rowCountOn = null;
    this.diagnostics.clear();
    this.#insertIdVersion++;
    this.#foundRowsVersion++;
    this.#insertId = '0';
    this.#insertIdGuess = '0';
    this.#foundRows = '0';
    this.#foundRowsGuess = '0';
    this.#foundRowsFresh = true;
    this.#rowCount = 0;
    this.#waiter = null;
  }
}
