/** An answer that Sluice itself asked for: kept as bytes, then read as text rows. */

import {
  AnswerShape,
  Capability,
  decodeTextRow,
  type OkPacket,
  PacketReader,
  type ResponseSink,
  type ResponseTracker,
} from '../../../protocol/index.ts';
import { ER_NET_PACKET_TOO_LARGE } from '../../common/server-errno.ts';
import type { BackendConnection } from './backend-connection.ts';
import type { ExpectedReply, ReplyOwner } from './expected-reply.ts';

/** With these the tracker leaves the answer as the client side of Sluice wants to read it. */
export const RECORDER_CAPABILITIES = Capability.CLIENT_PROTOCOL_41 | Capability.CLIENT_DEPRECATE_EOF;
/** Own statements answer with a few rows; more than this is no answer to them. */
const MAX_BYTES = 1 << 20;

export interface RecordedResult {
  /** The packets of the columns and of the rows as the server sent them. */
  readonly columns: readonly Buffer[];
  readonly packets: readonly Buffer[];
  readonly rows: (string | null)[][];
  readonly errno: number;
  readonly errorMessage: string;
}

interface Mutable {
  readonly rows: (string | null)[][];
  readonly columns: Buffer[];
  readonly packets: Buffer[];
}

export class RecordingReply implements ReplyOwner, ResponseSink {
  readonly #onResult: (connection: BackendConnection, result: RecordedResult) => void;
  readonly #onLost: (reason: string) => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #errorMessage = '';

  constructor(
    onResult: (connection: BackendConnection, result: RecordedResult) => void,
    onLost: (reason: string) => void,
  ) {
    this.#onResult = onResult;
    this.#onLost = onLost;
  }

  forward(buffer: Buffer, start: number, end: number): boolean {
    this.#bytes += end - start;
    if (this.#bytes <= MAX_BYTES) this.#chunks.push(Buffer.from(buffer.subarray(start, end)));
    return false;
  }

  okPacket(_ok: OkPacket): Buffer | null {
    return null;
  }

  errPacket(_errno: number, payload: Buffer): boolean {
    this.#errorMessage = payload.subarray(payload[3] === 0x23 ? 9 : 3).toString('utf8');
    return false;
  }

  localInfile(): void {
    // Never asked for: own statements load no files.
  }

  replyComplete(connection: BackendConnection, tracker: ResponseTracker): void {
    const result: Mutable = { rows: [], columns: [], packets: [] };
    if (tracker.errno === 0 && tracker.lastResultRows >= 0) this.#read(result);
    // An answer that is not what was asked for must not pass for a shorter one.
    const tooLong = this.#bytes > MAX_BYTES;
    const errno = tooLong ? ER_NET_PACKET_TOO_LARGE : tracker.errno;
    const errorMessage = tooLong ? `answer of ${this.#bytes} bytes` : this.#errorMessage;
    this.#onResult(connection, { ...result, errno, errorMessage });
  }

  replyLost(_connection: BackendConnection, reason: string): void {
    this.#onLost(reason);
  }

  #read({ rows, columns: definitions, packets }: Mutable): void {
    let columns = 0;
    let index = 0;
    const reader = new PacketReader((payload) => {
      const packet = index++;
      if (packet === 0) columns = payload[0] ?? 0;
      else if (packet <= columns) definitions.push(Buffer.from(payload));
      else if (!(payload[0] === 0xfe && payload.length < 0xffffff)) {
        packets.push(Buffer.from(payload));
        rows.push(
          decodeTextRow(payload, columns).map((value) => (value === null ? null : value.toString('utf8'))),
        );
      }
    }, MAX_BYTES);
    for (const chunk of this.#chunks) reader.push(chunk);
  }
}

/** The queue entry for a statement of Sluice's own. */
export function ownReply(recorder: RecordingReply, shape: AnswerShape = AnswerShape.query): ExpectedReply {
  return {
    shape,
    owner: recorder,
    sink: recorder,
    clientCapabilities: RECORDER_CAPABILITIES,
    statusBefore: 0,
    repeatable: false,
    isOwn: true,
  };
}
