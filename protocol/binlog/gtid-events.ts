/**
 * What begins a transaction, and what tells which ones are in the files before.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Gtid__event.html
 * https://mariadb.com/kb/en/gtid_event/ https://mariadb.com/kb/en/gtid_list_event/
 */

import { BufferReader } from '../encoding/buffer-reader.ts';
import { MalformedPacketError } from '../errors.ts';
import { readU32 } from './event-header.ts';

/** MySQL: GTID_LOG_EVENT, or ANONYMOUS_GTID_LOG_EVENT where the server makes none. */
export interface MysqlGtid {
  /** In lower case with dashes; null in an anonymous one. */
  readonly sourceUuid: string | null;
  /** 0 in an anonymous one. */
  readonly number: bigint;
}

/** MariaDB. Its server is the one in the event's header. */
export interface MariadbGtid {
  readonly domainId: number;
  readonly sequence: bigint;
  readonly flags: number;
}

export const MariadbGtidFlag = {
  /** One event follows, and nothing ends it. */
  FL_STANDALONE: 0x01,
  FL_GROUP_COMMIT_ID: 0x02,
  FL_TRANSACTIONAL: 0x04,
  FL_DDL: 0x20,
  FL_PREPARED_XA: 0x40,
  FL_COMPLETED_XA: 0x80,
} as const;

/** MySQL: from `first` to `last`, both included. */
export interface GtidInterval {
  readonly first: bigint;
  readonly last: bigint;
}

/** By UUID in lower case. */
export type MysqlGtidIntervals = ReadonlyMap<string, readonly GtidInterval[]>;

export interface MariadbGtidListEntry {
  readonly domainId: number;
  readonly serverId: number;
  readonly sequence: bigint;
}

const UUID_BYTES = 16;
/** MariaDB's number, domain and flags, and as much again of a group commit or of zeros. */
const MARIADB_GTID_BYTES = 19;
const MARIADB_FLAGS_OFFSET = 12;
/** In the upper bits of the count. */
const LIST_FLAG_BITS = 28;
const ENTRY_BYTES = 16;

/** The last one, for whom the next GTID is from, too, almost always. */
const lastUuid = { bytes: Buffer.alloc(UUID_BYTES), text: formatUuid(Buffer.alloc(UUID_BYTES)) };
const integer = new DataView(new ArrayBuffer(8));

/** @param bytes the body is `bytes[start, end)` */
export function decodeMysqlGtid(
  bytes: Buffer,
  isAnonymous: boolean,
  start = 0,
  end = bytes.length,
): MysqlGtid {
  const uuidAt = start + 1;
  const numberAt = uuidAt + UUID_BYTES;
  if (end - numberAt < 8) throw new MalformedPacketError('GTID', end - start);
  if (isAnonymous) return { sourceUuid: null, number: 0n };
  const number = readInteger(bytes, numberAt).getBigInt64(0);
  if (number <= 0n) throw new MalformedPacketError('GTID number', numberAt - start);
  return { sourceUuid: uuidText(bytes, uuidAt), number };
}

/** @param bytes the body is `bytes[start, end)` */
export function decodeMariadbGtid(bytes: Buffer, start = 0, end = bytes.length): MariadbGtid {
  if (end - start < MARIADB_GTID_BYTES) throw new MalformedPacketError('GTID', end - start);
  const sequence = readInteger(bytes, start).getBigUint64(0);
  const flags = bytes[start + MARIADB_FLAGS_OFFSET]!;
  // A group commit's number, or zeros.
  const fixedBytes = MARIADB_GTID_BYTES + ((flags & MariadbGtidFlag.FL_GROUP_COMMIT_ID) === 0 ? 0 : 2);
  if (end - start < fixedBytes) throw new MalformedPacketError('group commit', end - start);
  return { domainId: readU32(bytes, start + 8), sequence, flags };
}

/** Its eight bytes at 0, most significant first: one bigint is made, where `Buffer` makes four of it. */
function readInteger(bytes: Buffer, at: number): DataView {
  integer.setUint32(4, readU32(bytes, at));
  integer.setUint32(0, readU32(bytes, at + 4));
  return integer;
}

/** The same string for the same source as before, which is compared faster than another one with the same characters. */
function uuidText(bytes: Buffer, at: number): string {
  for (let i = 0; i < UUID_BYTES; i++) {
    if (bytes[at + i] === lastUuid.bytes[i]) continue;
    bytes.copy(lastUuid.bytes, 0, at, at + UUID_BYTES);
    lastUuid.text = formatUuid(lastUuid.bytes);
    break;
  }
  return lastUuid.text;
}

/** Without the tags that MySQL 8.3 and later may put behind UUIDs: `MalformedPacketError`. */
export function decodePreviousGtids(body: Buffer): MysqlGtidIntervals {
  const reader = new BufferReader(body);
  const sets = readGtidIntervals(reader);
  reader.assertEnd('previous GTIDs');
  return sets;
}

export function decodeGtidList(body: Buffer): readonly MariadbGtidListEntry[] {
  const reader = new BufferReader(body);
  const count = reader.readU32('number of GTIDs') & (2 ** LIST_FLAG_BITS - 1);
  if (count * ENTRY_BYTES > reader.remaining) throw new MalformedPacketError('number of GTIDs', 0);
  const entries: MariadbGtidListEntry[] = [];
  for (let i = 0; i < count; i++) {
    const domainId = reader.readU32('domain');
    const serverId = reader.readU32('server');
    entries.push({ domainId, serverId, sequence: reader.readU64('sequence number') });
  }
  return entries;
}

/** The encoding of a set that this event and COM_BINLOG_DUMP_GTID share. */
export function readGtidIntervals(reader: BufferReader): MysqlGtidIntervals {
  const sources = reader.readU64AsNumber('number of sources');
  if (sources * (UUID_BYTES + 8) > reader.remaining)
    throw new MalformedPacketError('number of sources', reader.offset - 8);
  const sets = new Map<string, readonly GtidInterval[]>();
  for (let source = 0; source < sources; source++) {
    const uuid = formatUuid(reader.readBytes(UUID_BYTES, 'source UUID'));
    const count = reader.readU64AsNumber('number of intervals');
    if (count * 16 > reader.remaining)
      throw new MalformedPacketError('number of intervals', reader.offset - 8);
    const intervals: GtidInterval[] = [];
    for (let i = 0; i < count; i++) intervals.push(readInterval(reader));
    sets.set(uuid, intervals);
  }
  return sets;
}

function readInterval(reader: BufferReader): GtidInterval {
  const first = reader.readI64('first of an interval');
  const end = reader.readI64('end of an interval');
  if (first <= 0n || end <= first) throw new MalformedPacketError('interval', reader.offset - 16);
  return { first, last: end - 1n };
}

function formatUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
