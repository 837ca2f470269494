/** A body of every kind of event, and what it means: the tests of values, truncation and noise all read this table. */

import { deflateSync, zstdCompressSync } from 'node:zlib';
import {
  BinlogEventType,
  BufferWriter,
  ColumnType,
  decodeBinlogCheckpoint,
  decodeComBinlogDump,
  decodeComBinlogDumpGtid,
  decodeCompressedQueryEvent,
  decodeEventHeader,
  decodeFormatDescription,
  decodeGtidList,
  decodeHeartbeat,
  decodeHeartbeatV2,
  decodeIncident,
  decodeMariadbGtid,
  decodeMysqlGtid,
  decodePreviousGtids,
  decodeQueryEvent,
  decodeRotate,
  decodeRowsHeader,
  decodeRowsQuery,
  decodeStartEncryption,
  decodeTableMap,
  decodeTransactionPayload,
  decodeXaPrepare,
  decodeXid,
  eachPackedEvent,
  encodeComBinlogDump,
  encodeComBinlogDumpGtid,
  NO_TABLE_MAP_METADATA,
  unpackTransaction,
} from '../../../../protocol/index.ts';
import { descriptionBody, makeEvent } from './make-event.ts';

export interface EventSample {
  readonly name: string;
  readonly body: Buffer;
  readonly decode: (body: Buffer) => unknown;
  readonly value: unknown;
  /** A shorter body is another value, and no error. */
  readonly mayEndEarly?: boolean;
}

const UUID = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const UUID_BYTES = Buffer.from(UUID.replaceAll('-', ''), 'hex');
const w = (): BufferWriter => new BufferWriter();

function query(text: Buffer | string, status: Buffer = STATUS, extra: Buffer = Buffer.alloc(0)): Buffer {
  return w()
    .writeU32(42)
    .writeU32(1)
    .writeU8(4)
    .writeU16(0)
    .writeU16(status.length)
    .writeBytes(extra)
    .writeBytes(status)
    .writeNullTerminatedString('shop')
    .writeBytes(Buffer.from(text))
    .take();
}

/** The usual ones of a server: flags, sql_mode, catalog, auto_increment, character sets, invoker, schemas, microseconds. */
const STATUS = w()
  .writeU8(0)
  .writeU32(0)
  .writeU8(1)
  .writeU64(4n)
  .writeU8(6)
  .writeU8(3)
  .writeString('std')
  .writeU8(3)
  .writeU16(1)
  .writeU16(1)
  .writeU8(4)
  .writeU16(45)
  .writeU16(45)
  .writeU16(8)
  .writeU8(11)
  .writeU8(1)
  .writeString('u')
  .writeU8(1)
  .writeString('h')
  .writeU8(12)
  .writeU8(2)
  .writeNullTerminatedString('a')
  .writeNullTerminatedString('b')
  .writeU8(128)
  .writeU24(7)
  .writeU8(129)
  .writeU64(9n)
  .take();
const QUERY = { threadId: 42, errorCode: 0, schema: 'shop' };
const READ_STATUS = { sqlMode: 4n, clientCollationId: 45, isComplete: true };

function packed(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x82, bytes.length >> 8, bytes.length & 0xff]), deflateSync(bytes)]);
}

const LONG_TEXT = 'UPDATE t SET v = 1 WHERE '.repeat(20);

/** id INT UNSIGNED, name VARCHAR(100), price DECIMAL(10,2), kind ENUM, blob, at DATETIME(3). */
const COLUMN_TYPES = [
  ColumnType.MYSQL_TYPE_LONG,
  ColumnType.MYSQL_TYPE_VARCHAR,
  ColumnType.MYSQL_TYPE_NEWDECIMAL,
  ColumnType.MYSQL_TYPE_STRING,
  ColumnType.MYSQL_TYPE_BLOB,
  ColumnType.MYSQL_TYPE_DATETIME2,
];
const TABLE_MAP = w()
  .writeU24(0x0605_04)
  .writeU24(1)
  .writeU16(1)
  .writeLenencString('shop')
  .writeU8(0)
  .writeLenencString('ärmel')
  .writeU8(0)
  .writeLenenc(COLUMN_TYPES.length)
  .writeBytes(Buffer.from(COLUMN_TYPES))
  .writeLenencBytes(
    w()
      .writeU16(400)
      .writeU8(10)
      .writeU8(2)
      .writeU8(ColumnType.MYSQL_TYPE_ENUM)
      .writeU8(1)
      .writeU8(2)
      .writeU8(3)
      .take(),
  )
  .writeU8(0b111110)
  .take();
