import type { BufferWriter } from '../encoding/buffer-writer.ts';
import { MalformedPacketError } from '../errors.ts';

/**
 * In front of every event of binlog version 4.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html
 */
export interface BinlogEventHeader {
  /** Seconds since 1970; 0 in events that are made for the reader. */
  timestamp: number;
  /** A `BinlogEventType`, or a number that is not known here. */
  eventType: number;
  /** Of the server that has written it first. */
  serverId: number;
  /** Of the whole event, with this header and the checksum. */
  eventBytes: number;
  /** Where the next event begins in the file, modulo 2^32; 0 in events that are in no file. */
  nextPosition: number;
  flags: number;
}

export const BINLOG_EVENT_HEADER_BYTES = 19;
export const BINLOG_CHECKSUM_BYTES = 4;

export function emptyEventHeader(): BinlogEventHeader {
  return { timestamp: 0, eventType: 0, serverId: 0, eventBytes: 0, nextPosition: 0, flags: 0 };
}

export function decodeEventHeader(view: Buffer): BinlogEventHeader {
  const header = emptyEventHeader();
  readEventHeader(view, 0, view.length, header);
  return header;
}

/** As `decodeEventHeader`, into an object that is used again: streams have a hundred thousand events a second. */
export function readEventHeader(bytes: Buffer, offset: number, end: number, into: BinlogEventHeader): void {
  if (end - offset < BINLOG_EVENT_HEADER_BYTES) throw new MalformedPacketError('event header', end - offset);
  into.timestamp = readU32(bytes, offset);
  into.eventType = bytes[offset + 4]!;
  into.serverId = readU32(bytes, offset + 5);
  into.eventBytes = readU32(bytes, offset + 9);
  into.nextPosition = readU32(bytes, offset + 13);
  into.flags = bytes[offset + 17]! | (bytes[offset + 18]! << 8);
  if (into.eventBytes < BINLOG_EVENT_HEADER_BYTES) throw new MalformedPacketError('event size', 9);
}

export function writeEventHeader(writer: BufferWriter, header: Readonly<BinlogEventHeader>): void {
  writer
    .writeU32(header.timestamp)
    .writeU8(header.eventType)
    .writeU32(header.serverId)
    .writeU32(header.eventBytes)
    .writeU32(header.nextPosition)
    .writeU16(header.flags);
}

/** Unchecked. */
export function readU32(bytes: Buffer, offset: number): number {
  return (
    (bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24)) >>>
    0
  );
}
