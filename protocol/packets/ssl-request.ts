import { Capability, hasCapability } from '../constants/capability-flags.ts';
import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';

/**
 * The head of a HandshakeResponse41, sent alone to ask for TLS; the whole response follows inside TLS.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_ssl_request.html
 */
export interface SslRequest {
  readonly capabilities: number;
  readonly mariadbCapabilities: number;
  readonly maxPacketBytes: number;
  readonly collationId: number;
}

export const SSL_REQUEST_BYTES = 32;
const RESERVED_BYTES = 19;

/** Whether the client's first packet is an SSLRequest rather than a HandshakeResponse41. */
export function isSslRequest(view: Buffer): boolean {
  return view.length === SSL_REQUEST_BYTES && hasCapability(view.readUInt32LE(0), Capability.CLIENT_SSL);
}

export function decodeSslRequest(view: Buffer): SslRequest {
  const reader = new BufferReader(view);
  const capabilities = reader.readU32('capabilities');
  const maxPacketBytes = reader.readU32('maximum packet size');
  const collationId = reader.readU8('collation');
  reader.skip(RESERVED_BYTES, 'reserved');
  const lastReserved = reader.readU32('reserved');
  const isMariadb = !hasCapability(capabilities, Capability.CLIENT_LONG_PASSWORD);
  return { capabilities, mariadbCapabilities: isMariadb ? lastReserved : 0, maxPacketBytes, collationId };
}

export function encodeSslRequest(value: SslRequest): Buffer {
  const isMariadb = !hasCapability(value.capabilities, Capability.CLIENT_LONG_PASSWORD);
  return new BufferWriter(SSL_REQUEST_BYTES)
    .writeU32(value.capabilities)
    .writeU32(value.maxPacketBytes)
    .writeU8(value.collationId)
    .writeZeros(RESERVED_BYTES)
    .writeU32(isMariadb ? value.mariadbCapabilities : 0)
    .take();
}
