/**
 * Follows one answer of a server through the packet headers, without decoding rows, and adapts the few packets
 * that depend on negotiated capabilities to the client's ones.
 *
 * | state      | meaning                                               | leaves by                               |
 * |------------|-------------------------------------------------------|-----------------------------------------|
 * | idle       | no answer expected                                    | `begin()`                               |
 * | first      | the first packet of an answer, or of its next result  | OK, ERR, column count, LOCAL INFILE     |
 * | columns    | column definitions are passing                        | the last one                            |
 * | columnsEof | the EOF behind them (server without DEPRECATE_EOF)     | that EOF                                |
 * | rowsStart  | nothing after the definitions seen yet                | any packet                              |
 * | rows       | rows are passing                                      | OK/EOF with header 0xFE, ERR            |
 * | infile     | the server waits for the client's file                | `resumeAfterInfile()`                   |
 * | stream     | endless packets (binlog dump)                         | ERR, EOF                                |
 * | text       | one packet of plain text (COM_STATISTICS)             | that packet                             |
 *
 * Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html
 */

import { Capability } from '../constants/capability-flags.ts';
import { SESSION_STATUS_FLAGS, StatusFlag } from '../constants/status-flags.ts';
import { MalformedPacketError } from '../errors.ts';
import { decodeOk, encodeOk } from '../packets/ok.ts';
import { OkExtent } from '../packets/ok-extent.ts';
import {
  EOF_PACKET_BYTES,
  readColumnCount,
  readResultEndStatus,
  resultEndStatusOffset,
  writeEof,
} from './answer-bytes.ts';
import { AnswerShape, type ResponseSink } from './response-sink.ts';
import { type AnswerParts, ResultSequence } from './result-sequence.ts';

const State = {
  idle: 0,
  first: 1,
  columns: 2,
  columnsEof: 3,
  rowsStart: 4,
  rows: 5,
  infile: 6,
  stream: 7,
  text: 8,
} as const;
type State = (typeof State)[keyof typeof State];

const MAX_PAYLOAD = 0xffffff;
/** OK, ERR, EOF and column counts are small; what says it is larger than this is no such packet. */
const MAX_INSPECTED_BYTES = 4 << 20;
const BINARY_ROW_HEADER = 0x00;
/** A longer row is not looked behind: it would have to be kept whole. */
const MAX_OUT_PARAMETER_BYTES = 1 << 20;
/** The OK of the CALL follows its OUT parameters. */
const OUT_PARAMETER_FLAGS = StatusFlag.SERVER_PS_OUT_PARAMS | StatusFlag.SERVER_MORE_RESULTS_EXISTS;

/** What both sides must have agreed on for an OK to be cut where it lies. */
const CUT_BY_SERVER = Capability.CLIENT_PROTOCOL_41 | Capability.CLIENT_SESSION_TRACK;
const NOT_CUT = -1;
const okExtent = new OkExtent();

export class ResponseTracker {
  /** True once the whole answer has passed. */
  complete = true;
  /** Of the last OK or EOF; those of `begin` before the first one. */
  statusFlags = 0;
  /** An OK or EOF has come. An answer that ends in ERR may have had some before: BEGIN and a broken statement. */
  statusReported = false;
  warnings = 0;
  /** Some result of the answer had warnings. */
  raisedWarnings = false;
  /** Of the last OK; numbers beyond 2^53 lose precision here (the bytes that pass do not). */
  affectedRows = 0;
  lastInsertId = 0;
  /** Errno of the ERR that ended the answer, 0 for success. */
  errno = 0;
  /** Rows of all result sets of this answer. */
  rowCount = 0;
  /** Rows of the last result set, -1 when the last result was an OK. */
  lastResultRows = -1;
  /** Of the first result set of this answer, 0 without one. */
  columnCount = 0;
  /** Statement id of a COM_STMT_PREPARE answer. */
  statementId = 0;
  /** True as soon as anything was handed to the client. */
  forwarded = false;

