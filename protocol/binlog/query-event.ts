import { BufferReader } from '../encoding/buffer-reader.ts';
import { MalformedPacketError } from '../errors.ts';
import { inflateBinlogBytes } from './compressed-bytes.ts';

/**
 * A statement as text: DDL, BEGIN and COMMIT, XA, and with `binlog_format` STATEMENT or MIXED what changes rows.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Query__event.html
 */
export interface QueryEvent {
  readonly threadId: number;
  /** The error that it ended with on its server, after having done a part; 0 for none. */
  readonly errorCode: number;
  /** The schema that it ran in; '' for none. */
  readonly schema: string;
  /** In the character set of `status`. A view, of the body unless it was compressed. */
  readonly query: Buffer;
  readonly status: QueryStatus;
}

/** What of the session's variables is needed to read the statement; null where the event does not say. */
export interface QueryStatus {
  /** As bits. */
  readonly sqlMode: bigint | null;
  /** Collation id of `character_set_client`. */
  readonly clientCollationId: number | null;
  /** Whether all was understood: behind a variable that is not known nothing can be read. */
  readonly isComplete: boolean;
}

/** A text over this is not unpacked. */
export interface QueryLimits {
  readonly maxQueryBytes: number;
}

const FIXED_BYTES = 13;
const Q_SQL_MODE_CODE = 1;
const Q_CHARSET_CODE = 4;
const Q_INVOKER_CODE = 11;
const Q_UPDATED_DB_NAMES = 12;
/** More than can be named. */
const OVER_MAX_DBS = 254;

/** Of the other variables, by code, how many bytes they take. */
const SIZES: ReadonlyMap<number, number> = new Map([
  [0, 4], // flags2
  [3, 4], // auto_increment_increment and _offset
  [7, 2], // lc_time_names
  [8, 2], // collation_database
  [9, 8], // tables to be updated
  [10, 4], // bytes that the source has written
  [13, 3], // microseconds
  [14, 0], // commit timestamps, never written
  [15, 0],
  [16, 1], // explicit_defaults_for_timestamp
  [17, 8], // XID of the DDL
  [18, 2], // default_collation_for_utf8mb4
  [19, 1], // sql_require_primary_key
  [20, 1], // default_table_encryption
  [128, 3], // MariaDB: microseconds
  [129, 8], // MariaDB: XID of the DDL
]);
const Q_CATALOG_CODE = 2;
const Q_TIME_ZONE_CODE = 5;
const Q_CATALOG_NZ_CODE = 6;
const Q_GTID_FLAGS3 = 130;
const Q_CHARACTER_SET_COLLATIONS = 131;

const SCHEMA_BYTES_OFFSET = 8;
const STATUS_BYTES_OFFSET = 11;
const BEGIN = Buffer.from('BEGIN');

/** Whether its statement is BEGIN, as servers write it in front of rows, without anything being allocated. */
export function isBeginEvent(bytes: Buffer, start: number, end: number): boolean {
  const at = end - BEGIN.length;
  if (at - start <= FIXED_BYTES || bytes[at - 1] !== 0) return false;
  const schemaBytes = bytes[start + SCHEMA_BYTES_OFFSET]!;
  const statusBytes = bytes[start + STATUS_BYTES_OFFSET]! | (bytes[start + STATUS_BYTES_OFFSET + 1]! << 8);
  if (start + FIXED_BYTES + statusBytes + schemaBytes + 1 !== at) return false;
  for (let i = 0; i < BEGIN.length; i++) if (bytes[at + i] !== BEGIN[i]) return false;
  return true;
}

/** @param body behind the event's header, without a checksum. */
export function decodeQueryEvent(body: Buffer, postHeaderBytes = FIXED_BYTES): QueryEvent {
  return decode(body, postHeaderBytes, (query) => query);
}

/** MariaDB's QUERY_COMPRESSED_EVENT. */
export function decodeCompressedQueryEvent(
  body: Buffer,
  { maxQueryBytes }: QueryLimits,
  postHeaderBytes = FIXED_BYTES,
): QueryEvent {
  return decode(body, postHeaderBytes, (query) => inflateBinlogBytes(query, maxQueryBytes));
}

function decode(body: Buffer, postHeaderBytes: number, unpack: (query: Buffer) => Buffer): QueryEvent {
  const reader = new BufferReader(body);
  const threadId = reader.readU32('thread id');
  reader.skip(4, 'execution time');
  const schemaBytes = reader.readU8('length of the schema');
  const errorCode = reader.readU16('error code');
  const statusBytes = reader.readU16('length of the status variables');
  // EXECUTE_LOAD_QUERY_EVENT has more of its own.
  reader.skip(postHeaderBytes - FIXED_BYTES, 'fixed part');
  const status = decodeStatus(reader.readBytes(statusBytes, 'status variables'));
  const schema = reader.readBytes(schemaBytes, 'schema').toString('utf8');
  if (reader.readU8('end of the schema') !== 0)
    throw new MalformedPacketError('end of the schema', reader.offset - 1);
  return { threadId, errorCode, schema, status, query: unpack(reader.readRest()) };
}

function decodeStatus(view: Buffer): QueryStatus {
  const reader = new BufferReader(view);
  const status: { sqlMode: bigint | null; clientCollationId: number | null } = {
    sqlMode: null,
    clientCollationId: null,
  };
  try {
    while (reader.remaining > 0) {
      const code = reader.readU8('status variable');
      if (code === Q_SQL_MODE_CODE) status.sqlMode = reader.readU64('sql_mode');
      else if (code === Q_CHARSET_CODE) {
        status.clientCollationId = reader.readU16('character_set_client');
        reader.skip(4, 'collations');
      } else if (!skipVariable(reader, code)) return { ...status, isComplete: false };
    }
  } catch (error) {
    if (!(error instanceof MalformedPacketError)) throw error;
    return { ...status, isComplete: false };
  }
  return { ...status, isComplete: true };
}

/** @returns false for a variable of unknown length. */
function skipVariable(reader: BufferReader, code: number): boolean {
  const size = SIZES.get(code);
  if (size !== undefined) {
    reader.skip(size, 'status variable');
    return true;
  }
  switch (code) {
    case Q_CATALOG_CODE:
      reader.skip(reader.readU8('length of the catalog') + 1, 'catalog');
      return true;
    case Q_TIME_ZONE_CODE:
    case Q_CATALOG_NZ_CODE:
      reader.skip(reader.readU8('length of a status variable'), 'status variable');
      return true;
    case Q_INVOKER_CODE:
      reader.skip(reader.readU8('length of the user'), 'user');
      reader.skip(reader.readU8('length of the host'), 'host');
      return true;
    case Q_UPDATED_DB_NAMES: {
      const count = reader.readU8('number of schemas');
      for (let i = 0; count !== OVER_MAX_DBS && i < count; i++) reader.readNullTerminatedBytes('schema');
      return true;
    }
    case Q_GTID_FLAGS3:
      return skipGtidFlags(reader);
    case Q_CHARACTER_SET_COLLATIONS:
      reader.skip(reader.readU8('number of collations') * 4, 'collations');
      return true;
    default:
      return false;
  }
}

/** Of an ALTER in two parts: the number of the first stands in the second. */
function skipGtidFlags(reader: BufferReader): boolean {
  const flags = reader.readU16('GTID flags');
  const isSecondPart = (flags & 0x0c) !== 0;
  if (isSecondPart) reader.skip(8, 'number of the first part');
  return true;
}
