/**
 * Makes transactions of a stream of events: who changed which tables, by rows or by statements, and when that is over. It
 * keeps what tables the numbers in rows events mean, and nothing of any row.
 *
 * | state   | meaning                                      | entered by                     | left by                      |
 * |---------|----------------------------------------------|--------------------------------|------------------------------|
 * | between | no transaction                               | the end of one                 | a GTID, BEGIN, a statement   |
 * | begun   | a GTID: the next statement may be all of it  | GTID                           | BEGIN, XA START, a statement |
 * | open    | rows and statements, until something ends it | BEGIN, XA START, MariaDB's GTID | XID, COMMIT, ROLLBACK, XA …  |
 */

import {
  BinlogEventFlag,
  type BinlogEventHeader,
  BinlogEventType,
  binlogEventName,
  decodeCompressedQueryEvent,
  decodeFormatDescription,
  decodeHeartbeat,
  decodeHeartbeatV2,
  decodeIncident,
  decodeMariadbGtid,
  decodeMysqlGtid,
  decodeQueryEvent,
  decodeRotate,
  decodeTransactionPayload,
  eachPackedEvent,
  isBeginEvent,
  isRowsEvent,
  MalformedPacketError,
  MariadbGtidFlag,
  postHeaderBytes,
  type QueryEvent,
  unpackTransaction,
} from '../../../protocol/index.ts';
import { makeTransitions } from '../../common/state-machine.ts';
import { type BinlogPlace, fileNumber, isBehind, type StreamPlace } from './binlog-place.ts';
import type { MappedTables, RowChangeSink } from './mapped-tables.ts';
import type { StreamGtid } from './seen-gtids.ts';
import { FollowerSuspension } from './suspension.ts';

export interface TransactionSink extends RowChangeSink {
  /** A statement that is no COMMIT or the like; null: one that is not known as a whole. */
  statement(query: QueryEvent | null): void;
  /** It may have changed anything. */
  changedAnything(): void;
  /** All of it has come. @param isSeenLate a server counts it as executed before its rows are visible. */
  ended(gtid: StreamGtid | null, isSeenLate: boolean): void;
  /** What has come since the last `ended` comes again, or never. */
  dropped(): void;
}

export interface EventCounts {
  events: number;
  rowEvents: number;
}

type Header = Readonly<BinlogEventHeader>;
type State = 'between' | 'begun' | 'open';

const move = makeTransitions<State>('event reader', {
  between: ['begun', 'open'],
  begun: ['open', 'between'],
  open: ['between'],
});

/** Unpacked: a longer transaction may have changed anything. */
const MAX_PAYLOAD_BYTES = 16 * 1_048_576;
const MAX_QUERY_BYTES = 16 * 1_048_576;
/** EXECUTE_LOAD_QUERY_EVENT has numbers of its own behind those of a query. */
const LOAD_QUERY_BYTES = 26;
/** Where the length of the fixed part is this, the number of a table takes 4 bytes. */
const SHORT_TABLE_ID = 6;
const COMMAND_BYTES = 48;

export class EventReader {
  readonly #sink: TransactionSink;
  readonly #place: StreamPlace;
  readonly #tables: MappedTables;
  readonly #counts: EventCounts;
  #state: State = 'between';
  #gtid: StreamGtid | null = null;
  /** Of the last GTID, and what that was made of: the next one has the same string, almost always. */
  #prefix = '';
  #sourceUuid = '';
  #domainId = -1;
  #serverId = -1;
  #tableIdBytes = 6;
  #beginning: BinlogPlace | null = null;

  constructor(sink: TransactionSink, place: StreamPlace, tables: MappedTables, counts: EventCounts) {
    this.#sink = sink;
    this.#place = place;
    this.#tables = tables;
    this.#counts = counts;
  }

  /** What the server has lost in front of this place is no news: all of that is raised as a whole. */
  beginAt(place: BinlogPlace): void {
    this.#beginning = place;
  }

  /** Another connection: what was half there comes again. */
  reset(): void {
    this.#drop();
    this.#place.reset();
    this.#tables.reset();
  }

