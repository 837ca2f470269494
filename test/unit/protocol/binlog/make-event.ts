/** Events and packets as servers make them, for tests of those who read them. */

import { crc32 } from 'node:zlib';
import {
  BINLOG_EVENT_HEADER_BYTES,
  BinlogEventType,
  BufferWriter,
  framePacket,
  writeEventHeader,
} from '../../../../protocol/index.ts';

export interface EventOptions {
  readonly checksum?: boolean;
  readonly flags?: number;
  readonly nextPosition?: number;
  readonly serverId?: number;
}

const CHECKSUM_BYTES = 4;

export function makeEvent(eventType: number, body: Buffer, options: EventOptions = {}): Buffer {
  const { checksum = true, flags = 0, nextPosition = 1000, serverId = 7 } = options;
  const eventBytes = BINLOG_EVENT_HEADER_BYTES + body.length + (checksum ? CHECKSUM_BYTES : 0);
  const writer = new BufferWriter(eventBytes);
  writeEventHeader(writer, {
    timestamp: 1_700_000_000,
    eventType,
    serverId,
    eventBytes,
    nextPosition,
    flags,
  });
  writer.writeBytes(body);
  if (checksum) writer.writeU32(crc32(writer.asView()));
  return writer.take();
}

/** Its last byte but four says whether the events behind it have checksums. */
export function descriptionBody(serverVersion: string, checksum: 0 | 1): Buffer {
  return new BufferWriter()
    .writeU16(4)
    .writeBytes(Buffer.from(serverVersion.padEnd(50, '\0'), 'latin1'))
    .writeU32(0)
    .writeU8(BINLOG_EVENT_HEADER_BYTES)
    .writeBytes(Buffer.alloc(BinlogEventType.TABLE_MAP_EVENT - 1, 13))
    .writeU8(8)
    .writeBytes(Buffer.alloc(152, 10))
    .writeU8(checksum)
    .take();
}

export function makeDescription(serverVersion: string, checksum: 0 | 1): Buffer {
  return makeEvent(BinlogEventType.FORMAT_DESCRIPTION_EVENT, descriptionBody(serverVersion, checksum));
}

/** Packets of a dump, their numbers counted on from 1. */
export function dumpOf(payloads: readonly Buffer[]): Buffer {
  let sequenceId = 1;
  return Buffer.concat(
    payloads.map((payload) => {
      const framed = framePacket(payload, sequenceId);
      sequenceId = (sequenceId + Math.floor(payload.length / 0xff_ffff) + 1) & 0xff;
      return framed;
    }),
  );
}

export function eventPayload(event: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0]), event]);
}
