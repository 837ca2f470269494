import type { SessionDescription } from '../../common/thread-messages.ts';
import type { Session } from './session.ts';
import { SessionPhase } from './session-phase.ts';

/** As a list of processes shows it. */
export function describeSession(session: Session): SessionDescription {
  const { account, transport, state, run } = session;
  const isBusy = session.phase !== SessionPhase.idle;
  return {
    id: account.value.connectionId,
    user: account.value.username,
    host: transport.host,
    schema: state.schema,
    isBusy,
    seconds: Math.floor((performance.now() - transport.lastActivity) / 1000),
    info: isBusy ? run.text : null,
    threadId: session.primaryThreadId,
  };
}
