import { crc32 } from 'node:zlib';
import { MalformedPacketError } from '../errors.ts';
import { BINLOG_CHECKSUM_BYTES, BINLOG_EVENT_HEADER_BYTES } from './event-header.ts';
import { BinlogEventFlag } from './event-type.ts';

/** The last four bytes of an event are the CRC-32 (of zlib) of all that is before them. */

const FLAGS_OFFSET = 17;

/** @param event whole, from its header to its checksum */
export function hasRightChecksum(event: Buffer): boolean {
  const end = event.length - BINLOG_CHECKSUM_BYTES;
  return end >= BINLOG_EVENT_HEADER_BYTES && crc32(event.subarray(0, end)) === event.readUInt32LE(end);
}

/** Of a format description: a file that is in use is marked so after its checksum was made. */
export function hasRightDescriptionChecksum(event: Buffer): boolean {
  const copy = Buffer.from(event);
  copy[FLAGS_OFFSET]! &= ~BinlogEventFlag.LOG_EVENT_BINLOG_IN_USE_F;
  return hasRightChecksum(copy);
}

/** An event is not what its server has written: nothing behind it can be relied on. */
export class EventChecksumError extends MalformedPacketError {
  constructor() {
    super('event checksum', 0);
  }
}