const TABLE = {
  tableId: 0x01_060504,
  flags: 1,
  schema: 'shop',
  table: 'ärmel',
  columnTypes: Uint8Array.from(COLUMN_TYPES),
  columnMetadata: Uint16Array.of(0, 400, 10 | (2 << 8), ColumnType.MYSQL_TYPE_ENUM | (1 << 8), 2, 3),
  nullableColumns: Uint8Array.of(0b111110),
};

function field(type: number, value: BufferWriter): Buffer {
  return w().writeU8(type).writeLenencBytes(value.take()).take();
}

const METADATA = Buffer.concat([
  field(1, w().writeU8(0b1000_0000)),
  field(2, w().writeLenenc(45).writeLenenc(1).writeLenenc(63)),
  field(4, w().writeLenencString('id').writeLenencString('name')),
  field(9, w().writeLenenc(0).writeLenenc(0).writeLenenc(1).writeLenenc(10)),
  field(99, w().writeU32(1)),
]);

function rows(columns: number, ...rest: readonly number[]): BufferWriter {
  return w().writeU24(5).writeU24(0).writeU16(1).writeBytes(Buffer.from(rest)).writeLenenc(columns);
}

const INNER = Buffer.concat([
  makeEvent(BinlogEventType.QUERY_EVENT, query('BEGIN'), { checksum: false }),
  makeEvent(BinlogEventType.XID_EVENT, w().writeU64(5n).take(), { checksum: false }),
]);
const ZSTD = zstdCompressSync(INNER);

function payload(bytes: Buffer, compression: number): Buffer {
  return w()
    .writeLenenc(2)
    .writeLenencBytes(w().writeLenenc(compression).take())
    .writeLenenc(3)
    .writeLenencBytes(w().writeLenenc(INNER.length).take())
    .writeLenenc(1)
    .writeLenencBytes(w().writeLenenc(bytes.length).take())
    .writeLenenc(0)
    .writeBytes(bytes)
    .take();
}

function packedTypes(body: Buffer): readonly number[] {
  const types: number[] = [];
  const unpacked = unpackTransaction(decodeTransactionPayload(body), 100_000);
  eachPackedEvent(unpacked, ({ eventType }) => types.push(eventType));
  return types;
}

const { QUERY_EVENT, XID_EVENT, WRITE_ROWS_EVENT_V1, UPDATE_ROWS_EVENT, PARTIAL_UPDATE_ROWS_EVENT } =
  BinlogEventType;
const DUMP = { position: 4, flags: 0, serverId: 4_000_000_000, file: 'binlog.000042' };
const DUMP_GTID = {
  flags: 4,
  serverId: 9,
  file: '',
  position: 4n,
  gtids: new Map([
    [
      UUID,
      [
        { first: 1n, last: 5n },
        { first: 7n, last: 7n },
      ],
    ],
  ]),
};
const GTIDS = w()
  .writeU64(1)
  .writeBytes(UUID_BYTES)
  .writeU64(2)
  .writeI64(1)
  .writeI64(6)
  .writeI64(7)
  .writeI64(8)
  .take();

