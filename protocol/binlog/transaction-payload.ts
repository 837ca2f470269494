import { zstdDecompressSync } from 'node:zlib';
import { BufferReader } from '../encoding/buffer-reader.ts';
import { MalformedPacketError } from '../errors.ts';
import {
  BINLOG_EVENT_HEADER_BYTES,
  type BinlogEventHeader,
  emptyEventHeader,
  readEventHeader,
} from './event-header.ts';

/**
 * MySQL 8 with `binlog_transaction_compression`: all events of a transaction but its GTID, packed together, none of them
 * with a checksum.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Transaction__payload__event.html
 */
export interface TransactionPayload {
  readonly compression: PayloadCompression;
  /** Bytes when unpacked, as the event says. */
  readonly unpackedBytes: number;
  /** A view. */
  readonly payload: Buffer;
}

export const PayloadCompression = { ZSTD: 0, NONE: 255 } as const;
export type PayloadCompression = (typeof PayloadCompression)[keyof typeof PayloadCompression];

const Field = { END: 0, PAYLOAD_SIZE: 1, COMPRESSION_TYPE: 2, UNCOMPRESSED_SIZE: 3 } as const;

/** @param body behind the event's header, without a checksum. */
export function decodeTransactionPayload(body: Buffer): TransactionPayload {
  const reader = new BufferReader(body);
  let payloadBytes: number | null = null;
  let compression: number = PayloadCompression.NONE;
  let unpackedBytes: number | null = null;
  for (;;) {
    const type = reader.readLenencNumber('payload field');
    if (type === Field.END) break;
    const value = new BufferReader(reader.readLenencBytes('payload field'));
    if (type === Field.PAYLOAD_SIZE) payloadBytes = value.readLenencNumber('payload size');
    else if (type === Field.COMPRESSION_TYPE) compression = value.readLenencNumber('compression');
    else if (type === Field.UNCOMPRESSED_SIZE) unpackedBytes = value.readLenencNumber('unpacked size');
  }
  if (compression !== PayloadCompression.ZSTD && compression !== PayloadCompression.NONE)
    throw new MalformedPacketError(`compression ${compression}`, reader.offset);
  if (payloadBytes === null) throw new MalformedPacketError('payload size', reader.offset);
  const payload = reader.readBytes(payloadBytes, 'payload');
  return { compression, payload, unpackedBytes: unpackedBytes ?? payload.length };
}

/** The events' bytes, one behind the other; a copy unless nothing was packed. More than `maxBytes` are malformed. */
export function unpackTransaction(
  { compression, unpackedBytes, payload }: TransactionPayload,
  maxBytes: number,
): Buffer {
  if (compression === PayloadCompression.NONE) return payload;
  if (unpackedBytes > maxBytes) throw new MalformedPacketError(`a payload of ${unpackedBytes} bytes`, 0);
  try {
    return zstdDecompressSync(payload, { maxOutputLength: Math.max(unpackedBytes, 1) });
  } catch {
    throw new MalformedPacketError('compressed payload', 0);
  }
}

/** Gives each of them to `event`; the header is used again, the body is a view. */
export function eachPackedEvent(
  unpacked: Buffer,
  event: (header: Readonly<BinlogEventHeader>, body: Buffer) => void,
): void {
  const header = emptyEventHeader();
  for (let at = 0; at < unpacked.length; ) {
    readEventHeader(unpacked, at, unpacked.length, header);
    const end = at + header.eventBytes;
    if (end > unpacked.length) throw new MalformedPacketError('size of a packed event', at);
    event(header, unpacked.subarray(at + BINLOG_EVENT_HEADER_BYTES, end));
    at = end;
  }
}
