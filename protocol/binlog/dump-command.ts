/**
 * What a replica sends to get the binlog.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication.html
 */

import { Command } from '../constants/commands.ts';
import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { MalformedPacketError } from '../errors.ts';
import { type MysqlGtidIntervals, readGtidIntervals } from './gtid-events.ts';

export const DumpFlag = {
  /** The server ends the answer where the log ends now. */
  BINLOG_DUMP_NON_BLOCK: 0x01,
  /** Of COM_BINLOG_DUMP_GTID: `gtids` is there. */
  BINLOG_THROUGH_GTID: 0x04,
} as const;

/** From a place in a file. With `@slave_connect_state` MariaDB takes that and not the place. */
export interface ComBinlogDump {
  /** At least 4. */
  readonly position: number;
  readonly flags: number;
  /** Who reads: no two of a server's readers may have the same. */
  readonly serverId: number;
  /** '': the first one that there is. */
  readonly file: string;
}

export function encodeComBinlogDump({ position, flags, serverId, file }: ComBinlogDump): Buffer {
  return new BufferWriter()
    .writeU8(Command.COM_BINLOG_DUMP)
    .writeU32(position)
    .writeU16(flags)
    .writeU32(serverId)
    .writeString(file)
    .take();
}

export function decodeComBinlogDump(view: Buffer): ComBinlogDump {
  const reader = commandReader(view, Command.COM_BINLOG_DUMP, 'COM_BINLOG_DUMP');
  const position = reader.readU32('position');
  const flags = reader.readU16('flags');
  const serverId = reader.readU32('server id');
  return { position, flags, serverId, file: reader.readRestString() };
}

/** MySQL: everything that is not in `gtids`. */
export interface ComBinlogDumpGtid {
  readonly flags: number;
  readonly serverId: number;
  readonly file: string;
  readonly position: bigint;
  readonly gtids: MysqlGtidIntervals;
}

export function encodeComBinlogDumpGtid(value: ComBinlogDumpGtid): Buffer {
  const gtids = new BufferWriter();
  writeGtidIntervals(gtids, value.gtids);
  const file = Buffer.from(value.file);
  return new BufferWriter(64 + gtids.length)
    .writeU8(Command.COM_BINLOG_DUMP_GTID)
    .writeU16(value.flags)
    .writeU32(value.serverId)
    .writeU32(file.length)
    .writeBytes(file)
    .writeU64(value.position)
    .writeU32(gtids.length)
    .writeBytes(gtids.asView())
    .take();
}

export function decodeComBinlogDumpGtid(view: Buffer): ComBinlogDumpGtid {
  const reader = commandReader(view, Command.COM_BINLOG_DUMP_GTID, 'COM_BINLOG_DUMP_GTID');
  const flags = reader.readU16('flags');
  const serverId = reader.readU32('server id');
  const file = reader.readBytes(reader.readU32('length of the file name'), 'file name').toString('utf8');
  const position = reader.readU64('position');
  const bytes = reader.readBytes(reader.readU32('length of the GTIDs'), 'GTIDs');
  const gtidReader = new BufferReader(bytes);
  const gtids = readGtidIntervals(gtidReader);
  gtidReader.assertEnd('GTIDs');
  return { flags, serverId, file, position, gtids };
}

export function writeGtidIntervals(writer: BufferWriter, sets: MysqlGtidIntervals): void {
  writer.writeU64(sets.size);
  for (const [uuid, intervals] of sets) {
    const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex');
    if (bytes.length !== 16) throw new RangeError(`'${uuid}' is no UUID`);
    writer.writeBytes(bytes).writeU64(intervals.length);
    for (const { first, last } of intervals) writer.writeI64(first).writeI64(last + 1n);
  }
}

function commandReader(view: Buffer, command: number, name: string): BufferReader {
  const reader = new BufferReader(view);
  if (reader.readU8(name) !== command) throw new MalformedPacketError(name, 0);
  return reader;
}