  readonly #serverCapabilities: number;
  readonly #serverDeprecatesEof: boolean;
  readonly #results = new ResultSequence();
  #sink: ResponseSink;
  #clientCapabilities = 0;
  #insertEof = false;
  #removeEof = false;
  #clientTracks = false;
  #cutsOk = false;
  #state: State = State.idle;
  #shape: AnswerShape = AnswerShape.query;
  #bodyLeft = 0;
  #continuation = false;
  #columnsLeft = 0;
  #secondBlock = 0;
  #outParameters = false;
  /** As the client was told before; 0: it was not, or is past the first result. */
  #columnsTold = 0;
  /** The result that passes has another number of columns. */
  #metadataChanged = false;
  #expectedSequence = 1;
  #sequenceShift = 0;
  /** Bytes below this index of the current buffer must not be overwritten. */
  #floor = 0;

  constructor(serverCapabilities: number, idleSink: ResponseSink) {
    this.#serverCapabilities = serverCapabilities;
    this.#serverDeprecatesEof = (serverCapabilities & Capability.CLIENT_DEPRECATE_EOF) !== 0;
    this.#sink = idleSink;
  }

  /**
   * @param statusBefore the session's status flags, for the EOF behind definitions that the server leaves out.
   * @param firstSequence of the server's first packet.
   * @param parts of the statement, for the same EOF.
   * @param clientSequence what the client expects the first packet to have.
   * @param columnsTold how many columns the client has been told that the prepared statement has, 0 for any number: if it has
   * others now, the status flags say so, and only then. The server speaks of its own statement, which others may have executed.
   */
  begin(
    shape: AnswerShape,
    sink: ResponseSink,
    clientCapabilities: number,
    statusBefore: number,
    firstSequence = 1,
    parts: AnswerParts | null = null,
    clientSequence = firstSequence,
    columnsTold = 0,
  ): void {
    this.#sink = sink;
    this.#results.begin(parts);
    this.#clientCapabilities = clientCapabilities;
    const clientDeprecatesEof = (clientCapabilities & Capability.CLIENT_DEPRECATE_EOF) !== 0;
    this.#insertEof = this.#serverDeprecatesEof && !clientDeprecatesEof;
    this.#removeEof = !this.#serverDeprecatesEof && clientDeprecatesEof;
    this.#clientTracks = (clientCapabilities & Capability.CLIENT_SESSION_TRACK) !== 0;
    const is41 = (clientCapabilities & Capability.CLIENT_PROTOCOL_41) !== 0;
    this.#cutsOk = is41 && (this.#serverCapabilities & CUT_BY_SERVER) === CUT_BY_SERVER;
    this.#shape = shape;
    this.#state = firstState(shape);
    this.#expectedSequence = firstSequence & 0xff;
    this.#sequenceShift = (clientSequence - firstSequence) & 0xff;
    this.#continuation = false;
    this.#outParameters = false;
    this.#columnsTold = columnsTold;
    this.#metadataChanged = false;
    this.columnCount = 0;
    this.complete = false;
    this.statusFlags = statusBefore;
    this.statusReported = false;
    this.warnings = 0;
    this.raisedWarnings = false;
    this.affectedRows = 0;
    this.lastInsertId = 0;
    this.errno = 0;
    this.rowCount = 0;
    this.lastResultRows = this.#state === State.rows ? 0 : -1;
    this.forwarded = false;
  }

  /** The client has gone: the rest of the answer goes to `sink`. */
  redirect(sink: ResponseSink): void {
    this.#sink = sink;
  }

  /** By how much the client's sequence ids are ahead of the server's. */
  get sequenceShift(): number {
    return this.#sequenceShift;
  }

