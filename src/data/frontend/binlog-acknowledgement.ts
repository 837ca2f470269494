/** What a replica says while its source's binlog is being sent to it: how far it has got (semi-synchronous replication). */

import { Command, framePacket } from '../../../protocol/index.ts';
import type { Session } from './session.ts';

/** First byte of a replica's acknowledgement. */
const SEMI_SYNC_REPLY = 0xef;

/** Anything but an acknowledgement the source would not read either. */
export function packetDuringStream(session: Session, buffer: Buffer, start: number, end: number): void {
  if (buffer[start] === SEMI_SYNC_REPLY && end > start)
    session.run.connection?.socket.append(framePacket(buffer.subarray(start, end), 0));
  else if (buffer[start] === Command.COM_QUIT && end === start + 1) session.close('quit');
}
