/** SHOW PROCESSLIST and COM_PROCESS_INFO: the primary's answer is kept, all workers are asked, and one list is made. */

import { hasCapability, MariadbCapability } from '../../../protocol/index.ts';
import type { WorkerContext } from '../worker-context.ts';
import { rewriteProcessList } from './process-list-answer.ts';
import type { Session } from './session.ts';
import { SessionPhase } from './session-phase.ts';

/** A longer list goes as the server made it: FULL shows statements of any length. */
const MAX_BYTES = 16 << 20;

/** What a command's answer is put into instead of the client's socket. */
export class AnswerCollector {
  readonly chunks: Buffer[] = [];
  #bytes = 0;

  /** @returns false if it is too long; `chunks` holds what came before. */
  keep(bytes: Buffer): boolean {
    this.#bytes += bytes.length;
    if (this.#bytes > MAX_BYTES) return false;
    this.chunks.push(Buffer.from(bytes));
    return true;
  }
}

/** The session's next answer becomes such a list. */
export function makeProcessList(
  session: Session,
  { sessions: registry }: WorkerContext,
  isFull: boolean,
): void {
  session.collectAnswer((answer) => {
    const ownThread = session.run.residue.lastConnection?.threadId ?? 0;
    registry.list((lists) => {
      if (session.phase === SessionPhase.closed) return;
      // The one that asks is shown by the row of its own statement.
      const sessions = lists
        .flatMap((list) => list.sessions)
        .map((one) => (one.id === session.identity.connectionId ? { ...one, threadId: ownThread } : one));
      const ownThreads = new Set(lists.flatMap((list) => list.threads));
      const { clientCapabilities: capabilities, username, connectionKey } = session;
      const extended = MariadbCapability.MARIADB_CLIENT_EXTENDED_METADATA;
      const extendedMetadata = hasCapability(connectionKey.mariadbFlags, extended);
      const context = { capabilities, extendedMetadata, username, isFull, sessions, ownThreads };
      session.write(rewriteProcessList(answer, context));
      session.commandAnswered();
    });
  });
}
