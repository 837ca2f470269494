/** The client's file of a LOAD DATA LOCAL on its way to the server: it comes from the client, never from here. */

import { fragmentCount, framePacket } from '../../../protocol/index.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';

/** @param sequenceId of the packet's last frame, as the client counts. */
export function sendInfilePacket(
  connection: BackendConnection,
  buffer: Buffer,
  start: number,
  end: number,
  sequenceId: number,
): void {
  // The client counts the packets that were put into its answer; the server does not know of them.
  const first = sequenceId - (fragmentCount(end - start) - 1) - connection.sequenceShift;
  connection.socket.append(framePacket(Buffer.from(buffer.subarray(start, end)), first & 0xff));
  if (end === start) connection.infileSent();
}
