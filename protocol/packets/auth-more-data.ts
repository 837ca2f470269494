import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { MalformedPacketError } from '../errors.ts';

/**
 * The server's further words within an authentication plugin.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_auth_more_data.html
 */
export interface AuthMoreData {
  readonly data: Buffer;
}

export const AUTH_MORE_DATA_HEADER = 0x01;

/** `data` is a view. */
export function decodeAuthMoreData(view: Buffer): AuthMoreData {
  const reader = new BufferReader(view);
  if (reader.readU8('auth more data header') !== AUTH_MORE_DATA_HEADER) {
    throw new MalformedPacketError('auth more data header', 0);
  }
  return { data: reader.readRest() };
}

export function encodeAuthMoreData(value: AuthMoreData): Buffer {
  return new BufferWriter(1 + value.data.length).writeU8(AUTH_MORE_DATA_HEADER).writeBytes(value.data).take();
}
