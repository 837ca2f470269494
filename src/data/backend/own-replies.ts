/** Statements that Sluice sends on its own account on a connection nobody holds. */

import { AnswerShape, Command } from '../../../protocol/index.ts';
import type { BackendConnection } from './backend-connection.ts';
import { discardSink } from './expected-reply.ts';
import { RECORDER_CAPABILITIES } from './recording-reply.ts';

/** Ends whatever transaction is open. A failure closes the connection. */
export function rollbackReply(connection: BackendConnection, done: () => void): void {
  connection.sendCommand(Command.COM_QUERY, 'ROLLBACK', {
    shape: AnswerShape.query,
    owner: {
      replyComplete: (_connection, tracker) => {
        if (tracker.errno !== 0) connection.close(`ROLLBACK failed with ${tracker.errno}`);
        else done();
      },
      replyLost: () => undefined,
    },
    sink: discardSink,
    clientCapabilities: RECORDER_CAPABILITIES,
    statusBefore: 0,
    repeatable: false,
  });
}
