/** The library's public names. Code outside `protocol/` imports from here only. */

export {
  CACHING_SHA2_PASSWORD,
  sha2HashOf,
  sha2Scramble,
  sha2Stage2Of,
} from './auth/caching-sha2-password.ts';
export { MYSQL_CLEAR_PASSWORD } from './auth/clear-password.ts';
export { CLIENT_ED25519 } from './auth/client-ed25519.ts';
export {
  MYSQL_NATIVE_PASSWORD,
  nativeHashOf,
  nativeScramble,
  sha1,
  verifyNative,
} from './auth/mysql-native-password.ts';
export { createNonce } from './auth/nonce.ts';
export {
  Capability,
  type CapabilityName,
  capabilityNames,
  hasCapability,
  intersectCapabilities,
  MariadbCapability,
  uniteCapabilities,
  withoutCapabilities,
} from './constants/capability-flags.ts';
export { ColumnFlag } from './constants/column-flags.ts';
export { ColumnType } from './constants/column-types.ts';
export { Command, CommandName } from './constants/commands.ts';
export { SessionTrackType } from './constants/session-track.ts';
export { hasStatus, StatusFlag } from './constants/status-flags.ts';
export { BufferReader } from './encoding/buffer-reader.ts';
export { BufferWriter } from './encoding/buffer-writer.ts';
export {
  lenencSize,
  lenencSizeAt,
  readLenenc,
  readLenencNumber,
  writeLenenc,
} from './encoding/lenenc.ts';
export {
  IllegalTransitionError,
  MalformedPacketError,
  PacketOutOfOrderError,
  PacketTooLargeError,
  ProtocolError,
} from './errors.ts';
export type { Account, LearntSecrets, RsaKeyPair, Sha2Cache } from './exchange/account-verifier.ts';
export type { ClientPassword } from './exchange/client-credential.ts';
export {
  ClientHandshake,
  type ClientHandshakeOptions,
  type HandshakeFailure,
  type HandshakeStep,
} from './exchange/client-handshake.ts';
export {
  type AcceptedClient,
  type ChangeUserOptions,
  ServerHandshake,
  type ServerHandshakeOptions,
  type ServerHandshakeStep,
} from './exchange/server-handshake.ts';
export { parseServerVersion, type ServerVersion } from './exchange/server-version.ts';
export {
  fragmentCount,
  framePacket,
  MAX_FRAGMENT_BYTES,
  nextSequenceId,
  PACKET_HEADER_BYTES,
  writePacketHeader,
} from './framing/packet-header.ts';
export { PacketReader } from './framing/packet-reader.ts';
export {
  AUTH_MORE_DATA_HEADER,
  type AuthMoreData,
  decodeAuthMoreData,
  encodeAuthMoreData,
} from './packets/auth-more-data.ts';
export {
  AUTH_SWITCH_HEADER,
  type AuthSwitchRequest,
  challengeOf,
  decodeAuthSwitchRequest,
  encodeAuthSwitchRequest,
} from './packets/auth-switch-request.ts';
export {
  type AuthSwitchResponse,
  decodeAuthSwitchResponse,
  encodeAuthSwitchResponse,
} from './packets/auth-switch-response.ts';
export { type ComChangeUser, decodeComChangeUser, encodeComChangeUser } from './packets/com-change-user.ts';
export type { ConnectAttributes } from './packets/connect-attributes.ts';
export { decodeEof, EOF_HEADER, type EofPacket, encodeEof, frameEof, isEof } from './packets/eof.ts';
export {
  decodeErr,
  decodeProgressReport,
  ERR_HEADER,
  type ErrPacket,
  encodeErr,
  encodeProgressReport,
  frameErr,
  isProgressReport,
  type ProgressReport,
} from './packets/err.ts';
export {
  decodeHandshakeResponse41,
  encodeHandshakeResponse41,
  type HandshakeResponse41,
} from './packets/handshake-response-41.ts';
export { decodeHandshakeV10, encodeHandshakeV10, type HandshakeV10 } from './packets/handshake-v10.ts';
export { decodeOk, encodeOk, frameOk, type OkPacket, type OkValues } from './packets/ok.ts';
export {
  decodeSessionState,
  encodeSessionState,
  type SessionStateChange,
} from './packets/session-state.ts';
export {
  decodeSslRequest,
  encodeSslRequest,
  isSslRequest,
  type SslRequest,
} from './packets/ssl-request.ts';
