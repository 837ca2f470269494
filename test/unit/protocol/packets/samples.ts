/** Every packet of the library with values worth trying: the round-trip, truncation and fuzz tests all read this table. */

import {
  Capability,
  ColumnType,
  decodeAuthMoreData,
  decodeAuthSwitchRequest,
  decodeBinaryRow,
  decodeColumnCount,
  decodeColumnDefinition41,
  decodeComChangeUser,
  decodeComFieldList,
  decodeComInitDb,
  decodeComProcessKill,
  decodeComQuery,
  decodeComSetOption,
  decodeComStmtClose,
  decodeComStmtExecute,
  decodeComStmtFetch,
  decodeComStmtPrepare,
  decodeComStmtPrepareOk,
  decodeComStmtReset,
  decodeComStmtSendLongData,
  decodeEof,
  decodeErr,
  decodeHandshakeResponse41,
  decodeHandshakeV10,
  decodeLocalInfileRequest,
  decodeOk,
  decodeProgressReport,
  decodeSessionState,
  decodeSslRequest,
  decodeTextRow,
  encodeAuthMoreData,
  encodeAuthSwitchRequest,
  encodeBinaryRow,
  encodeColumnCount,
  encodeColumnDefinition41,
  encodeComChangeUser,
  encodeComFieldList,
  encodeComInitDb,
  encodeComProcessKill,
  encodeComQuery,
  encodeComSetOption,
  encodeComStmtClose,
  encodeComStmtExecute,
  encodeComStmtFetch,
  encodeComStmtPrepare,
  encodeComStmtPrepareOk,
  encodeComStmtReset,
  encodeComStmtSendLongData,
  encodeEof,
  encodeErr,
  encodeHandshakeResponse41,
  encodeHandshakeV10,
  encodeLocalInfileRequest,
  encodeOk,
  encodeProgressReport,
  encodeSessionState,
  encodeSslRequest,
  encodeTextRow,
  type OkPacket,
  SessionTrackType,
  StatusFlag,
  uniteCapabilities,
  withoutCapabilities,
} from '../../../../protocol/index.ts';

export interface PacketSample {
  readonly name: string;
  readonly value: unknown;
  readonly encoded: Buffer;
  readonly decode: (view: Buffer) => unknown;
}

const ALL = uniteCapabilities(...Object.values(Capability));
const BASIC = uniteCapabilities(Capability.CLIENT_PROTOCOL_41, Capability.CLIENT_SECURE_CONNECTION);
const MARIADB = withoutCapabilities(ALL, Capability.CLIENT_LONG_PASSWORD);
const bytes = (text: string): Buffer => Buffer.from(text);
const nonce = Buffer.from('ABCDEFGHIJKLMNOPQRST');

function of<T>(
  name: string,
  decode: (view: Buffer) => T,
  encode: (value: T) => Buffer,
  ...values: readonly T[]
): PacketSample[] {
  return values.map((value, index) => ({
    name: values.length === 1 ? name : `${name} ${index + 1}`,
    value,
    encoded: encode(value),
    decode,
  }));
}

const ok: OkPacket = {
  header: 0x00,
  affectedRows: 0,
  lastInsertId: 0,
  statusFlags: StatusFlag.SERVER_STATUS_AUTOCOMMIT,
  warnings: 0,
  info: bytes(''),
  sessionState: null,
};
const trackedStatus = StatusFlag.SERVER_STATUS_AUTOCOMMIT | StatusFlag.SERVER_SESSION_STATE_CHANGED;
const longInfo = bytes('x'.repeat(251));
const tracked = { ...ok, statusFlags: trackedStatus, sessionState: bytes('\x01\x05\x04test') };

const login = {
  username: 'jürgen',
  authResponse: Buffer.alloc(20, 7),
  database: 'shop',
  authPluginName: 'mysql_native_password',
  connectAttributes: { _client_name: 'tést', empty: '', long: 'v'.repeat(300) },
};
const response = { ...login, maxPacketBytes: 2 ** 24, collationId: 45, mariadbCapabilities: 0, zstdLevel: 3 };
const bare = { database: null, authPluginName: null, connectAttributes: {}, zstdLevel: null };

