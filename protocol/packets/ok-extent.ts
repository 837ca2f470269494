import { StatusFlag } from '../constants/status-flags.ts';
import { lenencSizeAt, readLenenc, readLenencNumber } from '../encoding/lenenc.ts';
import { MalformedPacketError } from '../errors.ts';

const STATUS_AND_WARNINGS_BYTES = 4;
/** Of the status flags, in the byte that has it. */
const STATE_CHANGED = StatusFlag.SERVER_SESSION_STATE_CHANGED >>> 8;

/**
 * Where the parts of an OK packet are (see `ok.ts`), of one under CLIENT_PROTOCOL_41 and CLIENT_SESSION_TRACK. Nothing is made of
 * them: it is for what passes by the thousand. One object serves any number of packets, one after the other.
 */
export class OkExtent {
  /** Beyond 2^53 - 1 they lose precision. */
  affectedRows = 0;
  lastInsertId = 0;
  statusFlags = 0;
  warnings = 0;
  /** Of the session state block; both the same where there is none. */
  stateStart = 0;
  stateEnd = 0;
  #statusAt = 0;
  /** Where the packet ends for who is told nothing of the session's state. */
  #shortEnd = 0;

  /** @throws MalformedPacketError where `decodeOk` would */
  read(bytes: Uint8Array, start: number, end: number): void {
    let at = start + 1;
    this.affectedRows = Number(readLenenc(bytes, at, end));
    at += lenencSizeAt(bytes, at, end);
    this.lastInsertId = Number(readLenenc(bytes, at, end));
    at += lenencSizeAt(bytes, at, end);
    if (end - at < STATUS_AND_WARNINGS_BYTES) throw new MalformedPacketError('status flags', at);
    this.#statusAt = at;
    this.statusFlags = bytes[at]! | (bytes[at + 1]! << 8);
    this.warnings = bytes[at + 2]! | (bytes[at + 3]! << 8);
    at += STATUS_AND_WARNINGS_BYTES;
    this.stateStart = at;
    this.stateEnd = at;
    this.#shortEnd = at;
    if (at === end) return;
    const infoEnd = textEnd(bytes, at, end, 'info');
    // Without anything behind it an empty one is left out.
    if (infoEnd > at + 1) this.#shortEnd = infoEnd;
    const hasState = (this.statusFlags & StatusFlag.SERVER_SESSION_STATE_CHANGED) !== 0;
    if (!hasState || infoEnd === end) return;
    this.stateEnd = textEnd(bytes, infoEnd, end, 'session state');
    this.stateStart = infoEnd + lenencSizeAt(bytes, infoEnd, end);
  }

  /** Takes the session's state out of what was read last. @returns where the packet ends now; its header is still the old one. */
  cut(bytes: Uint8Array): number {
    bytes[this.#statusAt + 1]! &= ~STATE_CHANGED;
    return this.#shortEnd;
  }
}

function textEnd(bytes: Uint8Array, at: number, end: number, what: string): number {
  const length = readLenencNumber(bytes, at, end);
  const textEndsAt = at + lenencSizeAt(bytes, at, end) + length;
  if (textEndsAt > end) throw new MalformedPacketError(what, at);
  return textEndsAt;
}
