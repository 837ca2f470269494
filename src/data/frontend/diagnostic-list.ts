/**
 * Where a session's list of warnings and errors is: nowhere, on a connection that nobody else has used since, or read
 * from there into memory.
 *
 * Every statement that raises something replaces the list. MySQL empties it with every other statement as well,
 * MariaDB only with those that use a table. Which ones do is not always to be seen: then a marker is raised in front
 * of the statement, on a connection whose list is not the session's, and whether it is still there tells later.
 */

import { Command, type ResponseTracker } from '../../../protocol/index.ts';
import type { ClientError } from '../../common/errors.ts';
import { type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { RecordedResult } from '../backend/recording-reply.ts';

export interface Diagnostics {
  /** The definitions of the three columns of SHOW WARNINGS, and its rows, as packets; none for Sluice's own errors. */
  readonly columns: readonly Buffer[];
  readonly packets: readonly Buffer[];
  /** Level, code, message. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** As `@@warning_count` says: with `max_error_count` the list may be shorter. */
  readonly warningCount: number;
  readonly errorCount: number;
  /** Of the ERR packet, which tells more than the list. */
  readonly lastError: DiagnosedError | null;
}

export interface DiagnosedError {
  readonly errno: number;
  readonly sqlState: string;
  readonly message: string;
}

const NO_DIAGNOSTICS: Diagnostics = {
  columns: [],
  packets: [],
  rows: [],
  warningCount: 0,
  errorCount: 0,
  lastError: null,
};

const MARKER = 'sluice: what was here before';
const RAISE_MARKER = `SIGNAL SQLSTATE '01000' SET MESSAGE_TEXT='${MARKER}'`;

/** Statements of MariaDB that leave the list alone if they name no table. */
const KEEPING: ReadonlySet<StatementKind> = new Set<StatementKind>([
  StatementKind.setTransaction,
  StatementKind.begin,
  StatementKind.commit,
  StatementKind.rollback,
  StatementKind.savepoint,
  StatementKind.use,
]);
const KEEPING_COMMANDS: ReadonlySet<number> = new Set<number>([
  Command.COM_INIT_DB,
  Command.COM_STATISTICS,
  Command.COM_STMT_RESET,
  Command.COM_STMT_FETCH,
]);
/** They name no table, and MariaDB makes one for their answer. */
const CLEARING: ReadonlySet<string> = new Set(['SHOW_TABLES']);
/** They show the list and leave it as it is. */
const SHOWING: ReadonlySet<string> = new Set(['SHOW_WARNINGS', 'SHOW_ERRORS', 'SHOW_COUNT', 'GET']);

const Effect = { keeps: 'keeps', clears: 'clears', unknown: 'unknown' } as const;
type Effect = (typeof Effect)[keyof typeof Effect];

/** What a statement that raises nothing does to the list. */
function effectOf(statement: StatementClass | null, command: number, isMariadb: boolean): Effect {
  if (statement === null) return KEEPING_COMMANDS.has(command) || isMariadb ? Effect.keeps : Effect.clears;
  if (statement.statementCount === 1 && SHOWING.has(statement.command)) return Effect.keeps;
  if (!isMariadb) return Effect.clears;
  if (statement.statementCount > 1) return Effect.unknown;
  const { kind, tables, command: name } = statement;
  if (CLEARING.has(name)) return Effect.clears;
  if (tables.length > 0)
    return kind === StatementKind.read || kind === StatementKind.write ? Effect.clears : Effect.unknown;
  const isPlainSelect = statement.provenRead && statement.command === 'SELECT';
  return KEEPING.has(kind) || isPlainSelect ? Effect.keeps : Effect.unknown;
}

/** Of a list that is gone: an error is all that most lists have of it, of warnings it is known how many there were. */
function knownOf({ warnings }: ResponseTracker, lastError: DiagnosedError | null): Diagnostics {
  if (lastError === null) return { ...NO_DIAGNOSTICS, warningCount: warnings };
  const { errno, message } = lastError;
  return {
    ...NO_DIAGNOSTICS,
    rows: [['Error', String(errno), message]],
    warningCount: 1,
    errorCount: 1,
    lastError,
  };
}

/** A reading under way: of no use any more once the list has been replaced. */
export interface DiagnosticReading {
  readonly wasMarked: boolean;
}

export class DiagnosticList {
  #on: BackendConnection | null = null;
  /** What is there is the session's only if the marker has gone; else what is in memory still is. */
  #isMarked = false;
  #memory: Diagnostics = NO_DIAGNOSTICS;
  #lastError: DiagnosedError | null = null;
  /** What its answer has told of a list with an error, for when the list is lost. */
  #told: Diagnostics = NO_DIAGNOSTICS;
  /** From the oldest to the newest. */
  readonly #readings = new Set<DiagnosticReading>();
  /** Where a marker has been raised for the statement that runs. */
  #markedOn: BackendConnection | null = null;

  /** The connection that has it, marked or not. */
  get on(): BackendConnection | null {
    return this.#on;
  }

  /** What has been read: the session's list unless a connection has it. */
  get memory(): Diagnostics {
    return this.#memory;
  }

  get isEmpty(): boolean {
    return this.#on === null && this.#readings.size === 0 && this.#memory === NO_DIAGNOSTICS;
  }

  /** Whether statements that ask for the list may ask this connection. */
  isTold(connection: BackendConnection | null): boolean {
    return connection !== null && this.#on === connection && !this.#isMarked;
  }

  /** What must be sent to this connection in front of the statement, '' for nothing. */
  markerFor(statement: StatementClass, connection: BackendConnection): string {
    this.#markedOn = null;
    if (connection.server.flavor !== 'mariadb' || this.#on === connection) return '';
    if (this.isEmpty) return '';
    if (effectOf(statement, Command.COM_QUERY, true) !== Effect.unknown) return '';
    this.#markedOn = connection;
    return RAISE_MARKER;
  }

  /** @param shared answers of others follow on the connection. */
  statementDone(
    connection: BackendConnection,
    tracker: ResponseTracker,
    statement: StatementClass | null,
    command: number,
    shared: boolean,
    lastError: DiagnosedError | null,
  ): void {
    const marked = this.#markedOn === connection;
    this.#markedOn = null;
    // MySQL's answer to COM_INIT_DB repeats the count of the statement before.
    const raised = tracker.errno !== 0 || (tracker.raisedWarnings && statement !== null);
    if (raised) {
      this.#forget();
      this.#lastError = lastError;
      const known = knownOf(tracker, lastError);
      if (lastError !== null) this.#told = known;
      // Else others' statements have followed at once.
      if (!shared || connection.owed === 0) this.#on = connection;
      else this.#memory = known;
      return;
    }
    const effect = effectOf(statement, command, connection.server.flavor === 'mariadb');
    if (effect === Effect.clears) this.#forget();
    else if (effect === Effect.unknown && marked) {
      this.#on = connection;
      this.#isMarked = true;
    }
  }

  /** The list is being read from its connection, which is about to be somebody else's. */
  startReading(): DiagnosticReading {
    const reading = { wasMarked: this.#isMarked };
    this.#on = null;
    this.#isMarked = false;
    this.#readings.add(reading);
    return reading;
  }

  /** @param warnings null where the connection was lost. */
  read(
    reading: DiagnosticReading,
    warnings: RecordedResult | null,
    warningCount: string | null,
    errorCount: string | null,
  ): void {
    if (!this.#readings.has(reading)) return;
    const isMarker = reading.wasMarked && warnings?.rows[0]?.[2] === MARKER;
    if (!isMarker && warnings !== null) this.#forgetOlder(reading);
    this.#readings.delete(reading);
    if (warnings === null) {
      if (!reading.wasMarked) this.#memory = this.#told;
      return;
    }
    if (isMarker) return;
    const { columns, packets, rows } = warnings;
    this.#memory =
      warningCount === '0'
        ? NO_DIAGNOSTICS
        : {
            columns,
            packets,
            rows,
            warningCount: Number(warningCount),
            errorCount: Number(errorCount),
            lastError: this.#lastError,
          };
  }

  /** The connection that has the list is closed, and the list with it. */
  noteLoss(): void {
    if (this.#on?.isClosed !== true) return;
    if (!this.#isMarked) this.#memory = this.#told;
    this.#on = null;
    this.#isMarked = false;
  }

  /** What was being read before it is the list of before; what is being read since then may be the one of now. */
  #forgetOlder(reading: DiagnosticReading): void {
    for (const other of this.#readings) {
      if (other === reading) return;
      this.#readings.delete(other);
    }
  }

  /** One error that no server has raised. MySQL adds it to the list, which no statement has emptied. */
  ownError({ errno, sqlState, message }: ClientError, isMariadb: boolean): void {
    const before = isMariadb ? NO_DIAGNOSTICS : this.#memory;
    this.#forget();
    this.#memory = {
      ...before,
      rows: [...before.rows, ['Error', String(errno), message]],
      warningCount: before.warningCount + 1,
      errorCount: before.errorCount + 1,
      lastError: { errno, sqlState, message },
    };
  }

  /** A read that raised nothing was answered, and not by the connection that has the list. */
  readAnswered(statement: StatementClass, isMariadb: boolean): void {
    if (effectOf(statement, Command.COM_QUERY, isMariadb) === Effect.clears) this.#forget();
  }

  clear(): void {
    this.#forget();
    this.#markedOn = null;
  }

  #forget(): void {
    this.#on = null;
    this.#isMarked = false;
    // An empty set is made anew by it.
    if (this.#readings.size > 0) this.#readings.clear();
    this.#memory = NO_DIAGNOSTICS;
    this.#told = NO_DIAGNOSTICS;
  }
}
