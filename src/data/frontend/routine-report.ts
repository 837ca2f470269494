/**
 * What servers report of nearly every write and transaction: the GTID of a commit, how the transaction stands, and how to
 * begin one like it. Of a session-state block with nothing else in it, read where it lies.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html#sect_protocol_basic_ok_packet_sessinfo
 */

import { SessionTrackType } from '../../../protocol/index.ts';
import { isLastGtid } from '../causal/reported-gtid.ts';

/** Longer ones are not of these. */
const MAX_LENGTH = 0xfa;
const NONE = -1;
const ASCII = 0x80;
/** Of transactions, e.g. `T___W___`: there are some that are common. */
const MAX_STATES = 64;

export class RoutineReport {
  /** Something is said of how to begin another transaction. */
  hasCharacteristics = false;
  /** That is not empty. */
  isCharacterised = false;
  #stateAt = NONE;
  #stateLength = 0;
  readonly #states: string[] = [];

  /** @returns false if there is anything else in it, or it is no block. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    this.hasCharacteristics = false;
    this.#stateAt = NONE;
    let at = start;
    while (at < end) {
      if (end - at < 2) return false;
      const body = at + 2;
      const bodyEnd = body + bytes[at + 1]!;
      if (bytes[at + 1]! > MAX_LENGTH || bodyEnd > end) return false;
      if (!this.#readEntry(bytes, bytes[at]!, body, bodyEnd)) return false;
      at = bodyEnd;
    }
    return true;
  }

  #readEntry(bytes: Uint8Array, type: number, body: number, end: number): boolean {
    if (type === SessionTrackType.GTIDS) return isText(bytes, body + 1, end);
    if (type === SessionTrackType.SYSTEM_VARIABLES) return isLastGtid(bytes, body, end);
    if (!isText(bytes, body, end)) return false;
    if (type === SessionTrackType.TRANSACTION_CHARACTERISTICS) {
      this.hasCharacteristics = true;
      this.isCharacterised = end > body + 1;
      return true;
    }
    if (type !== SessionTrackType.TRANSACTION_STATE) return false;
    for (let at = body; at < end; at++) if (bytes[at]! >= ASCII) return false;
    this.#stateAt = body + 1;
    this.#stateLength = end - body - 1;
    return true;
  }

  /** Of the transaction, by what was read last. @returns `before` if nothing is said of it, or the same */
  stateIn(bytes: Buffer, before: string): string {
    if (this.#stateAt === NONE || this.#isAt(bytes, before)) return before;
    for (const state of this.#states) if (this.#isAt(bytes, state)) return state;
    const state = bytes.toString('latin1', this.#stateAt, this.#stateAt + this.#stateLength);
    if (this.#states.length === MAX_STATES) this.#states.length = 0;
    this.#states.push(state);
    return state;
  }

  #isAt(bytes: Uint8Array, text: string): boolean {
    if (text.length !== this.#stateLength) return false;
    for (let i = 0; i < text.length; i++) if (bytes[this.#stateAt + i] !== text.charCodeAt(i)) return false;
    return true;
  }
}

/** One text with its length in front, and nothing behind it. */
function isText(bytes: Uint8Array, start: number, end: number): boolean {
  return start < end && bytes[start]! <= MAX_LENGTH && start + 1 + bytes[start]! === end;
}