  /**
   * The client's sequence id of the next packet, where an ERR may be: in front of a result or among rows. Null while
   * part of a packet is out, and among definitions, where clients look for nothing else.
   */
  get nextClientSequence(): number | null {
    const state = this.#state;
    const mayFail =
      state === State.first || state === State.rows || (state === State.rowsStart && !this.#insertEof);
    const isWhole = mayFail && this.#bodyLeft === 0 && !this.#continuation && this.#expectedSequence >= 0;
    return isWhole ? (this.#expectedSequence + this.#sequenceShift) & 0xff : null;
  }

  get awaitsInfile(): boolean {
    return this.#state === State.infile;
  }

  /** Which id the first packet of the client's file has, as the client counts; right after `localInfile`. */
  get infileSequence(): number {
    return (this.#expectedSequence + this.#sequenceShift) & 0xff;
  }

  /** The client has sent its file and the empty packet; the next packet is the OK or ERR for it. */
  resumeAfterInfile(): void {
    this.#state = State.first;
    this.#expectedSequence = -1;
  }

  /**
   * Takes what it can of `buffer[start, end)`, handing it to the sink.
   * @param floor bytes from here up to `start` are free for the tracker to overwrite.
   * @returns the index of the first byte not taken. When the answer is not complete, the caller keeps the bytes
   * from there and calls again with them in front of the next ones.
   * @throws MalformedPacketError when the server breaks the protocol; the connection is of no use any more.
   */
  advance(buffer: Buffer, start: number, end: number, floor: number): number {
    this.#floor = floor;
    let position = start;
    let segment = start;
    while (position < end && !this.complete) {
      if (this.#bodyLeft > 0) {
        const taken = Math.min(this.#bodyLeft, end - position);
        this.#bodyLeft -= taken;
        position += taken;
        continue;
      }
      if (this.#state === State.infile)
        throw new MalformedPacketError('answer during LOCAL INFILE', position);
      if (end - position < 4) break;
      const length = buffer[position]! | (buffer[position + 1]! << 8) | (buffer[position + 2]! << 16);
      if (length > 0 && end - position < 5) break;
      const passes = this.#continuation || (length > 0 && this.#passesUnread(buffer[position + 4]!, length));
      if (!passes && end - position < 4 + length) {
        if (length > MAX_INSPECTED_BYTES) throw new MalformedPacketError('control packet too long', position);
        break;
      }
      const entersRows = passes && this.#state === State.rowsStart && !this.#continuation;
      if (entersRows && this.#insertEof && !this.#looksBehindRow(buffer, position, end, length)) break;
      this.#checkSequence(buffer, position);
      if (passes) {
        if (entersRows) {
          segment = this.#enterRows(buffer, segment, position);
          this.#state = State.rows;
        }
        this.#countPassing();
        if (this.#sequenceShift !== 0)
          buffer[position + 3] = (buffer[position + 3]! + this.#sequenceShift) & 0xff;
        this.#bodyLeft = length;
        position += 4;
        this.#continuation = length === MAX_PAYLOAD;
        continue;
      }
      const packetEnd = position + 4 + length;
      segment = this.#inspect(buffer, segment, position, packetEnd);
      position = packetEnd;
    }
    if (position > segment) this.#forward(buffer, segment, position);
    return position;
  }

  #forward(buffer: Buffer, start: number, end: number): void {
    this.forwarded = true;
    if (this.#sink.forward(buffer, start, end)) this.#floor = end;
  }

  /** Whether a packet passes by its header alone. */
  #passesUnread(firstByte: number, length: number): boolean {
    switch (this.#state) {
      case State.columns:
        // Of a COM_STMT_PREPARE answer the last definition may need an EOF behind it, which must go out with it.
        return firstByte < 0xfb && this.#shape !== AnswerShape.prepare;
      case State.rows:
      case State.rowsStart:
        return (firstByte !== 0xfe && firstByte !== 0xff) || length === MAX_PAYLOAD;
      case State.stream:
        return firstByte === 0x00;
      default:
        return false;
    }
  }

  #countPassing(): void {
    if (this.#continuation) return;
    if (this.#state === State.rows) {
      this.rowCount++;
      this.lastResultRows++;
    } else if (this.#state === State.columns && --this.#columnsLeft === 0) {
      this.#columnsDone();
    }
  }

  #columnsDone(): void {
    this.#state = this.#serverDeprecatesEof ? State.rowsStart : State.columnsEof;
  }

  #checkSequence(buffer: Buffer, position: number): void {
    const sequence = buffer[position + 3]!;
    // A source counts anew after each acknowledgement that it asks its replica for.
    const isDue = sequence === this.#expectedSequence || this.#state === State.stream;
    if (this.#expectedSequence >= 0 && !isDue)
      throw new MalformedPacketError(`sequence id ${sequence}, expected ${this.#expectedSequence}`, position);
    this.#expectedSequence = (sequence + 1) & 0xff;
  }

  /** Looks into one whole packet. Returns where the bytes that are not yet handed over begin. */
  #inspect(buffer: Buffer, segment: number, position: number, packetEnd: number): number {
    if (packetEnd === position + 4) throw new MalformedPacketError('empty packet', position);
    const first = buffer[position + 4]!;
    if (first === 0xff) return this.#inspectErr(buffer, segment, position, packetEnd);
    switch (this.#state) {
      case State.first:
        return this.#inspectFirst(buffer, segment, position, packetEnd);
      case State.columns:
        return this.#inspectPrepareDefinition(buffer, segment, position, packetEnd);
      case State.columnsEof:
        return this.#inspectColumnsEof(buffer, segment, position, packetEnd);
      case State.rows:
      case State.rowsStart:
        return this.#inspectRowsEnd(buffer, segment, position, packetEnd);
      case State.stream:
        return this.#inspectOk(buffer, segment, position, packetEnd);
      case State.text:
        this.#finish();
        return segment;
      default:
        throw new MalformedPacketError('unexpected packet', position);
    }
  }

  #inspectFirst(buffer: Buffer, segment: number, position: number, packetEnd: number): number {
    const first = buffer[position + 4]!;
    if (this.#shape === AnswerShape.prepare && first === 0x00)
      return this.#inspectPrepareOk(buffer, segment, position, packetEnd);
    if (first === 0x00 || (first === 0xfe && this.#shape === AnswerShape.single))
      return this.#inspectOk(buffer, segment, position, packetEnd);
    if (this.#shape !== AnswerShape.query) throw new MalformedPacketError('not an OK packet', position);
    if (first === 0xfb) {
      this.#shiftSequence(buffer, position);
      this.#forward(buffer, segment, packetEnd);
      this.#state = State.infile;
      this.#sink.localInfile();
      return packetEnd;
    }
    this.#columnsLeft = readColumnCount(buffer, position + 4, packetEnd);
    if (this.columnCount === 0) this.columnCount = this.#columnsLeft;
    this.#metadataChanged = this.#columnsTold !== 0 && this.#columnsTold !== this.#columnsLeft;
    this.#shiftSequence(buffer, position);
    this.lastResultRows = 0;
    this.#secondBlock = 0;
    this.#state = State.columns;
    return segment;
  }

  #inspectPrepareOk(buffer: Buffer, segment: number, position: number, packetEnd: number): number {
    if (packetEnd - position < 4 + 12)
      throw new MalformedPacketError('short COM_STMT_PREPARE answer', position);
    this.statementId = buffer.readUInt32LE(position + 5);
    const columns = buffer.readUInt16LE(position + 9);
    const parameters = buffer.readUInt16LE(position + 11);
    this.warnings = buffer.readUInt16LE(position + 14);
    const clientId =
      this.#sink.statementPrepared?.(this.statementId, parameters, columns) ?? this.statementId;
    buffer.writeUInt32LE(clientId, position + 5);
    this.#columnsLeft = parameters > 0 ? parameters : columns;
    this.#secondBlock = parameters > 0 ? columns : 0;
    if (this.#columnsLeft === 0) this.#finish();
    else this.#state = State.columns;
    return segment;
  }

  #inspectPrepareDefinition(buffer: Buffer, segment: number, position: number, packetEnd: number): number {
    if (this.#shape !== AnswerShape.prepare || buffer[position + 4]! >= 0xfb)
      throw new MalformedPacketError('definition expected', position);
    this.#shiftSequence(buffer, position);
    if (--this.#columnsLeft > 0) return segment;
    if (!this.#serverDeprecatesEof) {
      this.#state = State.columnsEof;
      return segment;
    }
    const sequence = this.#expectedSequence;
    const next = this.#insertEof ? this.#putEof(buffer, segment, packetEnd, sequence) : segment;
    this.#nextPrepareBlock();
    return next;
  }

  /** A block of definitions of a COM_STMT_PREPARE answer, or of a result set, has ended: its EOF passes or goes. */
  #inspectColumnsEof(buffer: Buffer, segment: number, position: number, packetEnd: number): number {
    if (buffer[position + 4] !== 0xfe || packetEnd - position !== EOF_PACKET_BYTES)
      throw new MalformedPacketError('EOF expected after definitions', position);
    if (this.#columnsTold !== 0) this.#tellOfColumns(buffer, position + 7);
    const status = buffer.readUInt16LE(position + 7);
    // No rows follow an opened cursor: this is the end of the answer.
    if (this.#shape === AnswerShape.query && (status & StatusFlag.SERVER_STATUS_CURSOR_EXISTS) !== 0)
      return this.#passEof(buffer, segment, position, packetEnd);
    let next = segment;
    if (this.#removeEof) {
      if (position > segment) this.#forward(buffer, segment, position);
      this.#sequenceShift--;
      next = packetEnd;
    } else {
      this.#shiftSequence(buffer, position);
    }
    this.#reported(status, this.warnings);
    this.#outParameters = (status & StatusFlag.SERVER_PS_OUT_PARAMS) !== 0;
    if (this.#shape === AnswerShape.prepare) this.#nextPrepareBlock();
    else this.#state = State.rows;
    return next;
  }

  #nextPrepareBlock(): void {
    this.#columnsLeft = this.#secondBlock;
    this.#secondBlock = 0;
    if (this.#columnsLeft === 0) this.#finish();
    else this.#state = State.columns;
  }

  /** The first packet after the definitions is no cursor's end: put in the EOF that the client waits for. */
  #enterRows(buffer: Buffer, segment: number, position: number): number {
    return this.#insertEof ? this.#putEof(buffer, segment, position, this.#expectedSequence - 1) : segment;
  }

  /**
   * The EOF behind the definitions must say whether the one row behind it holds OUT parameters, and this server says
   * so behind the row only. What may be such a row waits for what follows.
   * @returns false if the bytes that tell have not come yet.
   */
  #looksBehindRow(buffer: Buffer, position: number, end: number, length: number): boolean {
    this.#outParameters = false;
    if (buffer[position + 4] !== BINARY_ROW_HEADER || length > MAX_OUT_PARAMETER_BYTES) return true;
    const next = position + 4 + length;
    if (end - next < 5) return false;
    const nextLength = buffer[next]! | (buffer[next + 1]! << 8) | (buffer[next + 2]! << 16);
    // Nonsense is found when it is its turn.
    if (buffer[next + 4] !== 0xfe || nextLength < 7 || nextLength > MAX_INSPECTED_BYTES) return true;
    const nextEnd = next + 4 + nextLength;
    if (end < nextEnd) return false;
    const status = readResultEndStatus(buffer, next + 4, nextEnd);
    this.#outParameters = (status & StatusFlag.SERVER_PS_OUT_PARAMS) !== 0;
    return true;
  }

  /**
   * The definitions in front move down by nine bytes where these are free, so that the answer stays one piece;
   * rows are never moved.
   * @param serverSequence the id of the packet that it takes the place of, as the server counts.
   */
  #putEof(buffer: Buffer, segment: number, position: number, serverSequence: number): number {
    const sequence = (serverSequence + this.#sequenceShift) & 0xff;
    this.#sequenceShift++;
    const isContinued = this.#shape === AnswerShape.query && this.#results.continues;
    const status =
      (this.statusFlags & SESSION_STATUS_FLAGS) |
      (this.#outParameters ? OUT_PARAMETER_FLAGS : 0) |
      (this.#metadataChanged ? StatusFlag.SERVER_STATUS_METADATA_CHANGED : 0) |
      (isContinued ? StatusFlag.SERVER_MORE_RESULTS_EXISTS : 0);
    // Of a result set nobody knows them yet.
    const warnings = this.#shape === AnswerShape.prepare ? this.warnings : 0;
    if (segment - EOF_PACKET_BYTES >= this.#floor) {
      buffer.copyWithin(segment - EOF_PACKET_BYTES, segment, position);
      writeEof(buffer, position - EOF_PACKET_BYTES, sequence, status, warnings);
      return segment - EOF_PACKET_BYTES;
    }
    if (position > segment) this.#forward(buffer, segment, position);
    const eof = Buffer.allocUnsafe(EOF_PACKET_BYTES);
    writeEof(eof, 0, sequence, status, warnings);
    this.#sink.forward(eof, 0, EOF_PACKET_BYTES);
    return position;
  }

  #inspectRowsEnd(buffer: Buffer, segment: number, position: number, packetEnd: number): number {
    const payload = position + 4;
    if (packetEnd - payload < (this.#serverDeprecatesEof ? 7 : 5))
      throw new MalformedPacketError('short end of rows', position);
    const statusAt = this.#serverDeprecatesEof
      ? resultEndStatusOffset(buffer, payload, packetEnd)
      : payload + 3;
    if (this.#columnsTold !== 0) this.#tellOfColumns(buffer, statusAt);
    const status = buffer.readUInt16LE(statusAt);
    let next = segment;
    const isCursor = (status & StatusFlag.SERVER_STATUS_CURSOR_EXISTS) !== 0;
    if (this.#state === State.rowsStart && !isCursor) next = this.#enterRows(buffer, segment, position);
    return this.#inspectOk(buffer, next, position, packetEnd);
  }

  #tellOfColumns(buffer: Buffer, statusAt: number): void {
    const flag = StatusFlag.SERVER_STATUS_METADATA_CHANGED;
    const status = buffer.readUInt16LE(statusAt);
    buffer.writeUInt16LE(this.#metadataChanged ? status | flag : status & ~flag, statusAt);
  }

  /** OK or EOF. The short forms pass or are cut in place; what carries more is encoded anew. */
  #inspectOk(buffer: Buffer, segment: number, position: number, packetEnd: number): number {
    const payload = position + 4;
    const header = buffer[payload]!;
    const length = packetEnd - payload;
    if (header === 0xfe && length === 5) return this.#passEof(buffer, segment, position, packetEnd);
    if (length < 7) throw new MalformedPacketError('short OK packet', position);
    if (header === 0xfe && !this.#serverDeprecatesEof)
      throw new MalformedPacketError('EOF of another length', position);
    if (length === 7 && buffer[payload + 1] === 0 && buffer[payload + 2] === 0) {
      this.#reported(buffer.readUInt16LE(payload + 3), buffer.readUInt16LE(payload + 5));
      this.affectedRows = 0;
      this.lastInsertId = 0;
      this.#shiftSequence(buffer, position);
      let segmentEnd = packetEnd;
      if (header === 0xfe && this.#insertEof) {
        writeEof(buffer, position, buffer[position + 3]!, this.statusFlags, this.warnings);
        segmentEnd = position + EOF_PACKET_BYTES;
      }
      if (header === 0x00) this.lastResultRows = -1;
      this.#resultEnd();
      if (segmentEnd === packetEnd) return segment;
      this.#forward(buffer, segment, segmentEnd);
      return packetEnd;
    }
    const canCut = this.#cutsOk && (header === 0x00 || !this.#insertEof);
    const next = canCut ? this.#cutOk(buffer, segment, position, packetEnd) : NOT_CUT;
    return next === NOT_CUT ? this.#replaceOk(buffer, segment, position, packetEnd) : next;
  }

  /** Where the client is to get no more than the OK, shortens it where it lies. */
  #cutOk(buffer: Buffer, segment: number, position: number, packetEnd: number): number {
    const ok = okExtent;
    ok.read(buffer, position + 4, packetEnd);
    const { statusFlags, warnings, affectedRows, lastInsertId } = ok;
    if (this.#sink.sessionState?.(buffer, ok.stateStart, ok.stateEnd, statusFlags) !== true) return NOT_CUT;
    this.#reported(statusFlags, warnings);
    this.affectedRows = affectedRows;
    this.lastInsertId = lastInsertId;
    if (buffer[position + 4] === 0x00) this.lastResultRows = -1;
    const end = ok.cut(buffer);
    this.#shiftSequence(buffer, position);
    this.#resultEnd();
    if (end === packetEnd) return segment;
    buffer.writeUIntLE(end - position - 4, position, 3);
    this.#forward(buffer, segment, end);
    return packetEnd;
  }

  #replaceOk(buffer: Buffer, segment: number, position: number, packetEnd: number): number {
    const ok = decodeOk(buffer.subarray(position + 4, packetEnd), this.#serverCapabilities);
    this.#reported(ok.statusFlags, ok.warnings);
    this.affectedRows = Number(ok.affectedRows);
    this.lastInsertId = Number(ok.lastInsertId);
    const header = buffer[position + 4]!;
    if (header === 0x00) this.lastResultRows = -1;
    const sessionState = this.#sink.okPacket(ok);
    this.#shiftSequence(buffer, position);
    const sequence = buffer[position + 3]!;
    this.#resultEnd();
    if (position > segment) this.#forward(buffer, segment, position);
    if (header === 0xfe && this.#insertEof) {
      const eof = Buffer.allocUnsafe(EOF_PACKET_BYTES);
      writeEof(eof, 0, sequence, ok.statusFlags & ~StatusFlag.SERVER_SESSION_STATE_CHANGED, ok.warnings);
      this.#forward(eof, 0, EOF_PACKET_BYTES);
      return packetEnd;
    }
    const state = this.#clientTracks ? sessionState : null;
    const payload = encodeOk({ ...ok, sessionState: state }, this.#clientCapabilities);
    const packet = Buffer.allocUnsafe(4 + payload.length);
    packet.writeUIntLE(payload.length, 0, 3);
    packet[3] = sequence;
    packet.set(payload, 4);
    this.#forward(packet, 0, packet.length);
    return packetEnd;
  }

  #passEof(buffer: Buffer, segment: number, position: number, packetEnd: number): number {
    // MySQL without CLIENT_DEPRECATE_EOF forgets to say that an OK follows the values of OUT parameters.
    const more = this.#outParameters ? StatusFlag.SERVER_MORE_RESULTS_EXISTS : 0;
    this.#reported(buffer.readUInt16LE(position + 7) | more, buffer.readUInt16LE(position + 5));
    this.#shiftSequence(buffer, position);
    this.#resultEnd();
    if (!this.#removeEof) return segment;
    if (position > segment) this.#forward(buffer, segment, position);
    const ok = Buffer.from([7, 0, 0, buffer[position + 3]!, 0xfe, 0, 0, 0, 0, 0, 0]);
    ok.writeUInt16LE(this.statusFlags, 7);
    ok.writeUInt16LE(this.warnings, 9);
    this.#forward(ok, 0, ok.length);
    return packetEnd;
  }

  #inspectErr(buffer: Buffer, segment: number, position: number, packetEnd: number): number {
    if (packetEnd - position < 7) throw new MalformedPacketError('short ERR packet', position);
    this.errno = buffer.readUInt16LE(position + 5);
    const started = this.forwarded || position > segment;
    const withheld = this.#sink.errPacket(this.errno, buffer.subarray(position + 4, packetEnd), started);
    // Definitions have gone out: a client that waits for the EOF behind them gets it before the ERR.
    const next = this.#state === State.rowsStart ? this.#enterRows(buffer, segment, position) : segment;
    this.#finish();
    if (withheld && !started) return packetEnd;
    this.#shiftSequence(buffer, position);
    const instead = started ? (this.#sink.errInstead?.(this.errno, buffer[position + 3]!) ?? null) : null;
    if (instead === null) return next;
    if (position > next) this.#forward(buffer, next, position);
    this.#forward(instead, 0, instead.length);
    return packetEnd;
  }

  #shiftSequence(buffer: Buffer, position: number): void {
    if (this.#sequenceShift !== 0)
      buffer[position + 3] = (buffer[position + 3]! + this.#sequenceShift) & 0xff;
  }

  #reported(statusFlags: number, warnings: number): void {
    this.statusFlags = statusFlags;
    this.statusReported = true;
    this.warnings = warnings;
    if (warnings > 0) this.raisedWarnings = true;
  }

  #resultEnd(): void {
    this.#outParameters = false;
    this.#columnsTold = 0;
    this.#metadataChanged = false;
    this.#results.resultEnded(this.lastResultRows < 0);
    const more = (this.statusFlags & StatusFlag.SERVER_MORE_RESULTS_EXISTS) !== 0;
    if (more && this.#shape === AnswerShape.query) this.#state = State.first;
    else this.#finish();
  }

  #finish(): void {
    this.#state = State.idle;
    this.complete = true;
  }
}

function firstState(shape: AnswerShape): State {
  if (shape === AnswerShape.fieldList || shape === AnswerShape.fetch) return State.rows;
  if (shape === AnswerShape.text) return State.text;
  if (shape === AnswerShape.stream) return State.stream;
  return State.first;
}