  /** Its body is `bytes[start, end)`. @throws FollowerSuspension */
  event(header: Header, bytes: Buffer, start: number, end: number, isWhole: boolean): void {
    this.#counts.events += 1;
    try {
      this.#read(header, bytes, start, end, isWhole);
    } catch (error) {
      if (!(error instanceof MalformedPacketError)) throw error;
      const what = `${binlogEventName(header.eventType)} cannot be read: ${error.message}`;
      throw new FollowerSuspension('unreadable-event', what);
    }
    const isMade = (header.flags & BinlogEventFlag.LOG_EVENT_ARTIFICIAL_F) !== 0;
    if (!isMade && header.eventType !== BinlogEventType.ROTATE_EVENT)
      this.#place.advance(header.nextPosition);
  }

  #read(header: Header, bytes: Buffer, start: number, end: number, isWhole: boolean): void {
    const { eventType } = header;
    if (isRowsEvent(eventType)) this.#rows(eventType, bytes, start, end, isWhole);
    else if (eventType === BinlogEventType.TABLE_MAP_EVENT) this.#map(bytes, start, end, isWhole);
    else if (eventType === BinlogEventType.XID_EVENT) this.#end();
    else if (eventType === BinlogEventType.GTID_LOG_EVENT && isWhole)
      this.#mysqlGtid(bytes, start, end, false);
    else if (eventType === BinlogEventType.MARIADB_GTID_EVENT && isWhole)
      this.#mariadbGtid(header.serverId, bytes, start, end);
    else if (eventType === BinlogEventType.QUERY_EVENT && isWhole && isBeginEvent(bytes, start, end))
      this.#open();
    else if (isWhole || MAY_BE_LONG.has(eventType))
      this.#readOther(header, bytes.subarray(start, end), isWhole);
    else if ((header.flags & BinlogEventFlag.LOG_EVENT_IGNORABLE_F) === 0)
      throw new FollowerSuspension(
        'unreadable-event',
        `${binlogEventName(eventType)} of ${header.eventBytes} bytes`,
      );
  }

  #readOther(header: Header, body: Buffer, isWhole: boolean): void {
    switch (header.eventType) {
      case BinlogEventType.QUERY_EVENT:
        this.#query(isWhole ? decodeQueryEvent(body) : null);
        break;
      case BinlogEventType.MARIADB_QUERY_COMPRESSED_EVENT:
        this.#query(isWhole ? compressedQuery(body) : null);
        break;
      case BinlogEventType.EXECUTE_LOAD_QUERY_EVENT:
        this.#query(isWhole ? decodeQueryEvent(body, LOAD_QUERY_BYTES) : null);
        break;
      case BinlogEventType.ANONYMOUS_GTID_LOG_EVENT:
        this.#mysqlGtid(body, 0, body.length, true);
        break;
      case BinlogEventType.TRANSACTION_PAYLOAD_EVENT:
        this.#payload(body, isWhole);
        break;
      case BinlogEventType.XA_PREPARE_LOG_EVENT:
        // Its first byte says that it is a commit in one phase.
        this.#end(body[0] !== 0);
        break;
      case BinlogEventType.ROTATE_EVENT:
        this.#rotate(body);
        break;
      case BinlogEventType.FORMAT_DESCRIPTION_EVENT:
        this.#describe(body);
        break;
      case BinlogEventType.HEARTBEAT_LOG_EVENT:
      case BinlogEventType.HEARTBEAT_LOG_EVENT_V2:
        this.#heartbeat(header, body);
        break;
      case BinlogEventType.INCIDENT_EVENT:
        if (!this.#isOld(header)) this.#incident(body);
        break;
      default:
        if (!PASSED_OVER.has(header.eventType)) this.#unknown(header);
    }
  }

  /** MariaDB's events outside of transactions have no GTID, and come again whenever it begins behind the same one. */
  #isOld({ nextPosition }: Header): boolean {
    if (this.#beginning === null || this.#state !== 'between') return false;
    this.#place.advance(nextPosition);
    return !isBehind(this.#beginning, this.#place.place);
  }

  #incident(body: Buffer): void {
    const { message } = decodeIncident(body);
    throw new FollowerSuspension(
      'incident',
      `the server has lost events${message === '' ? '' : `: ${message}`}`,
    );
  }

  #unknown(header: Header): void {
    const { eventType, flags } = header;
    if ((flags & BinlogEventFlag.LOG_EVENT_IGNORABLE_F) !== 0 || this.#isOld(header)) return;
    throw new FollowerSuspension('unknown-event', `${binlogEventName(eventType)} is not known`);
  }

  #map(bytes: Buffer, start: number, end: number, isWhole: boolean): void {
    if (!isWhole) throw new FollowerSuspension('unreadable-event', 'a table map is too long');
    this.#tables.map(bytes, start, end, this.#tableIdBytes);
  }

  #rows(eventType: number, bytes: Buffer, start: number, end: number, isWhole: boolean): void {
    this.#counts.rowEvents += 1;
    this.#open();
    this.#tables.changed(this.#sink, eventType, bytes, start, end, isWhole, this.#tableIdBytes);
  }

  #mysqlGtid(bytes: Buffer, start: number, end: number, isAnonymous: boolean): void {
    this.#finishOpen();
    const { sourceUuid, number } = decodeMysqlGtid(bytes, isAnonymous, start, end);
    if (sourceUuid !== null && sourceUuid !== this.#sourceUuid) {
      this.#sourceUuid = sourceUuid;
      this.#prefix = `${sourceUuid}:`;
    }
    this.#gtid = sourceUuid === null ? null : { prefix: this.#prefix, sequence: number };
    this.#state = move(this.#state, 'begun');
  }

  #mariadbGtid(serverId: number, bytes: Buffer, start: number, end: number): void {
    this.#finishOpen();
    const { domainId, sequence, flags } = decodeMariadbGtid(bytes, start, end);
    if (domainId !== this.#domainId || serverId !== this.#serverId) {
      this.#domainId = domainId;
      this.#serverId = serverId;
      this.#prefix = `${domainId}-${serverId}-`;
    }
    this.#gtid = { prefix: this.#prefix, sequence };
    // One that an XA COMMIT ends has no BEGIN either.
    this.#state = move(this.#state, (flags & MariadbGtidFlag.FL_STANDALONE) === 0 ? 'open' : 'begun');
  }

  #open(): void {
    if (this.#state !== 'open') this.#state = move(this.#state, 'open');
  }

  #query(query: QueryEvent | null): void {
    const command = query === null ? '' : commandOf(query.query);
    if (command === 'BEGIN' || command.startsWith('XA START') || command.startsWith('XA BEGIN')) this.#open();
    else if (command === 'COMMIT' || /^ROLLBACK(?! +(?:WORK +)?TO\b)/.test(command)) this.#end();
    else if (command.startsWith('XA COMMIT')) {
      // Which tables that makes visible was said when it was prepared, maybe to nobody.
      this.#sink.changedAnything();
      this.#end();
    } else if (command.startsWith('XA ROLLBACK')) this.#end();
    else if (!WITHOUT_EFFECT.test(command)) {
      this.#sink.statement(query);
      if (this.#state !== 'open') this.#end();
    }
  }

  #payload(body: Buffer, isWhole: boolean): void {
    const payload = isWhole ? decodeTransactionPayload(body) : null;
    if (payload === null || payload.unpackedBytes > MAX_PAYLOAD_BYTES) {
      this.#sink.changedAnything();
      this.#end();
      return;
    }
    eachPackedEvent(unpackTransaction(payload, MAX_PAYLOAD_BYTES), (header, inner) => {
      this.#counts.events += 1;
      this.#read(header, inner, 0, inner.length, true);
    });
  }

  #rotate(body: Buffer): void {
    const { file, position } = decodeRotate(body);
    const number = fileNumber(file);
    if (number === null) throw new FollowerSuspension('unreadable-event', 'the binlog file has no number');
    this.#place.rotate(number, Number(position));
  }

  #heartbeat({ eventType, nextPosition }: Header, body: Buffer): void {
    const { file, position } =
      eventType === BinlogEventType.HEARTBEAT_LOG_EVENT ? decodeHeartbeat(body) : decodeHeartbeatV2(body);
    const number = fileNumber(file);
    if (number !== null) this.#place.rotate(number, Number(position ?? nextPosition));
  }

  #describe(body: Buffer): void {
    // Behind a crash the last transaction of the file before may have no end: it was rolled back, or raised for nothing.
    this.#finishOpen();
    this.#tables.reset();
    const description = decodeFormatDescription(body);
    const isShort = postHeaderBytes(description, BinlogEventType.TABLE_MAP_EVENT) === SHORT_TABLE_ID;
    this.#tableIdBytes = isShort ? 4 : 6;
  }

  #finishOpen(): void {
    if (this.#state !== 'between') this.#end();
  }

  #end(isSeenLate = false): void {
    if (this.#state !== 'between') this.#state = move(this.#state, 'between');
    const gtid = this.#gtid;
    this.#gtid = null;
    this.#tables.transactionEnded();
    this.#sink.ended(gtid, isSeenLate);
  }

  #drop(): void {
    if (this.#state !== 'between') this.#state = move(this.#state, 'between');
    this.#gtid = null;
    this.#tables.transactionEnded();
    this.#sink.dropped();
  }
}

