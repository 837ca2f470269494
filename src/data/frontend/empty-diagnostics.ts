/** Empties the list of warnings of a connection; nobody waits for the answer. */

import { Command } from '../../../protocol/index.ts';
import type { BackendConnection } from '../backend/backend-connection.ts';
import { ownReply, RecordingReply } from '../backend/recording-reply.ts';

export function emptyDiagnostics(connection: BackendConnection): void {
  const ignored = new RecordingReply(
    () => undefined,
    () => undefined,
  );
  connection.sendCommand(Command.COM_QUERY, 'DO 0', ownReply(ignored));
}
