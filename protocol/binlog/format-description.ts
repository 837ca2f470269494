import { BufferReader } from '../encoding/buffer-reader.ts';
import { MalformedPacketError } from '../errors.ts';
import { BINLOG_EVENT_HEADER_BYTES } from './event-header.ts';

/** How the events behind it are laid out, and by whom they were written. */
export interface FormatDescription {
  readonly binlogVersion: number;
  /** As in a greeting: `5.7.29-log`, `10.11.14-MariaDB-log`. */
  readonly serverVersion: string;
  /** Seconds since 1970; 0 unless it is the first since the server's start. */
  readonly createdAt: number;
  readonly checksum: BinlogChecksum;
  /** Of each event type, from 1 on, the length of the fixed part of its body: for `postHeaderBytes`. A copy. */
  readonly postHeaderLengths: Uint8Array;
}

export const BinlogChecksum = { NONE: 0, CRC32: 1 } as const;
export type BinlogChecksum = (typeof BinlogChecksum)[keyof typeof BinlogChecksum];

const BINLOG_VERSION = 4;
const SERVER_VERSION_BYTES = 50;
/** The algorithm and a checksum, which are there whatever the algorithm is. */
const FOOTER_BYTES = 5;
/** The first versions that have the footer: in the development of MySQL 5.6 and MariaDB 5.3. */
const FIRST_WITH_FOOTER = [5, 6, 1] as const;

/**
 * @param body behind the event's header, up to its end: **with** the checksum, since only this event tells whether there
 * are checksums.
 */
export function decodeFormatDescription(body: Buffer): FormatDescription {
  const reader = new BufferReader(body);
  const binlogVersion = reader.readU16('binlog version');
  if (binlogVersion !== BINLOG_VERSION) throw new MalformedPacketError(`binlog version ${binlogVersion}`, 0);
  const version = reader.readBytes(SERVER_VERSION_BYTES, 'server version');
  const end = version.indexOf(0);
  const serverVersion = version.toString('latin1', 0, end === -1 ? SERVER_VERSION_BYTES : end);
  const createdAt = reader.readU32('creation time');
  const headerBytes = reader.readU8('header length');
  if (headerBytes !== BINLOG_EVENT_HEADER_BYTES)
    throw new MalformedPacketError(`event headers of ${headerBytes} bytes`, reader.offset - 1);
  const footerBytes = hasFooter(serverVersion) ? FOOTER_BYTES : 0;
  if (reader.remaining < footerBytes) throw new MalformedPacketError('checksum algorithm', reader.offset);
  const lengths = reader.readBytes(reader.remaining - footerBytes, 'post-header lengths');
  const postHeaderLengths = Uint8Array.from(lengths);
  const checksum = footerBytes === 0 ? BinlogChecksum.NONE : reader.readU8('checksum algorithm');
  if (checksum !== BinlogChecksum.NONE && checksum !== BinlogChecksum.CRC32)
    throw new MalformedPacketError(`checksum algorithm ${checksum}`, reader.offset - 1);
  return { binlogVersion, serverVersion, createdAt, checksum, postHeaderLengths };
}

/** What the length of the fixed part is for this type; null for a type that the writer did not know either. */
export function postHeaderBytes({ postHeaderLengths }: FormatDescription, eventType: number): number | null {
  return postHeaderLengths[eventType - 1] ?? null;
}

function hasFooter(serverVersion: string): boolean {
  if (/mariadb/i.test(serverVersion)) return true;
  const parts = /^(\d+)\.(\d+)\.(\d+)/.exec(serverVersion);
  if (parts === null) return true;
  for (let i = 0; i < FIRST_WITH_FOOTER.length; i++) {
    const difference = Number(parts[i + 1]) - FIRST_WITH_FOOTER[i]!;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