const MAY_BE_LONG: ReadonlySet<number> = new Set([
  BinlogEventType.QUERY_EVENT,
  BinlogEventType.MARIADB_QUERY_COMPRESSED_EVENT,
  BinlogEventType.EXECUTE_LOAD_QUERY_EVENT,
  BinlogEventType.TRANSACTION_PAYLOAD_EVENT,
  BinlogEventType.MARIADB_ANNOTATE_ROWS_EVENT,
  BinlogEventType.ROWS_QUERY_LOG_EVENT,
  BinlogEventType.BEGIN_LOAD_QUERY_EVENT,
  BinlogEventType.APPEND_BLOCK_EVENT,
  BinlogEventType.USER_VAR_EVENT,
  BinlogEventType.PREVIOUS_GTIDS_LOG_EVENT,
  BinlogEventType.MARIADB_GTID_LIST_EVENT,
  BinlogEventType.TRANSACTION_CONTEXT_EVENT,
]);

/** They change nothing themselves, or only with a statement that follows. */
const PASSED_OVER: ReadonlySet<number> = new Set([
  BinlogEventType.STOP_EVENT,
  BinlogEventType.INTVAR_EVENT,
  BinlogEventType.RAND_EVENT,
  BinlogEventType.USER_VAR_EVENT,
  BinlogEventType.BEGIN_LOAD_QUERY_EVENT,
  BinlogEventType.APPEND_BLOCK_EVENT,
  BinlogEventType.DELETE_FILE_EVENT,
  BinlogEventType.IGNORABLE_LOG_EVENT,
  BinlogEventType.ROWS_QUERY_LOG_EVENT,
  BinlogEventType.PREVIOUS_GTIDS_LOG_EVENT,
  BinlogEventType.TRANSACTION_CONTEXT_EVENT,
  BinlogEventType.VIEW_CHANGE_EVENT,
  BinlogEventType.MARIADB_ANNOTATE_ROWS_EVENT,
  BinlogEventType.MARIADB_BINLOG_CHECKPOINT_EVENT,
  BinlogEventType.MARIADB_GTID_LIST_EVENT,
  BinlogEventType.MARIADB_START_ENCRYPTION_EVENT,
]);

const WITHOUT_EFFECT = /^(?:SAVEPOINT\b|ROLLBACK\b|RELEASE +SAVEPOINT\b|XA +END\b|XA +PREPARE\b)/;

function compressedQuery(body: Buffer): QueryEvent | null {
  try {
    return decodeCompressedQueryEvent(body, { maxQueryBytes: MAX_QUERY_BYTES });
  } catch (error) {
    if (error instanceof MalformedPacketError) return null;
    throw error;
  }
}

/** Its beginning in upper case: servers write their own statements without a comment in front. */
function commandOf(query: Buffer): string {
  return query.toString('latin1', 0, COMMAND_BYTES).trimEnd().toUpperCase();
}
