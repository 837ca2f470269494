import { Capability, hasCapability } from '../constants/capability-flags.ts';
import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { MalformedPacketError } from '../errors.ts';
import { framePacket } from '../framing/packet-header.ts';

/**
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_err_packet.html
 * https://mariadb.com/kb/en/err_packet/ (progress reports)
 */
export interface ErrPacket {
  readonly errno: number;
  /** 5 characters; `HY000` where the packet names none (before the handshake response, or from an old server). */
  readonly sqlState: string;
  /** Decoded as UTF-8, for people; to pass an error on, pass its bytes on. */
  readonly message: string;
}

/** MariaDB: an ERR with errno 0xffff is no error but a progress report, and the answer goes on. */
export interface ProgressReport {
  readonly stage: number;
  readonly maxStage: number;
  /** Thousandths of a percent. */
  readonly progress: number;
  readonly info: string;
}

export const ERR_HEADER = 0xff;
export const PROGRESS_REPORT_ERRNO = 0xffff;
const DEFAULT_SQL_STATE = 'HY000';
const SQL_STATE_MARKER = 0x23;
const SQL_STATE_BYTES = 5;

export function isProgressReport(view: Uint8Array): boolean {
  return view.length > 3 && view[0] === ERR_HEADER && view[1] === 0xff && view[2] === 0xff;
}

/**
 * The SQLSTATE is there when its marker is: an error before the handshake response has it from some servers and not
 * from others, so the capabilities do not tell. Throws `MalformedPacketError` on a progress report.
 */
export function decodeErr(view: Buffer): ErrPacket {
  const reader = new BufferReader(view);
  if (reader.readU8('ERR header') !== ERR_HEADER) throw new MalformedPacketError('ERR header', 0);
  const errno = reader.readU16('error number');
  if (errno === PROGRESS_REPORT_ERRNO) throw new MalformedPacketError('ERR packet: a progress report', 1);
  let sqlState = DEFAULT_SQL_STATE;
  if (reader.peekU8() === SQL_STATE_MARKER && reader.remaining > SQL_STATE_BYTES) {
    reader.skip(1);
    sqlState = reader.readBytes(SQL_STATE_BYTES, 'SQLSTATE').toString('latin1');
  }
  return { errno, sqlState, message: reader.readRestString() };
}

/** Without CLIENT_PROTOCOL_41 the SQLSTATE is left out; before the handshake response, pass 0. */
export function encodeErr(
  value: { readonly errno: number; readonly sqlState: string; readonly message: string | Uint8Array },
  capabilities: number,
): Buffer {
  const writer = new BufferWriter(64 + value.message.length).writeU8(ERR_HEADER).writeU16(value.errno);
  if (hasCapability(capabilities, Capability.CLIENT_PROTOCOL_41)) {
    if (!/^[0-9A-Z]{5}$/.test(value.sqlState)) throw new RangeError(`'${value.sqlState}' is no SQLSTATE`);
    writer.writeU8(SQL_STATE_MARKER).writeString(value.sqlState);
  }
  if (typeof value.message === 'string') writer.writeString(value.message);
  else writer.writeBytes(value.message);
  return writer.take();
}

export function frameErr(
  value: { readonly errno: number; readonly sqlState: string; readonly message: string | Uint8Array },
  capabilities: number,
  sequenceId: number,
): Buffer {
  return framePacket(encodeErr(value, capabilities), sequenceId);
}

export function decodeProgressReport(view: Buffer): ProgressReport {
  const reader = new BufferReader(view);
  if (reader.readU8('ERR header') !== ERR_HEADER) throw new MalformedPacketError('ERR header', 0);
  if (reader.readU16('error number') !== PROGRESS_REPORT_ERRNO) {
    throw new MalformedPacketError('progress report number', 1);
  }
  reader.skip(1, 'number of strings');
  return {
    stage: reader.readU8('stage'),
    maxStage: reader.readU8('max stage'),
    progress: reader.readU24('progress'),
    info: reader.readLenencString('progress info'),
  };
}

export function encodeProgressReport(value: ProgressReport): Buffer {
  return new BufferWriter()
    .writeU8(ERR_HEADER)
    .writeU16(PROGRESS_REPORT_ERRNO)
    .writeU8(1)
    .writeU8(value.stage)
    .writeU8(value.maxStage)
    .writeU24(value.progress)
    .writeLenencString(value.info)
    .take();
}
