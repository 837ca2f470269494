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
  credentialOfPassword,
  credentialText,
  isWellFormed,
  passwordCheckSlices,
  passwordMatches,
  type StoredCredential,
} from './auth/stored-credential.ts';
export { inflateBinlogBytes, inflatedBinlogBytes } from './binlog/compressed-bytes.ts';
export {
  type ComBinlogDump,
  type ComBinlogDumpGtid,
  DumpFlag,
  decodeComBinlogDump,
  decodeComBinlogDumpGtid,
  encodeComBinlogDump,
  encodeComBinlogDumpGtid,
} from './binlog/dump-command.ts';
export { DumpReader, type DumpReaderOptions, type DumpSink } from './binlog/dump-reader.ts';
export { EventChecksumError } from './binlog/event-checksum.ts';
export {
  BINLOG_CHECKSUM_BYTES,
  BINLOG_EVENT_HEADER_BYTES,
  type BinlogEventHeader,
  decodeEventHeader,
  emptyEventHeader,
  readEventHeader,
  writeEventHeader,
} from './binlog/event-header.ts';
export { BinlogEventFlag, BinlogEventType, binlogEventName } from './binlog/event-type.ts';
export {
  BinlogChecksum,
  decodeFormatDescription,
  type FormatDescription,
  postHeaderBytes,
} from './binlog/format-description.ts';
export {
  decodeGtidList,
  decodeMariadbGtid,
  decodeMysqlGtid,
  decodePreviousGtids,
  type GtidInterval,
  type MariadbGtid,
  MariadbGtidFlag,
  type MariadbGtidListEntry,
  type MysqlGtid,
  type MysqlGtidIntervals,
} from './binlog/gtid-events.ts';
export {
  decodeCompressedQueryEvent,
  decodeQueryEvent,
  isBeginEvent,
  type QueryEvent,
  type QueryStatus,
} from './binlog/query-event.ts';
export {
  type ImageColumns,
  IS_NULL,
  imageColumns,
  NOT_IN_IMAGE,
  RowImageReader,
} from './binlog/row-image.ts';
export {
  decodeRowsHeader,
  endsStatement,
  isRowsEvent,
  type RowsHeader,
  RowsOperation,
  rowsTableId,
} from './binlog/rows-header.ts';
export {
  decodeAnnotateRows,
  decodeBinlogCheckpoint,
  decodeHeartbeat,
  decodeHeartbeatV2,
  decodeIncident,
  decodeRotate,
  decodeRowsQuery,
  decodeStartEncryption,
  decodeXaPrepare,
  decodeXid,
  type HeartbeatEvent,
  type IncidentEvent,
  type RotateEvent,
  type StartEncryptionEvent,
  type XaPrepareEvent,
} from './binlog/small-events.ts';
export {
  columnTypeOf,
  decodeTableMap,
  isNullable,
  MariadbColumnType,
  stringLengthOf,
  type TableMap,
} from './binlog/table-map.ts';
export {
  NO_TABLE_MAP_METADATA,
  type PrimaryKeyPart,
  type TableMapMetadata,
} from './binlog/table-map-metadata.ts';
export {
  decodeTransactionPayload,
  eachPackedEvent,
  PayloadCompression,
  type TransactionPayload,
  unpackTransaction,
} from './binlog/transaction-payload.ts';
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
export {
  type Collation,
  charsetNames,
  collationNamed,
  collationOf,
  defaultCollationIdOf,
  handshakeCollationId,
} from './constants/character-sets.ts';
export { ColumnFlag } from './constants/column-flags.ts';
export { ColumnType } from './constants/column-types.ts';
export { Command, CommandName } from './constants/commands.ts';
export { errorNameOf, sqlStateOf } from './constants/error-codes.ts';
export { SessionTrackType } from './constants/session-track.ts';
export { hasStatus, SESSION_STATUS_FLAGS, StatusFlag } from './constants/status-flags.ts';
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
export type {
  Account,
  CachedSecret,
  LearntSecrets,
  PasswordCheck,
  RsaKeyPair,
  SecretCache,
} from './exchange/account-verifier.ts';
export type { ClientPassword } from './exchange/client-credential.ts';
export {
  ClientHandshake,
  type HandshakeFailure,
  type HandshakeStep,
} from './exchange/client-handshake.ts';
export type { ClientHandshakeOptions } from './exchange/client-negotiation.ts';
export { AnswerShape, type ResponseSink } from './exchange/response-sink.ts';
export { ResponseTracker } from './exchange/response-tracker.ts';
export type { AnswerParts } from './exchange/result-sequence.ts';
export {
  type ResultsetLayout,
  readResultset,
  reshapeResultset,
  withStatusFlags,
} from './exchange/resultset-bytes.ts';
export {
  type AcceptedClient,
  type ChangeUserOptions,
  ServerHandshake,
  type ServerHandshakeOptions,
  type ServerHandshakeStep,
} from './exchange/server-handshake.ts';
export { parseServerVersion, type ServerVersion } from './exchange/server-version.ts';
export {
  COMPRESSED_HEADER_BYTES,
  type CompressedFrame,
  CompressedFrameReader,
  CompressionAlgorithm,
  checkInflated,
  compressedFrame,
  inflateFailure,
  inflateOptions,
  inflatePayload,
  MIN_COMPRESS_BYTES,
} from './framing/compressed-frame.ts';
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
export type { BinaryParameters, ParameterType } from './packets/binary-parameters.ts';
export { type BinaryRow, decodeBinaryRow, encodeBinaryRow } from './packets/binary-row.ts';
export type { BinaryType, BinaryValue, DateTimeValue, TimeValue } from './packets/binary-value.ts';
export {
  type ColumnCount,
  type ColumnCountOptions,
  decodeColumnCount,
  encodeColumnCount,
} from './packets/column-count.ts';
export {
  type ColumnDefinition41,
  type ColumnDefinitionOptions,
  decodeColumnDefinition41,
  type ExtendedMetadata,
  encodeColumnDefinition41,
} from './packets/column-definition-41.ts';
export { type ComChangeUser, decodeComChangeUser, encodeComChangeUser } from './packets/com-change-user.ts';
export { type ComFieldList, decodeComFieldList, encodeComFieldList } from './packets/com-field-list.ts';
export { encodeBareCommand } from './packets/com-header.ts';
export { type ComInitDb, decodeComInitDb, encodeComInitDb } from './packets/com-init-db.ts';
export {
  type ComProcessKill,
  decodeComProcessKill,
  encodeComProcessKill,
} from './packets/com-process-kill.ts';
export {
  type ComQuery,
  comQueryTextOffset,
  decodeComQuery,
  encodeComQuery,
  type QueryAttribute,
} from './packets/com-query.ts';
export {
  type ComSetOption,
  decodeComSetOption,
  encodeComSetOption,
  SetOption,
} from './packets/com-set-option.ts';
export {
  type ComStmtExecute,
  type ComStmtExecuteHead,
  CursorFlag,
  decodeComStmtExecute,
  decodeComStmtExecuteHead,
  type ExecuteContext,
  encodeComStmtExecute,
} from './packets/com-stmt-execute.ts';
export {
  type ComStmtPrepareOk,
  decodeComStmtPrepareOk,
  encodeComStmtPrepareOk,
} from './packets/com-stmt-prepare-ok.ts';
export {
  type ComStmtClose,
  type ComStmtFetch,
  type ComStmtPrepare,
  type ComStmtReset,
  type ComStmtSendLongData,
  decodeComStmtClose,
  decodeComStmtFetch,
  decodeComStmtPrepare,
  decodeComStmtReset,
  decodeComStmtSendLongData,
  encodeComStmtClose,
  encodeComStmtFetch,
  encodeComStmtPrepare,
  encodeComStmtReset,
  encodeComStmtSendLongData,
} from './packets/com-stmt-simple.ts';
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
export {
  decodeLocalInfileRequest,
  encodeLocalInfileRequest,
  LOCAL_INFILE_HEADER,
  type LocalInfileRequest,
} from './packets/local-infile-request.ts';
export { decodeOk, encodeOk, frameOk, type OkPacket, type OkValues } from './packets/ok.ts';
export { type ParameterBlock, parametersOverrun } from './packets/parameter-extent.ts';
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
export {
  encodeResultColumn,
  encodeTextResultset,
  type ResultColumn,
  type ResultsetContext,
  ResultsetWriter,
  type RowFormat,
} from './packets/text-resultset.ts';
export { decodeTextRow, encodeTextRow, type TextRow, type TextValue } from './packets/text-row.ts';
export { crc32c } from './proxy/crc32c.ts';
export { type ProxyEndpoint, type ProxyHeader, parseProxyHeader } from './proxy/proxy-header.ts';