export const eventSamples: readonly EventSample[] = [
  {
    name: 'event header',
    body: makeEvent(QUERY_EVENT, Buffer.alloc(0), { checksum: false, flags: 0x80 }),
    decode: decodeEventHeader,
    value: {
      timestamp: 1_700_000_000,
      eventType: QUERY_EVENT,
      serverId: 7,
      eventBytes: 19,
      nextPosition: 1000,
      flags: 0x80,
    },
  },
  {
    name: 'format description',
    body: Buffer.concat([descriptionBody('10.11.14-MariaDB-log', 1), Buffer.alloc(4)]),
    decode: (body) => {
      const { postHeaderLengths, ...rest } = decodeFormatDescription(body);
      return { ...rest, types: postHeaderLengths.length };
    },
    value: { binlogVersion: 4, serverVersion: '10.11.14-MariaDB-log', createdAt: 0, checksum: 1, types: 171 },
    mayEndEarly: true,
  },
  {
    name: 'format description before checksums',
    body: descriptionBody('5.5.62-log', 1),
    decode: (body) => decodeFormatDescription(body).checksum,
    value: 0,
    mayEndEarly: true,
  },
  {
    name: 'rotate',
    body: w().writeU64(4n).writeString('binlog.000003').take(),
    decode: decodeRotate,
    value: { file: 'binlog.000003', position: 4n },
    mayEndEarly: true,
  },
  {
    name: 'GTID of MySQL',
    body: w().writeU8(1).writeBytes(UUID_BYTES).writeI64(23n).take(),
    decode: (body) => decodeMysqlGtid(body, false),
    value: { sourceUuid: UUID, number: 23n },
  },
  {
    name: 'anonymous GTID',
    body: w().writeU8(1).writeZeros(24).take(),
    decode: (body) => decodeMysqlGtid(body, true),
    value: { sourceUuid: null, number: 0n },
  },
  {
    name: 'previous GTIDs',
    body: GTIDS,
    decode: decodePreviousGtids,
    value: DUMP_GTID.gtids,
  },
  {
    name: 'GTID of MariaDB',
    body: w().writeU64(100n).writeU32(3).writeU8(1).writeZeros(6).take(),
    decode: decodeMariadbGtid,
    value: { domainId: 3, sequence: 100n, flags: 1 },
  },
  {
    name: 'GTID of MariaDB in a group commit',
    body: w()
      .writeU64(2n ** 64n - 1n)
      .writeU32(3)
      .writeU8(2)
      .writeU64(17n)
      .take(),
    decode: decodeMariadbGtid,
    value: { domainId: 3, sequence: 2n ** 64n - 1n, flags: 2 },
  },
  {
    name: 'GTID list',
    body: w().writeU32(0x1000_0001).writeU32(0).writeU32(1).writeU64(9n).take(),
    decode: decodeGtidList,
    value: [{ domainId: 0, serverId: 1, sequence: 9n }],
  },
  {
    name: 'query',
    body: query('INSERT INTO t VALUES (1)'),
    decode: (body) => decodeQueryEvent(body),
    value: { ...QUERY, status: READ_STATUS, query: Buffer.from('INSERT INTO t VALUES (1)') },
    mayEndEarly: true,
  },
  {
    name: 'query with a variable that nobody knows',
    body: query('DO 1', Buffer.concat([STATUS, Buffer.from([200, 1, 2])])),
    decode: (body) => decodeQueryEvent(body),
    value: { ...QUERY, status: { ...READ_STATUS, isComplete: false }, query: Buffer.from('DO 1') },
    mayEndEarly: true,
  },
  {
    name: 'query whose variables are cut off',
    body: query('DO 1', STATUS.subarray(0, 9)),
    decode: (body) => decodeQueryEvent(body),
    value: {
      ...QUERY,
      status: { sqlMode: null, clientCollationId: null, isComplete: false },
      query: Buffer.from('DO 1'),
    },
    mayEndEarly: true,
  },
  {
    name: 'LOAD DATA as a query',
    body: query('LOAD DATA …', STATUS, Buffer.alloc(13)),
    decode: (body) => decodeQueryEvent(body, 26),
    value: { ...QUERY, status: READ_STATUS, query: Buffer.from('LOAD DATA …') },
    mayEndEarly: true,
  },
  {
    name: 'packed query',
    body: query(packed(Buffer.from(LONG_TEXT))),
    decode: (body) => decodeCompressedQueryEvent(body, { maxQueryBytes: 1000 }),
    value: { ...QUERY, status: READ_STATUS, query: Buffer.from(LONG_TEXT) },
  },
  {
    name: 'table map',
    body: TABLE_MAP,
    decode: (body) => decodeTableMap(body),
    value: { ...TABLE, metadata: NO_TABLE_MAP_METADATA },
  },
  {
    name: 'table map with metadata',
    body: Buffer.concat([TABLE_MAP, METADATA]),
    decode: (body) => decodeTableMap(body),
    value: {
      ...TABLE,
      metadata: {
        unsignedColumns: [true, false, false, false, false, false],
        columnNames: ['id', 'name'],
        primaryKey: [
          { column: 0, prefixLength: 0 },
          { column: 1, prefixLength: 10 },
        ],
        collationIds: new Map([
          [1, 45],
          [4, 63],
        ]),
      },
    },
    mayEndEarly: true,
  },
  {
    name: 'rows, version 1',
    body: rows(3).writeU8(0b111).writeString('rows').take(),
    decode: (body) => decodeRowsHeader(WRITE_ROWS_EVENT_V1, body),
    value: {
      operation: 'write',
      tableId: 5,
      endsStatement: true,
      columns: 3,
      columnsBefore: Buffer.from([0b111]),
      columnsAfter: Buffer.from([0b111]),
      rowsOffset: 10,
      isCompressed: false,
      isPartial: false,
    },
    mayEndEarly: true,
  },
  {
    name: 'rows, version 2, with more data',
    body: rows(9, 4, 0, 0xaa, 0xbb).writeU16(0x1ff).writeU16(0x003).take(),
    decode: (body) => decodeRowsHeader(UPDATE_ROWS_EVENT, body),
    value: {
      operation: 'update',
      tableId: 5,
      endsStatement: true,
      columns: 9,
      columnsBefore: Buffer.from([0xff, 1]),
      columnsAfter: Buffer.from([3, 0]),
      rowsOffset: 17,
      isCompressed: false,
      isPartial: false,
    },
  },
  {
    name: 'rows with parts of JSON values',
    body: rows(1, 2, 0).writeU8(1).writeU8(1).take(),
    decode: (body) => decodeRowsHeader(PARTIAL_UPDATE_ROWS_EVENT, body).isPartial,
    value: true,
  },
  {
    name: 'XID',
    body: w().writeU64(77n).take(),
    decode: decodeXid,
    value: 77n,
  },
  {
    name: 'XA PREPARE',
    body: w().writeU8(0).writeI32(1).writeU32(2).writeU32(1).writeString('abc').take(),
    decode: decodeXaPrepare,
    value: { isOnePhase: false, formatId: 1, gtrid: Buffer.from('ab'), bqual: Buffer.from('c') },
  },
  {
    name: 'incident',
    body: w().writeU16(1).writeU8(4).writeString('lost').take(),
    decode: decodeIncident,
    value: { incident: 1, message: 'lost' },
  },
  {
    name: 'heartbeat',
    body: Buffer.from('binlog.000001'),
    decode: decodeHeartbeat,
    value: { file: 'binlog.000001', position: null },
    mayEndEarly: true,
  },
  {
    name: 'heartbeat, version 2',
    body: w()
      .writeLenenc(1)
      .writeLenencString('binlog.000001')
      .writeLenenc(2)
      .writeLenencBytes(
        w()
          .writeLenenc(2 ** 33)
          .take(),
      )
      .writeLenenc(0)
      .take(),
    decode: decodeHeartbeatV2,
    value: { file: 'binlog.000001', position: 2n ** 33n },
    mayEndEarly: true,
  },
  {
    name: 'checkpoint',
    body: w().writeU32(3).writeString('a.1').take(),
    decode: decodeBinlogCheckpoint,
    value: 'a.1',
  },
  {
    name: 'start of encryption',
    body: w().writeU8(1).writeU32(2).writeString('123456789012').take(),
    decode: decodeStartEncryption,
    value: { scheme: 1, keyVersion: 2, nonce: Buffer.from('123456789012') },
  },
  {
    name: 'statement behind rows',
    body: Buffer.from('\x06SELECT'),
    decode: decodeRowsQuery,
    value: Buffer.from('SELECT'),
    mayEndEarly: true,
  },
  {
    name: 'transaction by zstd',
    body: payload(ZSTD, 0),
    decode: packedTypes,
    value: [QUERY_EVENT, XID_EVENT],
  },
  {
    name: 'transaction that is not packed',
    body: payload(INNER, 255),
    decode: packedTypes,
    value: [QUERY_EVENT, XID_EVENT],
  },
  {
    name: 'COM_BINLOG_DUMP',
    body: encodeComBinlogDump(DUMP),
    decode: decodeComBinlogDump,
    value: DUMP,
    mayEndEarly: true,
  },
  {
    name: 'COM_BINLOG_DUMP_GTID',
    body: encodeComBinlogDumpGtid(DUMP_GTID),
    decode: decodeComBinlogDumpGtid,
    value: DUMP_GTID,
  },
];