const greeting = {
  serverVersion: '8.0.40',
  threadId: 0xfedcba98,
  authPluginData: nonce,
  capabilities: ALL,
  mariadbCapabilities: 0,
  collationId: 255,
  statusFlags: 2,
  authPluginName: 'caching_sha2_password',
};

const column = {
  catalog: 'def',
  schema: 'shop',
  table: 'o',
  orgTable: 'orders',
  name: 'größe',
  orgName: 'size',
  extendedMetadata: [],
  collationId: 45,
  columnLength: 2 ** 32 - 1,
  type: ColumnType.MYSQL_TYPE_VAR_STRING,
  flags: 0x1001,
  decimals: 31,
  defaultValue: undefined,
};

const type = (code: number, unsigned = false) => ({ type: code, unsigned });
const dateTime = { year: 2026, month: 11, day: 20, hour: 0, minute: 0, second: 0, microsecond: 0 };
const span = { negative: true, days: 34, hours: 22, minutes: 59, seconds: 58, microseconds: 0 };
const rowTypes = [
  type(ColumnType.MYSQL_TYPE_TINY),
  type(ColumnType.MYSQL_TYPE_TINY, true),
  type(ColumnType.MYSQL_TYPE_YEAR, true),
  type(ColumnType.MYSQL_TYPE_SHORT),
  type(ColumnType.MYSQL_TYPE_INT24),
  type(ColumnType.MYSQL_TYPE_LONG, true),
  type(ColumnType.MYSQL_TYPE_LONGLONG),
  type(ColumnType.MYSQL_TYPE_LONGLONG, true),
  type(ColumnType.MYSQL_TYPE_FLOAT),
  type(ColumnType.MYSQL_TYPE_DOUBLE),
  type(ColumnType.MYSQL_TYPE_NEWDECIMAL),
  type(ColumnType.MYSQL_TYPE_BLOB),
  type(ColumnType.MYSQL_TYPE_DATE),
  type(ColumnType.MYSQL_TYPE_DATETIME),
  type(ColumnType.MYSQL_TYPE_TIMESTAMP),
  type(ColumnType.MYSQL_TYPE_DATETIME),
  type(ColumnType.MYSQL_TYPE_TIME),
  type(ColumnType.MYSQL_TYPE_TIME),
  type(ColumnType.MYSQL_TYPE_TIME),
];
const rowValues = [
  -128,
  255,
  2026,
  -32_768,
  -8_388_608,
  4_294_967_295,
  -(2n ** 63n),
  2n ** 64n - 1n,
  1.5,
  Math.PI,
  bytes('-1.50'),
  Buffer.alloc(300, 1),
  dateTime,
  { ...dateTime, year: 0, month: 0, day: 0 },
  { ...dateTime, second: 59 },
  { ...dateTime, hour: 23, microsecond: 999_999 },
  span,
  { ...span, microseconds: 1 },
  { negative: false, days: 0, hours: 0, minutes: 0, seconds: 0, microseconds: 0 },
];

const parameters = {
  typesSent: true,
  types: [
    { ...type(ColumnType.MYSQL_TYPE_LONGLONG, true), name: '' },
    { ...type(ColumnType.MYSQL_TYPE_VAR_STRING), name: '' },
    { ...type(ColumnType.MYSQL_TYPE_TIME), name: '' },
  ],
  values: [2n ** 64n - 1n, null, span],
};
const execute = { statementId: 7, flags: 0, iterationCount: 1, ...parameters };
const named = (name: string) => parameters.types.map((one) => ({ ...one, name }));
const withAttributes = { ...execute, flags: 8, types: named('trace') };

