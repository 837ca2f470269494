/** The client's file of a LOAD DATA LOCAL on its way to the server: it comes from the client, never from here. */

import { fragmentCount, framePacket } from '../../../protocol/index.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';

export class InfilePassage {
  /** Of the next packet, where the client does not count them. */
  #nextSequence: number | null = null;

  /**
   * A packet of the file; an empty one ends it.
   * @param sequenceId of the packet's last frame, as the client counts; null if it does not: compression counts its
   *   frames instead.
   */
  pass(
    connection: BackendConnection,
    buffer: Buffer,
    start: number,
    end: number,
    sequenceId: number | null,
  ): void {
    const fragments = fragmentCount(end - start);
    let last = sequenceId;
    if (last === null) {
      const first = this.#nextSequence ?? connection.replies.infileSequence;
      last = first + fragments - 1;
      this.#nextSequence = end === start ? null : last + 1;
    }
    // The client counts the packets that were put into its answer; the server does not know of them.
    const first = last - (fragments - 1) - connection.replies.sequenceShift;
    connection.socket.append(framePacket(Buffer.from(buffer.subarray(start, end)), first & 0xff));
    if (end === start) connection.replies.infileSent();
  }
}
