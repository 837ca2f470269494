import { Capability, hasCapability } from '../constants/capability-flags.ts';
import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { MalformedPacketError } from '../errors.ts';
import { framePacket } from '../framing/packet-header.ts';

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_eof_packet.html */
export interface EofPacket {
  readonly statusFlags: number;
  readonly warnings: number;
}

export const EOF_HEADER = 0xfe;
/** A longer packet with this header is something else: a row, or an OK under CLIENT_DEPRECATE_EOF. */
const MAX_EOF_BYTES = 8;

/** Whether a packet in a place where rows may come is the old EOF (not under CLIENT_DEPRECATE_EOF). */
export function isEof(view: Uint8Array): boolean {
  return view[0] === EOF_HEADER && view.length <= MAX_EOF_BYTES;
}

export function decodeEof(view: Buffer, capabilities: number): EofPacket {
  const reader = new BufferReader(view);
  if (reader.readU8('EOF header') !== EOF_HEADER) throw new MalformedPacketError('EOF header', 0);
  if (!hasCapability(capabilities, Capability.CLIENT_PROTOCOL_41)) return { statusFlags: 0, warnings: 0 };
  const warnings = reader.readU16('warnings');
  return { warnings, statusFlags: reader.readU16('status flags') };
}

export function encodeEof(value: EofPacket, capabilities: number): Buffer {
  const writer = new BufferWriter(16).writeU8(EOF_HEADER);
  if (hasCapability(capabilities, Capability.CLIENT_PROTOCOL_41)) {
    writer.writeU16(Math.min(value.warnings, 0xffff)).writeU16(value.statusFlags);
  }
  return writer.take();
}

export function frameEof(value: EofPacket, capabilities: number, sequenceId: number): Buffer {
  return framePacket(encodeEof(value, capabilities), sequenceId);
}