export const samples: readonly PacketSample[] = [
  ...of(
    'HandshakeV10',
    decodeHandshakeV10,
    encodeHandshakeV10,
    greeting,
    { ...greeting, capabilities: MARIADB, mariadbCapabilities: 0x1d, serverVersion: '5.5.5-10.11.6-MariaDB' },
    {
      ...greeting,
      capabilities: withoutCapabilities(ALL, Capability.CLIENT_PLUGIN_AUTH),
      authPluginName: null,
    },
    { ...greeting, authPluginData: Buffer.alloc(32, 9) },
    {
      ...greeting,
      capabilities: Capability.CLIENT_LONG_PASSWORD,
      authPluginData: Buffer.alloc(8, 9),
      authPluginName: null,
    },
  ),
  ...of(
    'HandshakeResponse41, everything offered',
    (view) => decodeHandshakeResponse41(view, ALL),
    (value) => encodeHandshakeResponse41(value, ALL),
    { ...response, capabilities: ALL },
    { ...response, capabilities: ALL, authResponse: Buffer.alloc(300, 1), username: '' },
    { ...response, ...bare, capabilities: BASIC },
    {
      ...response,
      ...bare,
      capabilities: Capability.CLIENT_PROTOCOL_41,
      authResponse: bytes('old'),
    },
  ),
  ...of(
    'HandshakeResponse41, MariaDB',
    (view) => decodeHandshakeResponse41(view, MARIADB),
    (value) => encodeHandshakeResponse41(value, MARIADB),
    { ...response, capabilities: MARIADB, mariadbCapabilities: 0x1f },
  ),
  ...of(
    'HandshakeResponse41, more claimed than was offered',
    (view) => decodeHandshakeResponse41(view, BASIC),
    (value) => encodeHandshakeResponse41(value, BASIC),
    { ...response, ...bare, capabilities: ALL },
  ),
  ...of(
    'SSLRequest',
    decodeSslRequest,
    encodeSslRequest,
    { capabilities: ALL, mariadbCapabilities: 0, maxPacketBytes: 2 ** 24, collationId: 45 },
    { capabilities: MARIADB, mariadbCapabilities: 4, maxPacketBytes: 0, collationId: 8 },
  ),
  ...of(
    'AuthSwitchRequest',
    decodeAuthSwitchRequest,
    encodeAuthSwitchRequest,
    { pluginName: 'mysql_native_password', pluginData: Buffer.concat([nonce, Buffer.alloc(1)]) },
    { pluginName: null, pluginData: bytes('') },
  ),
  ...of(
    'AuthMoreData',
    decodeAuthMoreData,
    encodeAuthMoreData,
    { data: Buffer.from([3]) },
    { data: bytes('') },
  ),
  ...of(
    'OK, session tracking',
    (view) => decodeOk(view, ALL),
    (value) => encodeOk(value, ALL),
    ok,
    { ...ok, affectedRows: 251, lastInsertId: 2n ** 64n - 1n, warnings: 65_535 },
    { ...ok, header: 0xfe as const, info: bytes('Rows matched: 1') },
    tracked,
    { ...tracked, info: longInfo, affectedRows: 2 ** 53 - 1 },
  ),
  ...of(
    'OK, no session tracking',
    (view) => decodeOk(view, BASIC),
    (value) => encodeOk(value, BASIC),
    ok,
    { ...ok, info: longInfo },
    { ...ok, info: bytes('Records: 3') },
  ),
  ...of(
    'OK, before 4.1',
    (view) => decodeOk(view, Capability.CLIENT_TRANSACTIONS),
    (value) => encodeOk(value, Capability.CLIENT_TRANSACTIONS),
    ok,
  ),
  ...of(
    'ERR',
    decodeErr,
    (value) => encodeErr(value, ALL),
    { errno: 1045, sqlState: '28000', message: "Access denied for user 'ü'@'h'" },
    { errno: 1064, sqlState: '42000', message: '' },
  ),
  ...of('ERR without SQLSTATE', decodeErr, (value) => encodeErr(value, 0), {
    errno: 1040,
    sqlState: 'HY000',
    message: 'Too many connections',
  }),
  ...of('progress report', decodeProgressReport, encodeProgressReport, {
    stage: 1,
    maxStage: 2,
    progress: 54_321,
    info: 'copy to tmp table',
  }),
  ...of(
    'EOF',
    (view) => decodeEof(view, ALL),
    (value) => encodeEof(value, ALL),
    { statusFlags: 0x22, warnings: 3 },
  ),
  ...of(
    'session state',
    decodeSessionState,
    encodeSessionState,
    [],
    [
      { type: SessionTrackType.SYSTEM_VARIABLES, name: 'autocommit', value: 'ON' },
      { type: SessionTrackType.SYSTEM_VARIABLES, name: 'sql_mode', value: 'x'.repeat(260) },
      { type: SessionTrackType.SCHEMA, schema: 'größe' },
      { type: SessionTrackType.STATE_CHANGE, value: '1' },
      { type: SessionTrackType.GTIDS, encoding: 0, gtids: '3E11FA47-71CA-11E1-9E33-C80AA9429562:23' },
      { type: SessionTrackType.TRANSACTION_CHARACTERISTICS, characteristics: 'START TRANSACTION READ ONLY;' },
      { type: SessionTrackType.TRANSACTION_STATE, state: 'T_______' },
      { type: 'unknown', code: 77, data: bytes('future') },
    ],
  ),
  ...of(
    'column definition',
    (view) => decodeColumnDefinition41(view),
    (value) => encodeColumnDefinition41(value),
    column,
    { ...column, defaultValue: null },
    { ...column, defaultValue: bytes('0') },
    { ...column, name: '', schema: '', table: '', orgTable: '', orgName: '' },
  ),
  ...of(
    'column definition with extended metadata',
    (view) => decodeColumnDefinition41(view, { extendedMetadata: true }),
    (value) => encodeColumnDefinition41(value, { extendedMetadata: true }),
    column,
    {
      ...column,
      extendedMetadata: [
        { kind: 0, value: 'inet6' },
        { kind: 1, value: 'json' },
      ],
    },
  ),
  ...of(
    'column count',
    (view) => decodeColumnCount(view, BASIC),
    (value) => encodeColumnCount(value, BASIC),
    { columnCount: 1, metadataFollows: true },
    { columnCount: 4096, metadataFollows: true },
  ),
  ...of(
    'column count with optional metadata',
    (view) => decodeColumnCount(view, ALL),
    (value) => encodeColumnCount(value, ALL),
    { columnCount: 300, metadataFollows: false },
  ),
  ...of(
    'column count with cached metadata',
    (view) => decodeColumnCount(view, BASIC, { cacheMetadata: true }),
    (value) => encodeColumnCount(value, BASIC, { cacheMetadata: true }),
    { columnCount: 300, metadataFollows: false },
  ),
  ...of(
    'text row',
    (view) => decodeTextRow(view, 4),
    (value) => encodeTextRow(value),
    [bytes(''), null, bytes('ü'), Buffer.alloc(300, 1)],
  ),
  ...of(
    'binary row',
    (view) => decodeBinaryRow(view, rowTypes),
    (value) => encodeBinaryRow(value, rowTypes),
    rowValues,
    rowValues.map(() => null),
    rowValues.map((value, index) => (index % 2 === 0 ? value : null)),
  ),
  ...of('LOCAL INFILE request', decodeLocalInfileRequest, encodeLocalInfileRequest, {
    filename: '/tmp/größe',
  }),
  ...of('COM_INIT_DB', decodeComInitDb, encodeComInitDb, { schema: bytes('shop') }),
  ...of('COM_SET_OPTION', decodeComSetOption, encodeComSetOption, { option: 1 }),
  ...of('COM_PROCESS_KILL', decodeComProcessKill, encodeComProcessKill, { threadId: 0xfedcba98 }),
  ...of(
    'COM_FIELD_LIST',
    decodeComFieldList,
    encodeComFieldList,
    { table: 't', wildcard: '%' },
    { table: 't', wildcard: '' },
  ),
  ...of('COM_STMT_PREPARE', decodeComStmtPrepare, encodeComStmtPrepare, { query: bytes('SELECT ?') }),
  ...of('COM_STMT_CLOSE', decodeComStmtClose, encodeComStmtClose, { statementId: 1 }),
  ...of('COM_STMT_RESET', decodeComStmtReset, encodeComStmtReset, { statementId: 2 ** 32 - 1 }),
  ...of('COM_STMT_FETCH', decodeComStmtFetch, encodeComStmtFetch, { statementId: 3, rowCount: 100 }),
  ...of(
    'COM_STMT_SEND_LONG_DATA',
    decodeComStmtSendLongData,
    encodeComStmtSendLongData,
    { statementId: 1, parameterIndex: 65_535, data: bytes('data') },
    { statementId: 1, parameterIndex: 0, data: bytes('') },
  ),
  ...of(
    'COM_STMT_PREPARE_OK',
    (view) => decodeComStmtPrepareOk(view, BASIC),
    (value) => encodeComStmtPrepareOk(value, BASIC),
    { statementId: 9, columnCount: 65_535, parameterCount: 2, warnings: 1, metadataFollows: true },
  ),
  ...of(
    'COM_STMT_PREPARE_OK with optional metadata',
    (view) => decodeComStmtPrepareOk(view, ALL),
    (value) => encodeComStmtPrepareOk(value, ALL),
    { statementId: 9, columnCount: 1, parameterCount: 2, warnings: 0, metadataFollows: false },
  ),
  ...of(
    'COM_STMT_EXECUTE',
    (view) => decodeComStmtExecute(view, BASIC, { parameterCount: 3, knownTypes: parameters.types }),
    (value) => encodeComStmtExecute(value, BASIC),
    execute,
    { ...execute, typesSent: false },
  ),
  ...of(
    'COM_STMT_EXECUTE without parameters',
    (view) => decodeComStmtExecute(view, BASIC, { parameterCount: 0 }),
    (value) => encodeComStmtExecute(value, BASIC),
    { statementId: 1, flags: 1, iterationCount: 1, typesSent: false, types: [], values: [] },
  ),
  ...of(
    'COM_STMT_EXECUTE with long data',
    (view) => decodeComStmtExecute(view, BASIC, { parameterCount: 3, longData: new Set([2]) }),
    (value) => encodeComStmtExecute(value, BASIC),
    { ...execute, values: [1n, null, undefined] },
  ),
  ...of(
    'COM_STMT_EXECUTE with query attributes',
    (view) => decodeComStmtExecute(view, ALL, { parameterCount: 1 }),
    (value) => encodeComStmtExecute(value, ALL),
    withAttributes,
  ),
  ...of(
    'COM_QUERY',
    (view) => decodeComQuery(view, BASIC),
    (value) => encodeComQuery(value, BASIC),
    { attributes: [], query: bytes('SELECT 1') },
    { attributes: [], query: bytes('') },
  ),
  ...of(
    'COM_QUERY with query attributes',
    (view) => decodeComQuery(view, ALL),
    (value) => encodeComQuery(value, ALL),
    { attributes: [], query: bytes('SELECT 1') },
    {
      attributes: [
        { type: { ...type(ColumnType.MYSQL_TYPE_STRING), name: 'traceparent' }, value: bytes('00-ab') },
        { type: { ...type(ColumnType.MYSQL_TYPE_LONG), name: '' }, value: null },
      ],
      query: bytes('SELECT 1'),
    },
  ),
  ...of(
    'COM_CHANGE_USER',
    (view) => decodeComChangeUser(view, ALL),
    (value) => encodeComChangeUser(value, ALL),
    { ...login, collationId: 2304 },
    { ...login, collationId: null, authPluginName: null, connectAttributes: {}, database: null },
  ),
  ...of(
    'COM_CHANGE_USER, basic',
    (view) => decodeComChangeUser(view, BASIC),
    (value) => encodeComChangeUser(value, BASIC),
    { ...login, collationId: 8, authPluginName: null, connectAttributes: {} },
  ),
];
