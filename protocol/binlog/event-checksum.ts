import { MalformedPacketError } from '../errors.ts';
import { BINLOG_CHECKSUM_BYTES, BINLOG_EVENT_HEADER_BYTES, readU32 } from './event-header.ts';
import { BinlogEventFlag } from './event-type.ts';
import { smallCrc32 } from './small-crc32.ts';

/** The last four bytes of an event are the CRC-32 (of zlib) of all that is before them. */

const FLAGS_OFFSET = 17;

/** Of the event `bytes[start, end)`: whole, from its header to its checksum. */
export function hasRightChecksum(bytes: Buffer, start: number, end: number): boolean {
  const checked = end - BINLOG_CHECKSUM_BYTES;
  if (checked - start < BINLOG_EVENT_HEADER_BYTES) return false;
  return smallCrc32(bytes, start, checked) === readU32(bytes, checked);
}

/** Of a format description: a file that is in use is marked so after its checksum was made. */
export function hasRightDescriptionChecksum(event: Buffer): boolean {
  const copy = Buffer.from(event);
  copy[FLAGS_OFFSET]! &= ~BinlogEventFlag.LOG_EVENT_BINLOG_IN_USE_F;
  return hasRightChecksum(copy, 0, copy.length);
}

/** An event is not what its server has written: nothing behind it can be relied on. */
export class EventChecksumError extends MalformedPacketError {
  constructor() {
    super('event checksum', 0);
  }
}
