/**
 * The answer to COM_BINLOG_DUMP: events out of chunks that are cut anywhere. Nothing is kept but the part of an event that
 * has not come yet, and of an event over `maxEventBytes` nothing but its first `headBytes`.
 *
 * Each packet begins with a byte: 0x00 an event, 0xff an ERR, 0xfe the end. Packets of 2^24 - 1 bytes go on in the next one.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication.html
 *
 * | state   | meaning                                            | entered by       | left by                      |
 * |---------|----------------------------------------------------|------------------|------------------------------|
 * | between | the next byte begins a packet's header             | a packet's end   | a header in front of a part  |
 * | within  | payload bytes of a fragment are to come            | such a header    | the fragment's last byte     |
 * | ended   | ERR or EOF came, or the sink has thrown            | –                | never                        |
 */

import { crc32 } from 'node:zlib';
import { MalformedPacketError, PacketOutOfOrderError } from '../errors.ts';
import { type TransitionTable, transition } from '../exchange/transition.ts';
import { MAX_FRAGMENT_BYTES, PACKET_HEADER_BYTES } from '../framing/packet-header.ts';
import { decodeErr, type ErrPacket } from '../packets/err.ts';
import { EventChecksumError, hasRightChecksum, hasRightDescriptionChecksum } from './event-checksum.ts';
import {
  BINLOG_CHECKSUM_BYTES,
  BINLOG_EVENT_HEADER_BYTES,
  type BinlogEventHeader,
  emptyEventHeader,
  readEventHeader,
} from './event-header.ts';
import { BinlogEventFlag, BinlogEventType } from './event-type.ts';
import { BinlogChecksum, decodeFormatDescription } from './format-description.ts';

export interface DumpSink {
  /**
   * An event in its order. Its body is `bytes[start, end)`, without the checksum; header and bytes live until the call returns.
   * Of a format description the body has its footer, for `decodeFormatDescription`.
   * @param isWhole false: the body is only the beginning of a long one.
   */
  event(
    header: Readonly<BinlogEventHeader>,
    bytes: Buffer,
    start: number,
    end: number,
    isWhole: boolean,
  ): void;
  /** The server has ended the answer; null: without an error. */
  ended(error: ErrPacket | null): void;
}

export interface DumpReaderOptions {
  /** What the server was told of checksums (`@master_binlog_checksum`): holds until the first format description. */
  readonly checksum: BinlogChecksum;
  readonly maxEventBytes: number;
  /** At most `maxEventBytes`. */
  readonly headBytes: number;
}

type State = 'between' | 'within' | 'ended';

const TRANSITIONS: TransitionTable<State> = {
  between: ['within', 'ended'],
  within: ['between', 'within', 'ended'],
  ended: [],
};

const OK = 0x00;
const EOF = 0xfe;
const ERR = 0xff;
/** An ERR is short: more of it is cut off. */
const MAX_ERR_BYTES = 4096;
const KEPT_BUFFER_BYTES = 65_536;

export class DumpReader {
  readonly #sink: DumpSink;
  readonly #maxEventBytes: number;
  readonly #headBytes: number;
  readonly #header = emptyEventHeader();
  #checksum: BinlogChecksum;
  #state: State = 'between';
  #sequenceId = 1;
  /** Bytes of the packet header that have come, and its number so far. */
  #packetHeader = Buffer.alloc(PACKET_HEADER_BYTES);
  #packetHeaderBytes = 0;
  #fragmentLeft = 0;
  #isLastFragment = true;
  /** The payload that is being collected: its kept bytes are `#kept[0, #keptBytes)`, of `#payloadBytes` that came. */
  #kept: Buffer = Buffer.alloc(KEPT_BUFFER_BYTES);
  #keptBytes = 0;
  #payloadBytes = 0;
  /** Of a payload that is not kept as a whole: running, and the bytes that it is compared with. */
  #isSkipping = false;
  #runningCrc = 0;
  #tail: Buffer = Buffer.alloc(BINLOG_CHECKSUM_BYTES);

  constructor(sink: DumpSink, { checksum, maxEventBytes, headBytes }: DumpReaderOptions) {
    this.#sink = sink;
    this.#checksum = checksum;
    this.#maxEventBytes = maxEventBytes;
    this.#headBytes = headBytes;
  }

  /** How events end that come now. */
  get checksum(): BinlogChecksum {
    return this.#checksum;
  }

