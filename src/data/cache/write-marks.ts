/**
 * Marks what one session writes, so that no cached answer is taken for fresh that is not (`table-epochs.ts`).
 *
 * | when                              | tables of the statement                        | tables of the open transaction                |
 * |-----------------------------------|------------------------------------------------|-----------------------------------------------|
 * | it is sent                        | in flux                                        | in flux if it may commit                      |
 * | answered, no transaction is open  | raised, out of flux                            | raised if they were in flux, out of flux      |
 * | answered, a transaction is open   | raised if visible; noted as the transaction's  | as above                                      |
 * | answered, INSERT DELAYED         | raised, and the main thread's from then on      | as above                                      |
 * | its connection is lost or closed  | the main thread has them from then on          | as above                                      |
 *
 * Visible in an open transaction are rows of tables without transactions: the server's transaction state tells of them. An
 * ERR tells nothing: what may have been done counts as done. ROLLBACK makes nothing visible.
 *
 * A statement that is certain to change single rows has these in flux in place of their table, and so has a transaction
 * (`row-marks.ts`).
 *
 * Flux ends when all of the answer has passed, which is later than it might: never before the epochs are raised.
 */

import { Command, type ResponseTracker, StatusFlag } from '../../../protocol/index.ts';
import type { WrittenRows } from '../../common/row-flux.ts';
import { type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import type { FluxHolder } from '../backend/connection-holder.ts';
import type { SessionVariables } from '../backend/session-variables.ts';
import { FOREIGN_GTID, NO_GTID } from '../causal/gtid-sources.ts';
import { PendingWrites } from '../causal/pending-writes.ts';
import type { Plan } from '../router/plan.ts';
import { NO_SLOTS } from '../router/plan-slots.ts';
import type { TableCatalog } from '../router/table-catalog.ts';
import { RowMarks } from './row-marks.ts';
import { UNLISTED, type WorkerMarks } from './worker-marks.ts';

/** Commands that are no statements and change nothing. */
const HARMLESS: ReadonlySet<number> = new Set([
  Command.COM_INIT_DB,
  Command.COM_FIELD_LIST,
  Command.COM_STATISTICS,
  Command.COM_PROCESS_INFO,
  Command.COM_DEBUG,
  Command.COM_BINLOG_DUMP,
  Command.COM_BINLOG_DUMP_GTID,
  Command.COM_REGISTER_SLAVE,
  Command.COM_STMT_PREPARE,
  Command.COM_STMT_FETCH,
  Command.COM_STMT_RESET,
  Command.COM_STMT_SEND_LONG_DATA,
]);

/** None of these makes a transaction visible. */
const COMMITS_NOTHING: ReadonlySet<StatementKind> = new Set<StatementKind>([
  StatementKind.read,
  StatementKind.write,
  StatementKind.savepoint,
  StatementKind.rollback,
  StatementKind.use,
  StatementKind.setTransaction,
  StatementKind.kill,
  StatementKind.handler,
  StatementKind.empty,
]);
/** A transaction that is open behind these has nothing of the one before. */
const BEGINS_ANEW: ReadonlySet<StatementKind> = new Set<StatementKind>([
  StatementKind.begin,
  StatementKind.commit,
  StatementKind.rollback,
]);
/** Who may read what is another question afterwards, for every table. */
const CHANGES_ACCOUNTS = /^(?:GRANT|REVOKE)(?:_|$)|_(?:USER|ROLE)$|^SET_PASSWORD$|^FLUSH$/;

/** Where the server's transaction state says that rows of tables without transactions have changed. */
const UNSAFE_WRITE = 3;

/** What is known of the session when an answer has come. */
export interface MarkedState {
  /** As the server describes the open transaction, e.g. `T___W___`; empty where it has said nothing. */
  readonly transactionState: string;
  /** The client has changed what the server reports: nothing of it is followed. */
  readonly clientTracks: boolean;
  readonly variables: SessionVariables | null;
}

export class WriteMarks implements FluxHolder {
  readonly #worker: WorkerMarks;
  readonly #catalog: () => TableCatalog;
  readonly #state: MarkedState;
  readonly #pending = new PendingWrites();
  readonly #rows: RowMarks;
  /** All of the open transaction is rows that the binlog tells of. */
  #isPendingRows = true;
  /** Something is in flux: on this connection, which has this place in the list of writers. */
  #connection: BackendConnection | null = null;
  #place = UNLISTED;
  #class: StatementClass | null = null;
  /** Of the statement that runs; null: everything. */
  #current: Int32Array | null = NO_SLOTS;
  #version = -1;
  /** Of the transaction, where it may be committed; undefined: it may not. */
  #committing: Int32Array | null | undefined = undefined;
  /** The server has told of a commit. */
  #hasReported = false;
  /** At a position that the binlog follower will come to. */
  #isPlaced = true;
  /** It was of rows when it was sent. */
  #wasOfRows = false;

  constructor(worker: WorkerMarks, catalog: () => TableCatalog, state: MarkedState) {
    this.#worker = worker;
    this.#catalog = catalog;
    this.#state = state;
    this.#rows = new RowMarks(worker);
  }

  /** As a session that has just begun: its transaction has been given up. */
  restart(): void {
    this.#clear();
  }

  /** Something that was sent is not answered yet. */
  get isInFlux(): boolean {
    return this.#connection !== null;
  }

  /**
   * A command is about to be sent.
   * @param plan null for what is no statement. @param trustsViews views of which nothing is known write nothing.
   * @param rows all that it changes, with their table the only one of `plan.writeSlots`; null: nobody knows.
   */
  sends(
    connection: BackendConnection,
    command: number,
    plan: Plan | null,
    schema: string | null,
    trustsViews: boolean,
    rows: WrittenRows | null = null,
  ): void {
    if (!this.#worker.isEnabled) return;
    // Something else was sent in its place, and nobody has heard the end of it.
    if (this.#connection !== null) this.connectionEnded(this.#connection);
    const catalog = this.#catalog();
    const statement = plan?.statement ?? null;
    this.#class = statement;
    this.#wasOfRows = false;
    this.#current = plan === null ? writesOf(command) : this.#writesOf(plan, schema, connection, trustsViews);
    const hasPending = !this.#pending.isEmpty || !this.#rows.isEmpty;
    const mayCommit = hasPending && this.#mayCommit(command);
    if (!mayCommit && this.#current?.length === 0) return;
    this.#version = catalog.version;
    this.#hasReported = false;
    this.#isPlaced = true;
    this.#place = this.#worker.begins(connection);
    this.#connection = connection;
    connection.beginFlux(this);
    this.#wasOfRows = rows !== null && this.#rows.begin(rows, catalog.keys);
    if (!this.#wasOfRows) this.#worker.enter(this.#current);
    if (mayCommit) this.#beginCommit(catalog);
  }

  /** The server has told of commits up to this position, in the answer to what was sent. */
  reported(position: number): void {
    if (position === NO_GTID || !this.#worker.isEnabled) return;
    this.#hasReported = true;
    if (this.#connection !== null) {
      if (position === FOREIGN_GTID) this.#isPlaced = false;
      else this.#noteOwn(position);
    }
    // Nobody has said that there could be one.
    else this.#worker.raise(null, false);
  }

  /** All of the answer has come. */
  replied(connection: BackendConnection, tracker: ResponseTracker): void {
    if (!this.#worker.isEnabled) return;
    const isOpen = (connection.statusFlags & StatusFlag.SERVER_STATUS_IN_TRANS) !== 0;
    const hasFailed = tracker.errno !== 0;
    if (this.#connection === connection) {
      if (this.#wasOfRows && tracker.affectedRows === 1) this.#rows.told(tracker.lastInsertId);
      this.#raise(tracker, isOpen);
      this.#ends(connection);
    }
    this.#follow(hasFailed, isOpen);
    this.#current = NO_SLOTS;
    this.#wasOfRows = false;
    this.#class = null;
  }

  /** Another schema is known: what is under way may have been carried out with it, or will be. */
  schemaChanged(): void {
    if (this.#connection === null) return;
    if (this.#version === this.#catalog().version) {
      // Rows may be told apart in another way, no more than that.
      this.#rows.widen(this.#current);
      this.#rows.widenCommit();
      return;
    }
    if (this.#rows.isOfRows) {
      this.#rows.widen(null);
      this.#current = null;
    } else this.#current = this.#widened(this.#current);
    if (this.#committing === undefined) return;
    // Rows of the transaction stay in flux beside that.
    if (this.#committing?.length === 0) this.#worker.enter(null);
    this.#committing = this.#committing?.length === 0 ? null : this.#widened(this.#committing);
  }

  #widened(slots: Int32Array | null): Int32Array | null {
    if (slots === null || slots.length === 0) return slots;
    this.#worker.enter(null);
    this.#worker.leave(slots);
    return null;
  }

  /** The server may be carrying it out still, or not have begun yet. */
  connectionEnded(connection: BackendConnection): void {
    if (this.#connection !== connection) return;
    const isSchema = this.#class?.changesViews === true || this.#class?.changesRelations === true;
    // For as long as the server may change the schema.
    if (isSchema) this.#current = this.#widened(this.#current);
    this.#rows.widen(this.#current);
    const slots = [...this.#worker.named(this.#current), ...this.#rows.handOver()];
    if (this.#committing !== undefined) slots.push(...this.#worker.named(this.#committing));
    this.#worker.inDoubt(connection, slots, isSchema);
    this.#worker.ends(this.#place);
    this.#forget(connection);
    this.#clear();
  }

  #clear(): void {
    this.#pending.clear();
    this.#rows.clear();
  }

  // ---- sending

  #writesOf(
    plan: Plan,
    schema: string | null,
    { server }: BackendConnection,
    trustsViews: boolean,
  ): Int32Array | null {
    const { statement } = plan;
    const catalog = this.#catalog();
    if (statement.kind === StatementKind.ddl && CHANGES_ACCOUNTS.test(statement.command)) return null;
    const writes = plan.writeSlots(schema, catalog);
    if (writes !== null || !statement.provenRead) return writes;
    // A read by its text; but the views that it reads may call what writes, or nobody knows what they call.
    const isKnown = catalog.complete && catalog.isCurrent();
    return server.role === 'replica' || (trustsViews && !isKnown) ? NO_SLOTS : null;
  }

  #beginCommit(catalog: TableCatalog): void {
    const pending = this.#pending;
    const slots = pending.isEmpty ? NO_SLOTS : pending.slots(catalog);
    this.#committing = this.#rows.isOutdated(catalog) ? null : slots;
    this.#worker.enter(this.#committing);
    if (this.#committing !== null) this.#rows.beginCommit(catalog.keys);
  }

  #mayCommit(command: number): boolean {
    const statement = this.#class;
    if (statement === null) return !HARMLESS.has(command);
    const { kind, statementCount, writes, transactionControl } = statement;
    if (statementCount > 1) return true;
    if (kind === StatementKind.set) return transactionControl;
    // PREPARE and DEALLOCATE, not EXECUTE.
    if (kind === StatementKind.prepare) return writes === null;
    return !COMMITS_NOTHING.has(kind);
  }

  // ---- answered

  #noteOwn(position: number): void {
    const worker = this.#worker;
    worker.noteOwn(position);
    if (!this.#rows.isOfRows) worker.toldAt(this.#current, position, isPlain(this.#class));
    if (this.#committing !== undefined) worker.toldAt(this.#committing, position, true);
  }

  #raise({ errno, affectedRows }: ResponseTracker, isOpen: boolean): void {
    const catalog = this.#catalog();
    if (this.#isVisible(errno !== 0, isOpen)) {
      const slots = this.#currentBy(catalog);
      // Where nothing was told of a commit, its rows do not stand in the binlog, or there are none.
      const isTold = this.#isTold || (affectedRows === 0 && slots?.length === 1);
      const isRows = errno === 0 && isTold && this.#isRows;
      if (slots === null || !isRows || !this.#rows.raise(catalog.keys))
        this.#worker.raise(slots, isRows && !this.#wasOfRows);
    }
    if (this.#committing === undefined) return;
    const isRows = this.#isPendingRows && this.#isTold;
    this.#worker.raise(this.#committing, isRows);
    this.#rows.raiseCommit(catalog.keys, isRows);
  }

  /** Where there are rows to be told, the binlog follower comes to them. */
  get #isTold(): boolean {
    return this.#hasReported && this.#isPlaced;
  }

  /** Whether others may see already what the statement itself has changed. */
  #isVisible(hasFailed: boolean, isOpen: boolean): boolean {
    const { transactionState, clientTracks } = this.#state;
    const isDescribed = this.#connection?.tracksState === true && !clientTracks && transactionState !== '';
    const isKept = isOpen && !hasFailed && isPlain(this.#class);
    return !isKept || !isDescribed || this.#hasReported || transactionState[UNSAFE_WRITE] === 'w';
  }

  /** Between its sending and its end the schema may have changed: then anything may have been written. */
  #currentBy(catalog: TableCatalog): Int32Array | null {
    const current = this.#current;
    if (current === null || current.length === 0) return current;
    return this.#version === catalog.version && catalog.isCurrent() ? current : null;
  }

  /** Nothing but rows, each of which the binlog tells of if it tells of anything. */
  get #isRows(): boolean {
    return isPlain(this.#class) && this.#state.variables?.values.get('sql_log_bin') !== 'OFF';
  }

  /** What the open transaction has written from here on. */
  #follow(hasFailed: boolean, isOpen: boolean): void {
    const statement = this.#class;
    if (!hasFailed) {
      const isNew = statement?.statementCount === 1 && BEGINS_ANEW.has(statement.kind);
      if (!isOpen || isNew) this.#clear();
      if (!isOpen) return;
    }
    // What has failed says nothing of a transaction that it may have begun, or ended.
    else if (statement?.kind === StatementKind.ddl || (!isOpen && isPlain(statement))) return;
    if (this.#pending.isEmpty && this.#rows.isEmpty) this.#isPendingRows = true;
    if (this.#current === null || this.#current.length > 0)
      this.#isPendingRows &&= !hasFailed && this.#isRows;
    const isKept = this.#wasOfRows && this.#rows.keep(this.#version);
    if (!isKept) this.#pending.add(this.#current, this.#version);
  }

  #ends(connection: BackendConnection): void {
    if (this.#class?.mayBeDeferred === true && connection.server.flavor === 'mariadb')
      this.#worker.deferred(connection, this.#worker.named(this.#current));
    else if (this.#rows.isOfRows) this.#rows.end();
    else this.#worker.leave(this.#current);
    if (this.#committing !== undefined) this.#worker.leave(this.#committing);
    this.#rows.endCommit();
    this.#worker.ends(this.#place);
    this.#connection = null;
    this.#committing = undefined;
    connection.endFlux(this);
  }

  #forget(connection: BackendConnection): void {
    this.#connection = null;
    this.#committing = undefined;
    this.#current = NO_SLOTS;
    this.#class = null;
    connection.endFlux(this);
  }
}

/** Of a command that is no statement. Those of Sluice's own that are, write nothing. */
function writesOf(command: number): Int32Array | null {
  return command === Command.COM_QUERY || HARMLESS.has(command) ? NO_SLOTS : null;
}

/** One statement that reads or changes rows: it begins no transaction, and ends none but by failing. */
function isPlain(statement: StatementClass | null): boolean {
  if (statement === null || statement.statementCount !== 1) return false;
  return statement.kind === StatementKind.write || statement.kind === StatementKind.read;
}
