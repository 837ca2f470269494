/** Answers in which servers tell of their own clients: Sluice makes them tell of its own. */

import type { StatementClass } from '../../sql/statement-class.ts';
import type { WorkerContext } from '../worker-context.ts';
import { makeProcessList } from './process-list.ts';
import type { Session } from './session.ts';
import { mayShowTlsStatus, rewriteTlsStatus, tlsStatusOf } from './tls-status.ts';

const FULL_LIST = /\bfull\b/i;

/**
 * The session's next answer, to the command in `buffer[start, end)`, is adapted where that is needed.
 */
export function adaptAnswer(
  session: Session,
  context: WorkerContext,
  { command, statementCount }: StatementClass,
  buffer: Buffer,
  start: number,
  end: number,
): void {
  if (statementCount !== 1) return;
  const isBinary = session.run.statement !== null;
  if (command === 'SHOW_PROCESSLIST' && !isBinary) {
    const isFull = FULL_LIST.test(buffer.toString('latin1', start + 1, end));
    makeProcessList(session, context, isFull);
  } else if (command === 'SHOW_STATUS' && (isBinary || mayShowTlsStatus(buffer, start + 1, end))) {
    session.collectAnswer((answer) => {
      const status = tlsStatusOf(session.transport.describeTls(), context.backends.dialect.flavor);
      session.write(rewriteTlsStatus(answer, status, isBinary));
      session.commandAnswered();
    });
  }
}
