import { Capability, hasCapability, intersectCapabilities } from '../constants/capability-flags.ts';
import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { MalformedPacketError } from '../errors.ts';
import {
  type ConnectAttributes,
  readConnectAttributes,
  writeConnectAttributes,
} from './connect-attributes.ts';

/**
 * The client's answer to the greeting.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_response.html
 * https://mariadb.com/kb/en/connection/#handshake-response-packet
 */
export interface HandshakeResponse41 {
  /** As the client sent them: what counts is the intersection with what the server offered. */
  readonly capabilities: number;
  /** 0 unless both sides leave CLIENT_LONG_PASSWORD out (MariaDB). */
  readonly mariadbCapabilities: number;
  readonly maxPacketBytes: number;
  readonly collationId: number;
  readonly username: string;
  readonly authResponse: Buffer;
  /** null when the client names none. */
  readonly database: string | null;
  readonly authPluginName: string | null;
  /** Empty when not sent. */
  readonly connectAttributes: ConnectAttributes;
  /** 1 to 22, or null without CLIENT_ZSTD_COMPRESSION_ALGORITHM. */
  readonly zstdLevel: number | null;
}

const RESERVED_BYTES = 19;

/**
 * `capabilities` is what the server offered: clients leave a field out when the server did not offer it, whatever
 * flags they send. `authResponse` is a view.
 */
export function decodeHandshakeResponse41(view: Buffer, capabilities: number): HandshakeResponse41 {
  const reader = new BufferReader(view);
  const clientCapabilities = reader.readU32('capabilities');
  if (!hasCapability(clientCapabilities, Capability.CLIENT_PROTOCOL_41)) {
    throw new MalformedPacketError('CLIENT_PROTOCOL_41 is not set', 0);
  }
  const common = intersectCapabilities(clientCapabilities, capabilities);
  const maxPacketBytes = reader.readU32('maximum packet size');
  const collationId = reader.readU8('collation');
  reader.skip(RESERVED_BYTES, 'reserved');
  const lastReserved = reader.readU32('reserved');
  const isMariadb = !hasCapability(clientCapabilities | capabilities, Capability.CLIENT_LONG_PASSWORD);
  const username = reader.readNullTerminatedString('user name');
  const authResponse = readAuthResponse(reader, common);
  const database = hasCapability(common, Capability.CLIENT_CONNECT_WITH_DB)
    ? reader.readNullTerminatedOrRestString()
    : '';
  const authPluginName = hasCapability(common, Capability.CLIENT_PLUGIN_AUTH)
    ? reader.readNullTerminatedOrRestString()
    : '';
  const withAttributes = hasCapability(common, Capability.CLIENT_CONNECT_ATTRS) && reader.remaining > 0;
  const connectAttributes = withAttributes ? readConnectAttributes(reader) : {};
  const withZstd = hasCapability(common, Capability.CLIENT_ZSTD_COMPRESSION_ALGORITHM);
  return {
    capabilities: clientCapabilities,
    mariadbCapabilities: isMariadb ? lastReserved : 0,
    maxPacketBytes,
    collationId,
    username,
    authResponse,
    database: database === '' ? null : database,
    authPluginName: authPluginName === '' ? null : authPluginName,
    connectAttributes,
    zstdLevel: withZstd ? reader.readU8('zstd level') : null,
  };
}

/** `capabilities` is what the server offered; a field that it did not offer is left out. */
export function encodeHandshakeResponse41(value: HandshakeResponse41, capabilities: number): Buffer {
  const common = intersectCapabilities(value.capabilities, capabilities);
  const isMariadb = !hasCapability(value.capabilities | capabilities, Capability.CLIENT_LONG_PASSWORD);
  const writer = new BufferWriter()
    .writeU32(value.capabilities)
    .writeU32(value.maxPacketBytes)
    // One byte: a collation over 255 is chosen by SET NAMES after the handshake.
    .writeU8(value.collationId)
    .writeZeros(RESERVED_BYTES)
    .writeU32(isMariadb ? value.mariadbCapabilities : 0)
    .writeNullTerminatedString(value.username);
  writeAuthResponse(writer, value.authResponse, common);
  if (hasCapability(common, Capability.CLIENT_CONNECT_WITH_DB)) {
    writer.writeNullTerminatedString(value.database ?? '');
  }
  if (hasCapability(common, Capability.CLIENT_PLUGIN_AUTH)) {
    writer.writeNullTerminatedString(value.authPluginName ?? '');
  }
  if (hasCapability(common, Capability.CLIENT_CONNECT_ATTRS)) {
    writeConnectAttributes(writer, value.connectAttributes);
  }
  if (hasCapability(common, Capability.CLIENT_ZSTD_COMPRESSION_ALGORITHM))
    writer.writeU8(value.zstdLevel ?? 3);
  return writer.take();
}

function readAuthResponse(reader: BufferReader, common: number): Buffer {
  if (hasCapability(common, Capability.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA)) {
    return reader.readLenencBytes('auth response');
  }
  if (hasCapability(common, Capability.CLIENT_SECURE_CONNECTION)) {
    return reader.readBytes(reader.readU8('length of auth response'), 'auth response');
  }
  return reader.readNullTerminatedBytes('auth response');
}

function writeAuthResponse(writer: BufferWriter, authResponse: Buffer, common: number): void {
  if (hasCapability(common, Capability.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA)) {
    writer.writeLenencBytes(authResponse);
  } else if (hasCapability(common, Capability.CLIENT_SECURE_CONNECTION)) {
    writer.writeU8(authResponse.length).writeBytes(authResponse);
  } else {
    writer.writeNullTerminatedBytes(authResponse);
  }
}
