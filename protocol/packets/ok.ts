import { Capability, hasCapability } from '../constants/capability-flags.ts';
import { hasStatus, StatusFlag } from '../constants/status-flags.ts';
import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';
import { lenencSizeAt, readLenenc } from '../encoding/lenenc.ts';
import { MalformedPacketError } from '../errors.ts';

/**
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html
 *
 * The page calls `info` a string<EOF> where CLIENT_SESSION_TRACK is not negotiated; servers (and the client
 * libraries) have it length-encoded there too, and leave it out when it is empty and nothing follows.
 */
export interface OkPacket {
  /** 0x00, or 0xfe where the packet ends a result set under CLIENT_DEPRECATE_EOF. */
  readonly header: 0x00 | 0xfe;
  /** A bigint only above 2^53 - 1. */
  readonly affectedRows: number | bigint;
  readonly lastInsertId: number | bigint;
  readonly statusFlags: number;
  readonly warnings: number;
  /** Human-readable, in the session's result character set; empty if there is none. */
  readonly info: Buffer;
  /** The session state block for `decodeSessionState`, or null if the packet has none. */
  readonly sessionState: Buffer | null;
}

/** What to say in an OK of one's own; whatever is left out is 0 or empty. */
export type OkValues = Partial<Omit<OkPacket, 'info'>> & { readonly info?: Uint8Array | string };

const EMPTY = Buffer.alloc(0);
/** Enough for the header and the numbers. */
const SMALL_OK_BYTES = 64;

/** `info` and `sessionState` are views. */
export function decodeOk(view: Buffer, capabilities: number): OkPacket {
  const reader = new BufferReader(view);
  const header = reader.readU8('OK header');
  if (header !== 0x00 && header !== 0xfe) throw new MalformedPacketError('OK header', 0);
  const affectedRows = reader.readLenenc('affected rows');
  const lastInsertId = reader.readLenenc('last insert id');
  let statusFlags = 0;
  let warnings = 0;
  if (hasCapability(capabilities, Capability.CLIENT_PROTOCOL_41)) {
    statusFlags = reader.readU16('status flags');
    warnings = reader.readU16('warnings');
  } else if (hasCapability(capabilities, Capability.CLIENT_TRANSACTIONS)) {
    statusFlags = reader.readU16('status flags');
  }
  let info: Buffer = EMPTY;
  let sessionState: Buffer | null = null;
  if (hasCapability(capabilities, Capability.CLIENT_SESSION_TRACK)) {
    if (reader.remaining > 0) info = reader.readLenencBytes('info');
    if (reader.remaining > 0 && hasStatus(statusFlags, StatusFlag.SERVER_SESSION_STATE_CHANGED)) {
      sessionState = reader.readLenencBytes('session state');
    }
  } else {
    info = withoutLength(reader.readRest());
  }
  return { header, affectedRows, lastInsertId, statusFlags, warnings, info, sessionState };
}

/**
 * Without CLIENT_SESSION_TRACK the state block is left out, and its status flag cleared: nobody asked for them.
 * With it, the flag follows `sessionState`: set if there is a block, cleared if there is none.
 */
export function encodeOk(values: OkValues, capabilities: number): Buffer {
  const writer = new BufferWriter(SMALL_OK_BYTES);
  writeOk(writer, values, capabilities);
  return writer.take();
}

export function frameOk(values: OkValues, capabilities: number, sequenceId: number): Buffer {
  const writer = new BufferWriter(SMALL_OK_BYTES);
  writer.beginPacket(sequenceId);
  writeOk(writer, values, capabilities);
  writer.endPacket();
  return writer.take();
}

function writeOk(writer: BufferWriter, values: OkValues, capabilities: number): void {
  const tracked = hasCapability(capabilities, Capability.CLIENT_SESSION_TRACK);
  const sessionState = tracked ? (values.sessionState ?? null) : null;
  const info = typeof values.info === 'string' ? Buffer.from(values.info) : (values.info ?? EMPTY);
  let statusFlags = (values.statusFlags ?? 0) & ~StatusFlag.SERVER_SESSION_STATE_CHANGED;
  if (sessionState !== null) statusFlags |= StatusFlag.SERVER_SESSION_STATE_CHANGED;
  writer
    .writeU8(values.header ?? 0x00)
    .writeLenenc(values.affectedRows ?? 0)
    .writeLenenc(values.lastInsertId ?? 0);
  if (hasCapability(capabilities, Capability.CLIENT_PROTOCOL_41)) {
    writer.writeU16(statusFlags).writeU16(Math.min(values.warnings ?? 0, 0xffff));
  } else if (hasCapability(capabilities, Capability.CLIENT_TRANSACTIONS)) {
    writer.writeU16(statusFlags);
  }
  if (info.length > 0 || sessionState !== null) writer.writeLenencBytes(info);
  if (sessionState !== null) writer.writeLenencBytes(sessionState);
}

/** The text behind its length, or the whole where the bytes are no length-encoded string (see the page above). */
function withoutLength(rest: Buffer): Buffer {
  const first = rest[0];
  if (first === undefined || first === 0xfb || first === 0xff) return rest;
  const size = lenencSizeAt(rest, 0, rest.length);
  if (size > rest.length) return rest;
  const length = readLenenc(rest, 0, rest.length);
  return typeof length === 'number' && size + length === rest.length ? rest.subarray(size) : rest;
}
