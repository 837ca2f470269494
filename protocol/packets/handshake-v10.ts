import { Capability, hasCapability } from '../constants/capability-flags.ts';
import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { MalformedPacketError } from '../errors.ts';

/**
 * The server's greeting.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html
 * https://mariadb.com/kb/en/connection/#initial-handshake-packet (extended capabilities)
 */
export interface HandshakeV10 {
  readonly serverVersion: string;
  readonly threadId: number;
  /** The challenge without its closing NUL: 20 bytes from every server of today. */
  readonly authPluginData: Buffer;
  readonly capabilities: number;
  /** The upper half of MariaDB's set; 0 from a server that sets CLIENT_LONG_PASSWORD, i.e. MySQL. */
  readonly mariadbCapabilities: number;
  /** Low 8 bits of the server's default collation id: the field is one byte wide. */
  readonly collationId: number;
  readonly statusFlags: number;
  /** null without CLIENT_PLUGIN_AUTH. */
  readonly authPluginName: string | null;
}

const PROTOCOL_VERSION = 10;
const AUTH_DATA_PART_1_BYTES = 8;
const MIN_AUTH_DATA_PART_2_BYTES = 13;

/** `authPluginData` is a copy: it is needed after the chunk is gone. */
export function decodeHandshakeV10(view: Buffer): HandshakeV10 {
  const reader = new BufferReader(view);
  if (reader.readU8('protocol version') !== PROTOCOL_VERSION) {
    throw new MalformedPacketError('protocol version (10 is needed)', 0);
  }
  const serverVersion = reader.readNullTerminatedString('server version');
  const threadId = reader.readU32('thread id');
  const part1 = reader.readBytes(AUTH_DATA_PART_1_BYTES, 'auth plugin data, part 1');
  reader.skip(1, 'filler');
  const lowCapabilities = reader.readU16('capabilities, lower half');
  const collationId = reader.readU8('collation');
  const statusFlags = reader.readU16('status flags');
  const capabilities = lowCapabilities + reader.readU16('capabilities, upper half') * 0x1_0000;
  const authDataBytes = reader.readU8('length of auth plugin data');
  reader.skip(6, 'reserved');
  const lastReserved = reader.readU32('reserved');
  let part2: Buffer = Buffer.alloc(0);
  if (hasCapability(capabilities, Capability.CLIENT_SECURE_CONNECTION)) {
    const length = Math.max(MIN_AUTH_DATA_PART_2_BYTES, authDataBytes - AUTH_DATA_PART_1_BYTES);
    part2 = reader.readBytes(length, 'auth plugin data, part 2');
    if (part2.at(-1) === 0) part2 = part2.subarray(0, -1);
  }
  const hasPlugin = hasCapability(capabilities, Capability.CLIENT_PLUGIN_AUTH);
  return {
    serverVersion,
    threadId,
    authPluginData: Buffer.concat([part1, part2]),
    capabilities,
    mariadbCapabilities: hasCapability(capabilities, Capability.CLIENT_LONG_PASSWORD) ? 0 : lastReserved,
    collationId,
    statusFlags,
    // MySQL 5.5.7 to 5.5.9 forget the last NUL.
    authPluginName: hasPlugin ? reader.readNullTerminatedOrRestString() : null,
  };
}

/** Collation ids over 255 do not fit; pass the id of the same charset that does. */
export function encodeHandshakeV10(value: HandshakeV10): Buffer {
  const { authPluginData, capabilities } = value;
  const isMariadb = !hasCapability(capabilities, Capability.CLIENT_LONG_PASSWORD);
  const hasPlugin = hasCapability(capabilities, Capability.CLIENT_PLUGIN_AUTH);
  if (authPluginData.length < AUTH_DATA_PART_1_BYTES || authPluginData.length > 254) {
    throw new RangeError(`Auth plugin data of ${authPluginData.length} bytes; 8 to 254 fit`);
  }
  const writer = new BufferWriter()
    .writeU8(PROTOCOL_VERSION)
    .writeNullTerminatedString(value.serverVersion)
    .writeU32(value.threadId)
    .writeBytes(authPluginData.subarray(0, AUTH_DATA_PART_1_BYTES))
    .writeU8(0)
    .writeU16(capabilities & 0xffff)
    .writeU8(value.collationId)
    .writeU16(value.statusFlags)
    .writeU16(capabilities >>> 16)
    .writeU8(hasPlugin ? authPluginData.length + 1 : 0)
    .writeZeros(6)
    .writeU32(isMariadb ? value.mariadbCapabilities : 0);
  if (hasCapability(capabilities, Capability.CLIENT_SECURE_CONNECTION)) {
    const part2 = authPluginData.subarray(AUTH_DATA_PART_1_BYTES);
    writer.writeBytes(part2).writeZeros(Math.max(1, MIN_AUTH_DATA_PART_2_BYTES - part2.length));
  }
  if (hasPlugin) writer.writeNullTerminatedString(value.authPluginName ?? '');
  return writer.take();
}