  /**
   * The chunk's memory may be used again afterwards. @throws MalformedPacketError, PacketOutOfOrderError: nothing more can be
   * read then. What the sink throws ends the reader, too.
   */
  push(chunk: Buffer): void {
    try {
      for (let at = 0; at < chunk.length && this.#state !== 'ended'; )
        at = this.#state === 'between' ? this.#beginPacket(chunk, at) : this.#takePayload(chunk, at);
    } catch (error) {
      if (this.#state !== 'ended') this.#move('ended');
      throw error;
    }
  }

  #move(to: State): void {
    this.#state = transition('DumpReader', TRANSITIONS, this.#state, to);
  }

  /** @returns where to go on in the chunk. */
  #beginPacket(chunk: Buffer, at: number): number {
    const end = at + PACKET_HEADER_BYTES;
    if (this.#packetHeaderBytes === 0 && end <= chunk.length) {
      const length = chunk[at]! | (chunk[at + 1]! << 8) | (chunk[at + 2]! << 16);
      if (this.#isWhole(length, chunk.length - end)) {
        this.#acceptSequenceId(chunk[at + 3]!);
        this.#payload(chunk, end, end + length);
        return end + length;
      }
      this.#acceptHeader(length, chunk[at + 3]!);
      if (length === 0) this.#endFragment();
      return end;
    }
    const wanted = Math.min(PACKET_HEADER_BYTES - this.#packetHeaderBytes, chunk.length - at);
    chunk.copy(this.#packetHeader, this.#packetHeaderBytes, at, at + wanted);
    this.#packetHeaderBytes += wanted;
    if (this.#packetHeaderBytes === PACKET_HEADER_BYTES) {
      this.#packetHeaderBytes = 0;
      this.#acceptHeader(this.#packetHeader.readUIntLE(0, 3), this.#packetHeader[3]!);
      if (this.#fragmentLeft === 0) this.#endFragment();
    }
    return at + wanted;
  }

  #acceptSequenceId(sequenceId: number): void {
    if (sequenceId !== this.#sequenceId) throw new PacketOutOfOrderError(this.#sequenceId, sequenceId);
    this.#sequenceId = (sequenceId + 1) & 0xff;
  }

  #acceptHeader(length: number, sequenceId: number): void {
    this.#acceptSequenceId(sequenceId);
    this.#fragmentLeft = length;
    this.#isLastFragment = length < MAX_FRAGMENT_BYTES;
    this.#move('within');
  }

  /** The usual case: a packet lies in the chunk as a whole, and nothing is copied. */
  #isWhole(length: number, available: number): boolean {
    const isOne = this.#payloadBytes === 0 && length < MAX_FRAGMENT_BYTES;
    return isOne && length <= available && length <= this.#maxEventBytes + 1;
  }

  #takePayload(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#fragmentLeft);
    this.#fragmentLeft -= end - at;
    this.#keep(chunk.subarray(at, end));
    if (this.#fragmentLeft === 0) this.#endFragment();
    return end;
  }

  #endFragment(): void {
    if (!this.#isLastFragment) {
      this.#move('between');
      return;
    }
    this.#move('between');
    const kept = this.#kept.subarray(0, this.#keptBytes);
    const isSkipping = this.#isSkipping;
    const bytes = this.#payloadBytes;
    this.#keptBytes = 0;
    this.#payloadBytes = 0;
    this.#isSkipping = false;
    if (isSkipping) this.#longEvent(kept, bytes);
    else this.#payload(kept, 0, kept.length);
    if (this.#kept.length > KEPT_BUFFER_BYTES) this.#kept = Buffer.alloc(KEPT_BUFFER_BYTES);
  }

  #keep(bytes: Buffer): void {
    this.#payloadBytes += bytes.length;
    if (this.#isSkipping) {
      this.#pass(bytes);
      return;
    }
    const total = this.#keptBytes + bytes.length;
    if (total <= this.#maxEventBytes + 1) {
      this.#grow(total);
      bytes.copy(this.#kept, this.#keptBytes);
      this.#keptBytes = total;
      return;
    }
    this.#beginSkipping(bytes);
  }

  /** Only the head stays; of the rest nothing but its checksum is made. */
  #beginSkipping(bytes: Buffer): void {
    const room = Math.max(0, this.#headBytes + 1 - this.#keptBytes);
    this.#grow(this.#keptBytes + room);
    const before = this.#kept.subarray(0, this.#keptBytes);
    this.#isSkipping = true;
    this.#runningCrc = 0;
    this.#tail = Buffer.alloc(0);
    // Behind the byte in front of the event.
    if (before.length > 0) this.#pass(before.subarray(1));
    this.#pass(before.length > 0 ? bytes : bytes.subarray(1));
    bytes.copy(this.#kept, this.#keptBytes, 0, room);
    this.#keptBytes = Math.min(this.#keptBytes + Math.min(room, bytes.length), this.#headBytes + 1);
  }

  /** The checksum's own four bytes stay behind: nobody knows yet that they are the last. */
  #pass(bytes: Buffer): void {
    const joined = this.#tail.length + bytes.length;
    const passed = joined - BINLOG_CHECKSUM_BYTES;
    if (passed <= 0) {
      this.#tail = Buffer.concat([this.#tail, bytes]);
      return;
    }
    const fromTail = Math.min(passed, this.#tail.length);
    this.#runningCrc = crc32(this.#tail.subarray(0, fromTail), this.#runningCrc);
    const fromBytes = passed - fromTail;
    this.#runningCrc = crc32(bytes.subarray(0, fromBytes), this.#runningCrc);
    this.#tail = Buffer.concat([this.#tail.subarray(fromTail), bytes.subarray(fromBytes)]);
  }

  #grow(bytes: number): void {
    if (bytes <= this.#kept.length) return;
    const grown = Buffer.allocUnsafe(
      Math.min(Math.max(bytes, this.#kept.length * 2), this.#maxEventBytes + 1),
    );
    this.#kept.copy(grown, 0, 0, this.#keptBytes);
    this.#kept = grown;
  }

  #payload(bytes: Buffer, start: number, end: number): void {
    const first = start < end ? bytes[start] : undefined;
    if (first === OK) this.#wholeEvent(bytes, start + 1, end);
    else if (first === ERR) this.#end(decodeErr(bytes.subarray(start, Math.min(end, start + MAX_ERR_BYTES))));
    else if (first === EOF && end - start < 9) this.#end(null);
    else throw new MalformedPacketError('packet of a binlog', 0);
  }

  #end(error: ErrPacket | null): void {
    this.#move('ended');
    this.#sink.ended(error);
  }

  #wholeEvent(bytes: Buffer, start: number, end: number): void {
    const header = this.#header;
    readEventHeader(bytes, start, end, header);
    // Also where a server puts bytes of its own in front, for replicas that acknowledge.
    if (header.eventBytes !== end - start) throw new MalformedPacketError('event size', 9);
    if (header.eventType === BinlogEventType.FORMAT_DESCRIPTION_EVENT)
      this.#describe(bytes.subarray(start, end));
    const bodyEnd = end - this.#checkedFooter(bytes, start, end);
    this.#sink.event(header, bytes, start + BINLOG_EVENT_HEADER_BYTES, bodyEnd, true);
  }

  #describe(event: Buffer): void {
    this.#checksum = decodeFormatDescription(event.subarray(BINLOG_EVENT_HEADER_BYTES)).checksum;
    if (this.#checksum === BinlogChecksum.CRC32 && !hasRightDescriptionChecksum(event))
      throw new EventChecksumError();
  }

  /** @returns the bytes of the checksum, which is right. */
  #checkedFooter(bytes: Buffer, start: number, end: number): number {
    const { eventType, flags, nextPosition } = this.#header;
    if (eventType === BinlogEventType.FORMAT_DESCRIPTION_EVENT) return 0;
    const isMade = (flags & BinlogEventFlag.LOG_EVENT_ARTIFICIAL_F) !== 0 || nextPosition === 0;
    if (eventType === BinlogEventType.ROTATE_EVENT && isMade) {
      // It stands between two files, whose checksums may be different: it tells by itself whether it has one.
      return hasRightChecksum(bytes, start, end) ? BINLOG_CHECKSUM_BYTES : 0;
    }
    if (this.#checksum === BinlogChecksum.NONE) return 0;
    if (!hasRightChecksum(bytes, start, end)) throw new EventChecksumError();
    return BINLOG_CHECKSUM_BYTES;
  }

  /** @param kept the first bytes of a payload of `payloadBytes` */
  #longEvent(kept: Buffer, payloadBytes: number): void {
    if (kept[0] !== OK) throw new MalformedPacketError('packet of a binlog', 0);
    const event = kept.subarray(1);
    const header = this.#header;
    readEventHeader(event, 0, event.length, header);
    if (header.eventBytes !== payloadBytes - 1) throw new MalformedPacketError('event size', 9);
    if (header.eventType === BinlogEventType.FORMAT_DESCRIPTION_EVENT)
      throw new MalformedPacketError('size of a format description', 9);
    const isRight = this.#checksum === BinlogChecksum.NONE || this.#runningCrc === this.#tail.readUInt32LE(0);
    if (!isRight) throw new EventChecksumError();
    this.#sink.event(header, event, BINLOG_EVENT_HEADER_BYTES, event.length, false);
  }
}
