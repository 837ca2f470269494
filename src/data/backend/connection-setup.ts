/**
 * What a connection is asked right after its handshake (or a reset), in one write: to report session state, and
 * what its variables and its schema are. Servers that cannot report are found out here.
 */

import { AnswerShape, Command } from '../../../protocol/index.ts';
import type { BackendConnection } from './backend-connection.ts';
import { discardSink, type ExpectedReply, type ReplyOwner } from './expected-reply.ts';
import { RECORDER_CAPABILITIES, RecordingReply } from './recording-reply.ts';
import { canonicalVariableName, SessionVariables } from './session-variables.ts';
import { PROBED_VARIABLES } from './variable-policy.ts';

const TRACKING =
  "SET session_track_schema=ON,session_track_state_change=ON,session_track_transaction_info='CHARACTERISTICS'" +
  ",session_track_system_variables='*'";
/** MySQL only; MariaDB reports `last_gtid` as a system variable. */
const TRACKING_MYSQL = `${TRACKING},session_track_gtids=OWN_GTID`;
const PROBE = `SHOW SESSION VARIABLES WHERE Variable_name IN (${PROBED_VARIABLES.map((name) => `'${name}'`).join(',')})`;

export interface SetupFound {
  readonly variables: SessionVariables;
  readonly schema: string | null;
  readonly tracksState: boolean;
}

export interface SetupListener {
  done(found: SetupFound): void;
  failed(reason: string): void;
}

export function setupReplies(connection: BackendConnection, reset: boolean, listener: SetupListener): void {
  const lost: SetupListener['failed'] = (reason) => listener.failed(reason);
  let tracksState = true;
  let schema: string | null = null;
  if (reset) send(connection, Command.COM_RESET_CONNECTION, '', AnswerShape.single, resetOwner(listener));
  const tracking = new RecordingReply((_, result) => {
    tracksState = result.errno === 0;
  }, lost);
  const isMysql = connection.server.flavor === 'mysql';
  send(connection, Command.COM_QUERY, isMysql ? TRACKING_MYSQL : TRACKING, AnswerShape.query, tracking);
  const database = new RecordingReply((_, result) => {
    schema = result.rows[0]?.[0] ?? null;
  }, lost);
  send(connection, Command.COM_QUERY, 'SELECT DATABASE()', AnswerShape.query, database);
  const probe = new RecordingReply((_, result) => {
    if (result.errno !== 0) {
      listener.failed(`cannot read its session variables: ${result.errno} ${result.errorMessage}`);
      return;
    }
    const entries = result.rows.map(
      ([name, value]) => [canonicalVariableName(name ?? ''), value ?? ''] as const,
    );
    listener.done({ variables: SessionVariables.of(entries), schema, tracksState });
  }, lost);
  send(connection, Command.COM_QUERY, PROBE, AnswerShape.query, probe);
}

function send(
  connection: BackendConnection,
  command: number,
  text: string,
  shape: AnswerShape,
  owner: ReplyOwner & Partial<ExpectedReply['sink']>,
): void {
  const sink = owner instanceof RecordingReply ? owner : discardSink;
  connection.sendCommand(command, text, {
    shape,
    owner,
    sink,
    clientCapabilities: RECORDER_CAPABILITIES,
    statusBefore: 0,
    repeatable: false,
  });
}

function resetOwner(listener: SetupListener): ReplyOwner {
  return {
    replyComplete: (_connection, tracker) => {
      if (tracker.errno !== 0) listener.failed(`COM_RESET_CONNECTION failed with ${tracker.errno}`);
    },
    replyLost: (_connection, reason) => listener.failed(reason),
  };
}
