import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { MalformedPacketError } from '../errors.ts';

/**
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_auth_switch_request.html
 *
 * The header alone (`pluginName` null) is the request of servers before 5.5 for the old, insecure password proof.
 */
export interface AuthSwitchRequest {
  readonly pluginName: string | null;
  /** The challenge as sent; most plugins close it with a NUL, which is kept: see `challengeOf`. */
  readonly pluginData: Buffer;
}

export const AUTH_SWITCH_HEADER = 0xfe;
const CLOSED_CHALLENGE_BYTES = 21;

/** `pluginData` is a view. */
export function decodeAuthSwitchRequest(view: Buffer): AuthSwitchRequest {
  const reader = new BufferReader(view);
  if (reader.readU8('auth switch header') !== AUTH_SWITCH_HEADER) {
    throw new MalformedPacketError('auth switch header', 0);
  }
  if (reader.remaining === 0) return { pluginName: null, pluginData: Buffer.alloc(0) };
  const pluginName = reader.readNullTerminatedString('plugin name');
  return { pluginName, pluginData: reader.readRest() };
}

export function encodeAuthSwitchRequest(value: AuthSwitchRequest): Buffer {
  const writer = new BufferWriter().writeU8(AUTH_SWITCH_HEADER);
  if (value.pluginName !== null)
    writer.writeNullTerminatedString(value.pluginName).writeBytes(value.pluginData);
  return writer.take();
}

/**
 * The challenge without the NUL that closes it. Only the 20-byte challenges of MySQL's plugins have one; others
 * (client_ed25519: 32 random bytes) may end in a 0 of their own.
 */
export function challengeOf(pluginData: Buffer): Buffer {
  const isClosed = pluginData.length === CLOSED_CHALLENGE_BYTES && pluginData.at(-1) === 0;
  return isClosed ? pluginData.subarray(0, -1) : pluginData;
}
