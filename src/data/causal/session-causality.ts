/**
 * The writes of one session, from their sending to their OK, and what its reads need.
 *
 * What a statement may write is asked for when it is sent. With the GTID that the server reports when it has committed,
 * these tables are raised, and with them those of the transaction that has ended, before the client gets its OK: whoever
 * begins to read after that finds them raised. Where no GTID can tell (the connection was lost, an error came after part of
 * the work, the server or the client has switched reports off) they are unknown instead.
 */

import { CausalLevel } from '../../common/causal-level.ts';
import { PinReason, type StatementClass, StatementKind } from '../../sql/statement-class.ts';
import { type Destination, DestinationSource } from '../router/destination.ts';
import type { Plan } from '../router/plan.ts';
import { NO_SLOTS } from '../router/plan-slots.ts';
import type { TableCatalog } from '../router/table-catalog.ts';
import { FOREIGN_GTID, NO_GTID } from './gtid-sources.ts';
import { PendingWrites } from './pending-writes.ts';
import { reportedGtid } from './reported-gtid.ts';
import { UNKNOWN_NEED, type WorkerCausality } from './worker-causality.ts';

/**
 * Errors of a single statement that has done nothing: ER_NO_DB_ERROR, ER_BAD_DB_ERROR,
 * ER_BAD_FIELD_ERROR, ER_WRONG_VALUE_COUNT_ON_ROW, ER_DBACCESS_DENIED_ERROR, ER_TABLEACCESS_DENIED_ERROR,
 * ER_COLUMNACCESS_DENIED_ERROR, ER_NO_SUCH_TABLE, ER_OPTION_PREVENTS_STATEMENT, ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK,
 * ER_SPECIFIC_ACCESS_DENIED_ERROR, ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION.
 */
const NOTHING_DONE: ReadonlySet<number> = new Set([
  1046, 1049, 1054, 1136, 1044, 1142, 1143, 1146, 1290, 1205, 1213, 1227, 1792,
]);

/** Of these, those that come when rows have been read: what was written to tables without transactions by then stays. */
const BEHIND_ROWS: ReadonlySet<number> = new Set([1205, 1213]);

/** ER_PARSE_ERROR, ER_SYNTAX_ERROR: of the statement, unless it runs another one. */
const NOT_PARSED: ReadonlySet<number> = new Set([1064, 1149]);
const RUNS_OTHERS: ReadonlySet<StatementKind> = new Set<StatementKind>([
  StatementKind.call,
  StatementKind.prepare,
]);

/** What changes rows and nothing else: it ends no transaction. */
const PLAIN: ReadonlySet<StatementKind> = new Set<StatementKind>([StatementKind.write, StatementKind.read]);

const NO_NEED = 0;

function usesXa({ kind, pins }: StatementClass): boolean {
  return kind === StatementKind.xa || pins.includes(PinReason.xa);
}

/** In a procedure, or together with others. @param wasUsed there may be an XA transaction that an earlier statement began. */
function mayCommitXa({ kind, calls, statementCount }: StatementClass, wasUsed: boolean): boolean {
  return kind === StatementKind.xa || calls.length > 0 || (statementCount > 1 && wasUsed);
}

export class SessionCausality {
  readonly #worker: WorkerCausality;
  readonly #catalog: () => TableCatalog;
  /** By `@@sluice.causal_reads`; null: it has not said. */
  level: CausalLevel | null = null;
  /** By `@@sluice.min_gtid`: all of its reads must see that. */
  minGtid = NO_GTID;
  /** By a hint of the statement that is about to be routed. */
  hintedGtid = NO_GTID;
  /** By `@@sluice.causal_wait_ms`. */
  waitMs: number | null = null;
  /** The last of its own commits. */
  #token = NO_GTID;
  /** Since which epoch there is one whose position nobody knows; 0: none. */
  #unknownSince = 0;
  readonly #pending = new PendingWrites();
  /** Of the statement that runs; null: any table. */
  #current: Int32Array | null = NO_SLOTS;
  #version = -1;
  #class: StatementClass | null = null;
  #isReported = true;
  /** XA was among its statements. */
  #usesXa = false;

  constructor(worker: WorkerCausality, catalog: () => TableCatalog) {
    this.#worker = worker;
    this.#catalog = catalog;
  }

