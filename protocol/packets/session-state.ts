import { SessionTrackType } from '../constants/session-track.ts';
import { BufferReader } from '../encoding/buffer-reader.ts';
import { BufferWriter } from '../encoding/buffer-writer.ts';

/**
 * One entry of the session state block of an OK packet.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html#sect_protocol_basic_ok_packet_sessinfo
 *
 * Texts are decoded as UTF-8, in which servers send them.
 */
export type SessionStateChange =
  | { readonly type: typeof SessionTrackType.SYSTEM_VARIABLES; readonly name: string; readonly value: string }
  | { readonly type: typeof SessionTrackType.SCHEMA; readonly schema: string }
  /** `session_track_state_change`: something changed; the value is `1`. Alone of all, it has no length of its own. */
  | { readonly type: typeof SessionTrackType.STATE_CHANGE; readonly value: string }
  | { readonly type: typeof SessionTrackType.GTIDS; readonly encoding: number; readonly gtids: string }
  /** SQL that would start a transaction like the current one; empty if none is to be started. */
  | { readonly type: typeof SessionTrackType.TRANSACTION_CHARACTERISTICS; readonly characteristics: string }
  /** 8 characters, e.g. `T_______`; each place is a kind of activity. */
  | { readonly type: typeof SessionTrackType.TRANSACTION_STATE; readonly state: string }
  /** A kind that this library does not know: newer servers have more. `data` is a view. */
  | { readonly type: 'unknown'; readonly code: number; readonly data: Buffer };

/** `view` is the block itself, `OkPacket.sessionState`. An entry may bring several variables; each is one change. */
export function decodeSessionState(view: Buffer): SessionStateChange[] {
  const changes: SessionStateChange[] = [];
  const reader = new BufferReader(view);
  while (reader.remaining > 0) {
    const code = reader.readU8('session state type');
    const data = reader.readLenencBytes('session state entry');
    decodeEntry(code, data, changes);
  }
  return changes;
}

export function encodeSessionState(changes: readonly SessionStateChange[]): Buffer {
  const writer = new BufferWriter();
  for (const change of changes) {
    if (change.type === 'unknown') {
      writer.writeU8(change.code).writeLenencBytes(change.data);
    } else {
      writer.writeU8(change.type).writeLenencBytes(encodeEntry(change));
    }
  }
  return writer.take();
}

function decodeEntry(code: number, data: Buffer, changes: SessionStateChange[]): void {
  const reader = new BufferReader(data);
  switch (code) {
    case SessionTrackType.SYSTEM_VARIABLES:
      do {
        const name = reader.readLenencString('variable name');
        changes.push({ type: code, name, value: reader.readLenencString('variable value') });
      } while (reader.remaining > 0);
      return;
    case SessionTrackType.SCHEMA:
      changes.push({ type: code, schema: reader.readLenencString('schema') });
      break;
    case SessionTrackType.STATE_CHANGE:
      changes.push({ type: code, value: reader.readRestString() });
      break;
    case SessionTrackType.GTIDS: {
      const encoding = reader.readU8('GTID encoding');
      changes.push({ type: code, encoding, gtids: reader.readLenencString('GTIDs') });
      break;
    }
    case SessionTrackType.TRANSACTION_CHARACTERISTICS:
      changes.push({ type: code, characteristics: reader.readLenencString('transaction characteristics') });
      break;
    case SessionTrackType.TRANSACTION_STATE:
      changes.push({ type: code, state: reader.readLenencString('transaction state') });
      break;
    default:
      changes.push({ type: 'unknown', code, data });
  }
}

function encodeEntry(change: Exclude<SessionStateChange, { type: 'unknown' }>): Buffer {
  const writer = new BufferWriter();
  switch (change.type) {
    case SessionTrackType.SYSTEM_VARIABLES:
      writer.writeLenencString(change.name).writeLenencString(change.value);
      break;
    case SessionTrackType.SCHEMA:
      writer.writeLenencString(change.schema);
      break;
    case SessionTrackType.STATE_CHANGE:
      writer.writeString(change.value);
      break;
    case SessionTrackType.GTIDS:
      writer.writeU8(change.encoding).writeLenencString(change.gtids);
      break;
    case SessionTrackType.TRANSACTION_CHARACTERISTICS:
      writer.writeLenencString(change.characteristics);
      break;
    case SessionTrackType.TRANSACTION_STATE:
      writer.writeLenencString(change.state);
      break;
  }
  return writer.take();
}
