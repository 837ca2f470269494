/** What the run of a command needs of its session. */

import type { AnswerShape, ResponseTracker } from '../../../protocol/index.ts';
import type { ClientError } from '../../common/errors.ts';
import type { WriteMarks } from '../cache/write-marks.ts';
import type { SessionCausality } from '../causal/session-causality.ts';
import type { AftermathClient } from './aftermath.ts';
import type { ClientStatement } from './client-statement.ts';
import type { CommandRouting } from './command-routing.ts';
import type { SearchClient } from './search-client.ts';
import type { TracedClient } from './statement-trace.ts';

/** The session, as far as a run needs it. */
export interface RunClient extends SearchClient, TracedClient, AftermathClient {
  readonly routing: CommandRouting;
  readonly causality: SessionCausality;
  readonly marks: WriteMarks;
  readonly clientCapabilities: number;
  /** @returns true if the bytes are still referenced. */
  write(bytes: Buffer): boolean;
  /** Bytes that the client has not taken. */
  readonly unsentBytes: number;
  /** The client waits for its file to be asked for. */
  localInfile(): void;
  /** Sequence id of the error that is sent next. */
  errorSequence: number;
  sendError(error: ClientError): void;
  /** In the name of a server that could not say it any more. */
  sendOk(): void;
  /** The command is answered; `connection` stays held if `holds`. */
  runFinished(): void;
  /** A command on a prepared statement is answered; the connection is still the session's. */
  statementAnswered(statement: ClientStatement, shape: AnswerShape, tracker: ResponseTracker): void;
  /** The held connection is gone, and with it what the session had there. */
  heldConnectionLost(reason: string): void;
  /** Of a statement that waits for something that is no run. @returns false if none does; else it has ended with the error. */
  interruptsWait(error: ClientError): boolean;
  /** No command runs, and none may until `restored`. @returns false if one does, or the session has ended */
  restores(): boolean;
  restored(): void;
}