  /** As a session that has just begun. */
  restart(): void {
    this.level = null;
    this.minGtid = NO_GTID;
    this.hintedGtid = NO_GTID;
    this.waitMs = null;
    this.#token = NO_GTID;
    this.#unknownSince = 0;
    this.#pending.clear();
    this.#current = NO_SLOTS;
    this.#usesXa = false;
  }

  // ---- writes

  /**
   * A command is about to be sent. @param plan null for what is no statement. @param isReported the server tells of
   * commits on this connection, and the client has not switched that off.
   */
  sends(plan: Plan | null, schema: string | null, isReported: boolean): void {
    const statement = plan?.statement ?? null;
    this.#class = statement;
    if (statement !== null && usesXa(statement)) this.#usesXa = true;
    const catalog = this.#catalog();
    const writes = plan === null ? NO_SLOTS : plan.writeSlots(schema, catalog);
    // What is proven by its text may still read a view that calls a function which writes; then it is on the primary.
    if (plan === null || (plan.statement.provenRead && (writes !== null || !catalog.complete))) {
      this.#current = NO_SLOTS;
      this.#isReported = true;
      return;
    }
    this.#current = writes;
    this.#version = catalog.version;
    this.#isReported = isReported && this.#worker.sources.areReported;
  }

  /**
   * An OK with session state has come, which is in `block[start, end)`. Its client has not got it yet.
   * @returns how far its commits go, `NO_GTID` if it names none.
   */
  reported(block: Buffer, start: number, end: number): number {
    const position = reportedGtid(block, start, end, this.#worker.sources);
    if (position === NO_GTID) return position;
    const isSeenLate = this.#isSeenLate;
    if (isSeenLate) this.#worker.gtids.lateWritten();
    if (position === FOREIGN_GTID) {
      this.#worker.gtids.foreignWritten();
      this.#setUnknown(true);
      return position;
    }
    const need = isSeenLate ? position + 1 : position;
    if (need > this.#token) this.#token = need;
    const catalog = this.#catalog();
    const current = this.#currentBy(catalog);
    const isUnexplained = current !== null && current.length === 0 && this.#pending.isEmpty;
    this.#worker.raise(isUnexplained ? null : current, need);
    if (!this.#pending.isEmpty) this.#worker.raise(this.#pending.slots(catalog), need);
    return position;
  }

  /** Something of an answer is about to go to the client. */
  passes(): void {
    if (!this.#isReported && this.#mayHaveWritten) this.#setUnknown(true);
  }

  /** An ERR is about to go to the client. */
  failed(errno: number): void {
    const statement = this.#class;
    if (statement === null || statement.provenRead) return;
    const isSingle = statement.statementCount === 1;
    if (isSingle && NOT_PARSED.has(errno) && !RUNS_OTHERS.has(statement.kind)) return;
    const isPlain = isSingle && PLAIN.has(statement.kind);
    if (isPlain && NOTHING_DONE.has(errno) && this.#hasDoneNothing(statement, errno)) return;
    // A part of it may have been committed, or the transaction before it.
    if (this.#mayHaveWritten) this.#setUnknown(!isPlain);
  }

  /** Triggers may have written before they, or what they were for, came to that; other tables' rows as they were read. */
  #hasDoneNothing({ writes, tables }: StatementClass, errno: number): boolean {
    const written = this.#current?.length ?? Number.POSITIVE_INFINITY;
    if (written > (writes?.length ?? 0)) return false;
    return !BEHIND_ROWS.has(errno) || (written < 2 && tables.length < 2);
  }

  /** The connection has gone. @param sent the command may have reached the server. */
  lost(sent: boolean): void {
    if (sent) this.outcomeUnknown();
    this.#ends(false);
  }

  /** Something was committed, or may have been, and no answer tells at which position. */
  outcomeUnknown(): void {
    if (this.#class?.provenRead !== true && this.#mayHaveWritten) this.#setUnknown(true);
  }

  /** The answer has passed. @param inTransaction by the server's status flags. */
  answered(inTransaction: boolean): void {
    this.#ends(inTransaction);
  }

  #ends(inTransaction: boolean): void {
    if (inTransaction) this.#pending.add(this.#current, this.#version);
    else if (!this.#pending.isEmpty) this.#pending.clear();
    this.#current = NO_SLOTS;
    this.#class = null;
    this.#isReported = true;
  }

  /**
   * A replica of MySQL 5.7 counts an XA COMMIT … ONE PHASE as executed shortly before its rows are visible (106 of 6,000 reads
   * behind WAIT_FOR_EXECUTED_GTID_SET lacked them). What comes behind it is executed there when they are, so that is waited for;
   * where several threads apply, that tells nothing (1,997 of 18,406), and no read that must see something goes there any more.
   */
  get #isSeenLate(): boolean {
    const statement = this.#class;
    if (statement === null || this.#worker.sources.isMariadb) return false;
    return mayCommitXa(statement, this.#usesXa);
  }

  get #mayHaveWritten(): boolean {
    return this.#current === null || this.#current.length > 0 || !this.#pending.isEmpty;
  }

  /** Between its sending and its end the schema may have changed: then any table may have been written. */
  #currentBy(catalog: TableCatalog): Int32Array | null {
    const current = this.#current;
    if (current === null || current.length === 0) return current;
    return this.#version === catalog.version && catalog.isCurrent() ? current : null;
  }

  #setUnknown(withPending: boolean): void {
    if (this.#isSeenLate) this.#worker.gtids.lateWritten();
    const catalog = this.#catalog();
    const current = this.#currentBy(catalog);
    this.#unknownSince = this.#worker.setUnknown(current);
    if (withPending && !this.#pending.isEmpty) this.#worker.setUnknown(this.#pending.slots(catalog));
  }

  // ---- reads

  /**
   * What a statement must see if it goes to a replica; `UNKNOWN_NEED`: nobody knows who has that.
   * @param others the level, where no hint says one.
   * @param ofAny it begins a snapshot, of which nobody knows yet what else it will be read for.
   */
  needOf(
    plan: Plan,
    schema: string | null,
    others: CausalLevel,
    { source }: Destination,
    ofAny: boolean,
  ): number {
    const { statement } = plan;
    if (!statement.provenRead && !statement.beginReadOnly) return NO_NEED;
    const { hint } = statement;
    // Who says that it is a replica's takes what that has, unless he says more.
    const isHinted = hint.target === 'replica' || source === DestinationSource.hint;
    const level = hint.causal ?? (isHinted ? CausalLevel.none : others);
    const need = ofAny ? this.needOfAny(level) : this.#needByLevel(plan, schema, level);
    const named = Math.max(this.minGtid, this.hintedGtid);
    if (this.minGtid === FOREIGN_GTID || this.hintedGtid === FOREIGN_GTID) return UNKNOWN_NEED;
    return need === UNKNOWN_NEED || need > named ? need : named;
  }

  /** The same or more, if its tables have been written to by anybody: what is read is to be kept for others. */
  needForAll(need: number, plan: Plan, schema: string | null): number {
    if (need === UNKNOWN_NEED) return need;
    const ofTables = this.#worker.needOf(plan.readSlots(schema, this.#catalog()));
    return ofTables === UNKNOWN_NEED ? UNKNOWN_NEED : Math.max(need, ofTables);
  }

  #needByLevel(plan: Plan, schema: string | null, level: CausalLevel): number {
    if (level !== CausalLevel.table) return this.needOfAny(level);
    return this.#worker.needOf(plan.readSlots(schema, this.#catalog()));
  }

  /** Whatever tables are read. */
  needOfAny(level: CausalLevel): number {
    if (level === CausalLevel.none) return NO_NEED;
    return level === CausalLevel.session ? this.ownNeed() : this.#worker.needOf(null);
  }

  /** What the session itself has written; `UNKNOWN_NEED` where nobody knows how far that is. */
  ownNeed(): number {
    const since = this.#unknownSince;
    if (since === 0) return this.#token;
    const { gtids } = this.#worker;
    if (gtids.resolvedEpoch < since) return UNKNOWN_NEED;
    this.#unknownSince = 0;
    this.#token = Math.max(this.#token, gtids.resolvedPosition);
    return this.#token;
  }

  /** Of its last commit, to be handed to another session; '' for none, or one that nobody knows. */
  get lastGtid(): string {
    const need = this.ownNeed();
    return need === UNKNOWN_NEED ? '' : this.#worker.sources.textOf(need);
  }
}
