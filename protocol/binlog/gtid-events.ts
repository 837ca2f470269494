/**
 * What begins a transaction, and what tells which ones are in the files before.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Gtid__event.html
 * https://mariadb.com/kb/en/gtid_event/ https://mariadb.com/kb/en/gtid_list_event/
 */

import { BufferReader } from '../encoding/buffer-reader.ts';
import { MalformedPacketError } from '../errors.ts';

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
/** In the upper bits of the count. */
const LIST_FLAG_BITS = 28;
const ENTRY_BYTES = 16;

export function decodeMysqlGtid(body: Buffer, isAnonymous: boolean): MysqlGtid {
  const reader = new BufferReader(body);
  reader.skip(1, 'flags');
  const uuid = reader.readBytes(UUID_BYTES, 'source UUID');
  const number = reader.readI64('GTID number');
  if (isAnonymous) return { sourceUuid: null, number: 0n };
  if (number <= 0n) throw new MalformedPacketError('GTID number', 1 + UUID_BYTES);
  return { sourceUuid: formatUuid(uuid), number };
}

export function decodeMariadbGtid(body: Buffer): MariadbGtid {
  const reader = new BufferReader(body);
  const sequence = reader.readU64('sequence number');
  const domainId = reader.readU32('domain');
  const flags = reader.readU8('flags');
  // A group commit's number, or zeros.
  reader.skip((flags & MariadbGtidFlag.FL_GROUP_COMMIT_ID) === 0 ? 6 : 8, 'group commit');
  return { domainId, sequence, flags };
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
